//===- Header.h - The C header of a compiled model --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PREFIX.h holds the C interface of all models (Runtime/ABI.h, under its own
// guard, so headers of several models may be included together), constants that
// name entries, inputs and outputs, and typed functions around `run`.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_HEADER_HEADER_H
#define ATTN_TARGET_HEADER_HEADER_H

#include "attn/Target/ModelInfo.h"

#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Writes PREFIX.h: C11 and C++, without warnings under -Wall -Wextra -pedantic. Entry E becomes PREFIX_E (on
/// DLTensors) and, if all its element types are ones that C has or that are 16 bits wide, PREFIX_E_dense (on plain
/// pointers). Characters that C identifiers lack become '_'; names that then collide get a number.
void writeHeader(llvm::raw_ostream &os, const ModelInfo &model, llvm::StringRef abiHeader);

} // namespace attn

#endif // ATTN_TARGET_HEADER_HEADER_H
