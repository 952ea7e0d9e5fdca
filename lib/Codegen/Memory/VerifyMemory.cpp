//===- VerifyMemory.cpp - The contract of the stage memory -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/Passes.h"
#include "attn/Dialect/Attn/IR/Contract.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYMEMORY
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Constants are held in memory and become part of the code, which reaches 2 GiB; a few words can say a far larger one.
constexpr uint64_t kMaxConstantBytes = uint64_t(1) << 30;

LogicalResult verifyConstant(memref::GlobalOp global) {
  uint64_t bytes = llvm::divideCeil(global.getType().getElementTypeBitWidth(), 8);
  for (int64_t size : global.getType().getShape())
    bytes = llvm::SaturatingMultiply(bytes, uint64_t(size));
  if (bytes > kMaxConstantBytes)
    return global.emitError() << "a constant of type " << global.getType() << " is larger than " << kMaxConstantBytes
                              << " bytes; make it a weight (attn.weight), or compute it, for example with linalg.fill";
  return success();
}

/// True for a copy in a task that nobody asked for. A linalg.copy that brings rows from one buffer of all tasks to
/// another is what it was written for.
bool isStrayCopy(Operation *op) {
  auto task = op->getParentOfType<scf::ForallOp>();
  if (!task || !llvm::isa<memref::CopyOp, linalg::CopyOp>(op))
    return false;
  Value source = op->getOperand(0);
  while (Operation *view = source.getDefiningOp()) {
    if (!llvm::isa<memref::SubViewOp, memref::ExpandShapeOp, memref::CollapseShapeOp, memref::CastOp>(view))
      break;
    source = view->getOperand(0);
  }
  return llvm::isa<memref::CopyOp>(op) || task.getRegion().isAncestor(source.getParentRegion());
}

LogicalResult verify(Operation *op) {
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
    if (llvm::isa<TensorType>(type))
      return op->emitOpError("is still on tensors after the stage 'memory'");
  if (llvm::isa<memref::AllocOp, memref::AllocaOp, memref::ReallocOp>(op))
    return op->emitOpError("allocates after the stage 'memory', where all buffers are in the workspace");
  if (isStrayCopy(op))
    return op->emitOpError("copies a buffer inside of a task; compute what a task inserts into the slice of the "
                           "output that it inserts it into");
  if (auto global = llvm::dyn_cast<memref::GlobalOp>(op))
    return verifyConstant(global);
  return success();
}

struct VerifyMemory final : attn::impl::VerifyMemoryBase<VerifyMemory> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(verifyContract(getOperation(), verify)))
      signalPassFailure();
  }
};

} // namespace
