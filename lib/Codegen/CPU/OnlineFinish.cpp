//===- OnlineFinish.cpp - Divides a tile of attention -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/Approximations.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNoKernel(OnlineFinishOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return "elements other than f32";
  if (cast<MemRefType>(op.getAccumulator().getType()).isDynamicDim(1))
    return "the number of channels is not static";
  return "";
}

namespace {
struct ExpandOnlineFinish final : KernelPattern<OnlineFinishOp> {
  using KernelPattern::KernelPattern;

  void emit(OnlineFinishOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t lanes = op.getKernel()->getLanes();
    VectorEmitter emitter(rewriter, loc, lanes);
    int64_t channels = cast<MemRefType>(op.getAccumulator().getType()).getDimSize(1);
    Value rows = emitter.dim(op.getInit(), 0);
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(0));
    Value one = arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(1));
    emitter.loop(rows, 1, {}, [&](Value row, ValueRange) -> VectorEmitter::Values {
      Value sum = emitter.loadScalar(op.getSum(), {row});
      // A NaN is not equal to 0 and stays.
      Value some = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::UNE, sum, zero);
      Value inverse = arith::DivFOp::create(rewriter, loc, one, sum);
      Value factor = emitter.broadcast(arith::SelectOp::create(rewriter, loc, some, inverse, zero));
      auto scale = [&](Value column, int64_t active) {
        Value row0 = emitter.load(op.getAccumulator(), {row, column}, active);
        emitter.store(emitter.mulf(row0, factor), op.getInit(), {row, column}, active);
      };
      int64_t full = channels / lanes * lanes;
      emitter.tiles(emitter.index(full), lanes, [&](Value column, int64_t) { scale(column, lanes); });
      if (full < channels)
        scale(emitter.index(full), channels - full);
      return {};
    });
    if (op.getLogSumExp())
      emitLogSumExp(op, emitter, rows);
  }

private:
  /// One row at a time: there are few, and their number need not fill a vector.
  static void emitLogSumExp(OnlineFinishOp op, VectorEmitter &emitter, Value rows) {
    OpBuilder &builder = emitter.getBuilder();
    FunctionEmitter functions(builder, op.getLoc(), builder.getF32Type());
    emitter.loop(rows, 1, {}, [&](Value row, ValueRange) -> VectorEmitter::Values {
      Value logarithm = functions.log(emitter.loadScalar(op.getSum(), {row}));
      Value result = emitter.addf(emitter.loadScalar(op.getMaximum(), {row}), logarithm);
      memref::StoreOp::create(builder, op.getLoc(), result, op.getLogSumExp(), ValueRange{row});
      return {};
    });
  }
};
} // namespace

void attn::populateOnlineFinishPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandOnlineFinish>(patterns.getContext());
}
