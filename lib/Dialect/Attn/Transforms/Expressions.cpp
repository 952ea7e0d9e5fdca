//===- Expressions.cpp - Tensors as expressions of their elements -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

/// Products and sums of more parts are no activation, and looking at a shared part again and again takes for ever.
static constexpr unsigned kMaxDepth = 4;

bool attn::isNearly(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

std::optional<double> attn::constantOf(Value value) {
  Attribute attribute;
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return constantOf(fill.getInputs().front());
  if (auto cast = value.getDefiningOp<tensor::CastOp>())
    return constantOf(cast.getSource());
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto scalar = llvm::dyn_cast<FloatAttr>(attribute))
    return scalar.getValueAsDouble();
  auto dense = llvm::dyn_cast<DenseFPElementsAttr>(attribute);
  if (!dense || !dense.isSplat())
    return std::nullopt;
  return FloatAttr::get(dense.getElementType(), dense.getSplatValue<llvm::APFloat>()).getValueAsDouble();
}

/// The one dimension of each group that is not of static size 1, or -1 where all are; nothing where there are several.
static std::optional<SmallVector<int64_t>> largeDims(ArrayRef<ReassociationIndices> groups, RankedTensorType type) {
  SmallVector<int64_t> dims;
  for (ArrayRef<int64_t> group : groups) {
    int64_t large = -1;
    for (int64_t dim : group) {
      if (type.getDimSize(dim) == 1)
        continue;
      if (large >= 0)
        return std::nullopt;
      large = dim;
    }
    dims.push_back(large);
  }
  return dims;
}

/// Where an element of `tensor` at `map` stands in what it was made from; false where it was computed.
static bool stepBack(ElementOperand &operand) {
  MLIRContext *context = operand.map.getContext();
  AffineExpr zero = getAffineConstantExpr(0, context);
  auto moveTo = [&](Value source, ArrayRef<AffineExpr> indices) {
    operand.tensor = source;
    operand.map = AffineMap::get(operand.map.getNumDims(), 0, indices, context);
    return true;
  };
  Operation *op = operand.tensor.getDefiningOp();
  if (auto cast = llvm::dyn_cast_or_null<tensor::CastOp>(op))
    return moveTo(cast.getSource(), operand.map.getResults());
  if (auto collapse = llvm::dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    auto groups = collapse.getReassociationIndices();
    auto large = largeDims(groups, collapse.getSrcType());
    SmallVector<AffineExpr> indices(collapse.getSrcType().getRank(), zero);
    for (auto [i, dim] : llvm::enumerate(large.value_or(SmallVector<int64_t>())))
      if (dim >= 0)
        indices[dim] = operand.map.getResult(i);
    return large && moveTo(collapse.getSrc(), indices);
  }
  if (auto expand = llvm::dyn_cast_or_null<tensor::ExpandShapeOp>(op)) {
    auto large = largeDims(expand.getReassociationIndices(), expand.getResultType());
    SmallVector<AffineExpr> indices;
    for (int64_t dim : large.value_or(SmallVector<int64_t>()))
      indices.push_back(dim >= 0 ? operand.map.getResult(dim) : zero);
    return large && moveTo(expand.getSrc(), indices);
  }
  auto structured = llvm::dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!structured || structured.getNumDpsInits() != 1 || structured.getNumReductionLoops() != 0)
    return false;
  auto argument = llvm::dyn_cast<BlockArgument>(structured.getBlock()->getTerminator()->getOperand(0));
  AffineMap written = structured.getMatchingIndexingMap(structured.getDpsInitOperand(0));
  if (!argument || !written.isPermutation() || argument.getArgNumber() >= unsigned(structured.getNumDpsInputs()))
    return false;
  OpOperand *source = structured.getMatchingOpOperand(argument);
  if (!llvm::isa<RankedTensorType>(source->get().getType()))
    return false;
  AffineMap read = structured.getMatchingIndexingMap(source).compose(inversePermutation(written)).compose(operand.map);
  return moveTo(source->get(), read.getResults());
}

