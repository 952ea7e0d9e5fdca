//===- RunningMaximum.h - The softmax of a block after others ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the scale is positive it is left out of the scores and enters the exponent: 2^((s - m) c) with c = scale
// log2(e). The maximum is subtracted first, as it is: the difference is exact where it matters and never positive, so
// that the largest power is exactly 1 and scores of any finite size are safe. The multiplication hides in the FMAs that
// split the exponent.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_RUNNINGMAXIMUM_H
#define ATTN_LIB_CODEGEN_CPU_RUNNINGMAXIMUM_H

#include "attn/Codegen/CPU/VectorEmitter.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include <limits>

namespace attn {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// True where a kernel of `op` keeps its scores multiplied by the scale.
bool storesScaledScores(OnlineAttentionOp op);

/// What the difference of a score, as it is stored, and its offset is multiplied with to be an exponent of 2.
double exponentFactor(OnlineAttentionOp op);

/// All are vectors, one query a lane.
struct RunningMaximum {
  mlir::Value maximum; ///< Of the scaled scores so far.
  mlir::Value factor;  ///< What sums and accumulators from before are multiplied with.
  mlir::Value offset;  ///< What is subtracted from scores as they are stored.
};

/// `block` is the maximum of a block's scores, as they are stored; `before` that of the scaled scores before it.
RunningMaximum emitRunningMaximum(VectorEmitter &emitter, OnlineAttentionOp op, mlir::Value block, mlir::Value before);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_RUNNINGMAXIMUM_H
