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
      "undefined", "float32",        "uint8",      "int8",           "uint16",    "int16",    "int32",
      "int64",     "string",         "bool",       "float16",        "float64",   "uint32",   "uint64",
      "complex64", "complex128",     "bfloat16",   "float8e4m3fn",   "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",           "float4e2m1", "float8e8m0",     "uint2",     "int2"};
  size_t i = size_t(type);
  return i < std::size(kNames) ? kNames[i].str() : "type " + std::to_string(int(type));
}

Type attn::onnx::elementTypeOf(MLIRContext &context, DataType type) {
  Builder b(&context);
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
  return type == DataType::UInt8 || type == DataType::UInt16 || type == DataType::UInt32 || type == DataType::UInt64;
}

bool attn::onnx::isInteger(DataType type) {
  return isUnsigned(type) || type == DataType::Int8 || type == DataType::Int16 || type == DataType::Int32 ||
         type == DataType::Int64;
}
