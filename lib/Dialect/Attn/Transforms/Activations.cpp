//===- Activations.cpp - Activation functions on tensors --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As ops of their own; the epilogues that they become part of are formed later.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

/// An elementwise op on a tensor; `body` makes its scalar form.
static Value createElementwise(OpBuilder &b, Location loc, Value input,
                               function_ref<Value(OpBuilder &, Location, Value)> body) {
  auto type = cast<RankedTensorType>(input.getType());
  Value init = createDestination(b, loc, tensor::getMixedSizes(b, loc, input), type.getElementType());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(b, loc, type, input, init, ArrayRef<AffineMap>{identity, identity}, iterators,
                                   [&](OpBuilder &b, Location loc, ValueRange args) {
                                     linalg::YieldOp::create(b, loc, body(b, loc, args.front()));
                                   })
      .getResult(0);
}

/// x / (1 + exp(-slope x))
static Value createSigmoidProduct(OpBuilder &b, Location loc, Value input, double slope) {
  Type element = getElementTypeOrSelf(input.getType());
  return createElementwise(b, loc, input, [&](OpBuilder &b, Location loc, Value x) -> Value {
    Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
    Value steep = x;
    if (slope != 1.0)
      steep = arith::MulFOp::create(b, loc, x, arith::ConstantOp::create(b, loc, b.getFloatAttr(element, slope)));
    Value decay = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, steep));
    return arith::DivFOp::create(b, loc, x, arith::AddFOp::create(b, loc, decay, one));
  });
}

Value attn::createActivation(OpBuilder &b, Location loc, Activation activation, Value input) {
  Type element = getElementTypeOrSelf(input.getType());
  switch (activation) {
  case Activation::Gelu:
    return GeluOp::create(b, loc, input, /*approximate=*/false);
  case Activation::GeluTanh:
    return GeluOp::create(b, loc, input, /*approximate=*/true);
  case Activation::Tanh:
    return math::TanhOp::create(b, loc, input);
  case Activation::Relu:
    return createElementwise(b, loc, input, [&](OpBuilder &b, Location loc, Value x) -> Value {
      Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0.0));
      return arith::MaximumFOp::create(b, loc, x, zero);
    });
  case Activation::Silu:
    return createSigmoidProduct(b, loc, input, 1.0);
  case Activation::QuickGelu:
    return createSigmoidProduct(b, loc, input, 1.702);
  }
  llvm_unreachable("an activation without a case");
}
