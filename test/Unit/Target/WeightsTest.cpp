//===- WeightsTest.cpp - Layout and contents of weights ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes around the block and comparison sizes, where off-by-ones would live.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "attn/Target/Weights/ElfObject.h"

#include "llvm/Object/ELFObjectFile.h"

using namespace attn;
using namespace attn::test;
using namespace llvm;

// Byte i is a function of i and seed, except that byte `changed` differs.
static WeightBlob makeBytes(StringRef symbol, uint64_t bytes, uint64_t seed, uint64_t changed = ~uint64_t(0),
                            uint64_t *filled = nullptr) {
  return {symbol.str(), bytes, [=](uint64_t offset, MutableArrayRef<char> block) {
            EXPECT_EQ(offset % weightBlockSize, 0u);
            EXPECT_LE(offset + block.size(), bytes);
            if (filled)
              *filled += block.size();
            for (auto [i, byte] : enumerate(block))
              byte = char(((offset + i) * 2654435761u + seed) >> 7) ^ char(offset + i == changed);
            return Error::success();
          }};
}

static WeightLayout plan(ArrayRef<WeightBlob> blobs) {
  Expected<WeightLayout> layout = WeightLayout::plan(blobs);
  EXPECT_TRUE(bool(layout)) << (layout ? "" : message(layout.takeError()));
  return layout ? std::move(*layout) : WeightLayout();
}

TEST(Weights, OffsetsAreAligned) {
  std::vector<WeightBlob> blobs = {makeBytes("a", 1, 0), makeBytes("b", 0, 0), makeBytes("c", 65, 0),
                                   makeBytes("d", 64, 9)};
  WeightLayout layout = plan(blobs);
  ASSERT_EQ(layout.getSymbols().size(), 4u);
  uint64_t offsets[] = {0, 64, 64, 192};
  for (auto [symbol, offset] : zip_equal(layout.getSymbols(), offsets))
    EXPECT_EQ(symbol.offset, offset) << symbol.name.str();
  EXPECT_EQ(layout.getSize(), 256u);
  EXPECT_EQ(layout.getTotalBytes(), 130u);
}

TEST(Weights, EqualOnesAreStoredOnce) {
  uint64_t bytes = 3 * weightBlockSize + 5;
  std::vector<WeightBlob> blobs = {makeBytes("a", bytes, 1),     makeBytes("b", bytes, 1, bytes - 1),
                                   makeBytes("c", bytes, 1),     makeBytes("d", bytes, 1, 70000),
                                   makeBytes("e", bytes - 1, 1), makeBytes("f", bytes, 1, 70000)};
  WeightLayout layout = plan(blobs);
  ArrayRef<WeightLayout::Symbol> symbols = layout.getSymbols();
  EXPECT_EQ(symbols[0].offset, symbols[2].offset);
  EXPECT_EQ(symbols[3].offset, symbols[5].offset);
  EXPECT_NE(symbols[0].offset, symbols[1].offset);
  EXPECT_NE(symbols[0].offset, symbols[3].offset);
  EXPECT_NE(symbols[0].offset, symbols[4].offset);
  EXPECT_EQ(layout.getStoredBytes(), 4 * bytes - 1);
}

TEST(Weights, DifferentOnesAreHardlyReadTwice) {
  uint64_t filled = 0;
  std::vector<WeightBlob> blobs = {makeBytes("a", 4 << 20, 1 << 9, ~uint64_t(0), &filled),
                                   makeBytes("b", 4 << 20, 2 << 9, ~uint64_t(0), &filled)};
  plan(blobs);
  EXPECT_LE(filled, uint64_t(256 << 10));
}

TEST(Weights, ObjectHoldsTheBytes) {
  std::vector<WeightBlob> blobs = {makeBytes("a", weightBlockSize + 3, 1), makeBytes("b", 100, 2)};
  WeightLayout layout = plan(blobs);
  for (Triple::ArchType arch : {Triple::x86_64, Triple::aarch64}) {
    TemporaryDirectory directory;
    std::string path = directory.file("weights.o");
    std::error_code code;
    {
      raw_fd_ostream os(path, code);
      ASSERT_FALSE(code);
      WeightObjectOptions options;
      options.arch = arch;
      options.contents = true;
      ASSERT_EQ(message(writeWeightObject(os, layout, options)), "");
    }
    Expected<object::OwningBinary<object::ObjectFile>> file = object::ObjectFile::createObjectFile(path);
    ASSERT_TRUE(bool(file)) << message(file.takeError());
    EXPECT_EQ(file->getBinary()->getArch(), arch);
    size_t found = 0;
    for (const object::SymbolRef &symbol : file->getBinary()->symbols()) {
      StringRef name = cantFail(symbol.getName());
      auto section = cantFail(symbol.getSection());
      ASSERT_NE(section, file->getBinary()->section_end());
      StringRef contents = cantFail(section->getContents());
      EXPECT_EQ(cantFail(section->getName()), weightsSectionName);
      EXPECT_EQ(section->getAlignment(), Align(weightsSectionAlignment));
      const WeightBlob &blob = blobs[name == "b"];
      std::vector<char> expected(blob.bytes);
      for (uint64_t offset = 0; offset < blob.bytes; offset += weightBlockSize)
        cantFail(blob.fill(offset, MutableArrayRef(expected).slice(offset).take_front(weightBlockSize)));
      EXPECT_EQ(contents.substr(cantFail(symbol.getValue()), blob.bytes), StringRef(expected.data(), expected.size()))
          << name.str();
      ++found;
    }
    EXPECT_EQ(found, 2u);
  }
}

TEST(Weights, Errors) {
  std::vector<WeightBlob> twice = {makeBytes("a", 1, 0), makeBytes("a", 2, 0)};
  EXPECT_EQ(message(WeightLayout::plan(twice).takeError()), "two weights have the symbol 'a'");
  std::vector<WeightBlob> huge = {makeBytes("a", ~uint64_t(0) - 1, 0), makeBytes("b", 2, 0)};
  EXPECT_NE(message(WeightLayout::plan(huge).takeError()).find("larger than any file"), std::string::npos);
  auto fail = [](uint64_t, MutableArrayRef<char>) { return createStringError("file 'x' is truncated"); };
  std::vector<WeightBlob> broken = {{"a", 8, fail}, {"b", 8, fail}};
  EXPECT_EQ(message(WeightLayout::plan(broken).takeError()), "weight 'a': file 'x' is truncated");
}
