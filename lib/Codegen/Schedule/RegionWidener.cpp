//===- RegionWidener.cpp - Regions in a wider type --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/RegionWidener.h"
#include "ScalarCode.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;

void RegionWidener::run(Region &region, TypeRange types) {
  if (region.empty())
    return;
  Block &old = region.front();
  SmallVector<Location> locations(types.size(), region.getLoc());
  Block *block = b.createBlock(&region, region.end(), types, locations);
  for (auto [from, to] : llvm::zip_equal(old.getArguments(), block->getArguments()))
    values.map(from, isNarrow(to.getType()) ? createFloatCast(b, to.getLoc(), to, wide) : Value(to));
  for (Operation &op : old)
    widen(op);
  old.erase();
}

bool RegionWidener::isNarrow(Type type) { return isKnownFloat(type) && type.getIntOrFloatBitWidth() < wide.getWidth(); }

void RegionWidener::widen(Operation &op) {
  Location loc = op.getLoc();
  if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && isNarrow(constant.getType()))
    return values.map(constant, createFloat(b, loc, wide, cast<FloatAttr>(constant.getValue()).getValueAsDouble()));
  if (auto gelu = dyn_cast<GeluOp>(op); gelu && isNarrowFloat(gelu.getType()))
    return values.map(gelu, createGelu(b, loc, values.lookup(gelu.getInput()), gelu.getApproximate()));
  if (isa<arith::ExtFOp>(op))
    return values.map(op.getResult(0),
                      createFloatCast(b, loc, values.lookup(op.getOperand(0)), widened(op.getResult(0).getType())));
  // The model rounds here, and what it rounds is computed on.
  if (isa<arith::TruncFOp>(op)) {
    Value rounded = createFloatCast(b, loc, values.lookup(op.getOperand(0)), op.getResult(0).getType());
    return values.map(op.getResult(0), createFloatCast(b, loc, rounded, widened(rounded.getType())));
  }
  bool arithmetic = isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && !isa<arith::BitcastOp>(op);
  bool byValue = (arithmetic && op.getNumRegions() == 0) || isa<YieldOp, GeluOp>(op);
  if (!byValue)
    return cloneAsIs(op);
  SmallVector<Type> types = llvm::map_to_vector(op.getResultTypes(), [&](Type type) { return widened(type); });
  SmallVector<Value> operands = llvm::map_to_vector(op.getOperands(), [&](Value v) { return values.lookup(v); });
  OperationState state(loc, op.getName(), operands, types, op.getAttrs());
  values.map(op.getResults(), b.create(state)->getResults());
}

void RegionWidener::cloneAsIs(Operation &op) {
  IRMapping mapping = values;
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (Value value = values.lookupOrNull(operand); value && value.getType() != operand.getType())
        mapping.map(operand, createFloatCast(b, op.getLoc(), value, operand.getType()));
  });
  Operation *clone = b.clone(op, mapping);
  for (auto [from, to] : llvm::zip_equal(op.getResults(), clone->getResults()))
    values.map(from, isNarrow(to.getType()) ? createFloatCast(b, op.getLoc(), to, wide) : Value(to));
}
