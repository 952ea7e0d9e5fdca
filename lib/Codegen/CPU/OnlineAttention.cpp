//===- OnlineAttention.cpp - A block of keys enters a tile ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries stand in lanes: scores are stored as [key, query], so a key's channels are broadcast against packed queries,
// maxima and sums are taken vertically, and the output's product broadcasts powers against rows of values. Neither keys
// nor values are packed, and nothing crosses lanes.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "RunningMaximum.h"
#include "ScoreRegions.h"
#include "SingleQuery.h"
#include "attn/Codegen/CPU/Approximations.h"
#include "attn/Codegen/CPU/Epilogue.h"
#include "attn/Codegen/CPU/RegisterTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

/// Vectors of exponentials computed together: as many chains of dependent instructions as overlap, and no more than
/// sixteen registers hold.
static constexpr int64_t kExponentialVectors = 8;

std::string attn::whyNoKernel(OnlineAttentionOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  if (op.getScratch().size() != op.getScratchTypes().size())
    return "its scratch buffers are not allocated";
  AttentionKernelAttr kernel = *op.getKernel();
  auto queries = cast<MemRefType>(op.getQueries().getType());
  auto accumulator = cast<MemRefType>(op.getAccumulator().getType());
  if (!queries.hasStaticShape() || !accumulator.hasStaticShape())
    return "the sizes of a tile are not static";
  if (queries.getDimSize(0) != 1 || queries.getDimSize(2) != kernel.getQueries())
    return "queries are not one panel of the kernel's width";
  for (Value value : {op.getQueries(), op.getKey(), op.getValue(), op.getAccumulator(), op.getMaximum(), op.getSum()})
    if (!cast<MemRefType>(value.getType()).getElementType().isF32())
      return "elements other than f32";
  if (Value mask = op.getKeyMask(); mask && cast<MemRefType>(mask.getType()).getElementType().isF32())
    return "the key mask is not of integers";
  for (Region *region : {&op.getScore(), &op.getMask()})
    if (std::string why = region->empty() ? "" : whyNotElementwise(region->front()); !why.empty())
      return why;
  return "";
}

namespace {

class OnlineAttentionKernel {
public:
  OnlineAttentionKernel(OnlineAttentionOp op, OpBuilder &builder)
      : op(op), kernel(*op.getKernel()), lanes(kernel.getLanes()), vectors(kernel.getQueries() / lanes),
        emitter(builder, op.getLoc(), lanes), functions(builder, op.getLoc(), emitter.vectorType()),
        scale(op.getScale().convertToDouble()), regions(op, emitter), scaledScores(storesScaledScores(op)),
        scores(op.getScratch()[0]), factors(op.getScratch()[1]) {}

  void emit() {
    keys = emitter.dim(op.getKey(), 0);
    regions.prepare(keys);
    for (int64_t j = 0; j < vectors; ++j)
      lane.push_back(emitter.index(j * lanes));
    VectorEmitter::Values maxima = emitScores();
    VectorEmitter::Values offsets = emitMaxima(maxima);
    emitExponentials(offsets);
    emitOutputs();
  }

private:
  //===--- Scores ---===//

  /// Stores the scores of all keys and returns their maxima, as the scores are stored.
  VectorEmitter::Values emitScores() {
    VectorEmitter::Values none(vectors, emitter.splat(kMinusInfinity));
    return emitter.tiles(keys, kernel.getKeyRows(), none, [&](Value first, int64_t count, ValueRange maxima) {
      return emitScoreTile(first, count, maxima);
    });
  }

  VectorEmitter::Values emitScoreTile(Value first, int64_t count, ValueRange maxima) {
    VectorEmitter::Values rows;
    for (int64_t i = 0; i < count; ++i)
      rows.push_back(emitter.add(first, i));
    Value panel = emitter.index(0);
    Value depth = emitter.index(cast<MemRefType>(op.getQueries().getType()).getDimSize(1));
    VectorEmitter::Values zeros(count * vectors, emitter.splat(0));
    VectorEmitter::Values sums = emitRegisterTile(
        emitter, depth, count, vectors, zeros,
        [&](Value d, int64_t i) { return emitter.loadScalar(op.getKey(), {rows[i], d}); },
        [&](Value d, int64_t j) { return emitter.load(op.getQueries(), {panel, d, lane[j]}); });
    for (int64_t i = 0; i < count; ++i)
      emitScoreEpilogue(rows[i], MutableArrayRef<Value>(sums).slice(i * vectors, vectors));
    if (regions.hasBand())
      sums = emitBand(first, rows, sums);
    for (auto [i, sum] : llvm::enumerate(sums))
      emitter.store(sum, scores, {rows[i / vectors], lane[i % vectors]});

    VectorEmitter::Values results;
    for (int64_t j = 0; j < vectors; ++j) {
      VectorEmitter::Values column;
      for (int64_t i = 0; i < count; ++i)
        column.push_back(sums[i * vectors + j]);
      Value tileMaximum = emitter.tree(column, [&](Value a, Value b) { return emitter.maxf(a, b); });
      // A NaN in the second operand would stay; the running maximum must not become one.
      results.push_back(emitter.maxf(tileMaximum, maxima[j]));
    }
    return results;
  }

