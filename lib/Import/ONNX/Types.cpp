//===- Types.cpp - Element types of ONNX ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Types.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace attn::onnx;

std::string attn::onnx::nameOf(DataType type) {
  static constexpr StringLiteral kNames[] = {
      "undefined", "float32",    "uint8",      "int8",         "uint16",         "int16",      "int32",
      "int64",     "string",     "bool",       "float16",      "float64",        "uint32",     "uint64",
      "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};
  size_t i = size_t(type);
  return i < std::size(kNames) ? kNames[i].str() : "type " + std::to_string(int(type));
}

Type attn::onnx::storageTypeOf(MLIRContext &context, DataType type) {
  Builder b(&context);
  switch (type) {
  case DataType::Float8E4M3FN:
    return b.getType<Float8E4M3FNType>();
  case DataType::Float8E4M3FNUZ:
    return b.getType<Float8E4M3FNUZType>();
  case DataType::Float8E5M2:
    return b.getType<Float8E5M2Type>();
  case DataType::Float8E5M2FNUZ:
    return b.getType<Float8E5M2FNUZType>();
  case DataType::Float8E8M0:
    return b.getType<Float8E8M0FNUType>();
  case DataType::Float4E2M1:
    return b.getType<Float4E2M1FNType>();
  case DataType::Int4:
  case DataType::UInt4:
    return b.getIntegerType(4);
  case DataType::Int2:
  case DataType::UInt2:
    return b.getIntegerType(2);
  default:
    return Type();
  }
}

bool attn::onnx::isStorage(DataType type) { return type >= DataType::Float8E4M3FN && type <= DataType::Int2; }

bool attn::onnx::isSmallInteger(DataType type) {
  return type == DataType::Int4 || type == DataType::UInt4 || type == DataType::Int2 || type == DataType::UInt2;
}

unsigned attn::onnx::bitsOf(DataType type) {
  switch (type) {
  case DataType::Int4:
  case DataType::UInt4:
  case DataType::Float4E2M1:
    return 4;
  case DataType::Int2:
  case DataType::UInt2:
    return 2;
  case DataType::Int16:
  case DataType::UInt16:
  case DataType::Float16:
  case DataType::BFloat16:
    return 16;
  case DataType::Int32:
  case DataType::UInt32:
  case DataType::Float:
    return 32;
  case DataType::Int64:
  case DataType::UInt64:
  case DataType::Double:
  case DataType::Complex64:
    return 64;
  case DataType::Complex128:
    return 128;
  default:
    return 8;
  }
}

Type attn::onnx::elementTypeOf(MLIRContext &context, DataType type) {
  Builder b(&context);
  if (isStorage(type))
    return b.getI8Type();
  switch (type) {
  case DataType::Float:
    return b.getF32Type();
  case DataType::Double:
    return b.getF64Type();
  case DataType::Float16:
    return b.getF16Type();
  case DataType::BFloat16:
    return b.getBF16Type();
  case DataType::Bool:
    return b.getI1Type();
  case DataType::Int8:
  case DataType::UInt8:
    return b.getI8Type();
  case DataType::Int16:
  case DataType::UInt16:
    return b.getI16Type();
  case DataType::Int32:
  case DataType::UInt32:
    return b.getI32Type();
  case DataType::Int64:
  case DataType::UInt64:
    return b.getI64Type();
  default:
    return Type();
  }
}

bool attn::onnx::isFloat(DataType type) {
  return type == DataType::Float || type == DataType::Double || type == DataType::Float16 || type == DataType::BFloat16;
}

bool attn::onnx::isUnsigned(DataType type) {
  return type == DataType::UInt8 || type == DataType::UInt16 || type == DataType::UInt32 || type == DataType::UInt64 ||
         type == DataType::UInt4 || type == DataType::UInt2;
}

bool attn::onnx::isInteger(DataType type) {
  return (isUnsigned(type) && !isStorage(type)) || type == DataType::Int8 || type == DataType::Int16 ||
         type == DataType::Int32 || type == DataType::Int64;
}
