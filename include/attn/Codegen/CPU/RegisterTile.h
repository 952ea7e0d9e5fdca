//===- RegisterTile.h - A tile of a matrix product in registers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loop of every product: for each k some vectors are loaded, some scalars broadcast, and each pair feeds one
// accumulator. All accumulators live in registers for the whole loop, so the only traffic is rows + vectors loads for
// rows x vectors FMAs. The product over channels of a linear layer, scores and outputs of attention all have this form.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_REGISTERTILE_H
#define ATTN_CODEGEN_CPU_REGISTERTILE_H

#include "attn/Codegen/CPU/VectorEmitter.h"

namespace attn {

/// Emits `init[i * vectors + j] + sum over k < depth of scalar(k, i) * vector(k, j)` for i < rows and j < vectors, and
/// returns the sums in that order.
VectorEmitter::Values emitRegisterTile(VectorEmitter &emitter, mlir::Value depth, int64_t rows, int64_t vectors,
                                       mlir::ValueRange init,
                                       llvm::function_ref<mlir::Value(mlir::Value k, int64_t row)> scalar,
                                       llvm::function_ref<mlir::Value(mlir::Value k, int64_t vector)> vector);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_REGISTERTILE_H
