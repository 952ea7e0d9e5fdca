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
#include "llvm/Support/CRC.h"
#include <zlib.h>

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
  packed[whole.find("PK\x01\x02") + 10] = 12; // bzip2
  EXPECT_NE(failure(packed).find("is compressed with method 12; write it with numpy.savez or savez_compressed"),
            std::string::npos);
  // Any one byte may lie, and nothing may be read beyond the file.
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string wrong = whole;
    wrong[i] = ~wrong[i];
    (void)failure(wrong);
  }
}

std::string deflated(llvm::StringRef text) {
  std::string packed(text.size() + 64, 0);
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = packed.size();
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// An archive of `count` members that share one local record, as zip and NumPy write deflated ones.
std::string archive(llvm::StringRef packed, uint32_t size, uint32_t crc, unsigned count = 1) {
  auto number = [](uint64_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i)
      text += static_cast<char>(value >> (8 * i));
    return text;
  };
  std::string sizes = number(crc, 4) + number(packed.size(), 4) + number(size, 4);
  std::string common = number(20, 2) + number(0, 2) + number(8, 2) + number(0, 4) + sizes + number(5, 2) + number(0, 2);
  std::string whole = "PK\3\4" + common + "0.npy" + packed.str(), directory;
  for (unsigned i = 0; i < count; ++i)
    directory += "PK\1\2" + number(20, 2) + common + number(0, 8) + number(0, 6) + std::to_string(i) + ".npy";
  std::string end = "PK\5\6" + number(0, 4) + number(count, 2) + number(count, 2) + number(directory.size(), 4) +
                    number(whole.size(), 4) + number(0, 2);
  return whole + directory + end;
}

TEST(Npz, ReadsDeflatedMembers) {
  TempDir dir;
  auto read = [&](llvm::StringRef contents) { return readNpz(dir.write("a.npz", contents)); };
  auto failure = [&](llvm::StringRef contents) {
    auto arrays = read(contents);
    return arrays ? "no error" : llvm::toString(arrays.takeError()).substr(dir.path("a.npz").size());
  };
  std::string text = file(dictionary("|u1", "(3000,)"), std::string(3000, 'a')), packed = deflated(text);
  ASSERT_LT(packed.size() * 10, text.size());
  uint32_t crc = llvm::crc32(bytesOf(text));
  NpyArrays arrays = llvm::cantFail(read(archive(packed, text.size(), crc)));
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0].second.data, std::vector<uint8_t>(3000, 'a'));

  // Sizes that lie, bytes that are missing, left over or none of deflate's.
  for (uint32_t size : {0u, unsigned(text.size()) - 1, unsigned(text.size()) + 1, 0xfffffffeu})
    EXPECT_EQ(failure(archive(packed, size, crc)), ": damaged zip archive") << size;
  for (const std::string &wrong : {std::string(), packed.substr(0, packed.size() - 1), packed + "x", "\xff" + packed})
    EXPECT_EQ(failure(archive(wrong, text.size(), crc)), ": damaged zip archive");
  EXPECT_EQ(failure(archive(packed, text.size(), crc + 1)), ": member '0.npy' has a wrong checksum");
  // A small archive cannot stand for a large one by naming the same bytes often.
  std::string noise;
  for (uint32_t i = 0, state = 1; i < 3000; ++i, state = state * 1664525 + 1013904223)
    noise += static_cast<char>(state >> 24);
  std::string incompressible = file(dictionary("|u1", "(3000,)"), noise);
  EXPECT_EQ(failure(archive(deflated(incompressible), incompressible.size(), llvm::crc32(bytesOf(incompressible)), 2)),
            ": damaged zip archive");
  // Any one byte may lie.
  std::string whole = archive(packed, text.size(), crc);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string wrong = whole;
    wrong[i] = ~wrong[i];
    (void)failure(wrong);
  }
}

TEST(Npy, FileNames) { EXPECT_EQ(npyFileName("a/b:0 x.y-z_"), "a_b_0_x.y-z_"); }
} // namespace
