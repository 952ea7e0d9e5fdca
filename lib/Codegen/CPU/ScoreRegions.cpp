//===- ScoreRegions.cpp - Bands and regions of tiled attention --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries stand in lanes, so an operand [queries, keys], as a bias or a mask is, is transposed into scratch once a
// block, square by square. It costs about 64 shuffles for 256 scores.
//
//===----------------------------------------------------------------------===//

#include "ScoreRegions.h"
#include "attn/Codegen/CPU/Epilogue.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace attn;

int64_t ScoreRegions::queries() { return op.getKernel()->getQueries(); }

bool ScoreRegions::isRead(unsigned i) {
  return (!op.getMask().empty() && !op.getMask().getArgument(4 + i).use_empty()) ||
         (!op.getScore().empty() && !op.getScore().getArgument(5 + i).use_empty());
}

void ScoreRegions::prepare(Value keys) {
  unsigned scratch = 2;
  for (auto [i, mapped] : llvm::enumerate(op.getMapped())) {
    fixed.emplace_back();
    turned.emplace_back();
    AffineMap map = op.getMap(i);
    bool isBool = cast<MemRefType>(mapped.getType()).getElementType().isInteger(1);
    if (op.isQueryMajor(i)) {
      turned.back() = op.getScratch()[scratch++];
      if (isRead(i))
        turn(mapped, turned.back(), keys);
    } else if (map.getNumResults() == 0) {
      fixed.back() = {emitter.loadScalar(mapped, {})};
    } else if (map.getNumResults() == 1 && map.isFunctionOfDim(0)) {
      Value rows = emitter.dim(mapped, 0);
      for (int64_t lane = 0; lane < queries(); lane += emitter.lanes()) {
        Value first = emitter.index(lane);
        Value elements = emitter.loadStored(mapped, {first}, emitter.lanesBelow(first, rows));
        fixed.back().push_back(isBool ? emitter.isNotZero(elements) : elements);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Operands with queries in rows
//===----------------------------------------------------------------------===//

void ScoreRegions::turn(Value from, Value to, Value keys) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = emitter.getLoc();
  Value rows = emitter.dim(from, 0);
  int64_t lanes = emitter.lanes();
  emitter.loop(keys, lanes, {}, [&](Value key, ValueRange) -> VectorEmitter::Values {
    emitter.loop(emitter.index(queries()), lanes, {}, [&](Value query, ValueRange) -> VectorEmitter::Values {
      auto reaches = [&](Value first, Value end) {
        return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, emitter.add(first, lanes), end);
      };
      Value full = arith::AndIOp::create(b, loc, reaches(key, keys), reaches(query, rows));
      auto square = [&](bool masked) {
        return [&, masked](OpBuilder &, Location) {
          turnSquare(from, to, key, query, masked ? emitter.lanesBelow(key, keys) : Value());
          scf::YieldOp::create(b, loc);
        };
      };
      scf::IfOp::create(b, loc, full, square(false), square(true));
      return {};
    });
    return {};
  });
}

/// `mask` says which keys there are where it isn't all of them and all queries.
void ScoreRegions::turnSquare(Value from, Value to, Value key, Value query, Value mask) {
  OpBuilder &b = emitter.getBuilder();
  VectorEmitter::Values square;
  Value rows = mask ? emitter.dim(from, 0) : Value();
  for (int64_t i = 0; i < emitter.lanes(); ++i) {
    Value row = emitter.add(query, i), present = mask;
    if (mask) {
      Value exists = arith::CmpIOp::create(b, emitter.getLoc(), arith::CmpIPredicate::slt, row, rows);
      present = arith::AndIOp::create(b, emitter.getLoc(), mask, emitter.broadcast(exists));
    }
    square.push_back(emitter.loadStored(from, {row, key}, present));
    // The next block, while this one is computed on.
    emitter.prefetch(from, {row, emitter.add(key, op.getKernel()->getKeyBlock())}, /*near=*/false);
  }
  emitter.transpose(square);
  for (auto [i, column] : llvm::enumerate(square))
    emitter.store(column, to, {emitter.add(key, i), query});
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

Value ScoreRegions::element(unsigned i, Value key, int64_t j) {
  AffineMap map = op.getMap(i);
  Value mapped = op.getMapped()[i];
  if (!fixed[i].empty())
    return fixed[i].size() == 1 ? fixed[i].front() : fixed[i][j];
  if (map.getNumResults() == 1)
    return emitter.loadScalar(mapped, {key});
  Value lane = emitter.index(j * emitter.lanes());
  Value elements = turned[i]
                       ? emitter.load(turned[i], {key, lane})
                       : emitter.loadStored(mapped, {key, lane}, emitter.lanesBelow(lane, emitter.dim(mapped, 1)));
  bool isBool = cast<MemRefType>(mapped.getType()).getElementType().isInteger(1);
  return isBool ? emitter.isNotZero(elements) : elements;
}

VectorEmitter::Values ScoreRegions::arguments(Block &block, unsigned firstIndex, Value key, int64_t j) {
  OpBuilder &b = emitter.getBuilder();
  VectorEmitter::Values values = {op.getIndices()[0], op.getIndices()[1]};
  Value query = op.getIndices()[2];
  if (!block.getArgument(firstIndex + 2).use_empty()) {
    Value first = emitter.broadcast(emitter.add(query, j * emitter.lanes()));
    query = arith::AddIOp::create(b, emitter.getLoc(), first, emitter.lanesFrom0(b.getIndexType()));
  }
  values.push_back(query);
  values.push_back(emitter.add(op.getIndices()[3], key));
  for (unsigned i = 0; i < op.getMapped().size(); ++i) {
    bool isUsed = !block.getArgument(firstIndex + 4 + i).use_empty();
    values.push_back(isUsed ? element(i, key, j) : Value());
  }
  return values;
}

Value ScoreRegions::score(Value product, Value key, int64_t j) {
  Block &block = op.getScore().front();
  VectorEmitter::Values values = {product};
  llvm::append_range(values, arguments(block, 1, key, j));
  return emitElementwise(emitter, block, values).front();
}

Value ScoreRegions::counts(Value key, int64_t j) {
  if (op.getMask().empty())
    return {};
  Block &block = op.getMask().front();
  return emitElementwise(emitter, block, arguments(block, 0, key, j)).front();
}

//===----------------------------------------------------------------------===//
// Bands
//===----------------------------------------------------------------------===//

Value ScoreRegions::isInsideBand(Value first, int64_t count) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = emitter.getLoc();
  Value inside;
  auto require = [&](Value lhs, Value rhs) {
    Value holds = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, lhs, rhs);
    inside = inside ? arith::AndIOp::create(b, loc, inside, holds).getResult() : holds;
  };
  if (Value lower = op.getLower())
    require(emitter.add(lower, queries() - 1), first);
  if (Value upper = op.getUpper())
    require(emitter.add(first, count - 1), upper);
  return inside;
}

Value ScoreRegions::bandMask(Value key, int64_t j) {
  OpBuilder &b = emitter.getBuilder();
  Location loc = emitter.getLoc();
  Value lanes = emitter.lanesFrom0(b.getI32Type()), mask;
  auto require = [&](arith::CmpIPredicate predicate, Value side) {
    // Lanes of this vector that the diagonal leaves, as far as there are lanes.
    Value lane = emitter.sub(emitter.sub(key, side), emitter.index(j * emitter.lanes()));
    lane = emitter.clamp(lane, emitter.index(-1), emitter.index(emitter.lanes()));
    Value last = emitter.broadcast(arith::IndexCastOp::create(b, loc, b.getI32Type(), lane));
    Value holds = arith::CmpIOp::create(b, loc, predicate, lanes, last);
    mask = mask ? arith::AndIOp::create(b, loc, mask, holds).getResult() : holds;
  };
  if (Value lower = op.getLower())
    require(arith::CmpIPredicate::sle, lower);
  if (Value upper = op.getUpper())
    require(arith::CmpIPredicate::sge, upper);
  return mask;
}

std::pair<Value, Value> ScoreRegions::keysInBand(Value row, int64_t count, Value keys) {
  Value begin = emitter.index(0), end = keys;
  if (Value upper = op.getUpper())
    end = emitter.clamp(emitter.add(emitter.add(row, count), upper), begin, keys);
  if (Value lower = op.getLower())
    begin = emitter.clamp(emitter.add(row, lower), begin, end);
  return {begin, emitter.sub(end, begin)};
}
