//===- LayerNorm.cpp - Rows to mean 0 and variance 1 ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The variance is summed around the mean in a second sweep, which costs a sweep over the first-level cache and keeps
// all digits. Four rows go side by side: their chains of additions are independent and their sums across lanes overlap.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;

static constexpr int64_t kRows = 4;

std::string attn::whyNoKernel(LayerNormOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return "elements other than f32";
  auto init = cast<MemRefType>(op.getInit().getType());
  if (init.getRank() != 2)
    return "rows are not one dimension";
  if (init.isDynamicDim(1))
    return "the size of a row is not static";
  return "";
}

namespace {

class LayerNormKernel {
public:
  LayerNormKernel(LayerNormOp op, OpBuilder &builder)
      : op(op), builder(builder), emitter(builder, op.getLoc(), op.getKernel()->getLanes()),
        size(cast<MemRefType>(op.getInit().getType()).getDimSize(1)) {}

  void emit() {
    emitter.tiles(emitter.dim(op.getInit(), 0), kRows, [&](Value first, int64_t count) {
      VectorEmitter::Values rows;
      for (int64_t i = 0; i < count; ++i)
        rows.push_back(emitter.add(first, i));
      emitRows(rows);
    });
  }

private:
  using Sweep = function_ref<VectorEmitter::Values(Value column, int64_t active, ValueRange sums)>;

  /// Calls `body` for all columns, a vector at a time.
  VectorEmitter::Values sweep(ValueRange sums, Sweep body) {
    int64_t full = size / emitter.lanes() * emitter.lanes();
    VectorEmitter::Values results =
        emitter.tiles(emitter.index(full), emitter.lanes(), sums, [&](Value column, int64_t, ValueRange carried) {
          return body(column, emitter.lanes(), carried);
        });
    return full < size ? body(emitter.index(full), size - full, results) : results;
  }

  /// sum over n of `term`, divided by N, for each row.
  VectorEmitter::Values
  emitMeans(ArrayRef<Value> rows,
            function_ref<Value(Value row, int64_t i, Value column, int64_t active, Value sum)> term) {
    VectorEmitter::Values zeros(rows.size(), emitter.splat(0));
    VectorEmitter::Values sums = sweep(zeros, [&](Value column, int64_t active, ValueRange carried) {
      VectorEmitter::Values next;
      for (auto [i, row] : llvm::enumerate(rows))
        next.push_back(term(row, i, column, active, carried[i]));
      return next;
    });
    Value inverse = scalar(1.0 / double(size));
    for (Value &sum : sums)
      sum = emitter.mulf(emitter.sum(sum), inverse);
    return sums;
  }

  void emitRows(ArrayRef<Value> rows) {
    VectorEmitter::Values means = emitMeans(rows, [&](Value row, int64_t, Value column, int64_t active, Value sum) {
      return emitter.addf(sum, emitter.load(op.getInput(), {row, column}, active));
    });
    for (Value &mean : means)
      mean = emitter.broadcast(mean);
    VectorEmitter::Values factors = emitMeans(rows, [&](Value row, int64_t i, Value column, int64_t active, Value sum) {
      Value difference = emitter.subf(emitter.load(op.getInput(), {row, column}, active), means[i]);
      if (active < emitter.lanes()) // The lanes beyond the row count as 0.
        difference = arith::SelectOp::create(builder, op.getLoc(), emitter.mask(active), difference, emitter.splat(0));
      return emitter.fma(difference, difference, sum);
    });
    for (Value &factor : factors) {
      Value variance = emitter.addf(factor, scalar(op.getEpsilon().convertToDouble()));
      Value deviation = math::SqrtOp::create(builder, op.getLoc(), variance);
      factor = emitter.broadcast(arith::DivFOp::create(builder, op.getLoc(), scalar(1), deviation));
    }
    sweep({}, [&](Value column, int64_t active, ValueRange) -> VectorEmitter::Values {
      Value scale = emitter.load(op.getScale(), {column}, active);
      Value shift = op.getShift() ? emitter.load(op.getShift(), {column}, active) : Value();
      VectorEmitter::Values results;
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value difference = emitter.subf(emitter.load(op.getInput(), {row, column}, active), means[i]);
        Value normal = emitter.mulf(difference, factors[i]);
        results.push_back(shift ? emitter.fma(normal, scale, shift) : emitter.mulf(normal, scale));
      }
      for (auto [row, result] : llvm::zip(rows, results))
        emitter.store(result, op.getInit(), {row, column}, active);
      return {};
    });
  }

  Value scalar(double value) {
    return arith::ConstantOp::create(builder, op.getLoc(), builder.getF32FloatAttr(float(value)));
  }

  LayerNormOp op;
  OpBuilder &builder;
  VectorEmitter emitter;
  int64_t size;
};

struct ExpandLayerNorm final : KernelPattern<LayerNormOp> {
  using KernelPattern::KernelPattern;
  void emit(LayerNormOp op, PatternRewriter &rewriter) const override { LayerNormKernel(op, rewriter).emit(); }
};

} // namespace

void attn::populateLayerNormPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandLayerNorm>(patterns.getContext());
}
