//===- KeyRanges.cpp - Which keys of a batch row count ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scalar op by name: it reads each element of the mask once for a whole model.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNoKernel(KeyRangesOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  if (cast<MemRefType>(op.getMask().getType()).getElementType().isF32())
    return "the mask is not of integers";
  return "";
}

namespace {
struct ExpandKeyRanges final : KernelPattern<KeyRangesOp> {
  using KernelPattern::KernelPattern;

  void emit(KeyRangesOp op, PatternRewriter &rewriter) const override {
    VectorEmitter emitter(rewriter, op.getLoc(), op.getKernel()->getLanes());
    emitter.loop(emitter.dim(op.getMask(), 0), 1, {}, [&](Value row, ValueRange) -> VectorEmitter::Values {
      emitRow(op, rewriter, emitter, row);
      return {};
    });
  }

private:
  static void emitRow(KeyRangesOp op, OpBuilder &b, VectorEmitter &emitter, Value row) {
    Location loc = op.getLoc();
    Value zero = emitter.index(0), one = emitter.index(1), keys = emitter.dim(op.getMask(), 1);
    auto select = [&](Value condition, Value yes, Value no) -> Value {
      return arith::SelectOp::create(b, loc, condition, yes, no);
    };
    // The first key, the last one plus 1, and how many there are.
    VectorEmitter::Values found = emitter.loop(keys, 1, {keys, zero, zero}, [&](Value k, ValueRange carried) {
      Value element = emitter.loadScalar(op.getMask(), {row, k});
      Value none = arith::ConstantOp::create(b, loc, b.getIntegerAttr(element.getType(), 0));
      Value counts = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, element, none);
      Value begin = select(counts, emitter.min(carried[0], k), carried[0]);
      Value end = select(counts, emitter.add(k, one), carried[1]);
      Value count = select(counts, emitter.add(carried[2], one), carried[2]);
      return VectorEmitter::Values{begin, end, count};
    });
    Value empty = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, found[2], zero);
    Value begin = select(empty, zero, found[0]);
    Value end = select(empty, keys, found[1]);
    Value gaps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, emitter.sub(found[1], found[0]), found[2]);
    Value holes = select(empty, zero, select(gaps, one, zero));
    Value results[] = {begin, end, holes, select(empty, one, zero)};
    for (auto [i, value] : llvm::enumerate(results)) {
      Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
      memref::StoreOp::create(b, loc, integer, op.getInit(), ValueRange{row, emitter.index(i)});
    }
  }
};
} // namespace

void attn::populateKeyRangesPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandKeyRanges>(patterns.getContext());
}
