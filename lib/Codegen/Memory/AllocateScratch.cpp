//===- AllocateScratch.cpp - Allocate the buffers that kernels need beside their operands -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {
#define GEN_PASS_DEF_ALLOCATESCRATCH
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct AllocateScratch final : attn::impl::AllocateScratchBase<AllocateScratch> {
  using Base::Base;

  void runOnOperation() override {
    // Kernels of one task run one after the other, so those that need the same types share them.
    llvm::DenseMap<std::pair<Block *, ArrayAttr>, SmallVector<Value>> shared;
    getOperation().walk([&](KernelOpInterface op) {
      SmallVector<MemRefType> types = op.getScratchTypes();
      MutableOperandRange scratch = op.getScratchOperands();
      if (types.empty() || scratch.size() != 0)
        return;
      auto task = op->getParentOfType<scf::ForallOp>();
      Block *block = task ? task.getBody() : &getOperation().getBody().front();
      OpBuilder builder = OpBuilder::atBlockBegin(block);
      SmallVector<Attribute> key;
      for (MemRefType type : types)
        key.push_back(TypeAttr::get(type));
      SmallVector<Value> &buffers = shared[{block, builder.getArrayAttr(key)}];
      if (buffers.empty())
        for (MemRefType type : types)
          buffers.push_back(memref::AllocOp::create(builder, op.getLoc(), type));
      scratch.append(buffers);
    });
  }
};

} // namespace