  void emitScoreEpilogue(Value row, MutableArrayRef<Value> sums) {
    OpBuilder &builder = emitter.getBuilder();
    Location loc = emitter.getLoc();
    Value counts;
    if (Value mask = op.getKeyMask()) {
      Value element = emitter.loadScalar(mask, {row});
      Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(element.getType(), 0));
      counts = emitter.broadcast(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, element, zero));
    }
    for (auto [j, sum] : llvm::enumerate(sums)) {
      if (scaledScores)
        sum = emitter.mulf(sum, emitter.splat(scale));
      if (regions.hasScore())
        sum = regions.score(sum, row, j);
      for (Value condition : {counts, regions.counts(row, j)})
        if (condition)
          sum = arith::SelectOp::create(builder, loc, condition, sum, emitter.splat(kMinusInfinity));
    }
  }

  /// The scores with those outside of the band replaced; only a tile across its edge pays for it.
  VectorEmitter::Values emitBand(Value first, ArrayRef<Value> rows, VectorEmitter::Values sums) {
    OpBuilder &builder = emitter.getBuilder();
    Location loc = emitter.getLoc();
    auto inside = [&](OpBuilder &, Location) { scf::YieldOp::create(builder, loc, sums); };
    auto across = [&](OpBuilder &, Location) {
      VectorEmitter::Values masked;
      for (auto [i, sum] : llvm::enumerate(sums)) {
        Value counts = regions.bandMask(rows[i / vectors], i % vectors);
        masked.push_back(arith::SelectOp::create(builder, loc, counts, sum, emitter.splat(kMinusInfinity)));
      }
      scf::YieldOp::create(builder, loc, masked);
    };
    Value isInside = regions.isInsideBand(first, rows.size());
    return VectorEmitter::Values(scf::IfOp::create(builder, loc, isInside, inside, across).getResults());
  }

  //===--- Softmax ---===//

  /// Updates `maximum`, scales `sum`, stores the factors of the accumulator, and returns what is subtracted from scores
  /// as they are stored.
  VectorEmitter::Values emitMaxima(ValueRange maxima) {
    VectorEmitter::Values offsets;
    for (int64_t j = 0; j < vectors; ++j) {
      RunningMaximum running = emitRunningMaximum(emitter, op, maxima[j], emitter.load(op.getMaximum(), {lane[j]}));
      emitter.store(running.maximum, op.getMaximum(), {lane[j]});
      emitter.store(running.factor, factors, {lane[j]});
      emitter.store(emitter.mulf(emitter.load(op.getSum(), {lane[j]}), running.factor), op.getSum(), {lane[j]});
      offsets.push_back(running.offset);
    }
    return offsets;
  }

  void emitExponentials(ValueRange offsets) {
    double factor = exponentFactor(op);
    VectorEmitter::Values zeros(vectors, emitter.splat(0));
    auto emitKeys = [&](Value first, int64_t count, ValueRange sums) {
      VectorEmitter::Values rows, powers, results;
      for (int64_t i = 0; i < count; ++i)
        rows.push_back(emitter.add(first, i));
      // All loads stand before all stores, which might alias them.
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < vectors; ++j)
          powers.push_back(emitter.load(scores, {rows[i], lane[j]}));
      for (auto [i, power] : llvm::enumerate(powers))
        power = functions.exp2OfNonPositive(emitter.subf(power, offsets[i % vectors]), factor);
      for (auto [i, power] : llvm::enumerate(powers))
        emitter.store(power, scores, {rows[i / vectors], lane[i % vectors]});
      for (int64_t j = 0; j < vectors; ++j) {
        VectorEmitter::Values column;
        for (int64_t i = 0; i < count; ++i)
          column.push_back(powers[i * vectors + j]);
        Value sum = emitter.tree(column, [&](Value a, Value b) { return emitter.addf(a, b); });
        results.push_back(emitter.addf(sums[j], sum));
      }
      return results;
    };
    int64_t keysTogether = std::max<int64_t>(1, kExponentialVectors / vectors);
    VectorEmitter::Values sums = emitter.tiles(keys, keysTogether, zeros, emitKeys);
    for (int64_t j = 0; j < vectors; ++j)
      emitter.store(emitter.addf(emitter.load(op.getSum(), {lane[j]}), sums[j]), op.getSum(), {lane[j]});
  }

  //===--- Outputs ---===//

  void emitOutputs() {
    int64_t channels = cast<MemRefType>(op.getAccumulator().getType()).getDimSize(1);
    int64_t columns = kernel.getValueColumns();
    int64_t full = channels / columns * columns;
    emitter.tiles(emitter.index(full), columns, [&](Value column, int64_t) { emitOutputStrip(column, columns); });
    if (full < channels)
      emitOutputStrip(emitter.index(full), channels - full);
  }

  void emitOutputStrip(Value column, int64_t active) {
    emitter.tiles(emitter.index(kernel.getQueries()), kernel.getValueRows(),
                  [&](Value row, int64_t count) { emitOutputTile(row, count, column, active); });
  }

  void emitOutputTile(Value row, int64_t count, Value column, int64_t active) {
    VectorEmitter::Values rows, columns, init;
    SmallVector<int64_t> width;
    for (int64_t j = 0; j * lanes < active; ++j) {
      columns.push_back(emitter.add(column, j * lanes));
      width.push_back(std::min(lanes, active - j * lanes));
    }
    for (int64_t i = 0; i < count; ++i) {
      rows.push_back(emitter.add(row, i));
      Value factor = emitter.broadcast(emitter.loadScalar(factors, {rows[i]}));
      for (auto [start, count] : llvm::zip(columns, width))
        init.push_back(emitter.mulf(emitter.load(op.getAccumulator(), {rows[i], start}, count), factor));
    }
    auto [begin, depth] = regions.keysInBand(row, count, keys);
    auto keyOf = [&, begin = begin](Value k) { return regions.hasBand() ? emitter.add(begin, k) : k; };
    VectorEmitter::Values sums = emitRegisterTile(
        emitter, depth, count, columns.size(), init,
        [&](Value k, int64_t i) { return emitter.loadScalar(scores, {keyOf(k), rows[i]}); },
        [&](Value k, int64_t j) { return emitter.load(op.getValue(), {keyOf(k), columns[j]}, width[j]); });
    for (auto [i, sum] : llvm::enumerate(sums)) {
      size_t j = i % columns.size();
      emitter.store(sum, op.getAccumulator(), {rows[i / columns.size()], columns[j]}, width[j]);
    }
  }

  OnlineAttentionOp op;
  AttentionKernelAttr kernel;
  int64_t lanes;
  int64_t vectors; ///< Vectors of queries.
  VectorEmitter emitter;
  FunctionEmitter functions;
  double scale;
  ScoreRegions regions;
  bool scaledScores; ///< The scores in scratch are multiplied by the scale.
  Value scores;      ///< [keyBlock, P]
  Value factors;     ///< [P]
  Value keys;        ///< T
  VectorEmitter::Values lane;
};

struct ExpandOnlineAttention final : KernelPattern<OnlineAttentionOp> {
  using KernelPattern::KernelPattern;
  void emit(OnlineAttentionOp op, PatternRewriter &rewriter) const override {
    auto emitTile = [&] { OnlineAttentionKernel(op, rewriter).emit(); };
    if (!isForSingleQuery(op))
      return emitTile();
    Location loc = op.getLoc();
    Value count = memref::DimOp::create(rewriter, loc, op.getRows(), 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value isSingle = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, count, one);
    auto branch = [&](function_ref<void()> emit) {
      return [&, emit](OpBuilder &, Location) {
        emit();
        scf::YieldOp::create(rewriter, loc);
      };
    };
    scf::IfOp::create(rewriter, loc, isSingle, branch([&] { emitSingleQuery(op, rewriter); }), branch(emitTile));
  }
};

} // namespace

void attn::populateOnlineAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandOnlineAttention>(patterns.getContext());
}
