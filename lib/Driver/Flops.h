//===- Flops.h - Floating-point operations of an entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_FLOPS_H
#define ATTN_LIB_DRIVER_FLOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace attn {

/// The floating-point operations of the products in `entry` (linear layers and attention; the rest is small beside
/// them) as an expression of its symbolic dimensions, such as "589824*batch*sequence+1536*batch*sequence*sequence". A
/// product of m x k by k x n counts 2 m n k; attention counts all keys. Empty where a size is no expression of those
/// dimensions, or where a product stands in a loop or a branch. Call it on tensors, before the stage `tile`.
std::string countFlops(mlir::func::FuncOp entry);

/// The function attribute that carries the count through the stages after that.
constexpr llvm::StringLiteral kFlopsAttr = "attn.flops";

} // namespace attn

#endif // ATTN_LIB_DRIVER_FLOPS_H
