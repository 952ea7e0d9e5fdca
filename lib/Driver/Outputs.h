//===- Outputs.h - The files that a compilation writes ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be wrong with their names is told before the work is done, and before an input is lost.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_OUTPUTS_H
#define ATTN_LIB_DRIVER_OUTPUTS_H

#include "attn/Driver/Options.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// An error where two of the files that `options` ask for are one.
llvm::Error checkDistinctOutputs(const CompilationOptions &options);

/// An error where the output or the report cannot be written.
llvm::Error checkWritableOutputs(const CompilationOptions &options);

/// An error where one of the files that will be written is one of `inputs` or holds a weight of `module`.
llvm::Error checkOutputsAreNoInputs(const CompilationOptions &options, mlir::ModuleOp module,
                                    llvm::ArrayRef<std::string> inputs);

} // namespace attn

#endif // ATTN_LIB_DRIVER_OUTPUTS_H
