//===- RunningMaximum.cpp - The softmax of a block after others -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunningMaximum.h"
#include "attn/Codegen/CPU/Approximations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

static constexpr double kLog2E = 1.4426950408889634;
/// Scales that have an inverse in f32 with room to multiply by it.
static constexpr double kLeastScale = 0x1p-64, kGreatestScale = 0x1p64;

bool attn::storesScaledScores(OnlineAttentionOp op) {
  double scale = op.getScale().convertToDouble();
  return !op.getScore().empty() || !(scale >= kLeastScale && scale <= kGreatestScale);
}

double attn::exponentFactor(OnlineAttentionOp op) {
  return storesScaledScores(op) ? kLog2E : op.getScale().convertToDouble() * kLog2E;
}

RunningMaximum attn::emitRunningMaximum(VectorEmitter &emitter, OnlineAttentionOp op, Value block, Value before) {
  OpBuilder &builder = emitter.getBuilder();
  Location loc = emitter.getLoc();
  FunctionEmitter functions(builder, loc, emitter.vectorType());
  double scale = op.getScale().convertToDouble();
  bool isScaled = storesScaledScores(op);
  Value infinity = emitter.splat(kMinusInfinity), zero = emitter.splat(0);
  Value blockMaximum = isScaled ? block : emitter.mulf(block, emitter.splat(scale));
  Value after = emitter.maxf(blockMaximum, before);
  // Where no key counted so far, 0 in place of -infinity makes all powers 0 instead of NaN.
  Value none = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, after, infinity);
  Value finite = arith::SelectOp::create(builder, loc, none, zero, after);
  Value factor = functions.exp2OfNonPositive(emitter.subf(before, finite), kLog2E);
  Value offset = after;
  if (!isScaled) {
    // A maximum from before lies above all scores of this block, also where its rounded quotient doesn't.
    Value isNew = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, blockMaximum, before);
    Value old = emitter.maxf(emitter.mulf(before, emitter.splat(1 / scale)), block);
    offset = arith::SelectOp::create(builder, loc, isNew, block, old);
  }
  offset = arith::SelectOp::create(builder, loc, none, zero, offset);
  return {after, factor, offset};
}
