//===- AttentionMasks.cpp - Biases of scores that are masks -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionMasks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

static bool isIntegerZero(const ElementOperand &operand) {
  Attribute attribute;
  if (!operand.tensor || !matchPattern(operand.tensor, m_Constant(&attribute)))
    return false;
  if (auto scalar = llvm::dyn_cast<IntegerAttr>(attribute))
    return scalar.getValue().isZero();
  auto dense = llvm::dyn_cast<DenseIntElementsAttr>(attribute);
  return dense && dense.isSplat() && dense.getSplatValue<llvm::APInt>().isZero();
}

/// What a row without keys yields where masked scores got `value` added.
static std::optional<EmptyRow> emptyRowOf(double value) {
  if (std::isinf(value) && value < 0)
    return EmptyRow::Zero;
  // So large a number absorbs every score, so that all are equal.
  if (value <= -1e8)
    return EmptyRow::Uniform;
  // What is left of exp(score - 9000) is 0, but where all scores got it, it cancels.
  if (value <= -9000.0)
    return EmptyRow::Unmasked;
  return std::nullopt;
}

/// The conditions that `mask` is the conjunction of; comparisons with 0 and negations become `inverted`.
static void addConditions(MaskTerm mask, SmallVectorImpl<MaskTerm> &masks) {
  mask.element = resolve(mask.element, /*allowZeros=*/true);
  std::optional<ElementOp> op = mask.element.tensor ? elementOpOf(mask.element.tensor) : std::nullopt;
  if (!op || op->operands.empty() || !op->operands[0].tensor)
    return masks.push_back(mask);
  auto part = [&](unsigned i) {
    ElementOperand inner = op->operands[i];
    inner.map = inner.map.compose(mask.element.map);
    return inner;
  };
  using P = arith::CmpIPredicate;
  auto compare = llvm::dyn_cast<arith::CmpIOp>(op->scalar);
  if (compare && isIntegerZero(op->operands[1]) && (compare.getPredicate() == P::ne || compare.getPredicate() == P::eq))
    return addConditions({part(0), mask.inverted != (compare.getPredicate() == P::eq), mask.empty}, masks);
  bool isBool = op->scalar->getResult(0).getType().isInteger(1) && op->operands.size() == 2 && op->operands[1].tensor;
  if (isBool && llvm::isa<arith::XOrIOp>(op->scalar) && matchPattern(op->operands[1].tensor, m_One()))
    return addConditions({part(0), !mask.inverted, mask.empty}, masks);
  // Not (a or b) is not a and not b.
  if (isBool && (mask.inverted ? llvm::isa<arith::OrIOp>(op->scalar) : llvm::isa<arith::AndIOp>(op->scalar)) &&
      masks.size() < 16) {
    addConditions({part(0), mask.inverted, mask.empty}, masks);
    return addConditions({part(1), mask.inverted, mask.empty}, masks);
  }
  masks.push_back(mask);
}

SmallVector<MaskTerm> attn::matchMask(const ElementOperand &given) {
  ElementOperand bias = resolve(given, /*allowZeros=*/true);
  SmallVector<MaskTerm> masks;
  if (std::optional<ElementOp> op = elementOpOf(bias.tensor); op && llvm::isa<arith::SelectOp>(op->scalar)) {
    const ElementOperand &yes = op->operands[1], &no = op->operands[2];
    if (!op->operands[0].tensor || !yes.constant || !no.constant)
      return {};
    bool inverted = *no.constant == 0.0;
    std::optional<EmptyRow> empty = emptyRowOf(inverted ? *yes.constant : *no.constant);
    if (!empty || (inverted ? *no.constant : *yes.constant) != 0.0)
      return {};
    ElementOperand condition = op->operands[0];
    condition.map = condition.map.compose(bias.map);
    addConditions({condition, inverted, *empty}, masks);
    return masks;
  }
  // (1 - mask) * value, with an integer mask of zeros and ones.
  Product product = productOf(bias.tensor);
  std::optional<EmptyRow> empty = emptyRowOf(product.coefficient);
  if (!empty || product.factors.size() != 1)
    return {};
  std::optional<ElementOp> difference = elementOpOf(product.factors[0].tensor);
  if (!difference || !llvm::isa<arith::SubFOp>(difference->scalar) ||
      difference->operands[0].constant != std::optional<double>(1.0) || !difference->operands[1].tensor)
    return {};
  std::optional<ElementOp> convert = elementOpOf(difference->operands[1].tensor);
  if (!convert || !llvm::isa<arith::SIToFPOp, arith::UIToFPOp>(convert->scalar))
    return {};
  ElementOperand mask = convert->operands[0];
  mask.map = mask.map.compose(difference->operands[1].map).compose(product.factors[0].map).compose(bias.map);
  addConditions({mask, false, *empty}, masks);
  return masks;
}

