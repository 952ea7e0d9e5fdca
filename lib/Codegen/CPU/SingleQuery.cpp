//===- SingleQuery.cpp - A block of keys meets one query --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoder's step reads each key and value once, so that memory sets the pace; what is computed must only keep up with
// it. Keys stand in lanes: the channels' products of as many keys as there are lanes are summed by a transpose that
// adds, and the softmax and its masks are vectors of keys. The output's product broadcasts powers against rows of
// values, as for many queries.
//
//===----------------------------------------------------------------------===//

#include "SingleQuery.h"
#include "RunningMaximum.h"
#include "ScoreRegions.h"
#include "attn/Codegen/CPU/Approximations.h"
#include "attn/Codegen/CPU/Epilogue.h"
#include "attn/Codegen/CPU/RegisterTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace attn;

/// Vectors of channels that are summed together.
static constexpr int64_t kOutputVectors = 8;

bool attn::isForSingleQuery(OnlineAttentionOp op) {
  if (!op.getRows() || !llvm::isPowerOf2_64(op.getKernel()->getLanes()))
    return false;
  // Keys that stand in rows would have to be gathered.
  return llvm::all_of(llvm::seq<unsigned>(op.getMapped().size()), [&](unsigned i) {
    AffineMap map = op.getMap(i);
    return map.getNumResults() < 2 || map.isIdentity();
  });
}

namespace {

class SingleQueryKernel {
public:
  SingleQueryKernel(OnlineAttentionOp op, OpBuilder &builder)
      : op(op), b(builder), loc(op.getLoc()), lanes(op.getKernel()->getLanes()), emitter(builder, loc, lanes),
        functions(builder, loc, emitter.vectorType()), isScaled(storesScaledScores(op)) {
    // What a tile keeps for [keys, queries] is more than one query needs.
    scores = memref::CollapseShapeOp::create(b, loc, op.getScratch()[0], ArrayRef<ReassociationIndices>{{0, 1}});
  }

  void emit() {
    std::tie(begin, count) = ScoreRegions(op, emitter).keysInBand(zero(), 1, emitter.dim(op.getKey(), 0));
    Value maximum = emitScores();
    RunningMaximum running = emitRunningMaximum(emitter, op, maximum, broadcastOf(op.getMaximum()));
    store(running.maximum, op.getMaximum());
    Value sum = emitter.mulf(broadcastOf(op.getSum()), running.factor);
    Value powers = emitter.broadcast(emitter.sum(emitExponentials(running.offset)));
    store(emitter.addf(sum, powers), op.getSum());
    emitOutput(running.factor);
  }

private:
  Value zero() { return emitter.index(0); }
  Value broadcastOf(Value memref) { return emitter.broadcast(emitter.loadScalar(memref, {zero()})); }
  void store(Value vector, Value memref) {
    Value scalar = vector::ExtractOp::create(b, loc, vector, int64_t(0));
    memref::StoreOp::create(b, loc, scalar, memref, ValueRange{zero()});
  }

  //===--- Scores ---===//

