//===- Evaluate.h - The bytes of weight expressions -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight's value is an attribute expression over slices of files. An evaluator computes any range of its bytes on
// request, with memory that does not depend on the weight's size, so a model larger than memory can be streamed.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_WEIGHTS_EVALUATE_H
#define ATTN_TARGET_WEIGHTS_EVALUATE_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include <memory>
#include <mutex>

namespace attn {

/// A file that weights are read from: opened and mapped once, read-only, and closed with the last reader.
class WeightFile {
public:
  /// Opens and maps `path`. Fails where it isn't a readable regular file.
  static llvm::Expected<std::shared_ptr<const WeightFile>> open(llvm::StringRef path);
  ~WeightFile();
  WeightFile(const WeightFile &) = delete;
  WeightFile &operator=(const WeightFile &) = delete;

  llvm::StringRef getPath() const { return path; }
  /// The size in bytes at the time it was opened.
  uint64_t getSize() const { return size; }
  /// `size` bytes that begin at `offset`. The caller has checked that they lie inside.
  const char *getData(uint64_t offset) const { return region.const_data() + offset; }
  /// Fails where the file is shorter now than when it was opened: its missing pages can't be read.
  llvm::Error checkUnchanged() const;

private:
  WeightFile(llvm::StringRef path) : path(path.str()) {}
  std::string path;
  llvm::sys::fs::file_t handle = llvm::sys::fs::kInvalidFile;
  llvm::sys::fs::mapped_file_region region;
  uint64_t size = 0;
};

/// Files by path, so that the hundreds of weights in a checkpoint share one mapping. May be used by several threads.
class FileCache {
public:
  llvm::Expected<std::shared_ptr<const WeightFile>> open(llvm::StringRef path);

private:
  std::mutex mutex;
  llvm::StringMap<std::shared_ptr<const WeightFile>> files;
};

/// Computes the bytes of one weight expression: the elements row-major, little-endian, without gaps; an i1 is a byte.
/// Reading changes nothing, so several threads may read from one evaluator.
class WeightEvaluator {
public:
  virtual ~WeightEvaluator();

  mlir::RankedTensorType getType() const { return type; }
  uint64_t getNumElements() const { return numElements; }
  /// Bytes of an element.
  unsigned getElementSize() const { return elementSize; }
  /// Bytes of the whole value.
  uint64_t getNumBytes() const { return numElements * elementSize; }

  /// Writes bytes [byteOffset, byteOffset + block.size()) of the value to `block`. Any offset and size will do, large
  /// blocks are faster. Fails where the range is outside of the value or a file has become shorter.
  llvm::Error fill(uint64_t byteOffset, llvm::MutableArrayRef<char> block) const;

  /// Writes elements [first, first + count) to `out`, which are inside of the value. For other evaluators.
  virtual void read(uint64_t first, uint64_t count, char *out) const = 0;
  /// Fails where an input can't be read any more.
  virtual llvm::Error check() const = 0;

protected:
  WeightEvaluator(mlir::RankedTensorType type, unsigned elementSize);

private:
  mlir::RankedTensorType type;
  uint64_t numElements;
  unsigned elementSize;
};

/// The evaluator of `expression`, a WeightExprInterface attribute. `files` must live as long as the call only. Fails
/// with a sentence that names the file or type: a file that can't be opened or is too short, an element type or an
/// expression that can't be evaluated, a value of more than 2^63 bytes.
llvm::Expected<std::unique_ptr<WeightEvaluator>> createWeightEvaluator(mlir::Attribute expression, FileCache &files);

} // namespace attn

#endif // ATTN_TARGET_WEIGHTS_EVALUATE_H
