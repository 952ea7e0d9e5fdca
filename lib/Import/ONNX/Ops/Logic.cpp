//===- Logic.cpp - Comparisons, bools and choices ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// Whether the sizes are in the order, computed at run time. That is for what other sizes are chosen by, one at a time.
std::optional<Size> compare(Node &node, arith::CmpIPredicate predicate, const Size &a, const Size &b) {
  for (size_t i = 0; i < node.numInputs(); ++i)
    if (node.input(i).elements->size() != 1)
      return std::nullopt;
  return truth(node, arith::CmpIOp::create(node.builder, node.loc, predicate, node.index(a), node.index(b)));
}

/// Whether a < b.
std::optional<Size> foldLess(Node &node, const Size &a, const Size &b) {
  if (isAtMost(node.symbols, a - b, -1))
    return Size(1);
  if (isAtLeast(node.symbols, a - b, 0))
    return Size(0);
  return compare(node, arith::CmpIPredicate::slt, a, b);
}

std::optional<Size> foldEqual(Node &node, const Size &a, const Size &b) {
  if (node.symbols.equal(a, b))
    return Size(1);
  bool differ = isAtMost(node.symbols, a - b, -1) || isAtLeast(node.symbols, a - b, 1);
  return differ ? std::optional(Size(0)) : compare(node, arith::CmpIPredicate::eq, a, b);
}

std::optional<Size> foldNot(std::optional<Size> value) {
  return value ? std::optional(Size(1) - *value) : std::nullopt;
}

/// `input`, broadcast with `other`.
LogicalResult setBroadcast(Node &node, const Tensor &input, const Shape &other) {
  FailureOr<Shape> shape = broadcast(node, {input.shape, other});
  if (failed(shape))
    return failure();
  FailureOr<Tensor> result = broadcastTo(node, input, *shape);
  if (failed(result))
    return failure();
  node.set(0, std::move(*result));
  return success();
}

/// The same bool everywhere, over the shapes broadcast.
LogicalResult setUniform(Node &node, bool value) {
  FailureOr<Shape> shape = broadcast(node, {node.input(0).shape, node.input(1).shape});
  if (failed(shape))
    return failure();
  node.set(0, rampTensor(node, DataType::Bool, *shape, broadcastRamp({Size(value), {}}, {}, *shape)));
  return success();
}

enum class Order { Less, Greater, LessOrEqual, GreaterOrEqual };

template <Order order>
LogicalResult importOrder(Node &node) {
  if (failed(expectSameNumbers(node, 2)))
    return failure();
  // In terms of less, but for floats "not less" is no order where a NaN is.
  constexpr bool swaps = order == Order::Greater || order == Order::LessOrEqual;
  constexpr bool orEqual = order == Order::LessOrEqual || order == Order::GreaterOrEqual;
  DataType type = node.input(0).type;
  if (std::optional<bool> less = isRampLess(node, node.input(swaps ? 1 : 0), node.input(swaps ? 0 : 1)))
    return setUniform(node, orEqual ? !*less : *less);
  return setElementwise(
      node, {node.input(0), node.input(1)}, DataType::Bool,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        if (isFloat(type)) {
          constexpr auto predicate = order == Order::Less          ? arith::CmpFPredicate::OLT
                                     : order == Order::Greater     ? arith::CmpFPredicate::OGT
                                     : order == Order::LessOrEqual ? arith::CmpFPredicate::OLE
                                                                   : arith::CmpFPredicate::OGE;
          return arith::CmpFOp::create(b, loc, predicate, v[0], v[1]);
        }
        auto predicate = isUnsigned(type) ? (orEqual ? arith::CmpIPredicate::uge : arith::CmpIPredicate::ult)
                                          : (orEqual ? arith::CmpIPredicate::sge : arith::CmpIPredicate::slt);
        return arith::CmpIOp::create(b, loc, predicate, v[swaps ? 1 : 0], v[swaps ? 0 : 1]);
      },
      [&](ArrayRef<Size> v) {
        std::optional<Size> less = foldLess(node, v[swaps ? 1 : 0], v[swaps ? 0 : 1]);
        return orEqual ? foldNot(less) : less;
      });
}

