//===- RaiseRotary.cpp - Rotary embeddings out of their parts ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exporters write x * cos + rotate_half(x) * sin, where rotate_half swaps the halves of the channels and negates what
// comes first: two copies and five passes over x, which are one.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_RAISEROTARYPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value tensor) { return llvm::cast<RankedTensorType>(tensor.getType()); }

namespace {

/// Elements of `tensor`: those at `map` of the index, `offsets` further.
struct Place {
  Value tensor;
  AffineMap map;
  SmallVector<int64_t> offsets;
};

} // namespace

/// Where the elements stand that `operand` reads, behind slices, too.
static Place placeOf(const ElementOperand &operand) {
  ElementOperand at = resolve(operand);
  Place place = {at.tensor, at.map, SmallVector<int64_t>(at.map.getNumResults(), 0)};
  auto slice = at.tensor.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || !slice.hasUnitStride() || slice.getSourceType().getRank() != slice.getType().getRank() ||
      llvm::any_of(slice.getStaticOffsets(), ShapedType::isDynamic))
    return place;
  Place source = placeOf({slice.getSource(), at.map, std::nullopt});
  // Each offset is along one dimension of the slice, which is one of the source's place, too.
  for (auto [result, offset] : llvm::zip(at.map.getResults(), slice.getStaticOffsets())) {
    if (offset == 0)
      continue;
    std::optional<unsigned> dim = source.map.getResultPosition(result);
    if (!dim || !llvm::isa<AffineDimExpr>(result))
      return place;
    source.offsets[*dim] += offset;
  }
  return source;
}

/// The halves of `tensor` along its dimension `dim`, where it is those, one behind the other.
static std::optional<std::pair<Value, Value>> halvesOf(Value tensor, int64_t dim) {
  auto second = tensor.getDefiningOp<tensor::InsertSliceOp>();
  auto first = second ? second.getDest().getDefiningOp<tensor::InsertSliceOp>() : nullptr;
  auto empty = first ? first.getDest().getDefiningOp<tensor::EmptyOp>() : nullptr;
  if (!empty)
    return std::nullopt;
  int64_t half = typeOf(tensor).getDimSize(dim) / 2;
  SmallVector<OpFoldResult> sizes = empty.getMixedSizes();
  sizes[dim] = OpBuilder(tensor.getContext()).getIndexAttr(half);
  auto isHalf = [&](tensor::InsertSliceOp op, int64_t begin) {
    if (!op.hasUnitStride() || op.getSourceType().getRank() != op.getType().getRank())
      return false;
    return llvm::all_of(llvm::enumerate(llvm::zip(op.getMixedOffsets(), op.getMixedSizes(), sizes)), [&](auto entry) {
      auto [offset, size, expected] = entry.value();
      return isConstantIntValue(offset, int64_t(entry.index()) == dim ? begin : 0) &&
             isEqualConstantIntOrValue(size, expected);
    });
  };
  return isHalf(first, 0) && isHalf(second, half) ? std::optional(std::pair(first.getSource(), second.getSource()))
                                                  : std::nullopt;
}

/// The operands of the product that `operand` is, read from the index of `operand`.
static std::optional<std::pair<ElementOperand, ElementOperand>> factorsOf(const ElementOperand &operand) {
  std::optional<ElementOp> op = operand.tensor ? elementOpOf(operand.tensor) : std::nullopt;
  if (!op || !llvm::isa<arith::MulFOp>(op->scalar) || !op->operands[0].tensor || !op->operands[1].tensor)
    return std::nullopt;
  for (ElementOperand &factor : op->operands)
    factor.map = factor.map.compose(operand.map);
  return std::pair(op->operands[0], op->operands[1]);
}

/// True where `turned` is x with its halves swapped and the first one negated.
static bool isTurned(const ElementOperand &turned, const Place &x) {
  unsigned last = turned.map.getNumDims() - 1;
  AffineExpr channel = getAffineDimExpr(last, turned.map.getContext());
  std::optional<unsigned> dim = turned.map.getResultPosition(channel);
  std::optional<unsigned> channelOfX = x.map.getResultPosition(channel);
  if (!dim || !channelOfX || !turned.map.isPermutation())
    return false;
  auto halves = halvesOf(turned.tensor, *dim);
  std::optional<ElementOp> negated = halves ? elementOpOf(halves->first) : std::nullopt;
  if (!negated || !llvm::isa<arith::NegFOp>(negated->scalar) || !negated->operands[0].tensor)
    return false;
  int64_t half = typeOf(turned.tensor).getDimSize(*dim) / 2;
  auto isAt = [&](ElementOperand part, int64_t offset) {
    part.map = part.map.compose(turned.map);
    Place place = placeOf(part);
    SmallVector<int64_t> expected(x.offsets);
    expected[*channelOfX] += offset;
    return place.tensor == x.tensor && place.map == x.map && place.offsets == expected;
  };
  return isAt(negated->operands[0], half) && isAt(wholeOf(halves->second), 0);
}

namespace {

struct Rotation {
  ElementOperand x, cosine, sine;
};

} // namespace

