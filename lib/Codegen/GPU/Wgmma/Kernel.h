//===- Kernel.h - Attention with wgmma: the parts of a kernel --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block has one warpgroup (four warps) of which one thread loads, and two or three that compute, each 64 queries:
//
//   producer:   for each tile: queries once; for each block of keys from the last to the first: keys, then values
//   consumers:  for each tile: scores and softmax of the last block; then for each block before it the scores of this
//   one
//               together with the outputs of the one after; the outputs of the first block; write
//
// Tiles of keys and of values go through a ring of `stages` buffers each. With order = persistent or dynamic, blocks
// take tile after tile, and the producer runs ahead into the next tile while consumers finish one.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_WGMMA_KERNEL_H
#define ATTN_LIB_CODEGEN_GPU_WGMMA_KERNEL_H

#include "../Tiles.h"
#include "Barriers.h"

namespace attn {

/// What the parts share.
struct WarpgroupKernel {
  WarpgroupKernel(KernelFunction &function, const AttentionKernelSpec &spec)
      : function(function), emit(function.getEmitter()), spec(spec), schedule(spec.schedule), layout(spec.schedule),
        tiles(function, spec), barriers(function) {}

  bool hasOneTile() const { return schedule.getOrder() == TileOrder::Grid; }
  bool isDynamic() const { return schedule.getOrder() == TileOrder::Dynamic; }
  /// Warpgroups that compute.
  int64_t getGroups() const { return schedule.getWarps() / 4; }

  KernelFunction &function;
  ThreadEmitter &emit;
  const AttentionKernelSpec &spec;
  GPUAttentionKernelAttr schedule;
  GPUSharedLayout layout;
  Tiles tiles;
  Barriers barriers;
};

/// Channels of a box of TMA: 128 bytes, the widest swizzle.
constexpr int64_t kBoxChannels = 64;

/// Emits all of the kernel.
void emitWarpgroupKernel(KernelFunction &function, const AttentionKernelSpec &spec);

/// Emits what the loading thread does.
void emitProducer(WarpgroupKernel &kernel);
/// Emits what the computing warps do; `group` is the number of the warpgroup among them.
void emitConsumers(WarpgroupKernel &kernel, mlir::Value group);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMA_KERNEL_H
