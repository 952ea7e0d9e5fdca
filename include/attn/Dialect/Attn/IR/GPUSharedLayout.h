//===- GPUSharedLayout.h - What a GPU kernel keeps in shared memory -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block's shared memory as data, computed from the kernel's attribute alone: the attribute's verifier asks whether it
// fits, code generation asks where things stand, and the launch how much there is.
//
// Tiles are stored as the tensor cores read them, 16-byte chunks of 8 channels swizzled within 128 bytes: chunk c of
// row r stands at c xor (r mod 8). For wgmma a tile is cut into boxes of 64 channels (128 bytes, what one TMA copy
// brings), each with all rows; for mma a row of the tile holds all channels.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_GPUSHAREDLAYOUT_H
#define ATTN_DIALECT_ATTN_IR_GPUSHAREDLAYOUT_H

#include "attn/Dialect/Attn/IR/Attn.h"

namespace attn {

/// Offsets and sizes in bytes; the base is aligned to 1024 bytes. Elements have two bytes.
struct GPUSharedLayout {
  GPUSharedLayout(MatrixInstruction instruction, int64_t headSize, int64_t queryBlock, int64_t keyBlock, int64_t stages,
                  TileOrder order);
  explicit GPUSharedLayout(GPUAttentionKernelAttr kernel)
      : GPUSharedLayout(kernel.getInstruction(), kernel.getHeadSize(), kernel.getQueryBlock(), kernel.getKeyBlock(),
                        kernel.getStages(), kernel.getOrder()) {}

  //===--- Tiles ---===//
  int64_t boxes;    ///< Boxes of 64 channels in a row.
  int64_t queryBox; ///< Size of one box of the query or output tile.
  int64_t keyBox;   ///< Size of one box of a key or value tile.
  int64_t keyTile;  ///< Size of a key or value tile: from one stage to the next.
  int64_t query;    ///< The queries.
  int64_t key;      ///< The keys of stage 0.
  int64_t value;    ///< The values of stage 0.
  /// Outputs on their way to memory. Where a block has one tile only, they take the place of its queries.
  int64_t output;

  //===--- Barriers (wgmma): eight bytes each, where one for each stage, adjacent ---===//
  int64_t queryFull, queryEmpty;
  int64_t keyFull, keyEmpty;
  int64_t valueFull, valueEmpty;
  int64_t nextTile; ///< The number of the tile whose queries are loaded (order = dynamic).

  int64_t bytes; ///< All of it.
};

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_GPUSHAREDLAYOUT_H
