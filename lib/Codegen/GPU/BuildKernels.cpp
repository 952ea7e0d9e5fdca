//===- BuildKernels.cpp - Build the GPU kernels that ops are scheduled for --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops stay where they are and refer to their kernels: how a kernel is launched is the host's business.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/AttentionKernel.h"
#include "attn/Codegen/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/SymbolTable.h"

namespace attn {
#define GEN_PASS_DEF_BUILDKERNELS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// From op to kernel
//===----------------------------------------------------------------------===//

/// True if the region says that key k counts for query q where k <= q.
static bool isCausal(Region &mask) {
  Block &block = mask.front();
  if (!llvm::hasNItems(block, 2))
    return false;
  auto compare = dyn_cast<arith::CmpIOp>(block.front());
  if (!compare || block.getTerminator()->getOperand(0) != compare.getResult())
    return false;
  // The region's arguments are b, h, q, k and more.
  Value query = block.getArgument(2), key = block.getArgument(3);
  switch (compare.getPredicate()) {
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return compare.getLhs() == key && compare.getRhs() == query;
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return compare.getLhs() == query && compare.getRhs() == key;
  default:
    return false;
  }
}

/// The element type of all of the op's tensors, or null where they differ.
static Type commonElementType(AttentionOp op) {
  Type type = getElementTypeOrSelf(op.getQuery().getType());
  for (Value value : {op.getKey(), op.getValue(), op.getInit()})
    if (getElementTypeOrSelf(value.getType()) != type)
      return {};
  return type;
}

/// True if an operand has rows of `row` and channels of `channel`, the latter innermost, for each batch row and each
/// head: the dimensions of a kernel's tensors. Sets `headsTogether` to the number of heads that share one.
static bool hasKernelDimensions(AffineMap map, unsigned row, unsigned channel, int64_t &headsTogether) {
  if (map.getNumResults() != 4 || map.getResult(3) != getAffineDimExpr(channel, map.getContext()))
    return false;
  bool batch = false, head = false, rows = false;
  headsTogether = 1;
  for (AffineExpr expr : map.getResults().drop_back()) {
    auto division = dyn_cast<AffineBinaryOpExpr>(expr);
    auto dim = dyn_cast<AffineDimExpr>(division ? division.getLHS() : expr);
    if (!dim || (division && dim.getPosition() != AttentionOp::Head))
      return false;
    if (division)
      headsTogether = cast<AffineConstantExpr>(division.getRHS()).getValue();
    batch |= dim.getPosition() == AttentionOp::Batch;
    head |= dim.getPosition() == AttentionOp::Head;
    rows |= dim.getPosition() == row;
  }
  return batch && head && rows;
}

/// True if the kernel can address the op's tensors.
static bool canAddress(AttentionOp op) {
  using Op = AttentionOp;
  int64_t queryHeads, keyHeads, valueHeads, outputHeads;
  if (!hasKernelDimensions(op.getQueryMap(), Op::Query, Op::QueryChannel, queryHeads) ||
      !hasKernelDimensions(op.getKeyMap(), Op::Key, Op::QueryChannel, keyHeads) ||
      !hasKernelDimensions(op.getValueMap(), Op::Key, Op::ValueChannel, valueHeads) ||
      !hasKernelDimensions(op.getInitMap(), Op::Query, Op::ValueChannel, outputHeads))
    return false;
  if (queryHeads != 1 || outputHeads != 1 || keyHeads != valueHeads)
    return false;
  return !op.getLogSumExp() ||
         op.getLogSumExpMap() ==
             AffineMap::getMultiDimIdentityMap(6, op.getContext()).getSubMap({Op::Batch, Op::Head, Op::Query});
}

/// The kernel of an op that is scheduled for `schedule`, or an error that says what the kernel cannot do.
static FailureOr<AttentionKernelSpec> specify(AttentionOp op, GPUAttentionKernelAttr schedule) {
  Type type = commonElementType(op);
  if (!type || (!type.isBF16() && !type.isF16()))
    return op.emitError("GPU attention needs queries, keys, values and outputs all in bf16 or all in f16");
  if (op.getLogSumExp() && !getElementTypeOrSelf(op.getLogSumExp().getType()).isF32())
    return op.emitError("GPU attention writes its log-sum-exp in f32");
  if (!op.getScore().empty())
    return op.emitError("GPU attention with a score region is not supported");
  if (op.getRanges() || op.getKeyMask() || !op.getMapped().empty() || !op.getWhole().empty() ||
      !op.getOffsets().empty())
    return op.emitError("GPU attention with ranges, key masks, or operands or offsets of regions is not supported");
  if (!canAddress(op))
    return op.emitError("GPU attention needs tensors of batch, head, row and, innermost, channel, keys and values with "
                        "the same heads, and log-sum-exps [batch, head, query]");
  bool causal = !op.getMask().empty();
  if (causal && !isCausal(op.getMask()))
    return op.emitError("GPU attention knows no mask but the causal one: key <= query");
  if (op.getEmpty() != EmptyRow::Zero)
    return op.emitError("GPU attention yields zeros for rows without keys, but the op asks for another value");
  FailureOr<double> scale = op.getScaleOrDefault();
  if (failed(scale) || !(*scale > 0))
    return op.emitError("GPU attention needs a known positive scale");

  int64_t headSize = op.getStaticExtent(AttentionOp::QueryChannel);
  if (headSize != op.getStaticExtent(AttentionOp::ValueChannel) || ShapedType::isDynamic(headSize))
    return op.emitError("GPU attention needs one static head size for keys and values");
  bool fits =
      schedule.isWgmma() ? headSize <= schedule.getHeadSize() && headSize % 8 == 0 : headSize == schedule.getHeadSize();
  if (!fits)
    return op.emitError() << "a head size of " << headSize << " does not fit the kernel's, " << schedule.getHeadSize();
  return AttentionKernelSpec{schedule, type, causal, static_cast<bool>(op.getLogSumExp())};
}

//===----------------------------------------------------------------------===//
// Modules of kernels
//===----------------------------------------------------------------------===//

/// The module for kernels of `chip` in `parent`, made if there is none.
static gpu::GPUModuleOp getOrCreateModule(ModuleOp parent, StringRef chip) {
  std::string name = ("attn_" + chip).str();
  if (auto module = parent.lookupSymbol<gpu::GPUModuleOp>(name))
    return module;
  OpBuilder builder = OpBuilder::atBlockEnd(parent.getBody());
  // PTX 8.0, the first with all of sm_90a's instructions, which drivers since CUDA 12.0 compile.
  auto target = NVVM::NVVMTargetAttr::get(parent.getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", chip, "+ptx80");
  return gpu::GPUModuleOp::create(builder, parent.getLoc(), name, ArrayRef<Attribute>{target});
}

namespace {

struct BuildKernels final : attn::impl::BuildKernelsBase<BuildKernels> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](AttentionOp op) {
      auto schedule = op.getScheduleAttr();
      auto kernel = schedule ? dyn_cast<GPUAttentionKernelAttr>(schedule.getKernel()) : GPUAttentionKernelAttr();
      if (!kernel)
        return WalkResult::advance();
      FailureOr<AttentionKernelSpec> spec = specify(op, kernel);
      if (failed(spec))
        return WalkResult::interrupt();
      op->setAttr(kGPUKernelAttr, getOrBuild(op, *spec));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// A reference to the kernel of `spec`.
  SymbolRefAttr getOrBuild(AttentionOp op, const AttentionKernelSpec &spec) {
    ++numOps;
    gpu::GPUModuleOp module = getOrCreateModule(op->getParentOfType<ModuleOp>(), spec.schedule.getChip());
    auto reference = [&](StringRef name) {
      return SymbolRefAttr::get(module.getNameAttr(), FlatSymbolRefAttr::get(&getContext(), name));
    };
    for (const auto &[place, built, name] : kernels)
      if (place == module && built == spec)
        return reference(name);
    ++numKernels;
    std::string base = getKernelName(spec), name = base;
    for (unsigned i = 1; module.lookupSymbol(name); ++i)
      name = base + "_" + std::to_string(i);
    buildAttentionKernel(module, op.getLoc(), name, spec);
    kernels.push_back({module, spec, name});
    return reference(name);
  }

  struct Kernel {
    gpu::GPUModuleOp module;
    AttentionKernelSpec spec;
    std::string name;
  };
  SmallVector<Kernel> kernels;
};

} // namespace
