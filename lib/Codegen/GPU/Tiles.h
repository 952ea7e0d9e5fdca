//===- Tiles.h - The order of tiles of queries ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile is a block of queries of one head. Tiles are numbered so that those of a few heads (`heads_together`) run at a
// time, since tiles of one head read the same keys and values, which then stay in the second-level cache. Within those
// heads the last queries come first where the mask is causal: the longest tiles start first, so that short ones fill
// the end.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_TILES_H
#define ATTN_LIB_CODEGEN_GPU_TILES_H

#include "KernelFunction.h"

namespace attn {

/// Where a tile stands.
struct Tile {
  mlir::Value firstQuery;
  mlir::Value batch, head;
  mlir::Value keyHead;   ///< The head of keys and values that it reads.
  mlir::Value keyBlocks; ///< How many blocks of keys it goes through: at least one, if only of keys that don't count.
};

class Tiles {
public:
  /// Emits what all tiles share, at the function's beginning.
  Tiles(KernelFunction &kernel, const AttentionKernelSpec &spec);

  mlir::Value getCount() const { return count; }
  /// Where tile number `index` stands.
  Tile get(mlir::Value index) const;

  /// The largest number of blocks at the end of a tile's keys in which some keys don't count for some query.
  int64_t getMaskedBlocks() const;

private:
  KernelFunction &kernel;
  const AttentionKernelSpec &spec;
  mlir::Value queryBlocks; ///< Tiles of a head.
  mlir::Value pairs;       ///< Heads of all batch rows.
  mlir::Value count;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_TILES_H
