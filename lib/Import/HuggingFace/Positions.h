//===- Positions.h - Where tokens stand -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_POSITIONS_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_POSITIONS_H

#include "ModelBuilder.h"

namespace attn::huggingface {

/// Positions i64 [batch, sequence] of tokens `ids`: `padding` for padding, and padding + 1, padding + 2 and so on for
/// the others. At most padding + sequence.
mlir::Value buildPositionsAfterPadding(ModelBuilder &model, mlir::Value ids, int64_t padding);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_POSITIONS_H
