//===- Barriers.cpp - Barriers between loads and computation --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Barriers.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

Value Barriers::get(int64_t offset, Value stage) { return kernel.shared(emit.add(emit.shiftLeft(stage, 3), offset)); }

void Barriers::init(int64_t offset, int64_t arrivals) {
  emit.create<NVVM::MBarrierInitOp>(kernel.shared(offset), emit.i32(arrivals), Value());
}

void Barriers::wait(Value barrier, Value phase) {
  // A loop of try_wait, which suspends the thread for up to so many nanoseconds at a time.
  constexpr int64_t kSuspend = 10'000'000;
  emit.create<NVVM::MBarrierTryWaitParityOp>(barrier, phase, emit.i32(kSuspend));
}

void Barriers::expectBytes(Value barrier, int64_t bytes) {
  emit.create<NVVM::MBarrierArriveExpectTxOp>(Type(), barrier, emit.i32(bytes), NVVM::MemScopeKind::CTA,
                                              /*relaxed=*/false, Value());
}

void Barriers::arrive(Value barrier) { emit.create<NVVM::MBarrierArriveOp>(emit.i64(), barrier, Value()); }

void Barriers::arriveIf(Value elected, Value barrier) {
  emit.assembly("@$1 mbarrier.arrive.shared.b64 _, [$0];", {}, {}, {barrier, elected});
}

RingPosition Barriers::advance(RingPosition position, int64_t stages) {
  Value next = emit.add(position.stage, 1);
  Value wraps = emit.equal(next, stages);
  Value flipped = emit.create<LLVM::ZExtOp>(emit.i32(), wraps);
  return {emit.select(wraps, emit.i32(0), next), emit.bitXor(position.phase, flipped)};
}
