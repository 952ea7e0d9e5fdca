//===- WeightExpressionsTest.cpp - Normal forms by construction -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equal values, equal attributes: what the builders leave out.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/WeightExpressions.h"
#include "Context.h"

using namespace mlir;
using namespace attn;

static Attribute file(Module &m, uint64_t offset, llvm::ArrayRef<int64_t> shape) {
  return FileAttr::get(&m.context, "m", offset, RankedTensorType::get(shape, m.b.getF32Type()));
}

TEST(WeightExpressions, RowsOfAConcatAreFileSlices) {
  Module m;
  Attribute all =
      concatWeights(0, {file(m, 0, {4, 2}), concatWeights(0, {file(m, 100, {4, 2}), file(m, 200, {4, 2})})});
  EXPECT_EQ(cast<ConcatAttr>(all).getParts().size(), 3u);
  EXPECT_EQ(sliceWeight(all, {5, 0}, {2, 2}), file(m, 108, {2, 2}));
  EXPECT_EQ(sliceWeight(all, {0, 0}, {12, 2}), all);
  EXPECT_TRUE(isa<SliceAttr>(sliceWeight(all, {3, 0}, {2, 2})));
}

TEST(WeightExpressions, PermutationsCompose) {
  Module m;
  Attribute source = file(m, 0, {2, 3, 4});
  Attribute once = transposeWeight(source, {1, 2, 0});
  EXPECT_EQ(getWeightType(once).getShape(), ArrayRef<int64_t>({3, 4, 2}));
  EXPECT_EQ(transposeWeight(once, {2, 0, 1}), source);
  EXPECT_EQ(getWeightType(transposeWeight(once, {1, 2, 0})).getShape(), ArrayRef<int64_t>({4, 2, 3}));
}

TEST(WeightExpressions, NothingIsLeftOfNothing) {
  Module m;
  Attribute source = file(m, 0, {4, 2});
  EXPECT_EQ(concatWeights(1, {source}), source);
  EXPECT_EQ(convertWeight(source, m.b.getF32Type()), source);
  EXPECT_EQ(reshapeWeight(reshapeWeight(source, {8}), {4, 2}), source);
  EXPECT_EQ(getWeightType(UnitAttr::get(&m.context)), RankedTensorType());
}

TEST(WeightExpressions, EmptySlicesKeepTheirConcat) {
  // Between two parts there is no part that an empty slice would be of.
  Module m;
  Attribute all = concatWeights(0, {file(m, 0, {4, 2}), file(m, 100, {4, 2})});
  EXPECT_EQ(getWeightType(sliceWeight(all, {4, 0}, {0, 2})).getShape(), ArrayRef<int64_t>({0, 2}));
}
