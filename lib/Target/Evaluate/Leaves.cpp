//===- Leaves.cpp - Values that stand in a file or in the IR -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluators.h"
#include "attn/Support/Errors.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::Expected;
using llvm::formatv;
using namespace mlir;
using namespace attn;

// What stands in files and in the IR's storage is little-endian, as are the machines that models are compiled on.
static_assert(llvm::sys::IsLittleEndianHost, "weights are copied as they stand in the files");

namespace {
class FileEvaluator final : public WeightEvaluator {
public:
  FileEvaluator(FileAttr attr, unsigned elementSize, std::shared_ptr<const WeightFile> file)
      : WeightEvaluator(attr.getType(), elementSize), file(std::move(file)), offset(attr.getOffset()) {}
  void read(uint64_t first, uint64_t count, char *out) const override {
    memcpy(out, file->getData(offset + first * getElementSize()), count * getElementSize());
  }
  llvm::Error check() const override { return file->checkUnchanged(); }

private:
  std::shared_ptr<const WeightFile> file;
  uint64_t offset;
};

/// Small values: kept as the bytes of all elements, or of the one that all are equal to.
class DenseEvaluator final : public WeightEvaluator {
public:
  DenseEvaluator(RankedTensorType type, unsigned elementSize, SmallVector<char> bytes, bool splat)
      : WeightEvaluator(type, elementSize), bytes(std::move(bytes)), splat(splat) {}
  void read(uint64_t first, uint64_t count, char *out) const override {
    unsigned size = getElementSize();
    if (!splat) {
      memcpy(out, bytes.data() + first * size, count * size);
      return;
    }
    for (uint64_t i = 0; i < count; ++i)
      memcpy(out + i * size, bytes.data(), size);
  }
  llvm::Error check() const override { return llvm::Error::success(); }

private:
  SmallVector<char> bytes;
  bool splat;
};
} // namespace

Expected<Evaluator> attn::createFileEvaluator(FileAttr attr, unsigned elementSize, FileCache &files) {
  Expected<std::shared_ptr<const WeightFile>> file = files.open(attr.getPath());
  if (!file)
    return file.takeError();
  uint64_t bytes = uint64_t(attr.getType().getNumElements()) * elementSize, size = (*file)->getSize();
  if (attr.getOffset() > size || bytes > size - attr.getOffset())
    return makeError(formatv("{0}: a weight is expected in bytes [{1}, {1} + {2}), but the file has {3} bytes; "
                             "import the model again",
                             attr.getPath(), attr.getOffset(), bytes, size)
                         .str());
  if (llvm::Error error = (*file)->checkUnchanged())
    return error;
  return std::make_unique<FileEvaluator>(attr, elementSize, std::move(*file));
}

Expected<Evaluator> attn::createDenseEvaluator(DenseExprAttr attr, unsigned elementSize) {
  DenseElementsAttr value = attr.getValue();
  RankedTensorType type = attr.getValueType();
  SmallVector<char> bytes;
  if (type.getElementType().isInteger(1)) {
    // The IR may keep these as bits.
    if (value.isSplat())
      bytes.push_back(value.getSplatValue<bool>());
    else
      for (bool bit : value.getValues<bool>())
        bytes.push_back(bit);
  } else {
    ArrayRef<char> raw = value.getRawData();
    bytes.assign(raw.begin(), raw.end());
  }
  uint64_t wanted = (value.isSplat() ? 1 : uint64_t(type.getNumElements())) * elementSize;
  if (bytes.size() != wanted)
    return makeError(formatv("a dense weight has {0} bytes, but {1} are expected", bytes.size(), wanted).str());
  return std::make_unique<DenseEvaluator>(type, elementSize, std::move(bytes), value.isSplat());
}
