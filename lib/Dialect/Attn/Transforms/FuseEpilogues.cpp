//===- FuseEpilogues.cpp - Elementwise ops into the linears before them ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// While a tile of a matrix product is still in registers, adding a residual or applying an activation costs next to
// nothing; as a loop of its own it costs two passes over memory. The linear moves down to its user, whose other
// operands are known there.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether `op` may stand in an epilogue in its scalar form.
static bool isScalarEpilogueOp(Operation *op) {
  return isa_and_present<arith::ArithDialect, math::MathDialect, AttnDialect>(op->getDialect()) &&
         op->getNumRegions() == 0 && isMemoryEffectFree(op);
}

/// The scalar that every element of the tensor `value` is, if that is a constant.
static TypedAttr splatOf(Value value) {
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)))
    return elements.isSplat() ? dyn_cast<TypedAttr>(elements.getSplatValue<Attribute>()) : TypedAttr();
  TypedAttr scalar;
  if (auto splat = value.getDefiningOp<tensor::SplatOp>())
    matchPattern(splat.getInput(), m_Constant(&scalar));
  else if (auto fill = value.getDefiningOp<linalg::FillOp>())
    matchPattern(fill.value(), m_Constant(&scalar));
  // A fill may convert its scalar.
  return scalar && scalar.getType() == getElementTypeOrSelf(value.getType()) ? scalar : TypedAttr();
}

static std::string elementwiseProblem(LinearOp linear, Operation *user) {
  if (!isScalarEpilogueOp(user))
    return "is not an op that epilogues may hold";
  for (Value operand : user->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type && !matchPattern(operand, m_Constant()))
      return "reads a scalar that is not a constant";
    if (type && type.getRank() != cast<RankedTensorType>(linear.getResult(0).getType()).getRank())
      return "reads a tensor of another rank";
  }
  return {};
}

static std::string genericProblem(LinearOp linear, linalg::GenericOp user) {
  if (!user.hasPureTensorSemantics() || user.getNumDpsInits() != 1 ||
      user.getNumParallelLoops() != user.getNumLoops() || user.hasIndexSemantics())
    return "is not elementwise";
  if (!user.getMatchingIndexingMap(user.getDpsInitOperand(0)).isIdentity() ||
      user.payloadUsesValueFromOperand(user.getDpsInitOperand(0)))
    return "does not write each element by itself";
  for (OpOperand *input : user.getDpsInputOperands()) {
    AffineMap map = user.getMatchingIndexingMap(input);
    bool isLinear = input->get() == linear.getResult(0);
    if (isLinear ? !map.isIdentity() : !map.isProjectedPermutation())
      return "reads an operand through a map that epilogues do not take";
  }
  for (Operation &op : user.getBody()->without_terminator()) {
    if (!isScalarEpilogueOp(&op))
      return "holds an op that epilogues may not hold";
    for (Value operand : op.getOperands())
      if (operand.getParentBlock() != user.getBody() && !matchPattern(operand, m_Constant()))
        return "reads a value from outside of its body";
  }
  Value stored = user.getBody()->getTerminator()->getOperand(0);
  if (stored.getParentBlock() != user.getBody() && !matchPattern(stored, m_Constant()))
    return "reads a value from outside of its body";
  return {};
}

bool attn::canFuseIntoEpilogue(LinearOp linear, Operation *user, std::string &why) {
  auto generic = dyn_cast<linalg::GenericOp>(user);
  bool elementwise = OpTrait::hasElementwiseMappableTraits(user) && user->getNumResults() == 1;
  if (linear->getNumResults() != 1 || (!generic && !elementwise)) {
    why = "is not elementwise";
    return false;
  }
  if (!llvm::all_of(linear->getUsers(), [&](Operation *other) { return other == user; })) {
    why = "is not the only user of the linear";
    return false;
  }
  if (linear->getBlock() != user->getBlock()) {
    why = "is not in the linear's block";
    return false;
  }
  if (user->getResultTypes() != linear->getResultTypes()) {
    why = "has a result of another type";
    return false;
  }
  why = generic ? genericProblem(linear, generic) : elementwiseProblem(linear, user);
  return why.empty();
}

namespace {

/// The linear and the op that enters its epilogue, while that happens.
class EpilogueFusion {
public:
  EpilogueFusion(PatternRewriter &rewriter, LinearOp linear, Operation *user)
      : rewriter(rewriter), linear(linear), user(user), block(&linear.getEpilogue().front()),
        maps(llvm::to_vector(linear.getExtraMaps().getAsValueRange<AffineMapAttr>())),
        result(block->getTerminator()->getOperand(0)) {}

