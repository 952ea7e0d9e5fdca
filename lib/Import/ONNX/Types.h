//===- Types.h - Element types of ONNX --------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_TYPES_H
#define ATTN_LIB_IMPORT_ONNX_TYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringRef.h"

namespace attn::onnx {

/// TensorProto.DataType. In the IR integers are signless; which they are is remembered here.
enum class DataType : int {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};

/// The name as in ONNX's documentation, "float32" for Float; "type 99" for an unknown one.
std::string nameOf(DataType type);
/// The type of elements in the IR; null where there is none. Types for storage are i8 there, see `attn.storage`.
mlir::Type elementTypeOf(mlir::MLIRContext &context, DataType type);
/// The type that stands for `type` in `attn.storage`; null where the IR has the type itself.
mlir::Type storageTypeOf(mlir::MLIRContext &context, DataType type);
/// True for float8, float4, and integers of 4 and 2 bits: they are moved and converted, but nothing computes with them.
bool isStorage(DataType type);
/// True for the integers among them.
bool isSmallInteger(DataType type);
/// Bits that an element has in a file; those of less than 8 are packed in bytes, the first one in the lowest bits.
unsigned bitsOf(DataType type);
bool isFloat(DataType type);
/// Signed or unsigned, of 8 bits and more; not bool.
bool isInteger(DataType type);
/// Of any number of bits.
bool isUnsigned(DataType type);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_TYPES_H
