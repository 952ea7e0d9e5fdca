//===- GPUSupport.cpp - What GPU kernels can run ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;

const Target *attn::findGPU(Operation *op) {
  TargetAttr named = findTargetName(op);
  const Target *target = named ? lookupTarget(named.getName()) : nullptr;
  return target && target->isGpu() ? target : nullptr;
}

/// True if the region says that key k counts for query q where k <= q.
bool attn::isCausalMask(Region &mask) {
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

std::string attn::whyNotOnTensorCores(AttentionOp op) {
  Type type = commonElementType(op);
  if (!type || (!type.isBF16() && !type.isF16()))
    return "GPU attention needs queries, keys, values and outputs all in bf16 or all in f16";
  if (op.getLogSumExp() && !getElementTypeOrSelf(op.getLogSumExp().getType()).isF32())
    return "GPU attention writes its log-sum-exp in f32";
  if (!op.getScore().empty())
    return "GPU attention with a score region is not supported";
  if (op.getRanges() || op.getKeyMask() || !op.getMapped().empty() || !op.getWhole().empty() ||
      !op.getOffsets().empty())
    return "GPU attention with ranges, key masks, or operands or offsets of regions is not supported";
  if (!canAddress(op))
    return "GPU attention needs tensors of batch, head, row and, innermost, channel, keys and values with the same "
           "heads, and log-sum-exps [batch, head, query]";
  // What rows without keys yield need not be asked: with this mask and with none, each has the first key.
  if (!op.getMask().empty() && !isCausalMask(op.getMask()))
    return "GPU attention knows no mask but the causal one: key <= query";
  FailureOr<double> scale = op.getScaleOrDefault();
  if (failed(scale) || !(*scale > 0))
    return "GPU attention needs a known positive scale";
  int64_t headSize = op.getStaticExtent(AttentionOp::QueryChannel);
  if (headSize != op.getStaticExtent(AttentionOp::ValueChannel) || ShapedType::isDynamic(headSize))
    return "GPU attention needs one static head size for keys and values";
  return "";
}

std::string attn::whyNotOnTensorCores(LinearOp op) {
  Type type = getElementTypeOrSelf(op.getInput().getType());
  if (!type.isF32() && !type.isF16() && !type.isBF16())
    return llvm::formatv("tensor cores compute in f32, f16 and bf16, not in {0}", type);
  for (Value value : {op.getWeight(), op.getInit()})
    if (getElementTypeOrSelf(value.getType()) != type)
      return "its input, weight and output are of different types";
  if (cast<ShapedType>(op.getInit().getType()).getRank() != 2 || op.isPacked())
    return "its rows are not one dimension, or its weight is in panels";
  return "";
}

int64_t attn::getHeadsPerKeyHead(AttentionOp op) {
  for (AffineExpr expr : op.getKeyMap().getResults())
    if (auto division = dyn_cast<AffineBinaryOpExpr>(expr))
      return cast<AffineConstantExpr>(division.getRHS()).getValue();
  return 1;
}

bool attn::hasGPUKernel(Operation *op) {
  auto schedule = op->getAttrOfType<ScheduleAttr>("schedule");
  return schedule && isa<GPUAttentionKernelAttr, GPULinearKernelAttr>(schedule.getKernel());
}
