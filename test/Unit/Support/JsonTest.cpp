//===- JsonTest.cpp - Untrusted JSON ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is refused before and after parsing, and that errors name file and key path.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Json.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {
std::string parseError(llvm::StringRef text, JsonLimits limits = {}) {
  auto document = JsonDocument::parse(text, "f.json", limits);
  return document ? "" : llvm::toString(document.takeError());
}

template <typename T>
std::string failure(llvm::Expected<T> value) {
  return value ? "no error" : llvm::toString(value.takeError());
}

TEST(Json, ReadsTypedValues) {
  auto document = llvm::cantFail(JsonDocument::parse(
      R"({"name": "x", "layers": [{"width": 384}], "eps": 1e-12, "flag": true, "none": null})", "f.json"));
  JsonNode root = document.root();
  EXPECT_EQ(llvm::cantFail(root.string("name")), "x");
  EXPECT_EQ(llvm::cantFail(root.number("eps")), 1e-12);
  EXPECT_TRUE(llvm::cantFail(root.boolean("flag")));
  EXPECT_EQ(llvm::cantFail(root.integerOr("none", 7)), 7);
  EXPECT_EQ(llvm::cantFail(root.stringOr("absent", "y")), "y");
  auto layers = llvm::cantFail(llvm::cantFail(root.member("layers")).elements());
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(llvm::cantFail(layers[0].integer("width", 1, 4096)), 384);
  EXPECT_EQ(llvm::cantFail(root.members()).size(), 5u);
}

TEST(Json, ErrorsNameFileAndPath) {
  auto document = llvm::cantFail(
      JsonDocument::parse(R"({"a": {"b": [1, "two", 2.5, 99999999999999999999]}, "s": [1, -2]})", "dir/config.json"));
  JsonNode root = document.root();
  JsonNode list = llvm::cantFail(llvm::cantFail(root.member("a")).member("b"));
  auto elements = llvm::cantFail(list.elements());
  EXPECT_EQ(failure(elements[1].integer()), "dir/config.json: a.b[1]: expected an integer, found a string");
  EXPECT_EQ(failure(elements[2].integer()), "dir/config.json: a.b[2]: expected an integer of at most 64 bits");
  EXPECT_EQ(failure(elements[3].integer()), "dir/config.json: a.b[3]: expected an integer of at most 64 bits");
  EXPECT_EQ(failure(elements[0].integer(2)), "dir/config.json: a.b[0]: expected at least 2, found 1");
  EXPECT_EQ(failure(elements[0].integer(-5, 0)), "dir/config.json: a.b[0]: expected at most 0, found 1");
  EXPECT_EQ(failure(root.integer("width")), "dir/config.json: missing key 'width'");
  EXPECT_EQ(failure(list.integer("x")), "dir/config.json: a.b: expected an object, found an array");
  EXPECT_EQ(failure(root.string("a")), "dir/config.json: a: expected a string, found an object");
  EXPECT_EQ(failure(llvm::cantFail(root.member("s")).integers(0)),
            "dir/config.json: s[1]: expected at least 0, found -2");
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_EQ(parseError(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_NE(parseError(std::string(65, '[') + std::string(65, ']')).find("nests deeper than 64"), std::string::npos);
  EXPECT_NE(parseError(std::string(1000000, '[')).find("nests deeper than 64"), std::string::npos);
  // Brackets in strings do not nest, also behind escaped quotes.
  EXPECT_EQ(parseError("[\"\\\"" + std::string(1000, '{') + "\\\\\"]"), "");
}

TEST(Json, RefusesManyObjects) {
  std::string many = "[";
  for (int i = 0; i < 20000; ++i)
    many += "{},";
  EXPECT_NE(parseError(many + "{}]").find("more than 20000 objects"), std::string::npos);
  many.pop_back();
  EXPECT_EQ(parseError(many + "]"), "");
}

/// "NAME=TEXT;" for each member, or the error.
std::string members(llvm::StringRef text, JsonLimits limits = {}) {
  std::string all;
  llvm::Error error = forEachJsonMember(
      text, "f.json",
      [&](llvm::StringRef name, llvm::StringRef member) {
        all += (name + "=" + member.trim() + ";").str();
        return llvm::Error::success();
      },
      limits);
  return error ? llvm::toString(std::move(error)) : all;
}

TEST(Json, MembersOneByOne) {
  EXPECT_EQ(members("{}"), "");
  EXPECT_EQ(members(R"( { "b" : [1, {"x": "},{"}] ,"a\"":"\"," } )"), R"(b=[1, {"x": "},{"}];a"="\",";)");
  EXPECT_EQ(members(R"({"a": 1, "\u0061": 2})"), "f.json: JSON key 'a' occurs twice in one object");
  EXPECT_NE(members(R"({"a": {"b": 1, "b": 2}})").find("key 'b' occurs twice"), std::string::npos);
  EXPECT_NE(members("{\"a\": " + std::string(65, '[')).find("nests deeper than 64"), std::string::npos);
  EXPECT_NE(members("{\"a\": 1}", {5}).find("larger than the limit of 5"), std::string::npos);
  // What follows the last member that is well is the error.
  for (llvm::StringRef text : {"", "[]", "{", "{,}", "{\"a\"}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1]", "{\"a\":1}}",
                               "{\"a\":1} 2", "{1:2}", "{\"", "{\"\\", "{\"\xff\":1}"})
    EXPECT_TRUE(llvm::StringRef(members(text)).starts_with("f.json: ")) << text.str() << ": " << members(text);
  std::string many = "{";
  for (int i = 0; i < 30000; ++i)
    many += "\"" + std::to_string(i) + "\":{},";
  many.back() = '}';
  EXPECT_TRUE(llvm::StringRef(members(many)).starts_with("0={};1={};"));
}

TEST(Json, PartOfAFile) {
  auto document = llvm::cantFail(JsonDocument::parse("{\"x\": 1}", "f.json", {}, "a"));
  EXPECT_EQ(failure(document.root().string("x")), "f.json: a.x: expected a string, found a number");
  EXPECT_EQ(failure(JsonDocument::parse("{", "f.json", {}, "a")).find("f.json: a: invalid JSON"), 0u);
}

TEST(Json, RefusesWhatLies) {
  EXPECT_NE(parseError(R"({"a": 1, "b": {"a": 2}, "a": 3})").find("key 'a' occurs twice"), std::string::npos);
  EXPECT_EQ(parseError(R"({"a": "a", "b": ["a", "a"]})"), "");
  EXPECT_NE(parseError("[1, 2]", {5, 64}).find("larger than the limit of 5"), std::string::npos);
  for (llvm::StringRef text : {"", "{", "[1,]", "{\"a\" 1}", "\"", "\"\\", "nul", "[1] 2", "{\"\xff\": 1}", "]", "}"})
    EXPECT_NE(parseError(text).find("f.json: invalid JSON"), std::string::npos) << text.str();
}
} // namespace
