//===- Barriers.h - Barriers between loads and computation ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A ring of tiles in shared memory is filled by one warp and emptied by others. Each stage has two mbarriers: `full`
// completes when all bytes have arrived, `empty` when every consuming warp has finished reading. A barrier's phase
// flips each time it completes, and a wait names the parity of the phase it waits for. Both sides start with parity 0
// and flip it when they come round: consumers wait for their parity, the producer for the opposite, so that its first
// round over the empty ring does not wait.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_WGMMA_BARRIERS_H
#define ATTN_LIB_CODEGEN_GPU_WGMMA_BARRIERS_H

#include "../KernelFunction.h"

namespace attn {

/// Which stage of a ring comes next, and the parity of its phase, both i32.
struct RingPosition {
  mlir::Value stage, phase;
};

/// The barriers of a block, by their offset in GPUSharedLayout.
class Barriers {
public:
  explicit Barriers(KernelFunction &kernel) : kernel(kernel), emit(kernel.getEmitter()) {}

  /// The barrier at `offset`, of several that of `stage`.
  mlir::Value get(int64_t offset) { return kernel.shared(offset); }
  mlir::Value get(int64_t offset, mlir::Value stage);

  /// One that completes after `arrivals` arrivals and all bytes that they announced.
  void init(int64_t offset, int64_t arrivals);
  void wait(mlir::Value barrier, mlir::Value phase);
  /// Arrives and announces `bytes` that TMA will bring.
  void expectBytes(mlir::Value barrier, int64_t bytes);
  void arrive(mlir::Value barrier);
  /// One arrival for each warp, by the thread for which `elected` holds. A predicate and no branch: a branch would be a
  /// new block between the products in flight.
  void arriveIf(mlir::Value elected, mlir::Value barrier);

  RingPosition advance(RingPosition position, int64_t stages);
  mlir::Value flip(mlir::Value phase) { return emit.bitXor(phase, 1); }

private:
  KernelFunction &kernel;
  ThreadEmitter &emit;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMA_BARRIERS_H
