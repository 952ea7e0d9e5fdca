//===- Norm.cpp - Rows to variance 1, and layer norm's to mean 0 --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layer norm's variance is summed around the mean in a second sweep, which costs a sweep over the first-level cache and
// keeps all digits. That sweep sums the differences besides: their mean is the rounding error of the first mean, and is
// subtracted after it, so that a row of one value becomes exactly 0 however large the value is. The terms of the first
// mean are divided before they are added, in the same FMA, so that no sum of finite values overflows.
// The mean square of RMS norm takes one sweep. Four rows go side by side: their chains of additions are independent and
// their sums across lanes overlap.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using namespace attn;

static constexpr int64_t kRows = 4;

std::string attn::whyNoKernel(NormOpInterface op) {
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

class NormKernel {
public:
  NormKernel(NormOpInterface op, OpBuilder &builder)
      : op(op), builder(builder), emitter(builder, op.getLoc(), op.getKernelAttr().getLanes()),
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

  /// The difference of a vector of a row to its mean, if that is subtracted; 0 in lanes beyond the row.
  Value emitDifference(Value row, Value mean, Value column, int64_t active) {
    Value element = emitter.load(op.getInput(), {row, column}, active);
    if (!op.isCentered())
      return element;
    Value difference = emitter.subf(element, mean);
    if (active == emitter.lanes())
      return difference;
    return arith::SelectOp::create(builder, op.getLoc(), emitter.mask(active), difference, emitter.splat(0));
  }

  /// The means of the rows, in all lanes, but for rounding errors of the sum; null where none are subtracted.
  VectorEmitter::Values emitMeans(ArrayRef<Value> rows) {
    if (!op.isCentered())
      return VectorEmitter::Values(rows.size(), Value());
    VectorEmitter::Values zeros(rows.size(), emitter.splat(0));
    Value inverse = emitter.splat(1.0 / double(size));
    VectorEmitter::Values means = sweep(zeros, [&](Value column, int64_t active, ValueRange sums) {
      VectorEmitter::Values next;
      for (auto [row, sum] : llvm::zip(rows, sums))
        next.push_back(emitter.fma(emitter.load(op.getInput(), {row, column}, active), inverse, sum));
      return next;
    });
    for (Value &mean : means)
      mean = emitter.broadcast(emitter.sum(mean));
    return means;
  }

  /// What is left of a row's mean, and 1 / sqrt(variance or mean square + epsilon), in all lanes.
  struct Statistics {
    Value error, factor;
  };

  SmallVector<Statistics> emitStatistics(ArrayRef<Value> rows, ValueRange means) {
    // For each row the sum of the squares of the differences and, where the mean is subtracted, that of themselves.
    size_t each = op.isCentered() ? 2 : 1;
    VectorEmitter::Values zeros(each * rows.size(), emitter.splat(0));
    VectorEmitter::Values sums = sweep(zeros, [&](Value column, int64_t active, ValueRange carried) {
      VectorEmitter::Values next;
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value difference = emitDifference(row, means[i], column, active);
        next.push_back(emitter.fma(difference, difference, carried[each * i]));
        if (op.isCentered())
          next.push_back(emitter.addf(carried[each * i + 1], difference));
      }
      return next;
    });
    SmallVector<Statistics> statistics;
    for (size_t i = 0; i < rows.size(); ++i) {
      Value square = emitter.mulf(emitter.sum(sums[each * i]), scalar(1.0 / double(size)));
      if (!op.isCentered()) {
        statistics.push_back({Value(), emitter.broadcast(emitFactor(square))});
        continue;
      }
      Value error = emitError(emitter.sum(sums[each * i + 1]));
      statistics.push_back({emitter.broadcast(error), emitter.broadcast(emitFactor(emitVariance(square, error)))});
    }
    return statistics;
  }

  /// The mean of differences with this sum. The sum of equal ones is exact, and so is its quotient.
  Value emitError(Value sum) {
    Value error = arith::DivFOp::create(builder, op.getLoc(), sum, scalar(double(size)));
    Value infinity = scalar(std::numeric_limits<double>::infinity());
    return select(arith::CmpFPredicate::OLT, math::AbsFOp::create(builder, op.getLoc(), error), infinity, error,
                  scalar(0));
  }

  /// The variance, where `square` is the mean of the squares around a mean that is off by `error`.
  Value emitVariance(Value square, Value error) {
    Value variance = emitter.subf(square, emitter.mulf(error, error));
    // Rounding may leave less than 0. Squares that overflow stay so, and their row becomes 0 instead of NaN.
    variance = select(arith::CmpFPredicate::OLT, variance, scalar(0), scalar(0), variance);
    Value infinity = scalar(std::numeric_limits<double>::infinity());
    return select(arith::CmpFPredicate::OEQ, square, infinity, infinity, variance);
  }

  /// 1 / sqrt(square + epsilon)
  Value emitFactor(Value square) {
    Value deviation =
        math::SqrtOp::create(builder, op.getLoc(), emitter.addf(square, scalar(op.getEpsilon().convertToDouble())));
    // Without epsilon a row of one value, or of zeros, would become 0 times infinity.
    Value factor = arith::DivFOp::create(builder, op.getLoc(), scalar(1), deviation);
    return select(arith::CmpFPredicate::OEQ, deviation, scalar(0), scalar(0), factor);
  }

  void emitRows(ArrayRef<Value> rows) {
    VectorEmitter::Values means = emitMeans(rows);
    SmallVector<Statistics> statistics = emitStatistics(rows, means);
    sweep({}, [&](Value column, int64_t active, ValueRange) -> VectorEmitter::Values {
      Value scale = emitter.load(op.getScale(), {column}, active);
      Value shift = op.getShift() ? emitter.load(op.getShift(), {column}, active) : Value();
      VectorEmitter::Values results;
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value element = emitter.load(op.getInput(), {row, column}, active);
        if (op.isCentered())
          element = emitter.subf(emitter.subf(element, means[i]), statistics[i].error);
        Value normal = emitter.mulf(element, statistics[i].factor);
        results.push_back(shift ? emitter.fma(normal, scale, shift) : emitter.mulf(normal, scale));
      }
      for (auto [row, result] : llvm::zip(rows, results))
        emitter.store(result, op.getInit(), {row, column}, active);
      return {};
    });
  }

  Value select(arith::CmpFPredicate predicate, Value a, Value b, Value yes, Value no) {
    Value condition = arith::CmpFOp::create(builder, op.getLoc(), predicate, a, b);
    return arith::SelectOp::create(builder, op.getLoc(), condition, yes, no);
  }

  Value scalar(double value) {
    return arith::ConstantOp::create(builder, op.getLoc(), builder.getF32FloatAttr(float(value)));
  }

  NormOpInterface op;
  OpBuilder &builder;
  VectorEmitter emitter;
  int64_t size;
};

template <typename OpTy>
struct ExpandNorm final : KernelPattern<OpTy> {
  using KernelPattern<OpTy>::KernelPattern;
  void emit(OpTy op, PatternRewriter &rewriter) const override { NormKernel(op, rewriter).emit(); }
};

} // namespace

void attn::populateNormPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandNorm<LayerNormOp>, ExpandNorm<RMSNormOp>>(patterns.getContext());
}