  /// Stores the scores of all keys and returns their maximum in all lanes.
  Value emitScores() {
    Value remainder = emitter.rem(count, lanes), full = emitter.sub(count, remainder);
    Value maxima = emitter.loop(full, lanes, {emitter.splat(kMinusInfinity)}, [&](Value at, ValueRange carried) {
      return VectorEmitter::Values{emitScores(at, Value(), carried[0])};
    })[0];
    Value hasTail = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, remainder, zero());
    auto tail = [&](OpBuilder &, Location) {
      scf::YieldOp::create(b, loc, emitScores(full, emitter.lanesBelow(full, count), maxima));
    };
    auto none = [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, maxima); };
    Value all = scf::IfOp::create(b, loc, hasTail, tail, none).getResult(0);
    return emitter.broadcast(vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXIMUMF, all));
  }

  /// Those of as many keys as there are lanes, or of those that are `present`.
  Value emitScores(Value at, Value present, Value maxima) {
    int64_t depth = cast<MemRefType>(op.getKey().getType()).getDimSize(1);
    Value last = emitter.sub(count, emitter.index(1));
    VectorEmitter::Values rows, products(lanes);
    for (int64_t i = 0; i < lanes; ++i) {
      Value row = emitter.add(at, i);
      // The last key in place of those that there aren't.
      rows.push_back(emitter.add(begin, present ? emitter.min(row, last) : row));
    }
    for (int64_t d = 0; d < depth; d += lanes) {
      int64_t active = std::min(lanes, depth - d);
      Value channel = emitter.index(d), query = emitter.load(op.getRows(), {zero(), channel}, active);
      for (auto [row, product] : llvm::zip_equal(rows, products)) {
        Value key = emitter.load(op.getKey(), {row, channel}, active);
        product = product ? emitter.fma(key, query, product) : emitter.mulf(key, query);
      }
    }
    Value sums = emitEpilogue(emitter.add(begin, at), present, emitter.sums(products));
    emitter.store(sums, scores, {at});
    // A NaN in the second operand would stay; the running maximum must not become one.
    return emitter.maxf(sums, maxima);
  }

  Value emitEpilogue(Value key, Value present, Value sums) {
    if (isScaled)
      sums = emitter.mulf(sums, emitter.splat(op.getScale().convertToDouble()));
    if (!op.getScore().empty()) {
      VectorEmitter::Values values = {sums};
      llvm::append_range(values, arguments(op.getScore().front(), 1, key, present));
      sums = emitElementwise(emitter, op.getScore().front(), values).front();
    }
    VectorEmitter::Values conditions;
    if (present)
      conditions.push_back(present);
    if (op.getKeyMask())
      conditions.push_back(emitter.isNotZero(emitter.loadStored(op.getKeyMask(), {key}, present)));
    if (!op.getMask().empty()) {
      Block &mask = op.getMask().front();
      conditions.push_back(emitElementwise(emitter, mask, arguments(mask, 0, key, present)).front());
    }
    for (Value condition : conditions)
      sums = arith::SelectOp::create(b, loc, condition, sums, emitter.splat(kMinusInfinity));
    return sums;
  }

  //===--- Regions ---===//

  /// The elements of mapped operand `i` for the keys from `key` on, or what they all have.
  Value element(unsigned i, Value key, Value present) {
    AffineMap map = op.getMap(i);
    Value mapped = op.getMapped()[i];
    SmallVector<Value> indices(map.getNumResults(), zero());
    if (!map.isFunctionOfDim(1))
      return emitter.loadScalar(mapped, indices);
    indices.back() = key;
    Value elements = emitter.loadStored(mapped, indices, present);
    bool isBool = cast<MemRefType>(mapped.getType()).getElementType().isInteger(1);
    return isBool ? emitter.isNotZero(elements) : elements;
  }

  VectorEmitter::Values arguments(Block &block, unsigned firstIndex, Value key, Value present) {
    VectorEmitter::Values values(op.getIndices().take_front(3));
    Value first = emitter.broadcast(emitter.add(op.getIndices()[3], key));
    values.push_back(arith::AddIOp::create(b, loc, first, emitter.lanesFrom0(b.getIndexType())));
    for (unsigned i = 0; i < op.getMapped().size(); ++i) {
      bool isUsed = !block.getArgument(firstIndex + 4 + i).use_empty();
      values.push_back(isUsed ? element(i, key, present) : Value());
    }
    return values;
  }

  //===--- Softmax and output ---===//

  /// Makes the scores powers and returns their sums.
  Value emitExponentials(Value offset) {
    return emitter.loop(count, lanes, {emitter.splat(0)}, [&](Value at, ValueRange sums) {
      Value score = emitter.load(scores, {at});
      Value power = functions.exp2OfNonPositive(emitter.subf(score, offset), exponentFactor(op));
      emitter.store(power, scores, {at});
      return VectorEmitter::Values{emitter.addf(power, sums[0])};
    })[0];
  }

  void emitOutput(Value factor) {
    int64_t channels = cast<MemRefType>(op.getAccumulator().getType()).getDimSize(1);
    for (int64_t strip = 0; strip < channels; strip += kOutputVectors * lanes) {
      VectorEmitter::Values columns, init;
      SmallVector<int64_t> width;
      for (int64_t column = strip; column < std::min(channels, strip + kOutputVectors * lanes); column += lanes) {
        columns.push_back(emitter.index(column));
        width.push_back(std::min(lanes, channels - column));
        Value before = emitter.load(op.getAccumulator(), {zero(), columns.back()}, width.back());
        init.push_back(emitter.mulf(before, factor));
      }
      VectorEmitter::Values sums = emitRegisterTile(
          emitter, count, /*rows=*/1, columns.size(), init,
          [&](Value k, int64_t) { return emitter.loadScalar(scores, {k}); },
          [&](Value k, int64_t j) {
            return emitter.load(op.getValue(), {emitter.add(begin, k), columns[j]}, width[j]);
          });
      for (auto [sum, column, active] : llvm::zip_equal(sums, columns, width))
        emitter.store(sum, op.getAccumulator(), {zero(), column}, active);
    }
  }

  OnlineAttentionOp op;
  OpBuilder &b;
  Location loc;
  int64_t lanes;
  VectorEmitter emitter;
  FunctionEmitter functions;
  bool isScaled;      ///< The scores in scratch are multiplied by the scale.
  Value scores;       ///< One of each key, from `begin` on, in whole vectors.
  Value begin, count; ///< The keys inside of the band: [begin, begin + count).
};

} // namespace

void attn::emitSingleQuery(OnlineAttentionOp op, OpBuilder &builder) { SingleQueryKernel(op, builder).emit(); }
