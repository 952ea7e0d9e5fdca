//===- Epilogue.h - Scalar regions on vectors -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The epilogue of attn.linear and the regions of attention are written on scalars; kernels apply them to accumulators,
// a register at a time.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_EPILOGUE_H
#define ATTN_CODEGEN_CPU_EPILOGUE_H

#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/IR/Block.h"
#include <string>

namespace attn {

/// Why the ops of `block` can't be applied to vectors; empty where they can.
std::string whyNotElementwise(mlir::Block &block);

/// Emits the ops of `block` on vectors, with `arguments` for the block's arguments, and returns what it yields as
/// vectors. An argument is a vector, or a scalar that is the same in all lanes.
/// Requires that `whyNotElementwise(block)` is empty.
VectorEmitter::Values emitElementwise(VectorEmitter &emitter, mlir::Block &block, mlir::ValueRange arguments);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_EPILOGUE_H
