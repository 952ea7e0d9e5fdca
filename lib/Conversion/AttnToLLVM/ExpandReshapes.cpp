//===- ExpandReshapes.cpp - Make reinterpreting casts of memref.expand_shape -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDRESHAPES
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;

namespace {

Value multiply(OpBuilder &b, Location loc, OpFoldResult lhs, OpFoldResult rhs) {
  return b.createOrFold<arith::MulIOp>(loc, getValueOrCreateConstantIndexOp(b, loc, lhs),
                                       getValueOrCreateConstantIndexOp(b, loc, rhs));
}

void expand(memref::ExpandShapeOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto source = memref::ExtractStridedMetadataOp::create(b, loc, op.getSrc());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(sizes.size());
  for (auto [group, stride] : llvm::zip(op.getReassociationIndices(), source.getStrides())) {
    OpFoldResult current = getAsOpFoldResult(stride);
    for (int64_t dim : llvm::reverse(group)) {
      strides[dim] = current;
      current = getAsOpFoldResult(multiply(b, loc, current, sizes[dim]));
    }
  }
  // What the type says statically has to be static here as well.
  auto type = llvm::cast<MemRefType>(op.getType());
  auto [typeStrides, typeOffset] = type.getStridesAndOffset();
  for (auto [stride, fixed] : llvm::zip(strides, typeStrides))
    if (!ShapedType::isDynamic(fixed))
      stride = b.getIndexAttr(fixed);
  OpFoldResult offset =
      ShapedType::isDynamic(typeOffset) ? OpFoldResult(source.getOffset()) : OpFoldResult(b.getIndexAttr(typeOffset));
  Value cast = memref::ReinterpretCastOp::create(b, loc, type, op.getSrc(), offset, sizes, strides);
  op.replaceAllUsesWith(cast);
  op.erase();
}

struct ExpandReshapes final : attn::impl::ExpandReshapesBase<ExpandReshapes> {
  using Base::Base;

  void runOnOperation() override { getOperation()->walk(expand); }
};

} // namespace