static std::optional<Rotation> matchRotation(const ElementOperand &straight, const ElementOperand &crossed) {
  auto kept = factorsOf(straight), turned = factorsOf(crossed);
  if (!kept || !turned)
    return std::nullopt;
  for (bool swapKept : {false, true})
    for (bool swapTurned : {false, true}) {
      auto [x, cosine] = swapKept ? std::pair(kept->second, kept->first) : *kept;
      auto [half, sine] = swapTurned ? std::pair(turned->second, turned->first) : *turned;
      if (isTurned(half, placeOf(x)))
        return Rotation{resolve(x), resolve(cosine), resolve(sine)};
    }
  return std::nullopt;
}

/// The map from the dimensions of x before its channels to a table's; null where the table is none for rows of x.
static AffineMap tableMap(const ElementOperand &table, AffineMap x) {
  MLIRContext *context = x.getContext();
  unsigned last = x.getNumDims() - 1;
  if (!typeOf(table.tensor).getElementType().isF32() || table.map.getNumResults() == 0 ||
      table.map.getResults().back() != getAffineDimExpr(last, context))
    return {};
  SmallVector<AffineExpr> results;
  for (AffineExpr result : table.map.getResults().drop_back()) {
    std::optional<unsigned> position = x.getResultPosition(result);
    bool isZero = result == getAffineConstantExpr(0, context);
    if (!isZero && (!position || *position >= last))
      return {};
    results.push_back(isZero ? result : getAffineDimExpr(*position, context));
  }
  return AffineMap::get(last, 0, results, context);
}

namespace {

template <typename OpTy>
struct RaiseRotary final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    auto type = op->getNumResults() == 1 ? llvm::dyn_cast<RankedTensorType>(op->getResult(0).getType()) : nullptr;
    if (!type || type.getRank() == 0 || !type.getElementType().isF32() || type.isDynamicDim(type.getRank() - 1) ||
        type.getShape().back() == 0 || type.getShape().back() % 2 != 0)
      return failure();
    std::optional<ElementOp> sum = elementOpOf(op->getResult(0));
    if (!sum || !llvm::isa<arith::AddFOp>(sum->scalar) || !sum->operands[0].tensor || !sum->operands[1].tensor)
      return failure();
    std::optional<Rotation> rotation = matchRotation(sum->operands[0], sum->operands[1]);
    if (!rotation)
      rotation = matchRotation(sum->operands[1], sum->operands[0]);
    if (!rotation)
      return rewriter.notifyMatchFailure(op, "no sum of rows and of their halves swapped");
    // The op stands where x does; what moves its dimensions comes after it.
    Value x = rotation->x.tensor;
    AffineMap place = rotation->x.map;
    unsigned last = type.getRank() - 1;
    if (!place.isPermutation() || place.getResult(last) != rewriter.getAffineDimExpr(last))
      return rewriter.notifyMatchFailure(op, "the channels of x are not its last dimension");
    AffineMap map = tableMap(rotation->cosine, place);
    if (!map || tableMap(rotation->sine, place) != map || typeOf(x).getElementType() != type.getElementType() ||
        typeOf(x).getShape().back() != type.getShape().back() ||
        typeOf(rotation->cosine.tensor).getShape().back() != type.getShape().back() ||
        typeOf(rotation->sine.tensor).getShape() != typeOf(rotation->cosine.tensor).getShape())
      return rewriter.notifyMatchFailure(op, "the tables are not vectors of channels for rows of x");
    Location loc = op.getLoc();
    Value init = createDestination(rewriter, loc, tensor::getMixedSizes(rewriter, loc, x), type.getElementType());
    auto rotary = RotaryOp::create(rewriter, loc, init.getType(), x, rotation->cosine.tensor, rotation->sine.tensor,
                                   init, AffineMapAttr::get(map), /*interleaved=*/nullptr);
    remarkDone(rotary, "RaiseRotary") << "the sum of rows and of their halves swapped, by cosines and sines, is a "
                                         "rotary embedding";
    Value result = rotary.getResult(0);
    if (!place.isIdentity()) {
      // Dimension i of the sum is the one of x that is read at i.
      SmallVector<int64_t> permutation;
      SmallVector<OpFoldResult> sizes, rows = tensor::getMixedSizes(rewriter, loc, x);
      for (unsigned i = 0; i <= last; ++i) {
        permutation.push_back(*place.getResultPosition(rewriter.getAffineDimExpr(i)));
        sizes.push_back(rows[permutation.back()]);
      }
      Value moved = createDestination(rewriter, loc, sizes, type.getElementType());
      result = linalg::TransposeOp::create(rewriter, loc, result, moved, permutation).getResult()[0];
    }
    if (result.getType() != type)
      result = tensor::CastOp::create(rewriter, loc, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct RaiseRotaryPass final : attn::impl::RaiseRotaryPassBase<RaiseRotaryPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t before = countOps<RotaryOp>(getOperation());
    RewritePatternSet patterns(&getContext());
    populateRaiseRotaryPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numRaised += countOps<RotaryOp>(getOperation()) - before;
  }
};

} // namespace

void attn::populateRaiseRotaryPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseRotary<linalg::GenericOp>, RaiseRotary<arith::AddFOp>>(patterns.getContext());
}
