//===- Json.cpp - Typed access to JSON values -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers are accepted only where JSON wrote an integer in range: a width of 384.5 or 1e30 in a model's config is a
// lie, not something to round.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Json.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

static StringRef kindOf(const json::Value &value) {
  switch (value.kind()) {
  case json::Value::Null:
    return "null";
  case json::Value::Boolean:
    return "a boolean";
  case json::Value::Number:
    return "a number";
  case json::Value::String:
    return "a string";
  case json::Value::Array:
    return "an array";
  case json::Value::Object:
    return "an object";
  }
  llvm_unreachable("all kinds are listed");
}

llvm::Error JsonNode::error(const llvm::Twine &message) const {
  if (place.empty())
    return makeError(name + ": " + message);
  return makeError(name + ": " + place + ": " + message);
}

llvm::Error JsonNode::expected(StringRef what) const {
  return error("expected " + what + ", found " + kindOf(value()));
}

JsonNode JsonNode::child(StringRef key, const json::Value &value) const {
  return JsonNode(&value, name, place.empty() ? key.str() : (place + "." + key).str());
}

Expected<std::optional<JsonNode>> JsonNode::find(StringRef key) const {
  const json::Object *object = value().getAsObject();
  if (!object)
    return expected("an object");
  const json::Value *found = object->get(key);
  if (!found || found->kind() == json::Value::Null)
    return std::nullopt;
  return std::optional<JsonNode>(child(key, *found));
}

Expected<JsonNode> JsonNode::member(StringRef key) const {
  const json::Object *object = value().getAsObject();
  if (!object)
    return expected("an object");
  if (const json::Value *found = object->get(key))
    return child(key, *found);
  return error("missing key '" + key + "'");
}

Expected<std::vector<std::pair<StringRef, JsonNode>>> JsonNode::members() const {
  const json::Object *object = value().getAsObject();
  if (!object)
    return expected("an object");
  std::vector<std::pair<StringRef, JsonNode>> result;
  result.reserve(object->size());
  for (const auto &[key, member] : *object)
    result.emplace_back(StringRef(key), child(key, member));
  llvm::sort(result, [](const auto &a, const auto &b) { return a.first < b.first; });
  return result;
}

Expected<std::vector<JsonNode>> JsonNode::elements() const {
  const json::Array *array = value().getAsArray();
  if (!array)
    return expected("an array");
  std::vector<JsonNode> result;
  result.reserve(array->size());
  for (const auto &[index, element] : llvm::enumerate(*array))
    result.push_back(JsonNode(&element, name, place + "[" + std::to_string(index) + "]"));
  return result;
}

Expected<StringRef> JsonNode::string() const {
  if (std::optional<StringRef> text = value().getAsString())
    return *text;
  return expected("a string");
}

Expected<bool> JsonNode::boolean() const {
  if (std::optional<bool> flag = value().getAsBoolean())
    return *flag;
  return expected("a boolean");
}

Expected<double> JsonNode::number() const {
  if (std::optional<double> number = value().getAsNumber())
    return *number;
  return expected("a number");
}

Expected<int64_t> JsonNode::integer(int64_t min, int64_t max) const {
  std::optional<int64_t> integer = value().getAsInteger();
  if (!integer)
    return value().getAsNumber() ? error("expected an integer of at most 64 bits") : expected("an integer");
  if (*integer < min)
    return error("expected at least " + llvm::Twine(min) + ", found " + llvm::Twine(*integer));
  if (*integer > max)
    return error("expected at most " + llvm::Twine(max) + ", found " + llvm::Twine(*integer));
  return *integer;
}

Expected<llvm::SmallVector<int64_t>> JsonNode::integers(int64_t min, int64_t max) const {
  Expected<std::vector<JsonNode>> nodes = elements();
  if (!nodes)
    return nodes.takeError();
  llvm::SmallVector<int64_t> result;
  for (const JsonNode &node : *nodes) {
    Expected<int64_t> integer = node.integer(min, max);
    if (!integer)
      return integer.takeError();
    result.push_back(*integer);
  }
  return result;
}

/// Reads member `key` with `read`.
template <typename T, typename Read>
static Expected<T> readMember(const JsonNode &node, StringRef key, Read read) {
  Expected<JsonNode> member = node.member(key);
  if (!member)
    return member.takeError();
  return read(*member);
}

/// Reads member `key` with `read` where it is present.
template <typename T, typename Read>
static Expected<T> readMemberOr(const JsonNode &node, StringRef key, T otherwise, Read read) {
  Expected<std::optional<JsonNode>> member = node.find(key);
  if (!member)
    return member.takeError();
  if (!*member)
    return otherwise;
  return read(**member);
}

Expected<StringRef> JsonNode::string(StringRef key) const {
  return readMember<StringRef>(*this, key, [](const JsonNode &node) { return node.string(); });
}

Expected<bool> JsonNode::boolean(StringRef key) const {
  return readMember<bool>(*this, key, [](const JsonNode &node) { return node.boolean(); });
}

Expected<double> JsonNode::number(StringRef key) const {
  return readMember<double>(*this, key, [](const JsonNode &node) { return node.number(); });
}

Expected<int64_t> JsonNode::integer(StringRef key, int64_t min, int64_t max) const {
  return readMember<int64_t>(*this, key, [&](const JsonNode &node) { return node.integer(min, max); });
}

Expected<StringRef> JsonNode::stringOr(StringRef key, StringRef otherwise) const {
  return readMemberOr<StringRef>(*this, key, otherwise, [](const JsonNode &node) { return node.string(); });
}

Expected<bool> JsonNode::booleanOr(StringRef key, bool otherwise) const {
  return readMemberOr<bool>(*this, key, otherwise, [](const JsonNode &node) { return node.boolean(); });
}

Expected<double> JsonNode::numberOr(StringRef key, double otherwise) const {
  return readMemberOr<double>(*this, key, otherwise, [](const JsonNode &node) { return node.number(); });
}

Expected<int64_t> JsonNode::integerOr(StringRef key, int64_t otherwise, int64_t min, int64_t max) const {
  return readMemberOr<int64_t>(*this, key, otherwise, [&](const JsonNode &node) { return node.integer(min, max); });
}
