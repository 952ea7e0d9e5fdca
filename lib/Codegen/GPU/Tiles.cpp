//===- Tiles.cpp - The order of tiles of queries -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tiles.h"
#include <numeric>

using namespace mlir;
using namespace attn;

Tiles::Tiles(KernelFunction &kernel, const AttentionKernelSpec &spec) : kernel(kernel), spec(spec) {
  ThreadEmitter &emit = kernel.getEmitter();
  queryBlocks = emit.ceilDivide(kernel.argument(GPUArgumentKind::QueryLength), spec.schedule.getQueryBlock());
  pairs = emit.mul(kernel.argument(GPUArgumentKind::Batch), kernel.argument(GPUArgumentKind::Heads));
  count = emit.mul(queryBlocks, pairs);
}

Tile Tiles::get(Value index) const {
  ThreadEmitter &emit = kernel.getEmitter();
  int64_t queryBlock = spec.schedule.getQueryBlock(), keyBlock = spec.schedule.getKeyBlock();
  Value together = kernel.argument(GPUArgumentKind::HeadsTogether);
  Value heads = kernel.argument(GPUArgumentKind::Heads);

  // Groups of `together` pairs, the last of which may be smaller; in a group, query blocks before pairs.
  Value groupTiles = emit.mul(together, queryBlocks);
  Value group = emit.divide(index, groupTiles);
  Value inGroup = emit.sub(index, emit.mul(group, groupTiles));
  Value firstPair = emit.mul(group, together);
  Value groupPairs = emit.min(together, emit.sub(pairs, firstPair));
  Value step = emit.divide(inGroup, groupPairs);
  Value pair = emit.add(firstPair, emit.sub(inGroup, emit.mul(step, groupPairs)));

  Tile tile;
  Value queryIndex = spec.causal ? emit.sub(emit.sub(queryBlocks, 1), step) : step;
  tile.firstQuery = emit.mul(queryIndex, queryBlock);
  tile.batch = emit.divide(pair, heads);
  tile.head = emit.sub(pair, emit.mul(tile.batch, heads));
  tile.keyHead = emit.divide(tile.head, kernel.argument(GPUArgumentKind::HeadsPerKeyHead));
  Value keyBlocks = emit.ceilDivide(kernel.argument(GPUArgumentKind::KeyLength), keyBlock);
  if (spec.causal)
    keyBlocks = emit.min(keyBlocks, emit.ceilDivide(emit.add(tile.firstQuery, queryBlock), keyBlock));
  tile.keyBlocks = emit.max(keyBlocks, 1);
  return tile;
}

int64_t Tiles::getMaskedBlocks() const {
  if (!spec.causal)
    return 1; // The keys' end.
  // The diagonal crosses columns [first, first + queryBlock). The first query is a multiple of queryBlock, so that it
  // stands at most keyBlock - gcd columns into a block.
  int64_t queryBlock = spec.schedule.getQueryBlock(), keyBlock = spec.schedule.getKeyBlock();
  int64_t offset = keyBlock - std::gcd(queryBlock, keyBlock);
  return llvm::divideCeil(queryBlock + offset, keyBlock);
}