ElementOperand attn::resolve(ElementOperand operand, bool allowZeros) {
  // On the way an index may be 0 in any case.
  ElementOperand at = operand;
  while (at.tensor && !at.constant && stepBack(at)) {
    at.constant = constantOf(at.tensor);
    if (at.constant || allowZeros || llvm::all_of(at.map.getResults(), llvm::IsaPred<AffineDimExpr>))
      operand = at;
  }
  return operand;
}

std::optional<ElementOp> attn::elementOpOf(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  auto type = llvm::dyn_cast<RankedTensorType>(tensor.getType());
  if (!op || !type || op->getNumResults() != 1)
    return std::nullopt;
  ElementOp result{op, {}};
  auto generic = llvm::dyn_cast<linalg::GenericOp>(op);
  if (!generic) {
    if (!OpTrait::hasElementwiseMappableTraits(op))
      return std::nullopt;
    AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), op->getContext());
    for (Value operand : op->getOperands())
      result.operands.push_back({operand, identity, constantOf(operand)});
    return result;
  }
  if (generic.getNumReductionLoops() != 0 || generic.getNumDpsInits() != 1 ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity())
    return std::nullopt;
  Block &body = *generic.getBody();
  result.scalar = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!result.scalar || result.scalar->getBlock() != &body || result.scalar->getNumResults() != 1)
    return std::nullopt;
  for (Value operand : result.scalar->getOperands()) {
    if (auto argument = llvm::dyn_cast<BlockArgument>(operand); argument && argument.getOwner() == &body) {
      OpOperand *source = generic.getMatchingOpOperand(argument);
      if (generic.isDpsInit(source))
        return std::nullopt;
      result.operands.push_back(
          resolve({source->get(), generic.getMatchingIndexingMap(source), constantOf(source->get())}));
      continue;
    }
    std::optional<double> constant = constantOf(operand);
    if (!constant)
      return std::nullopt;
    result.operands.push_back({Value(), AffineMap(), constant});
  }
  return result;
}

static void addFactors(const ElementOperand &operand, Product &product, unsigned depth) {
  std::optional<ElementOp> op = depth < kMaxDepth && !operand.constant ? elementOpOf(operand.tensor) : std::nullopt;
  if (operand.constant) {
    product.coefficient *= *operand.constant;
    return;
  }
  // Through a map that moves or repeats elements, a product of them is one of moved elements.
  auto inner = [&](ElementOperand part) {
    if (part.tensor)
      part.map = part.map.compose(operand.map);
    return part;
  };
  if (op && llvm::isa<arith::MulFOp>(op->scalar)) {
    addFactors(inner(op->operands[0]), product, depth + 1);
    addFactors(inner(op->operands[1]), product, depth + 1);
  } else if (op && llvm::isa<arith::DivFOp>(op->scalar) && op->operands[1].constant) {
    product.coefficient /= *op->operands[1].constant;
    addFactors(inner(op->operands[0]), product, depth + 1);
  } else if (op && llvm::isa<arith::NegFOp>(op->scalar)) {
    product.coefficient = -product.coefficient;
    addFactors(inner(op->operands[0]), product, depth + 1);
  } else {
    product.factors.push_back(operand);
  }
}

ElementOperand attn::wholeOf(Value tensor) {
  int64_t rank = llvm::cast<RankedTensorType>(tensor.getType()).getRank();
  return {tensor, AffineMap::getMultiDimIdentityMap(rank, tensor.getContext()), constantOf(tensor)};
}

Product attn::productOf(Value tensor) {
  Product product;
  addFactors(wholeOf(tensor), product, 0);
  return product;
}

static void addTerms(const ElementOperand &operand, Sum &sum, unsigned depth) {
  if (operand.constant) {
    sum.constant += *operand.constant;
    return;
  }
  std::optional<ElementOp> op = depth < kMaxDepth ? elementOpOf(operand.tensor) : std::nullopt;
  if (!op || !llvm::isa<arith::AddFOp>(op->scalar)) {
    sum.terms.push_back(operand);
    return;
  }
  for (ElementOperand part : op->operands) {
    if (part.tensor)
      part.map = part.map.compose(operand.map);
    addTerms(part, sum, depth + 1);
  }
}

Sum attn::sumOf(Value tensor) {
  Sum sum;
  addTerms(wholeOf(tensor), sum, 0);
  return sum;
}
