//===- Elementwise.cpp - Functions of single elements -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each op is a function from scalars to a scalar; broadcasting and the types that are computed in are Build.h's. What
// is known of integers stays known where it is a sum, difference, product or exact quotient.
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Registry.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

enum class Binary { Add, Sub, Mul, Div };

/// The sizes that a function of known integers gives; none where it can't be said.
std::optional<Size> fold(Binary op, const Size &a, const Size &b) {
  switch (op) {
  case Binary::Add:
    return a + b;
  case Binary::Sub:
    return a - b;
  case Binary::Mul:
    return a * b;
  case Binary::Div: {
    std::optional<int64_t> x = a.getConstant(), y = b.getConstant();
    if (x && y && *y != 0 && !(*x == std::numeric_limits<int64_t>::min() && *y == -1))
      return Size(*x / *y);
    return y && *y == 0 ? std::nullopt : a.dividedBy(b);
  }
  }
  llvm_unreachable("all are listed");
}

/// Element by element, where one side may be a single one.
std::optional<Tensor> foldElements(Node &node, Binary op, const Tensor &a, const Tensor &b) {
  if (!a.elements || !b.elements || a.type != b.type || !isInteger(a.type))
    return std::nullopt;
  FailureOr<Tensor> x = broadcastTo(node, a, a.elements->size() >= b.elements->size() ? a.shape : b.shape);
  FailureOr<Tensor> y = broadcastTo(node, b, a.elements->size() >= b.elements->size() ? a.shape : b.shape);
  if (failed(x) || failed(y) || !x->elements || !y->elements || x->elements->size() != y->elements->size())
    return std::nullopt;
  SmallVector<Size> values;
  for (auto [p, q] : llvm::zip(*x->elements, *y->elements)) {
    std::optional<Size> value = fold(op, p, q);
    if (!value || !value->isValid())
      return std::nullopt;
    values.push_back(*value);
  }
  return integers(values, a.rank() >= b.rank() ? x->shape : y->shape, a.type);
}

template <Binary op, typename FloatOp, typename SignedOp, typename UnsignedOp>
LogicalResult importArithmetic(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  const Tensor &a = node.input(0), &b = node.input(1);
  if (a.type != b.type)
    return node.error() << "inputs have elements of " << nameOf(a.type) << " and " << nameOf(b.type);
  if (!isFloat(a.type) && !isInteger(a.type))
    return node.error() << "elements of " << nameOf(a.type) << " have no arithmetic";
  if (std::optional<Tensor> known = foldElements(node, op, a, b)) {
    node.set(0, *known);
    return success();
  }
  FailureOr<Tensor> result =
      elementwise(node, {a, b}, a.type, [&](OpBuilder &builder, Location loc, ValueRange v) -> Value {
        if (isFloat(a.type))
          return FloatOp::create(builder, loc, v[0], v[1]);
        if (isUnsigned(a.type))
          return UnsignedOp::create(builder, loc, v[0], v[1]);
        return SignedOp::create(builder, loc, v[0], v[1]);
      });
  if (failed(result))
    return failure();
  node.set(0, *result);
  return success();
}

template <typename OpTy>
LogicalResult importFloat(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<Tensor> result = elementwise(node, node.input(0), node.input(0).type,
                                         [](OpBuilder &builder, Location loc, ValueRange v) -> Value {
                                           return OpTy::create(builder, loc, v[0]);
                                         });
  if (failed(result))
    return failure();
  node.set(0, *result);
  return success();
}

} // namespace

void attn::onnx::registerElementwise(Registry &registry) {
  registry.add("Add", importArithmetic<Binary::Add, arith::AddFOp, arith::AddIOp, arith::AddIOp>);
  registry.add("Sub", importArithmetic<Binary::Sub, arith::SubFOp, arith::SubIOp, arith::SubIOp>);
  registry.add("Mul", importArithmetic<Binary::Mul, arith::MulFOp, arith::MulIOp, arith::MulIOp>);
  registry.add("Div", importArithmetic<Binary::Div, arith::DivFOp, arith::DivSIOp, arith::DivUIOp>);
  registry.add("Exp", importFloat<math::ExpOp>);
  registry.add("Sqrt", importFloat<math::SqrtOp>);
  registry.add("Tanh", importFloat<math::TanhOp>);
  registry.add("Erf", importFloat<math::ErfOp>);
}
