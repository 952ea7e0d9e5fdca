//===- ErrorCodes.h - What a failed check makes of a run --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_ERRORCODES_H
#define ATTN_DIALECT_ATTN_IR_ERRORCODES_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Runtime/ABI.h"

namespace attn {

/// The attn_code of a run whose `attn.check` failed.
inline int32_t getErrorCode(Violation violation) {
  switch (violation) {
  case Violation::Shape:
    return ATTN_ERROR_SHAPE;
  case Violation::Index:
    return ATTN_ERROR_INDEX;
  }
  llvm_unreachable("all violations have a code");
}

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_ERRORCODES_H
