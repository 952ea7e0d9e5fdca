//===- StageContract.h - Whether a file is a dump of a stage ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_STAGECONTRACT_H
#define ATTN_LIB_DRIVER_STAGECONTRACT_H

#include "attn/Pipelines/Stages.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// One error where `module` is not what `stage` leaves behind: the stages after it rely on that.
mlir::LogicalResult verifyAfter(Stage stage, mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_LIB_DRIVER_STAGECONTRACT_H
