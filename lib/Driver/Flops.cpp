//===- Flops.cpp - Floating-point operations of an entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes are monomials: a number times symbols. That is what shapes of the models at hand are; anything else makes the
// count unknown rather than wrong.
//
//===----------------------------------------------------------------------===//

#include "Flops.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include <map>
#include <optional>

using namespace mlir;
using namespace attn;

namespace {

/// A number times symbols, sorted.
struct Monomial {
  int64_t factor = 1;
  std::vector<std::string> symbols;
};
/// None where it is not known or its factor is beyond 64 bits.
using Size = std::optional<Monomial>;

Size operator*(const Size &lhs, const Size &rhs) {
  Monomial product;
  if (!lhs || !rhs || llvm::MulOverflow(lhs->factor, rhs->factor, product.factor))
    return std::nullopt;
  llvm::append_range(product.symbols, lhs->symbols);
  llvm::append_range(product.symbols, rhs->symbols);
  llvm::sort(product.symbols);
  return product;
}
Size number(int64_t value) { return Monomial{value, {}}; }

Size sizeOf(Value index);

Size sizeOf(AffineExpr expr, ValueRange operands, unsigned numDims) {
  if (auto constant = llvm::dyn_cast<AffineConstantExpr>(expr))
    return number(constant.getValue());
  if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
    return sizeOf(operands[dim.getPosition()]);
  if (auto symbol = llvm::dyn_cast<AffineSymbolExpr>(expr))
    return sizeOf(operands[numDims + symbol.getPosition()]);
  auto binary = llvm::cast<AffineBinaryOpExpr>(expr);
  if (binary.getKind() != AffineExprKind::Mul)
    return std::nullopt;
  return sizeOf(binary.getLHS(), operands, numDims) * sizeOf(binary.getRHS(), operands, numDims);
}

Size dimOf(Value tensor, int64_t dim) {
  auto type = llvm::cast<ShapedType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return number(type.getDimSize(dim));
  if (auto arg = llvm::dyn_cast<BlockArgument>(tensor)) {
    auto function = llvm::dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp());
    auto shape = function ? function.getArgAttrOfType<ArrayAttr>(arg.getArgNumber(), kShapeAttr) : ArrayAttr();
    auto symbol = shape && dim < int64_t(shape.size()) ? llvm::dyn_cast<StringAttr>(shape[dim]) : StringAttr();
    return symbol ? Size(Monomial{1, {symbol.str()}}) : std::nullopt;
  }
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return sizeOf(empty.getDynamicSize(dim));
  if (auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>()) {
    OpFoldResult size = expand.getMixedOutputShape()[dim];
    return llvm::isa<Value>(size) ? sizeOf(llvm::cast<Value>(size)) : number(*getConstantIntValue(size));
  }
  if (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>()) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i) && dim-- == 0)
        return llvm::isa<Value>(size) ? sizeOf(llvm::cast<Value>(size)) : number(*getConstantIntValue(size));
  }
  if (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>())
    return dimOf(op.getTiedOpOperand(llvm::cast<OpResult>(tensor))->get(), dim);
  return std::nullopt;
}

Size sizeOf(Value index) {
  llvm::APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return number(constant.getSExtValue());
  if (auto dim = index.getDefiningOp<tensor::DimOp>())
    if (std::optional<int64_t> position = dim.getConstantIndex())
      return dimOf(dim.getSource(), *position);
  if (auto apply = index.getDefiningOp<affine::AffineApplyOp>())
    return sizeOf(apply.getAffineMap().getResult(0), apply.getOperands(), apply.getAffineMap().getNumDims());
  if (auto mul = index.getDefiningOp<arith::MulIOp>())
    return sizeOf(mul.getLhs()) * sizeOf(mul.getRhs());
  return std::nullopt;
}

SmallVector<Size> flopsOf(LinearOp op) {
  Size size = number(2);
  auto init = llvm::cast<ShapedType>(op.getInit().getType()), input = llvm::cast<ShapedType>(op.getInput().getType());
  for (int64_t i = 0; i < init.getRank(); ++i)
    size = size * dimOf(op.getInit(), i);
  return {size * dimOf(op.getInput(), input.getRank() - 1)};
}

SmallVector<Size> flopsOf(AttentionOp op) {
  auto extent = [&](AttentionOp::Dim dim, Value operand, AffineMap map) -> Size {
    std::optional<unsigned> position = map.getResultPosition(getAffineDimExpr(dim, op.getContext()));
    return position ? dimOf(operand, *position) : std::nullopt;
  };
  Size pairs = extent(AttentionOp::Batch, op.getQuery(), op.getQueryMap()) *
               extent(AttentionOp::Head, op.getQuery(), op.getQueryMap()) *
               extent(AttentionOp::Query, op.getQuery(), op.getQueryMap()) *
               extent(AttentionOp::Key, op.getKey(), op.getKeyMap());
  Size products = pairs * number(2);
  return {products * extent(AttentionOp::QueryChannel, op.getQuery(), op.getQueryMap()),
          products * extent(AttentionOp::ValueChannel, op.getValue(), op.getValueMap())};
}

} // namespace

std::string attn::countFlops(func::FuncOp entry) {
  std::map<std::vector<std::string>, int64_t> terms;
  bool known = true;
  entry.walk([&](Operation *op) {
    SmallVector<Size> sizes;
    if (auto linear = llvm::dyn_cast<LinearOp>(op))
      sizes = flopsOf(linear);
    else if (auto attention = llvm::dyn_cast<AttentionOp>(op))
      sizes = flopsOf(attention);
    for (const Size &size : sizes) {
      // How often a loop or a branch runs is not told by sizes.
      known &= size && op->getParentOp() == entry;
      if (!known)
        return;
      int64_t &sum = terms[size->symbols];
      known &= !llvm::AddOverflow(sum, size->factor, sum);
    }
  });
  if (!known)
    return {};
  std::string text;
  for (const auto &[symbols, factor] : terms) {
    text += (text.empty() ? "" : "+") + std::to_string(factor);
    for (const std::string &symbol : symbols)
      text += "*" + symbol;
  }
  return text;
}
