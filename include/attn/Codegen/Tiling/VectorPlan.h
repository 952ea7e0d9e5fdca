//===- VectorPlan.h - How a linalg op runs in lanes -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linalg op on buffers runs on vectors where one of its loops can go in lanes: every operand is read or written there
// along a line of memory, and the body works on vectors. The plan is made by one function, which the pass that emits
// vectors and the report of how ops run both ask, so that the report cannot say anything else than what happens.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_TILING_VECTORPLAN_H
#define ATTN_CODEGEN_TILING_VECTORPLAN_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <optional>
#include <string>

namespace attn {

/// How an operand is met when the lane loop advances by one.
struct LaneAccess {
  enum Kind {
    Uniform,    ///< The same element: one scalar for all lanes.
    Contiguous, ///< The next element in memory: one vector load or store.
    Raw,    ///< The next element in memory, of i1 or bf16: bytes or halfwords to LLVM, which lacks vectors of these.
    Strided ///< An element some steps further: a gather or scatter.
  };
  Kind kind = Uniform;
  /// By how much each index of the operand advances.
  llvm::SmallVector<int64_t> steps;
};

struct VectorPlan {
  /// The loop that goes in lanes.
  unsigned lane = 0;
  /// True where that loop is a reduction: lanes are partial results that are combined at the end.
  bool laneReduces = false;
  /// A parallel loop of which several iterations share loads, so that they run side by side in registers.
  std::optional<unsigned> rows;
  /// One for each operand of the op.
  llvm::SmallVector<LaneAccess> accesses;
  /// One for each result where `laneReduces`.
  llvm::SmallVector<mlir::vector::CombiningKind> combiners;
  /// Bits of the elements that decide how many lanes there are.
  unsigned elementBits = 32;
};

/// The plan for `op`, a linalg op on buffers. Without one, `why` (if given) says the reason.
std::optional<VectorPlan> planVectors(mlir::linalg::LinalgOp op, std::string *why = nullptr);

/// The op that combines the accumulator of result `i` with what an iteration adds, if the body has that form and the
/// order of iterations doesn't matter.
mlir::Operation *combinerOf(mlir::linalg::LinalgOp op, unsigned i);

} // namespace attn

#endif // ATTN_CODEGEN_TILING_VECTORPLAN_H
