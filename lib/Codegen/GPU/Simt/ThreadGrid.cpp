//===- ThreadGrid.cpp - Launches of a thread for each index -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A grid's first dimension may have 2^31 - 1 blocks, so one is enough.
//
//===----------------------------------------------------------------------===//

#include "ThreadGrid.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

/// What stands at the number `index` of the box, row major.
static SmallVector<Value> placeOf(OpBuilder &b, Location loc, Value index, ValueRange extents) {
  SmallVector<Value> place(extents.size());
  for (size_t i = extents.size(); i-- > 1;) {
    place[i] = arith::RemUIOp::create(b, loc, index, extents[i]);
    index = arith::DivUIOp::create(b, loc, index, extents[i]);
  }
  if (!extents.empty())
    place[0] = index;
  return place;
}

void attn::launchThreads(OpBuilder &b, Location loc, ValueRange extents,
                         llvm::function_ref<void(OpBuilder &, ValueRange)> body) {
  auto constant = [&](OpBuilder &at, int64_t value) -> Value { return arith::ConstantIndexOp::create(at, loc, value); };
  Value one = constant(b, 1), count = one;
  for (Value extent : extents)
    count = arith::MulIOp::create(b, loc, count, extent);
  Value threads = constant(b, extents.empty() ? 1 : kBlockThreads);
  Value blocks = arith::CeilDivUIOp::create(b, loc, count, threads);
  auto launch = gpu::LaunchOp::create(b, loc, blocks, one, one, threads, one, one);
  OpBuilder inner = OpBuilder::atBlockBegin(&launch.getBody().front());
  Value first =
      arith::MulIOp::create(inner, loc, launch.getBlockIds().x, constant(inner, extents.empty() ? 1 : kBlockThreads));
  Value index = arith::AddIOp::create(inner, loc, first, launch.getThreadIds().x);
  Value inside = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ult, index, count);
  scf::IfOp::create(inner, loc, inside, [&](OpBuilder &thread, Location) {
    body(thread, placeOf(thread, loc, index, extents));
    scf::YieldOp::create(thread, loc);
  });
  gpu::TerminatorOp::create(inner, loc);
}
