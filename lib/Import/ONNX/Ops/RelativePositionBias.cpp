//===- RelativePositionBias.cpp - T5's bias by distance ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bias[0, h, q, k] = table[bucket(k - q), h]. Distances have a bucket each up to half of the buckets; larger ones share
// these by their logarithm up to `max_distance`, and what is farther has the last one. With `is_bidirectional` keys
// behind the query have buckets of their own, otherwise they count as distance 0. Source: Raffel et al., "Exploring the
// Limits of Transfer Learning with a Unified Text-to-Text Transformer" (2020), 2.1.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "Fold.h"
#include "Indexing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// More buckets than any model has distances.
constexpr int64_t kMostBuckets = 1024;

/// The least distance in each bucket behind those that hold one distance.
static SmallVector<int64_t> sharedBuckets(int64_t exact, int64_t buckets, int64_t farthest) {
  SmallVector<int64_t> begins;
  for (int64_t i = 1; i < buckets - exact; ++i) {
    // exact * (farthest / exact) ** (i / (buckets - exact)); a number that should be whole may be a little more.
    double begin = double(exact) * std::pow(double(farthest) / double(exact), double(i) / double(buckets - exact));
    begins.push_back(int64_t(std::ceil(begin - 1e-9 * begin)));
  }
  return begins;
}

static FailureOr<Size> readLength(Node &node, size_t i, StringRef what) {
  if (failed(node.expectType(i, DataType::Int64)))
    return failure();
  const Tensor &given = node.input(i);
  if (!given.elements || given.elements->size() != 1)
    return node.unsupported() << "the number of " << what << " (input " << i
                              << ") must be known when compiling: a constant, or computed from shapes";
  const Size &length = given.elements->front();
  if (!isAtLeast(node.symbols, length, 0) && !node.symbols.limit(length, 0))
    return node.error() << "the number of " << what << " is " << node.symbols.toString(length);
  return length;
}

static LogicalResult importRelativePositionBias(Node &node) {
  FailureOr<int64_t> farthest = node.integer("max_distance"), bidirectional = node.integer("is_bidirectional", 0);
  if (failed(node.expectInputs(3, 3)) || failed(node.expectFloat(0)) || failed(farthest) || failed(bidirectional))
    return failure();
  const Tensor &table = node.input(0);
  if (table.rank() != 2)
    return node.error() << "the table has rank " << table.rank() << ", expected 2";
  std::optional<int64_t> all = table.shape[0].getConstant();
  if (!all)
    return node.unsupported() << "a table whose number of buckets is known at run time only";
  int64_t buckets = *bidirectional ? *all / 2 : *all, exact = buckets / 2;
  if (exact < 1 || *all > kMostBuckets)
    return node.error() << "the table has " << *all << " buckets, expected " << (*bidirectional ? 4 : 2) << " to "
                        << kMostBuckets;
  if (*farthest <= exact || *farthest > (int64_t(1) << 40))
    return node.error() << "attribute 'max_distance' is " << *farthest << ", expected more than " << exact
                        << ", the distances that have a bucket each";
  FailureOr<Size> queries = readLength(node, 1, "queries"), keys = readLength(node, 2, "keys");
  if (failed(queries) || failed(keys))
    return failure();

  SmallVector<int64_t> begins = sharedBuckets(exact, buckets, *farthest);
  Shape shape{Size(1), table.shape[1], *queries, *keys};
  Reader reader(node, table, llvm::SmallBitVector(2));
  node.set(0, generate(node, table.type, shape, {}, {},
                       [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) {
                         auto number = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
                         Value zero = number(0);
                         Value ahead = arith::SubIOp::create(b, loc, indices[3], indices[2]);
                         Value behind = arith::SubIOp::create(b, loc, zero, ahead);
                         Value distance = arith::MaxSIOp::create(b, loc, behind, *bidirectional ? ahead : zero);
                         Value bucket = arith::MinSIOp::create(b, loc, distance, number(exact));
                         auto addIf = [&](Value condition, int64_t more) {
                           Value added = arith::SelectOp::create(b, loc, condition, number(more), zero);
                           bucket = arith::AddIOp::create(b, loc, bucket, added);
                         };
                         for (int64_t begin : begins)
                           addIf(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, distance, number(begin)), 1);
                         if (*bidirectional)
                           addIf(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, ahead, zero), buckets);
                         return reader.read(b, loc, {bucket, indices[1]});
                       }));
  return success();
}

void attn::onnx::registerRelativePositionBias(Registry &registry) {
  registry.add("RelativePositionBias", importRelativePositionBias, 1, "com.microsoft");
}
