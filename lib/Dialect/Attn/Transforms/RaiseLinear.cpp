//===- RaiseLinear.cpp - Matrix products with a weight as attn.linear -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product whose second factor is a weight, or a matrix that stands transposed, has a kernel. One with a matrix that
// is computed at run time and stands as it is multiplied stays: laying it out anew would cost as much as it saves.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

namespace attn {
#define GEN_PASS_DEF_RAISELINEARPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// True where `init` is zeros.
static bool isZero(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.getInputs().front(), m_AnyZeroFloat());
}

/// The dimensions that `map` selects; empty where it does something else.
static SmallVector<unsigned> selected(AffineMap map) {
  SmallVector<unsigned> dims;
  for (AffineExpr expr : map.getResults()) {
    auto dim = llvm::dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return {};
    dims.push_back(dim.getPosition());
  }
  return dims;
}

namespace {

class Raiser {
public:
  explicit Raiser(ModuleOp module) : module(module), symbols(module) {
    for (WeightOp weight : module.getOps<WeightOp>())
      byValue.try_emplace(weight.getValue(), weight);
  }

  /// Replaces `op` if it is a product that has a kernel.
  bool raise(linalg::LinalgOp op) {
    if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op) ||
        !llvm::all_of(op->getOperandTypes(), [](Type type) { return getElementTypeOrSelf(type).isF32(); }))
      return false;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<unsigned> input = selected(maps[0]), weight = selected(maps[1]), result = selected(maps[2]);
    if (input.size() < 2 || weight.size() != 2 || result.size() != input.size())
      return false;
    unsigned n = result.back(), k = input.back();
    if (n == k || ArrayRef(input).drop_back() != ArrayRef(result).drop_back())
      return false;
    bool transposed = weight[0] == n && weight[1] == k, straight = weight[0] == k && weight[1] == n;
    if (!transposed && !straight)
      return false;

    OpBuilder b(op);
    Location loc = op.getLoc();
    Value source = op.getDpsInputs()[1];
    Value panels = transposed ? (cast<RankedTensorType>(source.getType()).hasStaticShape() ? source : Value())
                              : transposedWeight(b, source);
    if (!panels) {
      remarkMissed(op, "RaiseLinear") << remark::add("the second factor is neither a weight nor of static shape and "
                                                     "transposed");
      return false;
    }
    Value init = op.getDpsInits().front();
    Value destination =
        createDestination(b, loc, tensor::getMixedSizes(b, loc, init), getElementTypeOrSelf(init.getType()));
    auto linear = LinearOp::create(b, loc, op.getDpsInputs()[0], panels, destination);
    remarkDone(linear, "RaiseLinear") << remark::add("{0} is a linear layer", op->getName().getStringRef());
    Value value = linear.getResult(0);
    if (!isZero(init))
      value = arith::AddFOp::create(b, loc, value, init);
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
    return true;
  }

private:
  /// The weight that `source` reads, transposed; null where it is none.
  Value transposedWeight(OpBuilder &b, Value source) {
    auto get = source.getDefiningOp<GetWeightOp>();
    WeightOp weight = get ? WeightOp::lookup(get, get.getNameAttr()) : WeightOp();
    if (!weight)
      return {};
    Attribute value = TransposeAttr::get(b.getContext(), weight.getValue(), b.getDenseI64ArrayAttr({1, 0}));
    WeightOp &other = byValue[value];
    if (!other) {
      OpBuilder beside(weight);
      beside.setInsertionPointAfter(weight);
      RankedTensorType type = cast<WeightExprInterface>(value).getValueType();
      other = WeightOp::create(beside, weight.getLoc(), (weight.getSymName() + "_transposed").str(), type, value);
      symbols.insert(other);
    }
    return GetWeightOp::create(b, get.getLoc(), cast<RankedTensorType>(other.getType()),
                               FlatSymbolRefAttr::get(other.getSymNameAttr()));
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseMap<Attribute, WeightOp> byValue;
};

struct RaiseLinearPass final : attn::impl::RaiseLinearPassBase<RaiseLinearPass> {
  using Base::Base;

  void runOnOperation() override {
    Raiser raiser(getOperation());
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      numRaised += raiser.raise(op);
  }
};

} // namespace
