//===- TileGeneric.cpp - Make tasks of linalg ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop is built as that of row ops is, for the same reason: several results of a chain live on. How large a task is
// depends on sizes that are known at run time only: small work stays one task, which the caller's thread does itself.
//
//===----------------------------------------------------------------------===//

#include "GenericChains.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_TILEGENERIC
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Iterations of a body that are worth waking a thread for, some microseconds of work.
constexpr int64_t kLeastWork = 1 << 14;
/// Iterations after which a task ends, so that what it passes from op to op stays in its core's cache.
constexpr int64_t kMostWork = 1 << 16;
/// Rows of a product that share what they read of the other factor.
constexpr int64_t kSharingRows = 32;
/// Where a block goes along consecutive elements, it is whole vectors and cache lines of them.
constexpr int64_t kGranule = 64;

/// Offsets and sizes of a slice.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes;
  SmallVector<OpFoldResult> strides(OpBuilder &b) const { return {offsets.size(), b.getIndexAttr(1)}; }
};

/// Builds the loop of one chain.
class GenericTiler {
public:
  explicit GenericTiler(GenericChain &chain) : chain(chain), b(chain.ops.back()), loc(chain.ops.back().getLoc()) {}

  LogicalResult run() {
    for (linalg::LinalgOp op : chain.ops)
      domains.push_back(llvm::cast<TilingInterface>(op.getOperation()).getIterationDomain(b));
    cut();
    askElsewhere();
    for (linalg::LinalgOp op : chain.ops)
      for (OpResult result : op->getResults())
        if (mustEscape(result))
          escaping.push_back(result);
    SmallVector<Value> destinations;
    for (OpResult result : escaping)
      destinations.push_back(outerDestination(result));

    SmallVector<OpFoldResult> extents(outer);
    extents.push_back(getAsOpFoldResult(tasks));
    loop = scf::ForallOp::create(b, loc, extents, destinations, std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    begin = multiply(loop.getInductionVars().back(), block);
    size = b.createOrFold<arith::MinUIOp>(loc, b.createOrFold<arith::SubIOp>(loc, rows, begin), block);
    for (size_t i = 0; i < chain.ops.size(); ++i)
      if (failed(tile(i)))
        return failure();
    for (auto [result, destination] : llvm::zip(escaping, loop.getRegionOutArgs())) {
      b.setInsertionPoint(loop.getTerminator());
      Slice slice = sliceOf(result);
      b.setInsertionPointToEnd(loop.getTerminator().getBody());
      tensor::ParallelInsertSliceOp::create(b, loc, tiles.lookup(result), destination, slice.offsets, slice.sizes,
                                            slice.strides(b));
    }
    for (auto [result, value] : llvm::zip(escaping, loop.getResults()))
      result.replaceUsesWithIf(
          value, [&](OpOperand &use) { return !chain.contains(use.getOwner()) && !loop->isAncestor(use.getOwner()); });
    for (linalg::LinalgOp op : llvm::reverse(chain.ops))
      op->erase();
    return success();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value value(OpFoldResult size) { return getValueOrCreateConstantIndexOp(b, loc, size); }
  Value multiply(Value lhs, Value rhs) { return b.createOrFold<arith::MulIOp>(loc, lhs, rhs); }
  Value ceilDivide(Value lhs, Value rhs) { return b.createOrFold<arith::CeilDivUIOp>(loc, lhs, rhs); }
  Value atLeast1(Value value) { return b.createOrFold<arith::MaxUIOp>(loc, value, index(1)); }

  //===--- How the work is cut ---===//

  /// As many blocks as there are workers for each of the outer iterations; none with less or more work than is good.
  void cut() {
    SmallVector<unsigned> loops = taskLoops(chain.ops.front(), chain.dims);
    Value count = index(1), work = index(0);
    // Sizes of buffers are known before anything is computed, others may not be.
    auto extent = [&](unsigned i) { return chain.sizes[i].isNull() ? domains.front()[loops[i]].size : chain.sizes[i]; };
    for (unsigned i = 0; i + 1 < chain.dims; ++i) {
      outer.push_back(extent(i));
      count = multiply(count, value(outer.back()));
    }
    rows = value(extent(chain.dims - 1));
    int64_t granule = 1, sharing = 1;
    for (auto [chained, domain] : llvm::zip(chain.ops, domains)) {
      linalg::LinalgOp op = chained;
      // A fill costs nothing beside what is made of it.
      if (llvm::isa<linalg::FillOp>(op) && chain.ops.size() > 1)
        continue;
      SmallVector<unsigned> own = taskLoops(op, chain.dims);
      Value each = index(1);
      for (auto [loop, range] : llvm::enumerate(domain))
        if (!llvm::is_contained(own, loop))
          each = multiply(each, value(range.size));
      work = b.createOrFold<arith::AddIOp>(loc, work, each);
      bool consecutive = llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap map) {
        return map.getNumResults() == 0 || map.getResults().back().isFunctionOfDim(own.back());
      });
      bool shares = op.getNumReductionLoops() > 0 && llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
                      return !op.getMatchingIndexingMap(input).isFunctionOfDim(own.back());
                    });
      if (shares)
        sharing = kSharingRows;
      if (consecutive)
        granule = kGranule;
    }
    work = atLeast1(work);
    Value workers = ceilDivide(NumWorkersOp::create(b, loc), atLeast1(count));
    Value even = ceilDivide(rows, workers);
    Value most = b.createOrFold<arith::DivUIOp>(loc, index(kMostWork), work);
    most = b.createOrFold<arith::MaxUIOp>(loc, most, index(sharing));
    Value least = ceilDivide(index(kLeastWork), work);
    Value wanted = b.createOrFold<arith::MinUIOp>(loc, even, most);
    wanted = atLeast1(b.createOrFold<arith::MaxUIOp>(loc, wanted, least));
    block = multiply(ceilDivide(wanted, index(granule)), index(granule));
    tasks = ceilDivide(rows, block);
  }

  /// The shape of a result is that of what it is written into, which stands before the loop.
  void askElsewhere() {
    for (linalg::LinalgOp op : chain.ops)
      for (OpResult result : op->getResults())
        result.replaceUsesWithIf(outerDestination(result),
                                 [](OpOperand &use) { return llvm::isa<tensor::DimOp>(use.getOwner()); });
  }

  //===--- Where results go ---===//

  /// The member that `result` is nothing but the buffer of, if there is one.
  OpOperand *writtenInto(OpResult result) {
    if (!result.hasOneUse())
      return nullptr;
    OpOperand &use = *result.use_begin();
    auto user = llvm::dyn_cast<linalg::LinalgOp>(use.getOwner());
    return user && chain.contains(user) && user.isDpsInit(&use) ? &use : nullptr;
  }

  /// True where others need the full result, or where what was in its buffer counts.
  bool mustEscape(OpResult result) {
    bool keeps = !outerDestination(result).getDefiningOp<tensor::EmptyOp>();
    return (keeps && !writtenInto(result)) ||
           llvm::any_of(result.getUsers(), [&](Operation *user) { return !chain.contains(user); });
  }

  /// The full tensor that an escaping result is written into.
  Value outerDestination(OpResult result) {
    Value init = result;
    while (init.getDefiningOp() && chain.contains(init.getDefiningOp()))
      init = llvm::cast<linalg::LinalgOp>(init.getDefiningOp())
                 .getDpsInitOperand(llvm::cast<OpResult>(init).getResultNumber())
                 ->get();
    return init;
  }

  /// What one task computes of `result`.
  Slice sliceOf(OpResult result) {
    Slice slice;
    slice.sizes = tensor::getMixedSizes(b, loc, outerDestination(result));
    slice.offsets.assign(slice.sizes.size(), b.getIndexAttr(0));
    for (unsigned i = 0; i + 1 < chain.dims; ++i) {
      slice.offsets[i] = loop.getInductionVars()[i];
      slice.sizes[i] = b.getIndexAttr(1);
    }
    slice.offsets[chain.dims - 1] = begin;
    slice.sizes[chain.dims - 1] = size;
    return slice;
  }

  /// Where a tile is written: a slice of the loop's output, of what it is the buffer of, or of a buffer of the task's
  /// own.
  Value destination(OpResult result) {
    if (auto it = llvm::find(escaping, result); it != escaping.end()) {
      Slice slice = sliceOf(result);
      return tensor::ExtractSliceOp::create(b, loc, loop.getRegionOutArgs()[it - escaping.begin()], slice.offsets,
                                            slice.sizes, slice.strides(b));
    }
    if (OpOperand *use = writtenInto(result))
      return destination(llvm::cast<linalg::LinalgOp>(use->getOwner()).getTiedOpResult(use));
    Slice slice = sliceOf(result);
    auto type = llvm::cast<RankedTensorType>(result.getType());
    SmallVector<OpFoldResult> sizes(slice.sizes);
    sizes[chain.dims - 1] = getAsOpFoldResult(block);
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamic;
    dispatchIndexOpFoldResults(sizes, dynamic, shape);
    // Unlike an empty tensor it is never merged with that of another tile.
    Value buffer =
        bufferization::AllocTensorOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), dynamic);
    SmallVector<OpFoldResult> zeros(slice.sizes.size(), b.getIndexAttr(0));
    return tensor::ExtractSliceOp::create(b, loc, buffer, zeros, slice.sizes, slice.strides(b));
  }

  //===--- Tiles ---===//

  LogicalResult tile(size_t position) {
    linalg::LinalgOp op = chain.ops[position];
    SmallVector<OpFoldResult> offsets, sizes;
    for (Range range : domains[position]) {
      offsets.push_back(range.offset);
      sizes.push_back(range.size);
    }
    SmallVector<unsigned> loops = taskLoops(op, chain.dims);
    for (unsigned i = 0; i + 1 < chain.dims; ++i) {
      offsets[loops[i]] = loop.getInductionVars()[i];
      sizes[loops[i]] = b.getIndexAttr(1);
    }
    offsets[loops.back()] = begin;
    sizes[loops.back()] = size;
    FailureOr<TilingResult> tiled =
        llvm::cast<TilingInterface>(op.getOperation()).getTiledImplementation(b, offsets, sizes);
    if (failed(tiled) || tiled->tiledOps.size() != 1)
      return op->emitError("this op cannot be cut into tasks");
    auto tiledOp = llvm::cast<linalg::LinalgOp>(tiled->tiledOps.front());
    OpBuilder::InsertionGuard guard(b);
    // The offsets that were added to indices, as the arithmetic that vectors know.
    tiledOp->walk([&](affine::AffineApplyOp apply) {
      b.setInsertionPoint(apply);
      auto values = affine::expandAffineMap(b, apply.getLoc(), apply.getAffineMap(), apply.getMapOperands());
      apply.replaceAllUsesWith(values->front());
      apply.erase();
    });
    b.setInsertionPoint(tiledOp);
    auto assign = [&](OpOperand &operand, Value with) {
      if (with.getType() != operand.get().getType())
        with = tensor::CastOp::create(b, loc, operand.get().getType(), with);
      operand.set(with);
    };
    for (auto [original, operand] : llvm::zip(op->getOpOperands(), tiledOp->getOpOperands())) {
      if (Value inner = tiles.lookupOrNull(original.get()))
        assign(operand, inner);
      else if (op.isDpsInit(&original))
        assign(operand, destination(op.getTiedOpResult(&original)));
    }
    for (auto [original, result] : llvm::zip(op->getResults(), tiledOp->getResults()))
      tiles.map(original, result);
    for (Operation *slice : llvm::reverse(tiled->generatedSlices))
      if (slice->use_empty())
        slice->erase();
    return success();
  }

  GenericChain &chain;
  OpBuilder b;
  Location loc;
  SmallVector<SmallVector<Range>> domains; // of each op
  SmallVector<OpFoldResult> outer;         // extents of all task dimensions but the last
  Value rows, block, tasks;                // of the last task dimension
  SmallVector<OpResult> escaping;
  scf::ForallOp loop;
  Value begin, size;
  IRMapping tiles;
};

