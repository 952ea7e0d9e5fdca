//===- ChannelNorms.cpp - Norms of images and along an axis -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instance, group, batch, mean-variance and Lp normalization. Channels are dimension 1.
//
//===----------------------------------------------------------------------===//

#include "Normalizations.h"
#include "Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// Fails where input `i` isn't a vector of `size` floats.
static LogicalResult expectVector(Node &node, size_t i, const Size &size) {
  if (failed(node.expectFloat(i)))
    return failure();
  const Tensor &vector = node.input(i);
  if (vector.rank() != 1)
    return node.error() << "input " << i << " has " << vector.rank() << " dimensions, expected 1";
  return expectEqual(node, vector.shape[0], size, "the size of input " + Twine(i));
}

static LogicalResult expectChannels(Node &node, int64_t least) {
  if (failed(node.expectFloat(0)))
    return failure();
  if (node.input(0).rank() < least)
    return node.error() << "the input has " << node.input(0).rank() << " dimensions, expected at least " << least;
  return success();
}

static LogicalResult importInstanceNormalization(Node &node) {
  if (failed(node.expectInputs(3, 3)) || failed(expectChannels(node, 3)))
    return failure();
  FailureOr<double> epsilon = readEpsilon(node);
  const Tensor &input = node.input(0);
  if (failed(epsilon) || failed(expectVector(node, 1, input.shape[1])) || failed(expectVector(node, 2, input.shape[1])))
    return failure();
  auto dims = llvm::to_vector(llvm::seq<int64_t>(2, input.rank()));
  FailureOr<Moments> moments = momentsOf(node, input, dims, *epsilon, computeType(input.type));
  if (failed(moments))
    return failure();
  Operand scale = along(node.input(1), 1), shift = along(node.input(2), 1);
  FailureOr<Tensor> result = normalize(node, input, dims, &moments->mean, moments->inverse, &scale, &shift, input.type);
  return node.set(0, result);
}

/// Before operator set 21 scale and shift are per group, since then per channel.
template <bool perChannel>
static LogicalResult importGroupNormalization(Node &node) {
  if (failed(node.expectInputs(3, 3)) || failed(expectChannels(node, 2)))
    return failure();
  FailureOr<double> epsilon = readEpsilon(node);
  FailureOr<int64_t> groups = node.integer("num_groups"), stash = node.integer("stash_type", 1);
  if (failed(epsilon) || failed(groups) || failed(stash))
    return failure();
  if (!isFloat(DataType(*stash)))
    return node.error() << "stash_type " << *stash << " is no floating-point type";
  const Tensor &input = node.input(0);
  const Size &channels = input.shape[1];
  std::optional<Size> each = *groups > 0 ? channels.dividedBy(Size(*groups)) : std::nullopt;
  if (!each)
    return node.error() << node.symbols.toString(channels) << " channels are not known to be cut evenly by num_groups "
                        << *groups;
  Size parameters = perChannel ? channels : Size(*groups);
  if (failed(expectVector(node, 1, parameters)) || failed(expectVector(node, 2, parameters)))
    return failure();
  Shape cut = {input.shape[0], Size(*groups), *each};
  llvm::append_range(cut, ArrayRef<Size>(input.shape).drop_front(2));
  FailureOr<Tensor> grouped = reshape(node, input, cut);
  if (failed(grouped))
    return failure();
  auto dims = llvm::to_vector(llvm::seq<int64_t>(2, grouped->rank()));
  FailureOr<Moments> moments = momentsOf(node, *grouped, dims, *epsilon, computeType(input.type));
  if (failed(moments))
    return failure();
  Operand parts[2];
  for (size_t i : {0, 1}) {
    FailureOr<Tensor> part =
        perChannel ? reshape(node, node.input(i + 1), {Size(*groups), *each}) : FailureOr<Tensor>(node.input(i + 1));
    if (failed(part))
      return failure();
    parts[i] = along(*part, 1);
  }
  FailureOr<Tensor> result =
      normalize(node, *grouped, dims, &moments->mean, moments->inverse, &parts[0], &parts[1], input.type);
  if (succeeded(result))
    result = reshape(node, *result, input.shape);
  return node.set(0, result);
}

//===----------------------------------------------------------------------===//
// BatchNormalization
//===----------------------------------------------------------------------===//

/// given * momentum + current * (1 - momentum)
static LogicalResult setRunning(Node &node, size_t output, const Tensor &given, const Tensor &current,
                                double momentum) {
  if (!node.wants(output))
    return success();
  FailureOr<Tensor> result =
      elementwise(node, {given, current}, given.type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        DataType type = computeType(given.type);
        Value other = castScalar(b, loc, v[1], computeType(current.type), type);
        Value old = multiply(b, loc, type, v[0], scalarConstant(b, loc, type, momentum));
        return arith::AddFOp::create(b, loc, old,
                                     multiply(b, loc, type, other, scalarConstant(b, loc, type, 1.0 - momentum)));
      });
  return node.set(output, result);
}

