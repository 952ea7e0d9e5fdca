//===- Softmax.cpp - The online softmax of a thread's rows ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Softmax.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include <limits>

using namespace mlir;
using namespace attn;

Value Softmax::negativeInfinity() { return emit.f32(-std::numeric_limits<double>::infinity()); }

Value Softmax::acrossQuad(Value value, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t distance : {1, 2}) {
    Value other = emit.create<NVVM::ShflOp>(emit.f32(), emit.i32(-1), value, emit.i32(distance), emit.i32(31),
                                            NVVM::ShflKind::bfly, UnitAttr());
    value = combine(value, other);
  }
  return value;
}

SoftmaxState Softmax::begin() {
  SoftmaxState state;
  for (unsigned row = 0; row < kRowsPerThread; ++row) {
    state.maximum[row] = negativeInfinity();
    state.sum[row] = emit.f32(0.0);
  }
  return state;
}

SoftmaxStep Softmax::update(const Fragment &scores, const SoftmaxState &state, SoftmaxMode mode) {
  auto maximum = [&](Value a, Value b) { return emit.maxf(a, b); };
  auto sum = [&](Value a, Value b) { return emit.addf(a, b); };
  SoftmaxStep step;
  step.probabilities.resize(scores.size());
  for (unsigned row = 0; row < kRowsPerThread; ++row) {
    SmallVector<unsigned> ofRow;
    for (unsigned i = 0; i < scores.size(); ++i)
      if (rowOfAccumulator(i) == row)
        ofRow.push_back(i);
    auto gather = [&](const Fragment &from) { return llvm::map_to_vector(ofRow, [&](unsigned i) { return from[i]; }); };

    Value before = state.maximum[row];
    Value now = emit.maxf(before, acrossQuad(emit.reduce(gather(scores), maximum), maximum));
    if (mode.lazyRescale > 0) {
      // From -infinity to a number is growth, from -infinity to itself (a NaN here) is not.
      Value growth = emit.mulf(emit.subf(now, before), scale);
      Value grows = emit.greaterf(growth, emit.f32(mode.lazyRescale));
      now = emit.select(grows, now, before);
      step.rescale = step.rescale ? emit.eitherOf(step.rescale, grows) : grows;
    }
    Value shift = emit.negf(emit.mulf(now, scale));
    if (mode.masked)
      shift = emit.select(emit.equalf(now, negativeInfinity()), emit.f32(0.0), shift);
    step.factor[row] = emit.exp2(emit.fma(before, scale, shift));
    for (unsigned i : ofRow)
      step.probabilities[i] = emit.exp2(emit.fma(scores[i], scale, shift));
    Value blockSum = emit.reduce(gather(step.probabilities), sum);
    step.state.maximum[row] = now;
    step.state.sum[row] = emit.fma(state.sum[row], step.factor[row], blockSum);
  }
  if (step.rescale)
    step.rescale =
        emit.create<NVVM::VoteSyncOp>(emit.i1(), emit.i32(-1), step.rescale, NVVM::VoteSyncKind::any).getResult();
  return step;
}

Softmax::Result Softmax::finish(const SoftmaxState &state, bool logSumExp) {
  constexpr double kLogOf2 = 0.69314718055994531;
  Result result;
  for (unsigned row = 0; row < kRowsPerThread; ++row) {
    Value sum = acrossQuad(state.sum[row], [&](Value a, Value b) { return emit.addf(a, b); });
    Value empty = emit.equalf(sum, emit.f32(0.0));
    result.inverseSum[row] = emit.select(empty, emit.f32(0.0), emit.reciprocal(sum));
    if (logSumExp)
      result.logSumExp[row] = emit.mulf(emit.fma(state.maximum[row], scale, emit.log2(sum)), emit.f32(kLogOf2));
  }
  return result;
}

Fragment Softmax::mask(const Fragment &scores, ArrayRef<Value> limits, Value firstColumn) {
  Fragment masked = scores;
  for (unsigned row = 0; row < kRowsPerThread; ++row) {
    Value columns = emit.sub(limits[row], firstColumn);
    for (auto [i, score] : llvm::enumerate(masked))
      if (rowOfAccumulator(i) == row)
        score = emit.select(emit.less(emit.i32(columnOfAccumulator(i)), columns), score, negativeInfinity());
  }
  return masked;
}
