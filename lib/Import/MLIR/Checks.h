//===- Checks.h - What MLIR may say and a model may not ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_MLIR_CHECKS_H
#define ATTN_LIB_IMPORT_MLIR_CHECKS_H

#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Refuses what compiles, but computes on raw addresses, reaches outside of the module, or does not end or ends the
/// process: ops of the dialects `llvm` and `ptr`, assembly, symbols that are only declared, functions that call
/// themselves, assertions. One error at each place.
mlir::LogicalResult checkModel(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_LIB_IMPORT_MLIR_CHECKS_H
