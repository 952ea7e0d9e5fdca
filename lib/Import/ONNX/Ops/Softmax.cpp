//===- Softmax.cpp - Softmax and LogSoftmax ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Softmax.h"
#include "Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static Value first(OpBuilder &, Location, ValueRange v) { return v[0]; }

static Value expOfDifference(OpBuilder &b, Location loc, ValueRange v) {
  return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, v[0], v[1]));
}

FailureOr<Tensor> attn::onnx::softmax(Node &node, const Tensor &input, int64_t axis, bool isLog) {
  DataType type = computeType(input.type);
  int64_t rank = input.rank();
  FailureOr<Tensor> most = reduceOver(node, along(input), input.shape, axis, Reduction::Max, type, first);
  if (failed(most))
    return failure();
  Operand largest = alongOthers(*most, rank, axis);
  if (isLog) {
    FailureOr<Tensor> sum =
        reduceOver(node, {along(input), largest}, input.shape, axis, Reduction::Sum, type, expOfDifference);
    if (failed(sum))
      return failure();
    FailureOr<Tensor> shift =
        mapOver(node, along(*sum), sum->shape, type,
                [](OpBuilder &b, Location loc, ValueRange v) -> Value { return math::LogOp::create(b, loc, v[0]); });
    if (failed(shift))
      return failure();
    return mapOver(node, {along(input), largest, alongOthers(*shift, rank, axis)}, input.shape, input.type,
                   [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                     return arith::SubFOp::create(b, loc, arith::SubFOp::create(b, loc, v[0], v[1]), v[2]);
                   });
  }
  FailureOr<Tensor> powers = mapOver(node, {along(input), largest}, input.shape, type, expOfDifference);
  if (failed(powers))
    return failure();
  FailureOr<Tensor> sum = reduceOver(node, along(*powers), input.shape, axis, Reduction::Sum, type, first);
  if (failed(sum))
    return failure();
  return mapOver(
      node, {along(*powers), alongOthers(*sum, rank, axis)}, input.shape, input.type,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value { return arith::DivFOp::create(b, loc, v[0], v[1]); });
}

template <bool isLog>
static LogicalResult importSoftmax(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<int64_t> axis = node.integer("axis", -1);
  if (failed(axis) || failed(axis = node.axis(*axis, node.input(0).rank())))
    return failure();
  FailureOr<Tensor> result = softmax(node, node.input(0), *axis, isLog);
  return node.set(0, result);
}

void attn::onnx::registerSoftmax(Registry &registry) {
  registry.add("Softmax", importSoftmax<false>);
  registry.add("LogSoftmax", importSoftmax<true>);
}
