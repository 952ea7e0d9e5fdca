//===- MergeLinears.cpp - Linears of one input become one ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries, keys and values are projections of the same rows. As one product the rows are read once, and a task has more
// columns to work on. The merged weight is an expression over the parts' expressions, so nothing is copied here. The
// result's parts are views of it, shaped so that they bufferize as strided subviews and attention reads them in place.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_MERGELINEARSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// A linear that can be part of a merged one.
struct Part {
  LinearOp op;
  WeightOp weight;
  WeightOp bias; ///< Null where there is none.

  RankedTensorType getWeightType() { return cast<RankedTensorType>(op.getWeight().getType()); }
  int64_t getColumns() { return getWeightType().getDimSize(0); }
};

/// Merges the linears of one module.
class Merger {
public:
  explicit Merger(ModuleOp module) : module(module), symbols(module), builder(module.getContext()) {
    for (WeightOp weight : module.getOps<WeightOp>())
      byValue.try_emplace(weight.getValue(), weight);
  }

  int64_t run() {
    // Groups first, since merging changes what is walked.
    // Parts of one group have one number of input channels and one element type each for weights and results.
    llvm::MapVector<std::tuple<Block *, Value, Type, Type>, SmallVector<Part>> groups;
    module.walk([&](LinearOp op) {
      Part part;
      if (std::string why = whyNotPart(op, part); !why.empty())
        missed.try_emplace(op, std::move(why));
      else
        groups[{op->getBlock(), op.getInput(), part.getWeightType().clone({1, part.getWeightType().getDimSize(1)}),
                getElementTypeOrSelf(op.getResult(0).getType())}]
            .push_back(part);
    });
    int64_t merged = 0;
    for (auto &[key, parts] : groups) {
      if (parts.size() < 2)
        continue;
      merge(parts);
      merged += parts.size();
    }
    remarkMissedOnes();
    return merged;
  }

private:
  static bool isBiasEpilogue(LinearOp op) {
    Block &block = op.getEpilogue().front();
    if (op.getExtras().size() != 1 || !llvm::hasNItems(block.without_terminator(), 1))
      return false;
    auto add = dyn_cast<arith::AddFOp>(block.front());
    AffineMap perColumn = AffineMap::get(2, 0, getAffineDimExpr(1, op.getContext()));
    auto isSumPlusBias = [&](Value a, Value b) { return a == block.getArgument(0) && b == block.getArgument(1); };
    return add && block.getTerminator()->getOperand(0) == add.getResult() &&
           cast<AffineMapAttr>(op.getExtraMaps()[0]).getValue() == perColumn &&
           (isSumPlusBias(add.getLhs(), add.getRhs()) || isSumPlusBias(add.getRhs(), add.getLhs()));
  }

  static WeightOp weightOf(Value value) {
    auto get = value.getDefiningOp<GetWeightOp>();
    return get ? WeightOp::lookup(get, get.getNameAttr()) : WeightOp();
  }

  /// Fills `part`, or says why the linear can't be one.
  std::string whyNotPart(LinearOp op, Part &part) {
    auto type = dyn_cast<RankedTensorType>(op.getInit().getType());
    if (!type || type.getRank() != 2 || op.isPacked() || op.getSchedule() || op.getKernel())
      return "is not a two-dimensional tensor linear without a schedule";
    part.op = op;
    if (part.weight = weightOf(op.getWeight()); !part.weight)
      return "has a weight that is computed";
    bool trivial = op.hasTrivialEpilogue() && op.getExtras().empty();
    if (!trivial && !isBiasEpilogue(op))
      return "has more than a bias in its epilogue";
    if (!trivial) {
      if (part.bias = weightOf(op.getExtras().front()); !part.bias)
        return "has a bias that is computed";
      if (cast<ShapedType>(part.bias.getType()).getElementType() != type.getElementType())
        return "has a bias of another element type than its result";
    }
    std::string problem;
    if (op->hasOneUse() && canFuseIntoEpilogue(op, *op->getUsers().begin(), problem))
      return "is better fused with the elementwise op that uses it";
    return {};
  }

  void remarkMissedOnes() {
    // Only where there was something to merge with.
    for (auto &entry : missed) {
      auto linear = cast<LinearOp>(entry.first);
      bool alone = llvm::none_of(linear.getInput().getUsers(), [&](Operation *user) {
        auto other = dyn_cast<LinearOp>(user);
        return other && other != linear && other.getInput() == linear.getInput();
      });
      if (!alone)
        remarkMissed(linear, "MergeLinears")
            << remark::add("not merged with other linears of its input: it {0}", entry.second);
    }
  }

  /// The value of a weight with `expression`: one that is there, or a new one with `name`, beside `part`.
  Value getWeight(Location loc, Attribute expression, StringRef name, WeightOp part) {
    RankedTensorType type = cast<WeightExprInterface>(expression).getValueType();
    WeightOp &weight = byValue[expression];
    if (!weight) {
      // Beside its first part, so that a dump reads in the model's order.
      OpBuilder b = part->getParentOp() == module ? OpBuilder(part) : OpBuilder::atBlockBegin(module.getBody());
      weight = WeightOp::create(b, loc, name, type, expression);
      symbols.insert(weight);
    }
    return GetWeightOp::create(builder, loc, type, FlatSymbolRefAttr::get(weight.getSymNameAttr()));
  }

  Value getMergedWeight(Location loc, MutableArrayRef<Part> parts) {
    SmallVector<Attribute> values;
    SmallVector<StringRef> names;
    for (Part &part : parts) {
      values.push_back(part.weight.getValue());
      names.push_back(part.weight.getSymName());
    }
    return getWeight(loc, ConcatAttr::get(module.getContext(), 0, values), jointName(names), parts.front().weight);
  }

