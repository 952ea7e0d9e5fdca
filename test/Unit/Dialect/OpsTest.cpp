//===- OpsTest.cpp - Builders and methods of the dialect's ops --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What C++ code calls and no text test reaches.
//
//===----------------------------------------------------------------------===//

#include "Context.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <cmath>

using namespace mlir;
using namespace attn;

TEST(Linear, BuildersMakeValidOps) {
  Module m;
  Value x = m.empty({4, 8}), w = m.empty({16, 8}), bias = m.empty({16}), init = m.empty({4, 16});
  auto plain = LinearOp::create(m.b, m.b.getUnknownLoc(), x, w, init);
  auto biased = LinearOp::create(m.b, m.b.getUnknownLoc(), x, w, bias, init);
  EXPECT_TRUE(succeeded(verify(*m.module)));
  EXPECT_TRUE(plain.hasTrivialEpilogue());
  EXPECT_FALSE(biased.hasTrivialEpilogue());
  EXPECT_FALSE(biased.isPacked());
  EXPECT_EQ(biased.getExtras().size(), 1u);
  EXPECT_EQ(biased->getResult(0).getType(), init.getType());
}

TEST(Linear, LoopsAreTheDestinations) {
  Module m;
  auto op = LinearOp::create(m.b, m.b.getUnknownLoc(), m.empty({2, 4, 8}), m.empty({16, 8}), m.empty({2, 4, 16}));
  EXPECT_EQ(op.getLoopIteratorTypes().size(), 3u);
  EXPECT_TRUE(llvm::all_of(op.getLoopIteratorTypes(), [](auto type) { return type == utils::IteratorType::parallel; }));
}

/// Attention of 12 heads in groups of 4, queries [2, 7, 12, 32].
static AttentionOp attention(Module &m, FloatAttr scale) {
  auto dims = [&](llvm::ArrayRef<unsigned> positions) {
    SmallVector<AffineExpr> results;
    for (unsigned position : positions)
      results.push_back(position == 1 ? m.b.getAffineDimExpr(1).floorDiv(4) : m.b.getAffineDimExpr(position));
    return AffineMap::get(6, 0, results, &m.context);
  };
  auto whole = [&](llvm::ArrayRef<unsigned> positions) {
    return AffineMap::getMultiDimMapWithTargets(6, positions, &m.context);
  };
  Value init = m.empty({2, 7, 12, 16});
  return AttentionOp::create(
      m.b, m.b.getUnknownLoc(), TypeRange(init.getType()), m.empty({2, 7, 12, 32}), m.empty({2, 9, 3, 32}),
      m.empty({2, 9, 3, 16}), Value(), Value(), ValueRange(), ValueRange(), ValueRange(), init, Value(),
      m.b.getAffineMapArrayAttr({whole({0, 2, 1, 4}), dims({0, 3, 1, 4}), dims({0, 3, 1, 5}), whole({0, 2, 1, 5})}),
      scale, EmptyRowAttr(), ScheduleAttr());
}

TEST(Attention, ExtentsAndScale) {
  Module m;
  AttentionOp op = attention(m, FloatAttr());
  EXPECT_TRUE(succeeded(verify(*m.module)));
  EXPECT_EQ(op.getEmpty(), EmptyRow::Zero);
  int64_t expected[] = {2, 12, 7, 9, 32, 16};
  for (unsigned dim = 0; dim < 6; ++dim)
    EXPECT_EQ(op.getStaticExtent(AttentionOp::Dim(dim)), expected[dim]) << dim;
  EXPECT_DOUBLE_EQ(*op.getScaleOrDefault(), 1 / std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(*attention(m, m.b.getF64FloatAttr(0.25)).getScaleOrDefault(), 0.25);
  EXPECT_EQ(op.getDpsInits().size(), 1u);
}

TEST(Effects, DestinationsAreWrittenAndInputsRead) {
  Module m;
  auto memref = [&](llvm::ArrayRef<int64_t> shape) -> Value {
    auto type = MemRefType::get(shape, m.b.getF32Type());
    return memref::AllocOp::create(m.b, m.b.getUnknownLoc(), type);
  };
  m.context.loadDialect<memref::MemRefDialect>();
  auto op = LinearOp::create(m.b, m.b.getUnknownLoc(), memref({4, 8}), memref({16, 8}), memref({4, 16}));
  EXPECT_EQ(op->getNumResults(), 0u);
  auto effects = cast<MemoryEffectOpInterface>(*op);
  auto has = [&](auto effect, Value value) { return effects.getEffectOnValue<decltype(effect)>(value).has_value(); };
  EXPECT_TRUE(has(MemoryEffects::Read(), op.getInput()));
  EXPECT_FALSE(has(MemoryEffects::Write(), op.getInput()));
  EXPECT_TRUE(has(MemoryEffects::Write(), op.getInit()));
  EXPECT_FALSE(has(MemoryEffects::Read(), op.getInit()));
}
