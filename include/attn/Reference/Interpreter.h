//===- Interpreter.h - The float64 meaning of functions on tensors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function op by op, as the ops' documentation defines them and with no thought of speed: the oracle of all
// numeric tests. It understands modules of the stages `import` to `tile`: the ops of `attn` on tensors, `linalg`
// structured ops, `tensor`, `arith`, `math`, `index`, `affine`, `scf` and calls.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_INTERPRETER_H
#define ATTN_REFERENCE_INTERPRETER_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Reference/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace attn::reference {

/// Gives the value of a slice of a file.
using WeightReader = llvm::function_ref<llvm::Expected<Tensor>(FileAttr)>;

/// Reads the slice from the file system: IEEE floating-point types of 16 to 64 bits, bf16, and integers of 8 to 64
/// bits. Errors where the file can't be read or ends before the slice.
llvm::Expected<Tensor> readFileSlice(FileAttr slice);

/// The results of `function` for `inputs`, one tensor for each argument; scalars are tensors of rank 0. Errors, each
/// with the location and name of the op: unsupported ops, inputs that don't match the arguments, shapes that disagree
/// at run time, indices out of bounds.
llvm::Expected<std::vector<Tensor>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs,
                                              WeightReader reader = readFileSlice);

/// The value of a weight expression.
llvm::Expected<Tensor> evaluateWeight(mlir::Attribute expression, WeightReader reader = readFileSlice);

} // namespace attn::reference

#endif // ATTN_REFERENCE_INTERPRETER_H
