//===- Emit.h - From the LLVM dialect to files -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_EMIT_H
#define ATTN_LIB_DRIVER_EMIT_H

#include "attn/Driver/Options.h"
#include "attn/Target/Emit.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Translates the module of each target to LLVM IR and writes the library with `model`'s entries and the weights.
llvm::Error emitModule(mlir::ModuleOp module, const ModelInfo &model, const CompilationOptions &options,
                       std::function<void(llvm::StringRef)> progress, std::function<bool()> cancelled);

} // namespace attn

#endif // ATTN_LIB_DRIVER_EMIT_H