LogicalResult importEqual(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  DataType type = node.input(0).type;
  if (node.input(1).type != type)
    return node.error() << "inputs have elements of " << nameOf(type) << " and " << nameOf(node.input(1).type);
  return setElementwise(
      node, {node.input(0), node.input(1)}, DataType::Bool,
      [&](OpBuilder &b, Location loc, ValueRange v) { return Scalars(b, loc, computeType(type)).equal(v[0], v[1]); },
      [&](ArrayRef<Size> v) { return foldEqual(node, v[0], v[1]); });
}

enum class Connective { And, Or, Xor };

template <Connective connective>
LogicalResult importConnective(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(node.expectType(0, DataType::Bool)) ||
      failed(node.expectType(1, DataType::Bool)))
    return failure();
  // And with true, or with false, is the other one; or it is the one that decides.
  if (connective != Connective::Xor)
    for (size_t i : {0, 1}) {
      std::optional<Ramp> known = rampOf(node, node.input(i));
      if (!known || !known->isUniform() || !known->start.getConstant())
        continue;
      if (known->start.isConstant(connective == Connective::Or))
        return setUniform(node, connective == Connective::Or);
      return setBroadcast(node, node.input(1 - i), node.input(i).shape);
    }
  return setElementwise(
      node, {node.input(0), node.input(1)}, DataType::Bool,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        if (connective == Connective::And)
          return arith::AndIOp::create(b, loc, v[0], v[1]);
        if (connective == Connective::Or)
          return arith::OrIOp::create(b, loc, v[0], v[1]);
        return arith::XOrIOp::create(b, loc, v[0], v[1]);
      },
      [](ArrayRef<Size> v) -> std::optional<Size> {
        Size both = v[0] * v[1];
        return connective == Connective::And  ? both
               : connective == Connective::Or ? v[0] + v[1] - both
                                              : v[0] + v[1] - both * Size(2);
      });
}

LogicalResult importNot(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectType(0, DataType::Bool)))
    return failure();
  return setElementwise(
      node, node.input(0), DataType::Bool,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return arith::XOrIOp::create(b, loc, v[0], arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
      },
      [](ArrayRef<Size> v) { return foldNot(v[0]); });
}

LogicalResult importWhere(Node &node) {
  if (failed(node.expectInputs(3, 3)) || failed(node.expectType(0, DataType::Bool)))
    return failure();
  DataType type = node.input(1).type;
  if (node.input(2).type != type)
    return node.error() << "inputs 1 and 2 have elements of " << nameOf(type) << " and " << nameOf(node.input(2).type);
  std::optional<Ramp> known = rampOf(node, node.input(0));
  if (known && known->isUniform() && known->start.getConstant()) {
    bool first = known->start.isConstant(1);
    FailureOr<Shape> others = broadcast(node, {node.input(0).shape, node.input(first ? 2 : 1).shape});
    return failed(others) ? failure() : setBroadcast(node, node.input(first ? 1 : 2), *others);
  }
  return setElementwise(
      node, {node.input(0), node.input(1), node.input(2)}, type,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return arith::SelectOp::create(b, loc, v[0], v[1], v[2]);
      },
      [&](ArrayRef<Size> v) { return choose(node, v[0], v[1], v[2]); });
}

} // namespace

void attn::onnx::registerLogic(Registry &registry) {
  registry.add("Less", importOrder<Order::Less>);
  registry.add("Greater", importOrder<Order::Greater>);
  registry.add("LessOrEqual", importOrder<Order::LessOrEqual>);
  registry.add("GreaterOrEqual", importOrder<Order::GreaterOrEqual>);
  registry.add("Equal", importEqual);
  registry.add("And", importConnective<Connective::And>);
  registry.add("Or", importConnective<Connective::Or>);
  registry.add("Xor", importConnective<Connective::Xor>);
  registry.add("Not", importNot);
  registry.add("Where", importWhere);
}
