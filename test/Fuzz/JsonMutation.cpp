//===- JsonMutation.cpp - One change of a JSON text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonMutation.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using namespace attn::fuzz;

/// All strings and keys that were seen, in the order they came.
static std::vector<std::string> &words() {
  static std::vector<std::string> result;
  return result;
}

static void learn(StringRef word) {
  constexpr size_t kMost = 4096;
  static StringSet<> known;
  if (known.size() < kMost && known.insert(word).second)
    words().push_back(word.str());
}

void JsonMutation::collect(json::Value &value) {
  values.push_back(&value);
  if (json::Array *array = value.getAsArray())
    for (json::Value &element : *array)
      collect(element);
  if (json::Object *object = value.getAsObject())
    for (auto &[key, member] : *object) {
      learn(key);
      collect(member);
    }
  if (auto text = value.getAsString())
    learn(*text);
}

std::string JsonMutation::word() { return words().empty() ? "" : words()[below(words().size())]; }

int64_t JsonMutation::number(int64_t old) {
  constexpr int64_t kSpecial[] = {0, 1, -1, 2, 3, 4, 8, 16, 64, 1 << 20, INT32_MAX, 1ll << 32, INT64_MAX, INT64_MIN};
  switch (below(4)) {
  case 0:
    return kSpecial[below(std::size(kSpecial))];
  case 1:
    return int64_t(uint64_t(old) * 2);
  case 2:
    return old / 2;
  default:
    return int64_t(uint64_t(old) + below(5) - 2);
  }
}

json::Value JsonMutation::fresh() {
  switch (below(7)) {
  case 0:
    return nullptr;
  case 1:
    return below(2) == 0;
  case 2:
    return number(4);
  case 3:
    return double(below(1000)) / 512;
  case 4:
    return json::Array{number(8), number(8)};
  case 5:
    return json::Object{{word(), number(2)}};
  default:
    return word();
  }
}

void JsonMutation::apply(json::Value &root) {
  values.clear();
  collect(root);
  json::Value &value = *values[below(values.size())];
  if (below(16) == 0) {
    value = fresh();
  } else if (json::Object *object = value.getAsObject()) {
    if (below(2) && !object->empty())
      object->erase(std::next(object->begin(), below(object->size())));
    else
      (*object)[word()] = fresh();
  } else if (json::Array *array = value.getAsArray()) {
    if (below(2) && !array->empty()) {
      array->erase(array->begin() + below(array->size()));
    } else {
      json::Value added = array->empty() ? fresh() : json::Value((*array)[below(array->size())]);
      array->push_back(std::move(added));
    }
  } else if (auto flag = value.getAsBoolean()) {
    value = !*flag;
  } else if (auto integer = value.getAsInteger()) {
    value = number(*integer);
  } else if (auto real = value.getAsNumber()) {
    value = *real * (double(below(5)) - 1);
  } else {
    value = word();
  }
}
