//===- Frames.h - Values in memory between a call and its callee -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CONVERSION_ATTNTOLLVM_FRAMES_H
#define ATTN_LIB_CONVERSION_ATTNTOLLVM_FRAMES_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// Fields of `attn_call`, see Runtime/Model.h.
enum CallField : int64_t {
  Dims = 0,
  Inputs = 8,
  Outputs = 16,
  Workspace = 24,
  Threads = 32,
  Strides = 48,
  GpuConstants = 56,
  GpuFlag = 64
};

/// Loads a value of `type` at `pointer + offset`.
mlir::Value loadAt(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, mlir::Value pointer, int64_t offset);

/// Lowers `op` to a call of the runtime; `call` is the entry's pointer to its attn_call.
mlir::LogicalResult lowerParallelFor(ParallelForOp op, mlir::Value call, const mlir::LLVMTypeConverter &types,
                                     mlir::SymbolTable &symbols);

} // namespace attn

#endif // ATTN_LIB_CONVERSION_ATTNTOLLVM_FRAMES_H
