//===- Json.h - Reading JSON that cannot be trusted -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Model directories come from strangers. A text is checked for size, nesting and repeated keys before LLVM's recursive
// parser sees it, and every value is read through a node that knows its file and key path, so that each error names
// both.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_JSON_H
#define ATTN_SUPPORT_JSON_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace attn {

/// What a text may cost before it is refused.
struct JsonLimits {
  size_t maxBytes = 100000000; ///< Also the limit of a safetensors header.
  unsigned maxDepth = 64;      ///< Arrays and objects inside each other.
  size_t maxObjects = 20000;   ///< Each takes 4 KiB in LLVM's representation, however little is in it.
};

/// A value in a JsonDocument, with its place. Cheap to copy; must not outlive the document.
class JsonNode {
public:
  const llvm::json::Value &value() const { return *current; }
  llvm::StringRef file() const { return name; }
  /// Where the value stands, e.g. `layers[2].type`; empty for the root.
  llvm::StringRef path() const { return place; }

  /// "FILE: PATH: MESSAGE", for a value that is well-formed but wrong.
  llvm::Error error(const llvm::Twine &message) const;

  /// The member `key` of this object; an error where it is missing.
  llvm::Expected<JsonNode> member(llvm::StringRef key) const;
  /// The member `key` of this object, or nothing where it is missing or null; an error where this is no object.
  llvm::Expected<std::optional<JsonNode>> find(llvm::StringRef key) const;
  /// All members in the order of their keys (JSON's order is not kept).
  llvm::Expected<std::vector<std::pair<llvm::StringRef, JsonNode>>> members() const;
  /// All elements of this array.
  llvm::Expected<std::vector<JsonNode>> elements() const;

  /// The value itself, or an error that says what it is instead. Bounds are inclusive.
  llvm::Expected<llvm::StringRef> string() const;
  llvm::Expected<bool> boolean() const;
  llvm::Expected<double> number() const;
  llvm::Expected<int64_t> integer(int64_t min = std::numeric_limits<int64_t>::min(),
                                  int64_t max = std::numeric_limits<int64_t>::max()) const;
  llvm::Expected<llvm::SmallVector<int64_t>> integers(int64_t min = std::numeric_limits<int64_t>::min(),
                                                      int64_t max = std::numeric_limits<int64_t>::max()) const;

  /// member(key) and its value in one step.
  llvm::Expected<llvm::StringRef> string(llvm::StringRef key) const;
  llvm::Expected<bool> boolean(llvm::StringRef key) const;
  llvm::Expected<double> number(llvm::StringRef key) const;
  llvm::Expected<int64_t> integer(llvm::StringRef key, int64_t min = std::numeric_limits<int64_t>::min(),
                                  int64_t max = std::numeric_limits<int64_t>::max()) const;

  /// The same with a value for a key that is missing or null. A key of the wrong kind is still an error.
  llvm::Expected<llvm::StringRef> stringOr(llvm::StringRef key, llvm::StringRef otherwise) const;
  llvm::Expected<bool> booleanOr(llvm::StringRef key, bool otherwise) const;
  llvm::Expected<double> numberOr(llvm::StringRef key, double otherwise) const;
  llvm::Expected<int64_t> integerOr(llvm::StringRef key, int64_t otherwise,
                                    int64_t min = std::numeric_limits<int64_t>::min(),
                                    int64_t max = std::numeric_limits<int64_t>::max()) const;

private:
  friend class JsonDocument;
  JsonNode(const llvm::json::Value *current, llvm::StringRef name, std::string place)
      : current(current), name(name), place(std::move(place)) {}
  llvm::Error expected(llvm::StringRef what) const;
  JsonNode child(llvm::StringRef key, const llvm::json::Value &value) const;

  const llvm::json::Value *current;
  llvm::StringRef name; // the document's
  std::string place;
};

/// A parsed text. Movable; nodes stay valid.
class JsonDocument {
public:
  /// Parses `text`, which `file` names in errors. Fails on size, nesting, number of objects, repeated keys, syntax and
  /// invalid UTF-8. `place` is where the text stands in the file, where it is not all of it.
  static llvm::Expected<JsonDocument> parse(llvm::StringRef text, llvm::StringRef file, JsonLimits limits = {},
                                            llvm::StringRef place = "");
  /// Reads and parses the file at `path`.
  static llvm::Expected<JsonDocument> open(llvm::StringRef path, JsonLimits limits = {});

  JsonNode root() const { return JsonNode(&contents->value, contents->file, contents->place); }

private:
  struct Contents {
    llvm::json::Value value = nullptr;
    std::string file, place;
  };
  std::unique_ptr<Contents> contents;
};

/// Calls `visit` with the name and the text of each member of the object that `text` is, in their order: for objects of
/// so many members that they should not be held at once. The text of a member is for JsonDocument::parse, which checks
/// it; what is around the members is checked here, for size, nesting, repeated keys and syntax.
llvm::Error forEachJsonMember(llvm::StringRef text, llvm::StringRef file,
                              llvm::function_ref<llvm::Error(llvm::StringRef name, llvm::StringRef member)> visit,
                              JsonLimits limits = {});

} // namespace attn

#endif // ATTN_SUPPORT_JSON_H