/// Gives each user of a fill its own right before it, so that two accumulators never share a buffer.
void splitFills(Block &block) {
  // The fills there are now: those that this adds have one user each.
  SmallVector<linalg::FillOp> fills(block.getOps<linalg::FillOp>());
  for (linalg::FillOp fill : fills) {
    if (!fill.hasPureTensorSemantics())
      continue;
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : fill.getResult(0).getUses())
      if (auto user = llvm::dyn_cast<linalg::LinalgOp>(use.getOwner()); user && user->getBlock() == &block)
        uses.push_back(&use);
    bool only = uses.size() == size_t(std::distance(fill->use_begin(), fill->use_end()));
    for (OpOperand *use : uses) {
      OpBuilder b(use->getOwner());
      use->set(b.clone(*fill)->getResult(0));
    }
    if (only)
      fill.erase();
  }
}

struct TileGeneric final : attn::impl::TileGenericBase<TileGeneric> {
  using Base::Base;

  void runOnOperation() override {
    for (Block &block : getOperation().getBody()) {
      splitFills(block);
      for (GenericChain &chain : findGenericChains(block)) {
        numOps += chain.ops.size();
        ++numChains;
        if (failed(GenericTiler(chain).run()))
          return signalPassFailure();
      }
      // What used a result in the middle of a chain now stands before its loop.
      sortTopologically(&block);
    }
  }
};

} // namespace
