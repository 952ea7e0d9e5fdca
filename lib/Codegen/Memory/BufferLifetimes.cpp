//===- BufferLifetimes.cpp - When a buffer lives, and which share a slot -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A buffer lives from its allocation to the last op of the block that uses it or anything derived from it. Derived is
// every memref that an op with the buffer among its operands returns, which over-approximates views.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/BufferLifetimes.h"

using namespace mlir;
using namespace attn;

SmallVector<BufferLifetime> attn::findLifetimes(Block &block, ArrayRef<memref::AllocOp> allocs) {
  llvm::DenseMap<Operation *, unsigned> position;
  for (Operation &op : block)
    position.try_emplace(&op, position.size());

  SmallVector<BufferLifetime> lifetimes;
  for (memref::AllocOp alloc : allocs) {
    BufferLifetime life{alloc, position.lookup(block.findAncestorOpInBlock(*alloc)), 0};
    life.end = life.begin;
    llvm::SetVector<Value> derived;
    derived.insert(alloc.getResult());
    for (unsigned i = 0; i < derived.size(); ++i) {
      for (Operation *user : derived[i].getUsers()) {
        if (Operation *ancestor = block.findAncestorOpInBlock(*user))
          life.end = std::max(life.end, position.lookup(ancestor));
        // A value that a loop or branch yields is a result of the op around.
        Operation *holder = user->hasTrait<OpTrait::IsTerminator>() ? user->getParentOp() : user;
        for (Value result : holder->getResults())
          if (llvm::isa<BaseMemRefType>(result.getType()))
            derived.insert(result);
        for (Region &region : user->getRegions())
          for (BlockArgument arg : region.getArguments())
            if (llvm::isa<BaseMemRefType>(arg.getType()))
              derived.insert(arg);
      }
    }
    lifetimes.push_back(life);
  }
  llvm::stable_sort(lifetimes, [](const BufferLifetime &a, const BufferLifetime &b) { return a.begin < b.begin; });
  return lifetimes;
}

/// Bytes of a buffer per unit of its dynamic dimensions.
static int64_t staticBytes(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  int64_t bytes = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      bytes *= dim;
  return bytes;
}

SmallVector<SmallVector<memref::AllocOp>> attn::colorBuffers(ArrayRef<BufferLifetime> lifetimes) {
  SmallVector<SmallVector<memref::AllocOp>> slots;
  SmallVector<unsigned> busyUntil;
  for (const BufferLifetime &life : lifetimes) {
    std::optional<unsigned> chosen;
    memref::AllocOp alloc = life.alloc;
    for (unsigned i = 0; i < slots.size(); ++i) {
      if (busyUntil[i] >= life.begin)
        continue;
      memref::AllocOp other = slots[i].front();
      bool sameKind = other.getType().getNumDynamicDims() == alloc.getType().getNumDynamicDims();
      if (!sameKind)
        continue;
      // The closest size wastes least.
      if (!chosen || std::abs(staticBytes(other) - staticBytes(alloc)) <
                         std::abs(staticBytes(slots[*chosen].front()) - staticBytes(alloc)))
        chosen = i;
    }
    if (!chosen) {
      chosen = slots.size();
      slots.emplace_back();
      busyUntil.push_back(0);
    }
    slots[*chosen].push_back(alloc);
    busyUntil[*chosen] = life.end;
  }
  return slots;
}