static LogicalResult importBatchNormalization(Node &node) {
  if (failed(node.expectInputs(5, 5)) || failed(expectChannels(node, 2)))
    return failure();
  FailureOr<double> epsilon = readEpsilon(node), momentum = node.real("momentum", 0.9f);
  FailureOr<int64_t> training = node.integer("training_mode", 0);
  if (failed(epsilon) || failed(momentum) || failed(training))
    return failure();
  const Tensor &input = node.input(0);
  for (size_t i = 1; i < 5; ++i)
    if (failed(expectVector(node, i, input.shape[1])))
      return failure();
  if (!*training && node.numOutputs() > 1 && (node.wants(1) || node.wants(2)))
    return node.error() << "only training gives more than one output";
  DataType type = computeType(input.type);
  Tensor mean = node.input(3), variance = node.input(4);
  SmallVector<int64_t> dims;
  for (int64_t i = 0; i < input.rank(); ++i)
    if (i != 1)
      dims.push_back(i);
  if (*training) {
    FailureOr<Tensor> current = meanOver(node, input, dims, type);
    if (failed(current))
      return failure();
    FailureOr<Tensor> squares = mapOver(node, {along(input), along(*current, 1)}, input.shape, type,
                                        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                          Value off = arith::SubFOp::create(b, loc, v[0], v[1]);
                                          return arith::MulFOp::create(b, loc, off, off);
                                        });
    FailureOr<Tensor> spread = failed(squares) ? squares : meanOver(node, *squares, dims, type);
    if (failed(spread) || failed(setRunning(node, 1, mean, *current, *momentum)) ||
        failed(setRunning(node, 2, variance, *spread, *momentum)))
      return failure();
    mean = *current;
    variance = *spread;
  }
  // One factor for each channel, so that the pass over the input is a product and a sum.
  FailureOr<Tensor> factor =
      elementwise(node, {node.input(1), variance}, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value gain = castScalar(b, loc, v[0], computeType(node.input(1).type), type);
        Value spread = castScalar(b, loc, v[1], computeType(variance.type), type);
        Value raised = arith::AddFOp::create(b, loc, spread, scalarConstant(b, loc, type, *epsilon));
        return arith::DivFOp::create(b, loc, gain, math::SqrtOp::create(b, loc, raised));
      });
  if (failed(factor))
    return failure();
  mean = cast(node, mean, type);
  Operand shift = along(node.input(2), 1);
  FailureOr<Tensor> result = normalize(node, input, dims, &mean, *factor, nullptr, &shift, input.type);
  return node.set(0, result);
}

//===----------------------------------------------------------------------===//
// Along axes
//===----------------------------------------------------------------------===//

/// (x - mean) / (sqrt(variance) + 1e-9)
static LogicalResult importMeanVarianceNormalization(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  auto axes = node.integers("axes");
  if (failed(axes))
    return failure();
  const Tensor &input = node.input(0);
  llvm::SmallBitVector isReduced(input.rank());
  for (int64_t axis : axes->value_or(SmallVector<int64_t>{0, 2, 3})) {
    FailureOr<int64_t> dim = node.axis(axis, input.rank());
    if (failed(dim))
      return failure();
    isReduced.set(*dim);
  }
  SmallVector<int64_t> dims(isReduced.set_bits_begin(), isReduced.set_bits_end());
  DataType type = computeType(input.type);
  FailureOr<Tensor> mean = meanOver(node, input, dims, type);
  if (failed(mean))
    return failure();
  FailureOr<Tensor> off = mapOver(
      node, {along(input), alongOthers(*mean, input.rank(), dims)}, input.shape, type,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return arith::SubFOp::create(b, loc, v[0], v[1]); });
  if (failed(off))
    return failure();
  FailureOr<Tensor> squares =
      mapOver(node, along(*off), input.shape, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return arith::MulFOp::create(b, loc, v[0], v[0]);
      });
  FailureOr<Tensor> variance = failed(squares) ? squares : meanOver(node, *squares, dims, type);
  if (failed(variance))
    return failure();
  FailureOr<Tensor> result =
      mapOver(node, {along(*off), alongOthers(*variance, input.rank(), dims)}, input.shape, input.type,
              [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                Value deviation = math::SqrtOp::create(b, loc, v[1]);
                Value raised = arith::AddFOp::create(b, loc, deviation, scalarConstant(b, loc, type, 1e-9f));
                return arith::DivFOp::create(b, loc, v[0], raised);
              });
  return node.set(0, result);
}

/// x / norm, and 0 where the norm is 0.
static LogicalResult importLpNormalization(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<int64_t> axis = node.integer("axis", -1), p = node.integer("p", 2);
  const Tensor &input = node.input(0);
  if (failed(axis) || failed(p) || failed(axis = node.axis(*axis, input.rank())))
    return failure();
  if (*p != 1 && *p != 2)
    return node.error() << "p is " << *p << ", expected 1 or 2";
  DataType type = computeType(input.type);
  FailureOr<Tensor> sum = reduceOver(node, along(input), input.shape, *axis, Reduction::Sum, type,
                                     [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                       if (*p == 1)
                                         return math::AbsFOp::create(b, loc, v[0]);
                                       return arith::MulFOp::create(b, loc, v[0], v[0]);
                                     });
  if (failed(sum))
    return failure();
  FailureOr<Tensor> norm = mapOver(node, along(*sum), sum->shape, type, [&](OpBuilder &b, Location loc, ValueRange v) {
    return *p == 1 ? v[0] : math::SqrtOp::create(b, loc, v[0]).getResult();
  });
  if (failed(norm))
    return failure();
  FailureOr<Tensor> result = mapOver(
      node, {along(input), alongOthers(*norm, input.rank(), *axis)}, input.shape, input.type,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = scalarConstant(b, loc, type, 0.0);
        Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, v[1], zero);
        return arith::SelectOp::create(b, loc, isZero, zero, arith::DivFOp::create(b, loc, v[0], v[1]).getResult());
      });
  return node.set(0, result);
}

void attn::onnx::registerChannelNorms(Registry &registry) {
  registry.add("InstanceNormalization", importInstanceNormalization);
  registry.add("GroupNormalization", importGroupNormalization<false>);
  registry.add("GroupNormalization", importGroupNormalization<true>, 21);
  registry.add("BatchNormalization", importBatchNormalization);
  registry.add("MeanVarianceNormalization", importMeanVarianceNormalization);
  registry.add("LpNormalization", importLpNormalization);
}
