//===- SafetensorsTest.cpp - Corners of the format -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is valid although it looks odd, and a search for crashes: every byte of a file changed, every length cut.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/HuggingFace/Safetensors.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace attn;
using namespace llvm;

namespace {
class SafetensorsTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(sys::fs::createTemporaryFile("model", "safetensors", path)); }
  void TearDown() override { sys::fs::remove(path); }

  static std::string makeFile(StringRef header, StringRef data) {
    std::string contents;
    for (unsigned i = 0; i < 8; ++i)
      contents.push_back(char(uint64_t(header.size()) >> (8 * i)));
    return contents + header.str() + data.str();
  }
  Expected<Checkpoint> open(StringRef contents) {
    std::error_code code;
    raw_fd_ostream os(path, code);
    EXPECT_FALSE(code);
    os << contents;
    os.close();
    return Checkpoint::openFile(path);
  }
  SmallString<128> path;
};

TEST_F(SafetensorsTest, ScalarsAndEmptyTensors) {
  auto checkpoint = open(makeFile(R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},)"
                                  R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                                  R"("b":{"dtype":"I8","shape":[3],"data_offsets":[4,7]},)"
                                  R"("__metadata__":{"e":"anything"}}  )",
                                  "abcdefg"));
  ASSERT_TRUE(bool(checkpoint)) << toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->names(), (std::vector<StringRef>{"b", "e", "s"}));
  const StoredTensor *tensor = checkpoint->find("b");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->bytes, 3u);
  uint64_t size;
  ASSERT_FALSE(sys::fs::file_size(path, size));
  EXPECT_EQ(tensor->offset, size - 3);
  EXPECT_TRUE(checkpoint->find("s")->shape.empty());
  EXPECT_FALSE(checkpoint->find("__metadata__"));
}

TEST_F(SafetensorsTest, NoTensors) {
  auto checkpoint = open(makeFile("{}", ""));
  ASSERT_TRUE(bool(checkpoint)) << toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->size(), 0u);
}

TEST_F(SafetensorsTest, TypesOfPartsOfBytes) {
  auto checkpoint = open(makeFile(R"({"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}})", "abc"));
  EXPECT_TRUE(bool(checkpoint)) << toString(checkpoint.takeError());
  auto odd = open(makeFile(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", "a"));
  ASSERT_FALSE(bool(odd));
  EXPECT_TRUE(StringRef(toString(odd.takeError())).contains("no whole number of bytes"));
}

TEST_F(SafetensorsTest, ManyTensors) {
  // More than a JsonDocument takes: as JSON values they would need hundreds of megabytes.
  std::string header = "{";
  for (int i = 0; i < 30000; ++i) {
    std::string n = std::to_string(i);
    header += "\"t" + n + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + n + "," + std::to_string(i + 1) + "]},";
  }
  header.back() = '}';
  auto checkpoint = open(makeFile(header, std::string(30000, 'x')));
  ASSERT_TRUE(bool(checkpoint)) << toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->size(), 30000u);
  EXPECT_EQ(checkpoint->find("t29999")->bytes, 1u);
}

TEST_F(SafetensorsTest, EntriesAreShort) {
  std::string zeros = "0";
  for (int i = 0; i < 10000; ++i)
    zeros += ",0";
  auto checkpoint = open(makeFile("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + zeros + "],\"data_offsets\":[0,0]}}", ""));
  ASSERT_FALSE(bool(checkpoint));
  EXPECT_TRUE(StringRef(toString(checkpoint.takeError())).contains("a: JSON of 200"));
}

TEST_F(SafetensorsTest, DamagedFiles) {
  std::string good = makeFile(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                              R"("b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}})",
                              "abcdefghijkl");
  ASSERT_TRUE(bool(open(good)));
  for (size_t size = 0; size < good.size(); ++size) {
    auto checkpoint = open(StringRef(good).take_front(size));
    EXPECT_FALSE(bool(checkpoint)) << size;
    consumeError(checkpoint.takeError());
  }
  size_t accepted = 0, headerEnd = good.size() - 12;
  for (size_t i = 0; i < headerEnd; ++i)
    for (char c : {'\0', '9', '"', '{', ']', '-', '\xff'}) {
      std::string bad = good;
      bad[i] = c;
      auto checkpoint = open(bad);
      if (!checkpoint) {
        consumeError(checkpoint.takeError());
        continue;
      }
      // What is still accepted must lie inside of the file.
      accepted += bad != good;
      for (StringRef name : checkpoint->names()) {
        const StoredTensor *tensor = checkpoint->find(name);
        EXPECT_LE(tensor->offset + tensor->bytes, bad.size());
      }
    }
  EXPECT_GT(accepted, 0u); // Other names of tensors, at least.
}
} // namespace
