//===- Diagnostics.h - MLIR's diagnostics as messages -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_DIAGNOSTICS_H
#define ATTN_LIB_DRIVER_DIAGNOSTICS_H

#include "attn/Driver/Message.h"
#include "mlir/IR/Diagnostics.h"

namespace attn {

/// The model's node name where the location holds one, else file, line and column; nothing where neither is known.
void setPlace(Message &message, mlir::Location location);

/// The diagnostic with its notes.
Message toMessage(mlir::Diagnostic &diagnostic, llvm::StringRef model);

} // namespace attn

#endif // ATTN_LIB_DRIVER_DIAGNOSTICS_H
