//===- Kernel.cpp - Attention with wgmma: who does what ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

/// One thread makes the barriers before any other uses them.
static void initBarriers(WarpgroupKernel &kernel) {
  Barriers &barriers = kernel.barriers;
  const GPUSharedLayout &layout = kernel.layout;
  // A producer thread fills; every computing warp says when it is done.
  int64_t fillers = 1, readers = kernel.schedule.getWarps();
  barriers.init(layout.queryFull, fillers);
  barriers.init(layout.queryEmpty, readers);
  for (int64_t stage = 0; stage < kernel.schedule.getStages(); ++stage) {
    barriers.init(layout.keyFull + 8 * stage, fillers);
    barriers.init(layout.keyEmpty + 8 * stage, readers);
    barriers.init(layout.valueFull + 8 * stage, fillers);
    barriers.init(layout.valueEmpty + 8 * stage, readers);
  }
  for (auto kind : {GPUArgumentKind::QueryMap, GPUArgumentKind::KeyMap, GPUArgumentKind::ValueMap})
    kernel.emit.create<NVVM::PrefetchOp>(NVVM::PrefetchCacheLevelAttr(), NVVM::CacheEvictionPriorityAttr(),
                                         kernel.function.argument(kind), Value(),
                                         kernel.emit.getBuilder().getUnitAttr());
  // Also for TMA, which is not a thread.
  kernel.emit.create<NVVM::FenceMbarrierInitOp>();
}

void attn::emitWarpgroupKernel(KernelFunction &function, const AttentionKernelSpec &spec) {
  WarpgroupKernel kernel(function, spec);
  ThreadEmitter &emit = kernel.emit;
  Value thread = function.threadIndex();
  Value warpgroup = emit.shiftRight(thread, 7);
  emit.ifThen(emit.equal(thread, 0), [&] { initBarriers(kernel); });
  emit.create<NVVM::BarrierOp>();

  // Registers move from the warps that only load to those that hold accumulators. A thread starts with 65536 / threads.
  bool twoGroups = kernel.getGroups() == 2;
  uint32_t loading = twoGroups ? 24 : 32, computing = twoGroups ? 240 : 160;
  emit.ifElse(
      emit.equal(warpgroup, 0),
      [&] {
        emit.create<NVVM::SetMaxRegisterOp>(loading, NVVM::SetMaxRegisterAction::decrease);
        emit.ifThen(emit.equal(emit.shiftRight(thread, 5), 0), [&] {
          Value elected = emit.create<NVVM::ElectSyncOp>(emit.i1(), Value());
          emit.ifThen(elected, [&] { emitProducer(kernel); });
        });
      },
      [&] {
        emit.create<NVVM::SetMaxRegisterOp>(computing, NVVM::SetMaxRegisterAction::increase);
        emitConsumers(kernel, emit.sub(warpgroup, 1));
      });
  emit.create<LLVM::ReturnOp>(ValueRange());
}
