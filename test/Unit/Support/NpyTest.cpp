//===- NpyTest.cpp - NumPy's file formats -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Round trips, the forms that NumPy itself writes, and files that are not what they say.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Npy.h"
#include "TempDir.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;

namespace {
llvm::ArrayRef<uint8_t> bytesOf(llvm::StringRef text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string file(llvm::StringRef dictionary, llvm::StringRef data, char version = 1) {
  std::string header("\x93NUMPY", 6);
  header += version;
  header += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    header += static_cast<char>(dictionary.size() >> (8 * i));
  return header + dictionary.str() + data.str();
}

std::string dictionary(llvm::StringRef descr, llvm::StringRef shape, llvm::StringRef order = "False") {
  return ("{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n").str();
}

std::string failure(llvm::StringRef contents) {
  auto array = parseNpy(bytesOf(contents), "a.npy");
  return array ? "no error" : llvm::toString(array.takeError());
}

TEST(Npy, RoundTripsEveryType) {
  TempDir dir;
  using T = NpyType;
  for (T type : {T{T::Float, 16}, T{T::Float, 32}, T{T::Float, 64}, T{T::Int, 8}, T{T::Int, 16}, T{T::Int, 32},
                 T{T::Int, 64}, T{T::UInt, 8}, T{T::UInt, 16}, T{T::UInt, 32}, T{T::UInt, 64}, T{T::Bool, 8}}) {
    NpyArray array = NpyArray::zeros(type, {2, 3});
    for (size_t i = 0; i < array.data.size(); ++i)
      array.data[i] = type.code == T::Bool ? i % 2 : i;
    ASSERT_FALSE(llvm::errorToBool(writeNpy(dir.path("a.npy"), array)));
    NpyArray read = llvm::cantFail(readNpy(dir.path("a.npy")));
    EXPECT_EQ(read.type, type) << type.str();
    EXPECT_EQ(read.shape, array.shape);
    EXPECT_EQ(read.data, array.data);
  }
}

TEST(Npy, ShapesOfAnyRank) {
  TempDir dir;
  for (llvm::SmallVector<int64_t> shape :
       {llvm::SmallVector<int64_t>{}, {5}, {0}, {3, 0, 2}, {1, 2, 3, 4, 5}, {0, int64_t(1) << 62, 8}}) {
    NpyArray array = NpyArray::zeros({NpyType::Float, 32}, shape);
    ASSERT_FALSE(llvm::errorToBool(writeNpy(dir.path("a.npy"), array)));
    EXPECT_EQ(llvm::cantFail(readNpy(dir.path("a.npy"))).shape, shape);
    EXPECT_EQ(dir.read("a.npy").size() % 64, array.data.size() % 64);
  }
}

TEST(Npy, ConvertsElements) {
  auto value = [](NpyType type, uint64_t bits) {
    NpyArray array = NpyArray::zeros(type, {1});
    memcpy(array.data.data(), &bits, type.bytes());
    return array.asDouble(0);
  };
  EXPECT_EQ(value({NpyType::Float, 16}, 0x3e00), 1.5);
  EXPECT_EQ(value({NpyType::BFloat, 16}, 0x3fc0), 1.5);
  EXPECT_EQ(value({NpyType::Float, 32}, 0x3fc00000), 1.5);
  EXPECT_EQ(value({NpyType::Int, 8}, 0xff), -1);
  EXPECT_EQ(value({NpyType::UInt, 8}, 0xff), 255);
  EXPECT_EQ(value({NpyType::Int, 64}, ~0ull), -1);
}

TEST(Npy, ReadsFortranOrderAndOtherVersions) {
  std::string columns = file(dictionary("|u1", "(2, 3)", "True"), llvm::StringRef("\0\3\1\4\2\5", 6), 2);
  NpyArray array = llvm::cantFail(parseNpy(bytesOf(columns), "a"));
  EXPECT_EQ(array.data, (std::vector<uint8_t>{0, 1, 2, 3, 4, 5}));
  std::string voids = file(dictionary("|V2", "(1,)"), "ab", 3);
  EXPECT_EQ(llvm::cantFail(parseNpy(bytesOf(voids), "a")).type.str(), "bf16");
}

TEST(Npy, RefusesWhatItCannotRead) {
  EXPECT_EQ(failure("no numpy"), "a.npy: not an npy file");
  EXPECT_EQ(failure(""), "a.npy: not an npy file");
  EXPECT_EQ(failure(file("", "", 4)), "a.npy: npy version 4 is not supported");
  EXPECT_EQ(failure(file(dictionary("<f4", "(2,)"), "1234567")), "a.npy: 2 of f32 takes 8 bytes, the file has 7");
  EXPECT_EQ(failure(file(dictionary("<f4", "(2,)"), "123456789")), "a.npy: 2 of f32 takes 8 bytes, the file has 9");
  EXPECT_EQ(failure(file(dictionary(">f4", "(2,)"), "12345678")),
            "a.npy: big-endian elements ('>f4') are not supported");
  EXPECT_EQ(failure(file(dictionary("<c8", "(1,)"), "12345678")), "a.npy: element type '<c8' is not supported");
  EXPECT_EQ(failure(file(dictionary("|O", "(1,)"), "12345678")), "a.npy: element type '|O' is not supported");
  EXPECT_EQ(failure(file("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234")),
            "a.npy: structured element types are not supported");
  EXPECT_NE(
      failure(file(dictionary("<f4", "(4611686018427387904, 4611686018427387904)"), "")).find("more than 2^63 - 1"),
      std::string::npos);
  for (llvm::StringRef text : {"", "{", "{'descr'", "{'descr': '<f4'}", "{'shape': (1,)}", "not a dictionary",
                               "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} more"})
    EXPECT_EQ(failure(file(text, "1234")), "a.npy: malformed npy header") << text.str();
  std::string whole = file(dictionary("<f4", "(1,)"), "1234");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(failure(whole.substr(0, size)), "no error") << size;
}

TEST(Npz, RoundTrips) {
  TempDir dir;
  NpyArrays arrays;
  for (const char *name : {"input_ids", "a/b", "last.state"}) {
    arrays.emplace_back(name, NpyArray::zeros({NpyType::Int, 32}, {4}));
    arrays.back().second.elements<int32_t>()[1] = arrays.size();
  }
  ASSERT_FALSE(llvm::errorToBool(writeNpz(dir.path("a.npz"), arrays)));
  NpyArrays read = llvm::cantFail(readNpz(dir.path("a.npz")));
  ASSERT_EQ(read.size(), arrays.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].first, arrays[i].first);
    EXPECT_EQ(read[i].second.data, arrays[i].second.data);
  }
}

