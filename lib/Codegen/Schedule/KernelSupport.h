//===- KernelSupport.h - What kernels run -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Asked by the pass that makes linalg ops of the others, and by the one that gives schedules.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_SCHEDULE_KERNELSUPPORT_H
#define ATTN_LIB_CODEGEN_SCHEDULE_KERNELSUPPORT_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"

namespace attn {

/// Why no kernel of `target` runs `op`, an attn op on tensors that gets a schedule; empty where one does.
std::string whyNoKernelRuns(mlir::Operation *op, const Target &target);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_SCHEDULE_KERNELSUPPORT_H
