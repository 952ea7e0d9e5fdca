//===- ScalarCode.h - Scalar arithmetic that rewrites share -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_SCHEDULE_SCALARCODE_H
#define ATTN_LIB_CODEGEN_SCHEDULE_SCALARCODE_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// True for f16 and bf16, in which CPUs store but do not compute.
inline bool isNarrowFloat(mlir::Type type) { return type.isF16() || type.isBF16(); }

/// True for the types that the compiler computes on or converts.
inline bool isKnownFloat(mlir::Type type) { return isNarrowFloat(type) || type.isF32() || type.isF64(); }

/// `value`, a float or a tensor of floats, with elements of type `element`. Between f64 and narrow types it goes by way
/// of f32: CPUs have no instruction for it, and LLVM would call a library that isn't there.
mlir::Value createFloatCast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type element);

/// A float constant.
mlir::Value createFloat(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, double value);

/// gelu of a scalar, in its type and, unlike attn.gelu's kernel, to its last digits where it is tiny too.
mlir::Value createGelu(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x, bool approximate);

/// `index` moved into [0, extent).
mlir::Value createClamp(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, mlir::Value extent);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_SCHEDULE_SCALARCODE_H
