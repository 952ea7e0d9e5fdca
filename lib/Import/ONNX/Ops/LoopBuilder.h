//===- LoopBuilder.h - Loops over tensors that are carried ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_LOOPBUILDER_H
#define ATTN_LIB_IMPORT_ONNX_OPS_LOOPBUILDER_H

#include "Build.h"

namespace attn::onnx {

/// How one result of each iteration is stacked to an output.
struct Stack {
  int64_t axis = 0; ///< of the output; negative ones count from its end
  bool isReversed = false;
};

/// What one iteration computes from its number and the states: the next states, then what is stacked.
using Iteration =
    llvm::function_ref<mlir::FailureOr<llvm::SmallVector<Tensor>>(mlir::Value number, llvm::ArrayRef<Tensor> states)>;

/// A loop of `count` iterations: the last states, then the stacked outputs. Fails where a state changes its type or
/// shape.
mlir::FailureOr<llvm::SmallVector<Tensor>> buildLoop(Node &node, const Size &count, llvm::ArrayRef<Tensor> states,
                                                     llvm::ArrayRef<Stack> stacks, Iteration iteration);

/// Element `number` of `count` along a dimension, which goes away; from the end where `isReversed`.
mlir::FailureOr<Tensor> elementOf(Node &node, const Tensor &input, int64_t axis, mlir::Value number, const Size &count,
                                  bool isReversed);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_LOOPBUILDER_H
