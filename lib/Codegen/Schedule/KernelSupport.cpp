//===- KernelSupport.cpp - What kernels run ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels compute in f32 on rows of a static size. Attention's queries stand in lanes; its regions are applied to
// vectors of them, so they consist of elementwise ops, and what they read is of one tile or one element.
//
//===----------------------------------------------------------------------===//

#include "KernelSupport.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Schedule/MaskBounds.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

static std::string whyNotElements(Operation *op) {
  for (Value operand : op->getOperands()) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (isa<IntegerType>(element) && !element.isSignlessInteger())
      return llvm::formatv("kernels read integers without a sign of their own, not {0}; use i{1}", element,
                           element.getIntOrFloatBitWidth());
    if (!element.isF32() && !element.isSignlessIntOrIndex())
      return llvm::formatv("kernels compute in f32, not on {0}", element);
  }
  return "";
}

static ShapedType shapeOf(Value value) { return cast<ShapedType>(value.getType()); }

/// The last dimension is static, and not 0: a kernel has no step for rows of nothing.
static bool hasStaticRows(Value value) {
  ShapedType type = shapeOf(value);
  return type.getRank() > 0 && !type.isDynamicDim(type.getRank() - 1) && type.getShape().back() > 0;
}

/// True for maps (m, n) -> ... of which a kernel reads a vector along n or one element: n stands last or nowhere.
static bool isReadableAlongColumns(AffineMap map) {
  AffineExpr column = getAffineDimExpr(1, map.getContext());
  for (auto [i, result] : llvm::enumerate(map.getResults()))
    if (result == column && i + 1 != map.getNumResults())
      return false;
  return true;
}

static std::string whyNot(LinearOp op) {
  if (shapeOf(op.getInit()).getRank() != 2)
    return "its rows are not one dimension";
  if (!shapeOf(op.getWeight()).hasStaticShape() || !hasStaticRows(op.getWeight()) || !hasStaticRows(op.getInit()))
    return "the size of its weight is not static, or is 0";
  for (AffineMap map : op.getExtraMaps().getAsValueRange<AffineMapAttr>())
    if (!isReadableAlongColumns(map))
      return "an extra operand is neither read along the columns nor constant along them";
  return "";
}

static std::string whyNot(NormOpInterface op) {
  if (shapeOf(op.getInit()).getRank() != 2)
    return "its rows are not one dimension";
  return hasStaticRows(op.getInit()) ? "" : "the size of a row is not static, or is 0";
}

static std::string whyNot(EmbeddingOp op) {
  if (shapeOf(op.getInit()).getRank() < 2)
    return "it looks up a single row";
  return hasStaticRows(op.getInit()) ? "" : "the size of a row is not static, or is 0";
}

/// Rows and channels as a kernel reads them: rows `row` where it must, channels last, batch and head wherever.
static bool isReadableByRows(AffineMap map, unsigned row, unsigned channel) {
  MLIRContext *context = map.getContext();
  return map.getNumResults() > 0 && map.getResults().back() == getAffineDimExpr(channel, context) &&
         map.getResultPosition(getAffineDimExpr(row, context));
}

/// Why the ops of `region`, if it has any, can't be applied to vectors.
static std::string whyNotVectors(Region &region) {
  if (region.empty())
    return "";
  for (Operation &op : region.front().without_terminator()) {
    bool isElementwise = OpTrait::hasElementwiseMappableTraits(&op) && op.getNumRegions() == 0;
    bool isOfVectors =
        llvm::all_of(op.getResultTypes(), [](Type type) { return VectorType::isValidElementType(type); });
    if (!op.hasTrait<OpTrait::ConstantLike>() && (!isElementwise || !isOfVectors))
      return llvm::formatv("a region has '{0}', which isn't elementwise", op.getName());
  }
  return "";
}

/// Why tiles of `mapped` operands can't be cut.
static std::string whyNotMapped(AttentionOp op) {
  for (auto [i, mapped] : llvm::enumerate(op.getMapped())) {
    if (isMappedByTask(op, i))
      continue;
    AffineMap map = op.getMappedMap(i);
    AffineExpr query = getAffineDimExpr(AttentionOp::Query, op.getContext());
    AffineExpr key = getAffineDimExpr(AttentionOp::Key, op.getContext());
    for (AffineExpr result : map.getResults())
      if (result != query && result != key &&
          (result.isFunctionOfDim(AttentionOp::Query) || result.isFunctionOfDim(AttentionOp::Key)))
        return "a mapped operand is read by groups of queries or keys";
    Type element = getElementTypeOrSelf(mapped.getType());
    if (!element.isF32() && !element.isInteger(1) && (element.isIndex() || element.getIntOrFloatBitWidth() % 8 != 0))
      return llvm::formatv("a mapped operand has elements of {0}, which aren't whole bytes", element);
  }
  return "";
}

static std::string whyNot(AttentionOp op) {
  for (Region *region : {&op.getScore(), &op.getMask()})
    if (std::string why = whyNotVectors(*region); !why.empty())
      return why;
  if (!op.getWhole().empty())
    return "its regions read operands by index";
  if (std::string why = whyNotMapped(op); !why.empty())
    return why;
  if (!op.getScore().empty() && !op.getScore().getArgument(0).getType().isF32())
    return "its score region is not of f32";
  if (op.getLogSumExp())
    return "it has a log-sum-exp result";
  if (!op.getOffsets().empty())
    return "its indices have offsets";
  if (!op.getRanges() && op.getKeyMask())
    return "its key mask comes without the ranges that attn.key_ranges computes from it";
  if (op.getKeyMask() && op.getEmpty() != EmptyRow::Zero && !op.rangesFollowMask())
    return "its ranges are not those of its key mask, and rows without keys yield something";
  for (auto dim : {AttentionOp::QueryChannel, AttentionOp::ValueChannel})
    if (ShapedType::isDynamic(op.getStaticExtent(dim)))
      return "the size of a head is not static";
  bool readable = isReadableByRows(op.getQueryMap(), AttentionOp::Query, AttentionOp::QueryChannel) &&
                  isReadableByRows(op.getKeyMap(), AttentionOp::Key, AttentionOp::QueryChannel) &&
                  isReadableByRows(op.getValueMap(), AttentionOp::Key, AttentionOp::ValueChannel) &&
                  isReadableByRows(op.getInitMap(), AttentionOp::Query, AttentionOp::ValueChannel);
  return readable ? "" : "an operand's rows are not of consecutive channels";
}

static std::string whyNotOnGPU(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    return whyNotOnTensorCores(linear);
  auto attention = dyn_cast<AttentionOp>(op);
  if (!attention)
    return "no GPU kernel of its own runs it";
  if (std::string why = whyNotOnTensorCores(attention); !why.empty())
    return why;
  if (attention.getLogSumExp())
    return "it has a log-sum-exp result";
  int64_t headSize = attention.getStaticExtent(AttentionOp::QueryChannel);
  if (!scheduleGPUAttention(attention))
    return llvm::formatv("no GPU kernel is for heads of {0} channels", headSize);
  return "";
}

std::string attn::whyNoKernelRuns(Operation *op, const Target &target) {
  if (target.isGpu())
    return whyNotOnGPU(op);
  if (std::string why = whyNotElements(op); !why.empty())
    return why;
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case<LinearOp, NormOpInterface, EmbeddingOp, AttentionOp>([](auto op) { return whyNot(op); })
      .Case([](RotaryOp) { return "elementwise code needs none"; })
      .Default([](Operation *) { return std::string(); });
}
