//===- Generalize.cpp - attn ops that no kernel runs as linalg ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Generalize.h"
#include "KernelSupport.h"
#include "Remarks.h"
#include "ScalarCode.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_GENERALIZE
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Building linalg ops
//===----------------------------------------------------------------------===//

Value LinalgBuilder::generic(ArrayRef<Operand> inputs, Operand out, Body body) {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (auto [value, map] : inputs) {
    values.push_back(value);
    maps.push_back(map);
  }
  maps.push_back(out.second);
  SmallVector<utils::IteratorType> iterators;
  for (unsigned loop = 0; loop < out.second.getNumDims(); ++loop)
    iterators.push_back(out.second.isFunctionOfDim(loop) ? utils::IteratorType::parallel
                                                         : utils::IteratorType::reduction);
  return linalg::GenericOp::create(b, loc, out.first.getType(), values, out.first, maps, iterators,
                                   [&](OpBuilder &inner, Location, ValueRange arguments) {
                                     SmallVector<Value> values(arguments);
                                     linalg::YieldOp::create(inner, loc, body(inner, values));
                                   })
      .getResult(0);
}

Value LinalgBuilder::empty(ArrayRef<OpFoldResult> sizes, Type element) {
  return tensor::EmptyOp::create(b, loc, sizes, element);
}

Value LinalgBuilder::filled(Value tensor, double value) {
  Type element = getElementTypeOrSelf(tensor.getType());
  TypedAttr attr = isa<FloatType>(element) ? TypedAttr(b.getFloatAttr(element, value))
                                           : TypedAttr(b.getIntegerAttr(element, int64_t(value)));
  Value constant = arith::ConstantOp::create(b, loc, attr);
  return linalg::FillOp::create(b, loc, constant, tensor).getResult(0);
}

Value LinalgBuilder::filled(ArrayRef<OpFoldResult> sizes, Type element, double value) {
  return filled(empty(sizes, element), value);
}

Value LinalgBuilder::contract(Operand lhs, Operand rhs, Operand out) {
  return generic({lhs, rhs}, out, [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
    Value product = arith::MulFOp::create(inner, loc, arguments[0], arguments[1]);
    return arith::AddFOp::create(inner, loc, arguments[2], product);
  });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// attn.gelu of a type that has no polynomial: formulas in it or, where it is narrow, in f32.
static Value createGeluOf(OpBuilder &b, GeluOp op, Value x) {
  Type type = x.getType();
  Value wide = isNarrowFloat(type) ? createFloatCast(b, op.getLoc(), x, b.getF32Type()) : x;
  return createFloatCast(b, op.getLoc(), createGelu(b, op.getLoc(), wide, op.getApproximate()), type);
}

static Value generalizeGelu(OpBuilder &b, GeluOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type)
    return createGeluOf(b, op, op.getInput());
  LinalgBuilder linalg(b, op.getLoc());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  Value init = linalg.empty(tensor::getMixedSizes(b, op.getLoc(), op.getInput()), type.getElementType());
  return linalg.generic(
      {{op.getInput(), identity}}, {init, identity},
      [&](OpBuilder &inner, ArrayRef<Value> arguments) { return createGeluOf(inner, op, arguments[0]); });
}

namespace {

struct Generalize final : attn::impl::GeneralizeBase<Generalize> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<const Target *> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    SmallVector<Operation *> ops;
    SmallVector<GeluOp> gelus;
    getOperation().walk([&](Operation *op) {
      if (isa<LinearOp, NormOpInterface, RotaryOp, EmbeddingOp, AttentionOp>(op) && op->getNumResults() > 0)
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      std::string why = whyNoKernelRuns(op, **target);
      if (why.empty() || !isKnown(op))
        continue;
      remarkGeneric(op, **target, why);
      OpBuilder b(op);
      SmallVector<Value> values = TypeSwitch<Operation *, SmallVector<Value>>(op)
                                      .Case<LinearOp, NormOpInterface, RotaryOp, EmbeddingOp, AttentionOp>(
                                          [&](auto typed) { return generalize(b, typed); });
      op->replaceAllUsesWith(values);
      op->erase();
      ++numGeneralized;
    }
    // After attention, which asks where its ranges come from.
    if ((*target)->isGpu())
      generalizeKeyRanges();
    getOperation().walk([&](GeluOp gelu) {
      if (Type element = getElementTypeOrSelf(gelu.getType()); isKnownFloat(element) && !element.isF32())
        gelus.push_back(gelu);
    });
    for (GeluOp gelu : gelus) {
      OpBuilder b(gelu);
      gelu.getResult().replaceAllUsesWith(generalizeGelu(b, gelu));
      gelu.erase();
      ++numGeneralized;
    }
  }

  /// The CPUs' kernel of it is scalar code.
  void generalizeKeyRanges() {
    SmallVector<KeyRangesOp> ops;
    getOperation().walk([&](KeyRangesOp op) { ops.push_back(op); });
    for (KeyRangesOp op : ops) {
      OpBuilder b(op);
      op->replaceAllUsesWith(generalize(b, op));
      op.erase();
      ++numGeneralized;
    }
  }

  /// True where all elements are of types that linalg ops compute on.
  static bool isKnown(Operation *op) {
    return llvm::all_of(op->getOperandTypes(), [](Type type) {
      Type element = getElementTypeOrSelf(type);
      return element.isSignlessIntOrIndex() || isKnownFloat(element);
    });
  }
};

} // namespace