  /// Null where no part has a bias.
  Value getMergedBias(Location loc, MutableArrayRef<Part> parts) {
    auto withBias = llvm::find_if(parts, [](Part &part) { return bool(part.bias); });
    if (withBias == parts.end())
      return {};
    Type element = cast<ShapedType>(withBias->bias.getType()).getElementType();
    SmallVector<Attribute> values;
    SmallVector<StringRef> names;
    for (Part &part : parts) {
      auto zeros = RankedTensorType::get({part.getColumns()}, element);
      values.push_back(part.bias
                           ? part.bias.getValue()
                           : Attribute(DenseExprAttr::get(
                                 module.getContext(), DenseElementsAttr::get(zeros, builder.getZeroAttr(element)))));
      if (part.bias)
        names.push_back(part.bias.getSymName());
    }
    return getWeight(loc, ConcatAttr::get(module.getContext(), 0, values), jointName(names), withBias->bias);
  }

  void merge(MutableArrayRef<Part> parts) {
    LinearOp first = parts.front().op;
    SmallVector<Location> locations = llvm::map_to_vector(parts, [](Part &part) { return part.op.getLoc(); });
    Location loc = jointLocation(module.getContext(), locations);
    builder.setInsertionPoint(first);
    Value weight = getMergedWeight(loc, parts), bias = getMergedBias(loc, parts);
    SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(builder, loc, first.getInput(), 0),
                                       tensor::getMixedSize(builder, loc, weight, 0)};
    Value init = createDestination(builder, loc, sizes, getElementTypeOrSelf(first.getInit().getType()));
    auto merged = LinearOp::create(builder, loc, first.getInput(), weight, bias, init);
    remarkDone(merged, "MergeLinears") << remark::add("{0} linears of one input merged", parts.size());
    if (!sliceExpanded(merged, parts))
      sliceColumns(merged, parts, sizes.front());
    for (Part &part : parts)
      part.op.erase();
  }

  /// Each part as a range of columns.
  void sliceColumns(LinearOp merged, MutableArrayRef<Part> parts, OpFoldResult rows) {
    int64_t column = 0;
    for (Part &part : parts) {
      SmallVector<OpFoldResult> offsets = {builder.getIndexAttr(0), builder.getIndexAttr(column)};
      SmallVector<OpFoldResult> sizes = {rows, builder.getIndexAttr(part.getColumns())};
      SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
      auto type = cast<RankedTensorType>(part.op.getResult(0).getType());
      Value slice =
          tensor::ExtractSliceOp::create(builder, part.op.getLoc(), type, merged.getResult(0), offsets, sizes, strides);
      part.op.getResult(0).replaceAllUsesWith(slice);
      column += part.getColumns();
    }
  }

  /// Each part as a slice of the result, expanded once: [M, parts * N] to [..., parts, ...], where all parts are
  /// expanded in the same way.
  bool sliceExpanded(LinearOp merged, MutableArrayRef<Part> parts) {
    SmallVector<tensor::ExpandShapeOp> expands;
    for (Part &part : parts) {
      LinearOp op = part.op;
      auto expand = op->hasOneUse() ? dyn_cast<tensor::ExpandShapeOp>(*op->getUsers().begin()) : nullptr;
      if (!expand || expand->getBlock() != op->getBlock())
        return false;
      expands.push_back(expand);
    }
    tensor::ExpandShapeOp first = expands.front();
    for (tensor::ExpandShapeOp expand : expands) {
      if (expand.getResultType() != first.getResultType() || expand.getReassociation() != first.getReassociation() ||
          expand.getMixedOutputShape() != first.getMixedOutputShape())
        return false;
      if (expand->isBeforeInBlock(first))
        first = expand;
    }

    builder.setInsertionPoint(first);
    int64_t numParts = parts.size(), position = first.getReassociationIndices()[1].front();
    SmallVector<ReassociationIndices> groups = first.getReassociationIndices();
    groups[1].push_back(groups[1].back() + 1);
    SmallVector<int64_t> shape(first.getResultType().getShape());
    shape.insert(shape.begin() + position, numParts);
    SmallVector<OpFoldResult> sizes = first.getMixedOutputShape();
    sizes.insert(sizes.begin() + position, builder.getIndexAttr(numParts));
    Value all = tensor::ExpandShapeOp::create(builder, merged.getLoc(), first.getResultType().clone(shape),
                                              merged.getResult(0), groups, sizes);
    sizes[position] = builder.getIndexAttr(1);
    RankedTensorType sliced = first.getResultType();
    SmallVector<OpFoldResult> offsets(shape.size(), builder.getIndexAttr(0)),
        strides(shape.size(), builder.getIndexAttr(1));
    for (auto [index, expand] : llvm::enumerate(expands)) {
      offsets[position] = builder.getIndexAttr(index);
      Value slice = tensor::ExtractSliceOp::create(builder, expand.getLoc(), sliced, all, offsets, sizes, strides);
      expand.getResult().replaceAllUsesWith(slice);
    }
    for (tensor::ExpandShapeOp expand : expands)
      expand.erase();
    return true;
  }

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder builder;
  llvm::DenseMap<Attribute, WeightOp> byValue;
  llvm::MapVector<Operation *, std::string> missed;
};

struct MergeLinearsPass final : attn::impl::MergeLinearsPassBase<MergeLinearsPass> {
  using Base::Base;

  void runOnOperation() override { numMerged += mergeLinears(getOperation()); }
};

} // namespace

int64_t attn::mergeLinears(ModuleOp module) { return Merger(module).run(); }