TEST(Npz, RefusesDamage) {
  TempDir dir;
  ASSERT_FALSE(llvm::errorToBool(writeNpz(dir.path("a.npz"), {{"x", NpyArray::zeros({NpyType::Int, 8}, {9})}})));
  std::string whole = dir.read("a.npz");
  auto failure = [&](llvm::StringRef contents) {
    auto arrays = readNpz(dir.write("b.npz", contents));
    return arrays ? "no error" : llvm::toString(arrays.takeError());
  };
  EXPECT_EQ(failure(whole), "no error");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(failure(whole.substr(0, size)), "no error") << size;
  std::string changed = whole;
  changed[whole.find("PK\x01\x02") - 1] = 1; // the last data byte
  EXPECT_NE(failure(changed).find("wrong checksum"), std::string::npos);
  std::string packed = whole;
  packed[whole.find("PK\x01\x02") + 10] = 8; // deflated
  EXPECT_NE(failure(packed).find("is compressed; write it with numpy.savez"), std::string::npos);
  // Any one byte may lie, and nothing may be read beyond the file.
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string wrong = whole;
    wrong[i] = ~wrong[i];
    (void)failure(wrong);
  }
}

TEST(Npy, FileNames) { EXPECT_EQ(npyFileName("a/b:0 x.y-z_"), "a_b_0_x.y-z_"); }
} // namespace
