//===- KernelPattern.cpp - What the kernels' patterns share -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNoKernelOperands(Operation *op) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (operand.get().getType().isIndex())
      continue;
    std::string which = "operand #" + std::to_string(operand.getOperandNumber());
    if (!type)
      return which + " is not a memref";
    if (!type.getElementType().isF32() && !type.getElementType().isSignlessInteger())
      return which + " has elements other than f32 and integers";
    if (type.getRank() > 0 && !type.isLastDimUnitStride())
      return which + " is not contiguous in its last dimension";
  }
  return "";
}
