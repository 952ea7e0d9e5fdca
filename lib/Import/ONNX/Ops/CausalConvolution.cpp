//===- CausalConvolution.cpp - Convolutions that see the past ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "ScaledDotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

/// sum_j padded[b, c, l + j] * weight[c, j] + bias[c] in the compute type.
static FailureOr<Tensor> convolve(Node &node, const Tensor &padded, const Tensor &weight, const Tensor *bias,
                                  ArrayRef<Size> shape) {
  DataType type = computeType(padded.type);
  FailureOr<Tensor> kernel = reshape(node, weight, {weight.shape[0], weight.shape[2]});
  if (failed(kernel))
    return failure();
  Value init = filled(node, shape, type, 0);
  if (bias)
    init = generic(
        node, node.value(*bias), empty(node, shape, type), {{1}, {0, 1, 2}},
        SmallVector<IteratorType>(3, IteratorType::parallel),
        [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return castScalar(b, loc, v[0], bias->type, type); });
  MLIRContext *context = node.builder.getContext();
  AffineExpr b, c, l, j;
  bindDims(context, b, c, l, j);
  SmallVector<AffineMap> maps = {AffineMap::get(4, 0, {b, c, l + j}, context), AffineMap::get(4, 0, {c, j}, context),
                                 AffineMap::get(4, 0, {b, c, l}, context)};
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  iterators.back() = IteratorType::reduction;
  Value sum =
      linalg::GenericOp::create(node.builder, node.loc, init.getType(),
                                ValueRange{node.value(padded), node.value(*kernel)}, init, maps, iterators,
                                [&](OpBuilder &builder, Location loc, ValueRange v) {
                                  Value x = castScalar(builder, loc, v[0], padded.type, type);
                                  Value w = castScalar(builder, loc, v[1], weight.type, type);
                                  Value product = arith::MulFOp::create(builder, loc, x, w);
                                  linalg::YieldOp::create(
                                      builder, loc, arith::AddFOp::create(builder, loc, v[2], product).getResult());
                                })
          .getResult(0);
  return node.make(sum, type, Shape(shape));
}

static LogicalResult importCausalConvolution(Node &node) {
  FailureOr<std::string> activation = node.text("activation", "none");
  if (failed(node.expectInputs(2, 4)) || failed(activation))
    return failure();
  if (*activation != "none" && *activation != "silu" && *activation != "swish")
    return node.error() << "attribute 'activation' is '" << *activation << "', expected 'none', 'silu' or 'swish'";
  int64_t ranks[] = {3, 3, 1, 3};
  for (size_t i = 0; i < 4; ++i) {
    if (!node.has(i))
      continue;
    if (failed(node.expectFloat(i)))
      return failure();
    if (node.input(i).rank() != ranks[i])
      return node.error() << "input " << i << " has rank " << node.input(i).rank() << ", expected " << ranks[i];
    if (node.input(i).type != node.input(0).type)
      return node.error() << "input " << i << " has elements of " << nameOf(node.input(i).type) << ", expected "
                          << nameOf(node.input(0).type);
  }
  const Tensor &input = node.input(0);
  Tensor weight = node.input(1);
  const Tensor *bias = node.has(2) ? &node.input(2) : nullptr;
  const Size &channels = input.shape[1];
  Size state = weight.shape[2] - Size(1);
  if (weight.shape[2].isConstant(0))
    return node.error() << "the weight has no elements";
  if (failed(expectEqual(node, weight.shape[0], channels, "the channels of weight and input")) ||
      failed(expectEqual(node, weight.shape[1], Size(1), "dimension 1 of the weight")) ||
      (bias && failed(expectEqual(node, bias->shape[0], channels, "the channels of bias and input"))))
    return failure();
  Tensor past;
  if (node.has(3)) {
    past = node.input(3);
    if (failed(expectEqual(node, past.shape[0], input.shape[0], "the batch of past_state and input")) ||
        failed(expectEqual(node, past.shape[1], channels, "the channels of past_state and input")))
      return failure();
    std::optional<int64_t> expected = state.getConstant(), given = past.shape[2].getConstant();
    if (expected && given && *expected != *given)
      return node.error() << "past_state has " << *given << " positions, expected " << *expected
                          << ", one less than the weight";
    // A state that turns out to be shorter at run time must not be read beyond its end.
    state = past.shape[2];
    weight = slice(node, weight, 2, Size(0), minimumOf(node, weight.shape[2], state + Size(1)));
  } else {
    Shape shape = {input.shape[0], channels, state};
    past = node.make(filled(node, shape, input.type, 0), input.type, shape);
  }
  Tensor padded = past.shape[2].isConstant(0) ? input : concat(node, {past, input}, 2);
  FailureOr<Tensor> sum = convolve(node, padded, weight, bias, input.shape);
  if (failed(sum))
    return failure();
  Tensor result = cast(node, *sum, input.type);
  if (*activation != "none") {
    FailureOr<Tensor> active =
        elementwise(node, result, input.type, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(v[0].getType(), 1));
          Value power = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, v[0]));
          return arith::DivFOp::create(b, loc, v[0], arith::AddFOp::create(b, loc, one, power));
        });
    if (failed(active))
      return failure();
    result = *active;
  }
  node.set(0, result);
  if (node.wants(1) && state.isConstant(0))
    node.set(1, node.make(empty(node, past.shape, input.type), input.type, past.shape));
  else if (node.wants(1))
    node.set(1, slice(node, padded, 2, input.shape[2], state));
  return success();
}

void attn::onnx::registerCausalConvolution(Registry &registry) {
  registry.add("CausalConvWithState", importCausalConvolution, 27);
}
