//===- Remarks.h - Why an op got its schedule -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_SCHEDULE_REMARKS_H
#define ATTN_LIB_CODEGEN_SCHEDULE_REMARKS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"

namespace attn {

/// Remarks what `schedule` says about `op` and what of `target` it follows from.
void remarkScheduled(mlir::Operation *op, ScheduleAttr schedule, const Target &target);

/// Remarks that `op` has no kernel of its own, or that none runs it, and why.
void remarkGeneric(mlir::Operation *op, const Target &target, llvm::StringRef why = "has no kernel of its own");

} // namespace attn

#endif // ATTN_LIB_CODEGEN_SCHEDULE_REMARKS_H
