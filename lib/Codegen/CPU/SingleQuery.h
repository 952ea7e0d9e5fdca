//===- SingleQuery.h - A block of keys meets one query ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_SINGLEQUERY_H
#define ATTN_LIB_CODEGEN_CPU_SINGLEQUERY_H

#include "attn/Dialect/Attn/IR/Attn.h"

namespace attn {

/// Whether `emitSingleQuery` can emit `op`, on memrefs, where it has one query.
bool isForSingleQuery(OnlineAttentionOp op);

/// Emits `op` for one query in `rows`.
void emitSingleQuery(OnlineAttentionOp op, mlir::OpBuilder &builder);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_SINGLEQUERY_H
