//===- StorageTypes.h - Scalars of float8, float4 and few bits --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing computes with these types: scalars of them become others and are made of others. In the IR each is an i8, the
// bits of a float or the value of an integer. What the formats are: Micikevicius et al., FP8 Formats for Deep Learning,
// 2022 (E4M3FN, E5M2); Noune et al., 8-bit Numerical Formats for Deep Neural Networks, 2022 (FNUZ); OCP Microscaling
// Formats 1.0, 2023 (E8M0, E2M1).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_STORAGETYPES_H
#define ATTN_LIB_IMPORT_ONNX_STORAGETYPES_H

#include "Build.h"

namespace attn::onnx {

/// A scalar and its type, which can be computed with.
struct Computable {
  mlir::Value scalar;
  DataType type;
};

/// The same number, exactly: an integer as int8 or uint8, a float as float32.
Computable fromStorage(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar, DataType from);

/// A scalar of another type as one for storage. Floats round as `rounding` says; of integers, to which floats
/// truncate, the low bits count.
mlir::Value toStorage(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar, DataType from, DataType to,
                      const Rounding &rounding);

/// The low bits of a byte as an element of `type`, which has less than 8.
mlir::Value fillByte(mlir::OpBuilder &b, mlir::Location loc, mlir::Value byte, DataType type);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_STORAGETYPES_H
