//===- Npy.h - Arrays in NumPy's file formats -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How tests, attn-run and Python exchange arrays. Reads .npy versions 1 to 3 and uncompressed .npz (also zip64), writes
// version 1 and stored .npz that NumPy maps. Every size in a file is checked before it is believed.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_NPY_H
#define ATTN_SUPPORT_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace attn {

/// An element type; the codes are DLPack's.
struct NpyType {
  enum Code : uint8_t { Int = 0, UInt = 1, Float = 2, BFloat = 4, Bool = 6 };
  Code code;
  uint8_t bits; ///< 8 (also of Bool), 16, 32 or 64.

  int64_t bytes() const { return bits / 8; }
  bool operator==(const NpyType &other) const { return code == other.code && bits == other.bits; }
  bool operator!=(const NpyType &other) const { return !(*this == other); }
  /// "f32", "i64", "u8", "bf16", "bool"
  std::string str() const;
};

/// Dense, row-major elements in this machine's byte order.
struct NpyArray {
  NpyType type;
  llvm::SmallVector<int64_t> shape;
  std::vector<uint8_t> data;

  /// Zeros. The shape's product must fit (see sizeInBytes).
  static NpyArray zeros(NpyType type, llvm::ArrayRef<int64_t> shape);
  int64_t numElements() const { return static_cast<int64_t>(data.size()) / type.bytes(); }
  /// Element `i` as a double; i64 and u64 round.
  double asDouble(int64_t i) const;
  template <typename T>
  llvm::MutableArrayRef<T> elements() {
    return {reinterpret_cast<T *>(data.data()), data.size() / sizeof(T)};
  }
  template <typename T>
  llvm::ArrayRef<T> elements() const {
    return {reinterpret_cast<const T *>(data.data()), data.size() / sizeof(T)};
  }
};

/// Arrays by name, in a file's order.
using NpyArrays = std::vector<std::pair<std::string, NpyArray>>;

/// The bytes of a dense array, or an error where a dimension is negative or the product exceeds 2^63 - 1.
llvm::Expected<int64_t> sizeInBytes(NpyType type, llvm::ArrayRef<int64_t> shape);

/// "2x3", or "scalar" for rank 0
std::string shapeString(llvm::ArrayRef<int64_t> shape);

/// Parses the bytes of a .npy file; `name` stands in errors. Fortran order becomes row-major. Two-byte voids, which is
/// how NumPy stores bfloat16, are BFloat; structured, object, string, complex and big-endian types are errors.
llvm::Expected<NpyArray> parseNpy(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef name);
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// All arrays of an uncompressed .npz; names without ".npy". Checksums are verified.
llvm::Expected<NpyArrays> readNpz(llvm::StringRef path);

/// The bytes before an array's data, a multiple of 64 long. BFloat is written as raw u16.
std::string npyHeader(NpyType type, llvm::ArrayRef<int64_t> shape);
llvm::Error writeNpy(llvm::StringRef path, NpyType type, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<uint8_t> data);
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);
llvm::Error writeNpz(llvm::StringRef path, const NpyArrays &arrays);

/// A file name for an array: characters outside [A-Za-z0-9_.-] become '_'.
std::string npyFileName(llvm::StringRef arrayName);

} // namespace attn

#endif // ATTN_SUPPORT_NPY_H
