//===- BlockSyntax.h - Custom directives of whole blocks' syntax -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The generated parsers and printers call these. ODS can't say that each of several optional groups begins with a
// comma.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_BLOCKSYNTAX_H
#define ATTN_DIALECT_ATTN_IR_BLOCKSYNTAX_H

#include "mlir/IR/OpImplementation.h"

namespace attn {

/// `%query (, key(%k : type))? (, value(%v : type))? (, mask(%m : type))?` of attn.multi_head_attention, in any order.
mlir::ParseResult parseContext(mlir::OpAsmParser &parser, mlir::OpAsmParser::UnresolvedOperand &query,
                               std::optional<mlir::OpAsmParser::UnresolvedOperand> &key, mlir::Type &keyType,
                               std::optional<mlir::OpAsmParser::UnresolvedOperand> &value, mlir::Type &valueType,
                               std::optional<mlir::OpAsmParser::UnresolvedOperand> &mask, mlir::Type &maskType);
void printContext(mlir::OpAsmPrinter &printer, mlir::Operation *op, mlir::Value query, mlir::Value key,
                  mlir::Type keyType, mlir::Value value, mlir::Type valueType, mlir::Value mask, mlir::Type maskType);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_BLOCKSYNTAX_H