std::optional<MaskedScores> attn::matchMaskedScores(Value scores) {
  std::optional<ElementOp> op = elementOpOf(scores);
  if (!op || !llvm::isa<arith::SelectOp>(op->scalar) || !op->operands[0].tensor)
    return std::nullopt;
  bool inverted = op->operands[1].constant.has_value();
  const ElementOperand &kept = op->operands[inverted ? 2 : 1], &other = op->operands[inverted ? 1 : 2];
  if (!other.constant || !kept.tensor || kept.constant || !kept.map.isIdentity() ||
      kept.tensor.getType() != scores.getType() || !emptyRowOf(*other.constant))
    return std::nullopt;
  MaskedScores result{kept.tensor, {}};
  // Where all are replaced, all are equal.
  EmptyRow empty = std::isinf(*other.constant) ? EmptyRow::Zero : EmptyRow::Uniform;
  addConditions({op->operands[0], inverted, empty}, result.masks);
  return result;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// An elementwise op on integers, whose code is cheap and has no effects; null where it is something else.
static linalg::GenericOp inlinable(Value tensor) {
  auto generic = tensor ? tensor.getDefiningOp<linalg::GenericOp>() : linalg::GenericOp();
  if (!generic || generic.getNumReductionLoops() != 0 || generic.getNumDpsInits() != 1 ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity())
    return {};
  Block &body = *generic.getBody();
  if (!body.getArguments().back().use_empty())
    return {};
  for (Operation &op : body.without_terminator()) {
    bool isCheap = llvm::isa<linalg::IndexOp, arith::ConstantOp>(op) ||
                   (op.getName().getDialectNamespace() == "arith" && isPure(&op) && op.getNumRegions() == 0);
    bool isInteger = llvm::all_of(op.getResultTypes(), [](Type type) { return type.isSignlessIntOrIndex(); });
    if (!isCheap || !isInteger)
      return {};
  }
  return generic;
}

/// True for what a body reads and doesn't compute, such as a size.
static bool isCaptured(linalg::GenericOp generic, Value value) {
  return value.getParentBlock() != generic.getBody() && !matchPattern(value, m_Constant());
}

std::optional<unsigned> ElementCode::find(Value tensor, AffineMap map) const {
  for (auto [i, leaf] : llvm::enumerate(leaves))
    if (leaf.tensor == tensor && leaf.map == map)
      return i;
  return std::nullopt;
}

/// What `generic` reads through its input `i`, for the element at `map`.
static ElementOperand inputOf(linalg::GenericOp generic, unsigned i, AffineMap map) {
  OpOperand *input = generic.getDpsInputOperand(i);
  return {input->get(), generic.getMatchingIndexingMap(input).compose(map), std::nullopt};
}

bool ElementCode::add(const ElementOperand &given) {
  ElementOperand element = resolve(given, /*allowZeros=*/true);
  if (linalg::GenericOp generic = inlinable(element.tensor)) {
    AffineMap scalar = AffineMap::get(element.map.getNumDims(), 0, element.map.getContext());
    for (Operation &op : generic.getBody()->without_terminator())
      for (Value operand : op.getOperands())
        if (isCaptured(generic, operand) && !find(operand, scalar))
          leaves.push_back({operand, scalar, std::nullopt});
    for (int64_t i = 0; i < generic.getNumDpsInputs(); ++i)
      if (!add(inputOf(generic, i, element.map)))
        return false;
    return true;
  }
  if (!element.map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  if (!find(element.tensor, element.map))
    leaves.push_back(element);
  return true;
}

Value ElementCode::emit(OpBuilder &b, Location loc, const ElementOperand &given, ValueRange indices,
                        ValueRange values) {
  ElementOperand element = resolve(given, /*allowZeros=*/true);
  linalg::GenericOp generic = inlinable(element.tensor);
  if (!generic)
    return values[*find(element.tensor, element.map)];
  IRMapping mapping;
  AffineMap scalar = AffineMap::get(element.map.getNumDims(), 0, element.map.getContext());
  for (int64_t i = 0; i < generic.getNumDpsInputs(); ++i)
    mapping.map(generic.getBody()->getArgument(i), emit(b, loc, inputOf(generic, i, element.map), indices, values));
  for (Operation &op : generic.getBody()->without_terminator()) {
    if (auto index = llvm::dyn_cast<linalg::IndexOp>(op)) {
      auto dim = llvm::dyn_cast<AffineDimExpr>(element.map.getResult(index.getDim()));
      mapping.map(index.getResult(),
                  dim ? indices[dim.getPosition()] : arith::ConstantIndexOp::create(b, loc, 0).getResult());
      continue;
    }
    for (Value operand : op.getOperands()) {
      Attribute constant;
      if (isCaptured(generic, operand))
        mapping.map(operand, values[*find(operand, scalar)]);
      else if (operand.getParentBlock() != generic.getBody() && matchPattern(operand, m_Constant(&constant)))
        mapping.map(operand, arith::ConstantOp::create(b, loc, llvm::cast<TypedAttr>(constant)).getResult());
    }
    b.clone(op, mapping);
  }
  return mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0));
}