  /// The linear takes the place of `user`.
  void run() {
    rewriter.moveOpBefore(linear, user);
    rewriter.modifyOpInPlace(linear, [&] {
      OpBuilder::InsertionGuard guard(rewriter);
      Operation *yield = block->getTerminator();
      rewriter.setInsertionPoint(yield);
      if (auto generic = dyn_cast<linalg::GenericOp>(user))
        appendGeneric(generic);
      else
        appendElementwise();
      rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(0, result); });
      linear.setExtraMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
    rewriter.replaceOp(user, linear.getResults());
  }

private:
  /// The scalar of `operand`, which is read through `map`, inside the epilogue.
  Value scalarOf(Value operand, AffineMap map) {
    if (operand == linear.getResult(0))
      return result;
    if (TypedAttr splat = splatOf(operand))
      return arith::ConstantOp::create(rewriter, user->getLoc(), splat);
    for (auto [index, extra] : llvm::enumerate(linear.getExtras()))
      if (extra == operand && maps[index] == map)
        return block->getArgument(1 + index);
    linear.getExtrasMutable().append(operand);
    maps.push_back(map);
    return block->addArgument(getElementTypeOrSelf(operand.getType()), operand.getLoc());
  }

  void appendElementwise() {
    int64_t rank = cast<RankedTensorType>(linear.getResult(0).getType()).getRank();
    AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
    SmallVector<Value> scalars;
    for (Value operand : user->getOperands()) {
      TypedAttr constant;
      if (isa<RankedTensorType>(operand.getType()))
        scalars.push_back(scalarOf(operand, identity));
      else if (matchPattern(operand, m_Constant(&constant)))
        scalars.push_back(arith::ConstantOp::create(rewriter, user->getLoc(), constant));
    }
    Type element = getElementTypeOrSelf(user->getResult(0).getType());
    result = clone(rewriter, user, element, scalars)->getResult(0);
  }

  void appendGeneric(linalg::GenericOp generic) {
    IRMapping mapping;
    for (OpOperand *input : generic.getDpsInputOperands())
      mapping.map(generic.getMatchingBlockArgument(input),
                  scalarOf(input->get(), generic.getMatchingIndexingMap(input)));
    auto inside = [&](Value value) {
      // Constants from outside come along, so that the epilogue stands by itself.
      if (value.getParentBlock() != generic.getBody() && !mapping.contains(value))
        mapping.map(value, rewriter.clone(*value.getDefiningOp())->getResult(0));
      return mapping.lookupOrDefault(value);
    };
    for (Operation &op : generic.getBody()->without_terminator()) {
      llvm::for_each(op.getOperands(), inside);
      rewriter.clone(op, mapping);
    }
    result = inside(generic.getBody()->getTerminator()->getOperand(0));
  }

  PatternRewriter &rewriter;
  LinearOp linear;
  Operation *user;
  Block *block;
  SmallVector<AffineMap> maps;
  Value result;
};

struct FuseEpilogue final : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp linear, PatternRewriter &rewriter) const override {
    if (linear->use_empty() || !isa<RankedTensorType>(linear.getInit().getType()))
      return failure();
    Operation *user = *linear->getUsers().begin();
    std::string why;
    if (!canFuseIntoEpilogue(linear, user, why))
      return rewriter.notifyMatchFailure(linear, "the user " + why);
    remarkDone(linear, "FuseEpilogues") << remark::add("{0} entered the epilogue", user->getName());
    EpilogueFusion(rewriter, linear, user).run();
    return success();
  }
};

/// How many scalar ops are in epilogues.
int64_t countEpilogueOps(Operation *root) {
  int64_t count = 0;
  root->walk([&](LinearOp op) { count += llvm::range_size(op.getEpilogue().front().without_terminator()); });
  return count;
}

struct FuseEpiloguesPass final : attn::impl::FuseEpiloguesPassBase<FuseEpiloguesPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t before = countEpilogueOps(getOperation());
    RewritePatternSet patterns(&getContext());
    populateFuseEpiloguesPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numFused += countEpilogueOps(getOperation()) - before;
    getOperation().walk([&](LinearOp linear) {
      for (Operation *user : linear->getUsers())
        if (std::string why; OpTrait::hasElementwiseMappableTraits(user) && !canFuseIntoEpilogue(linear, user, why))
          remarkMissed(linear, "FuseEpilogues") << remark::add("{0} {1}", user->getName(), why);
    });
  }
};

} // namespace

void attn::populateFuseEpiloguesPatterns(RewritePatternSet &patterns) {
  patterns.add<FuseEpilogue>(patterns.getContext());
}
