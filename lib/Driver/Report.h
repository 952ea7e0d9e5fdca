//===- Report.h - How each op of a model runs -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_REPORT_H
#define ATTN_LIB_DRIVER_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace attn {

/// For each op that computes, after the stage `memory`: the target, the op's name, the model's name for it, and whether
/// it runs as a `kernel`, `vectorized` or `scalar`.
llvm::json::Array reportOps(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_LIB_DRIVER_REPORT_H
