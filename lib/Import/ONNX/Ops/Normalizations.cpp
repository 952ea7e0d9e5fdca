//===- Normalizations.cpp - Norms over the last dimensions ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layer norm and root-mean-square norm. Everything computes in float32, or in float64 for inputs of that type, whatever
// `stash_type` asks for: it is at least as precise.
//
//===----------------------------------------------------------------------===//

#include "Normalizations.h"
#include "Registry.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

FailureOr<double> attn::onnx::readEpsilon(Node &node, double otherwise) {
  FailureOr<double> epsilon = node.real("epsilon", otherwise);
  if (succeeded(epsilon) && !(*epsilon >= 0.0 && std::isfinite(*epsilon)))
    return node.error() << "epsilon is " << *epsilon << ", expected a number that is not negative";
  return epsilon;
}

/// 1 / sqrt(sum / count + epsilon)
static FailureOr<Tensor> inverseRoot(Node &node, const Tensor &sum, const Size &count, double epsilon, DataType type) {
  ScalarSize divisor(node, count, type);
  return mapOver(node, along(sum), sum.shape, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value mean = arith::DivFOp::create(b, loc, v[0], divisor.get(b, loc));
    Value raised = arith::AddFOp::create(b, loc, mean, scalarConstant(b, loc, type, epsilon));
    return arith::DivFOp::create(b, loc, scalarConstant(b, loc, type, 1.0), math::SqrtOp::create(b, loc, raised));
  });
}

FailureOr<Moments> attn::onnx::momentsOf(Node &node, const Tensor &input, ArrayRef<int64_t> dims, double epsilon,
                                         DataType type) {
  FailureOr<Tensor> mean = meanOver(node, input, dims, type);
  if (failed(mean))
    return failure();
  FailureOr<Tensor> sum = reduceOver(node, {along(input), alongOthers(*mean, input.rank(), dims)}, input.shape, dims,
                                     Reduction::Sum, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                       Value x = castScalar(b, loc, v[0], computeType(input.type), type);
                                       Value off = arith::SubFOp::create(b, loc, x, v[1]);
                                       return arith::MulFOp::create(b, loc, off, off);
                                     });
  if (failed(sum))
    return failure();
  FailureOr<Tensor> inverse = inverseRoot(node, *sum, countOf(input.shape, dims), epsilon, type);
  if (failed(inverse))
    return failure();
  return Moments{*mean, *inverse};
}

/// 1 / sqrt(mean of squares + epsilon)
static FailureOr<Tensor> inverseRootMeanSquare(Node &node, const Tensor &input, ArrayRef<int64_t> dims, double epsilon,
                                               DataType type) {
  FailureOr<Tensor> sum = reduceOver(node, along(input), input.shape, dims, Reduction::Sum, type,
                                     [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                       Value x = castScalar(b, loc, v[0], computeType(input.type), type);
                                       return arith::MulFOp::create(b, loc, x, x);
                                     });
  if (failed(sum))
    return failure();
  return inverseRoot(node, *sum, countOf(input.shape, dims), epsilon, type);
}

FailureOr<Tensor> attn::onnx::normalize(Node &node, const Tensor &input, ArrayRef<int64_t> dims, const Tensor *mean,
                                        const Tensor &inverse, const Operand *scale, const Operand *shift,
                                        DataType result) {
  SmallVector<Operand> operands = {along(input), alongOthers(inverse, input.rank(), dims)};
  if (mean)
    operands.push_back(alongOthers(*mean, input.rank(), dims));
  if (scale)
    operands.push_back(*scale);
  if (shift)
    operands.push_back(*shift);
  DataType type = inverse.type, stored = computeType(result);
  return mapOver(node, operands, input.shape, result, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    unsigned next = 2;
    // In the widest of the types that meet here.
    auto take = [&](const Operand &operand) {
      return castScalar(b, loc, v[next++], computeType(operand.tensor.type), type);
    };
    Value x = castScalar(b, loc, v[0], computeType(input.type), type);
    if (mean)
      x = arith::SubFOp::create(b, loc, x, v[next++]);
    x = arith::MulFOp::create(b, loc, x, v[1]);
    if (scale)
      x = arith::MulFOp::create(b, loc, x, take(*scale));
    if (shift)
      x = arith::AddFOp::create(b, loc, x, take(*shift));
    return castScalar(b, loc, x, type, stored);
  });
}

//===----------------------------------------------------------------------===//
// The ops with a kernel
//===----------------------------------------------------------------------===//

/// `parameter` as a float32 vector of `size` elements.
static FailureOr<Value> asVector(Node &node, const Tensor &parameter, const Size &size) {
  FailureOr<Tensor> flat = reshape(node, cast(node, parameter, DataType::Float), size);
  if (failed(flat))
    return failure();
  return node.value(*flat);
}

/// attn.layer_norm, or attn.rms_norm where not `centered`, over the last dimensions as one; of type `result`.
static FailureOr<Tensor> normOp(Node &node, const Tensor &input, int64_t axis, const Tensor &scale, const Tensor *shift,
                                double epsilon, bool centered, DataType resultType) {
  ArrayRef<Size> sizes = input.shape;
  Size row = productOf(sizes.drop_front(axis));
  Shape rows(sizes.take_front(axis));
  rows.push_back(row);
  FailureOr<Tensor> x = reshape(node, cast(node, input, DataType::Float), rows);
  if (failed(x))
    return failure();
  FailureOr<Value> gain = asVector(node, scale, row), offset = Value();
  if (shift)
    offset = asVector(node, *shift, row);
  if (failed(gain) || failed(offset))
    return failure();
  Value init = empty(node, rows, DataType::Float);
  OpBuilder &b = node.builder;
  FloatAttr added = b.getF64FloatAttr(epsilon);
  Operation *norm;
  if (centered)
    norm = LayerNormOp::create(b, node.loc, init.getType(), node.value(*x), *gain, *offset, init, added,
                               RowKernelAttr(), ScheduleAttr());
  else
    norm = RMSNormOp::create(b, node.loc, init.getType(), node.value(*x), *gain, init, added, RowKernelAttr(),
                             ScheduleAttr());
  FailureOr<Tensor> result = reshape(node, node.make(norm->getResult(0), DataType::Float, rows), sizes);
  if (failed(result))
    return failure();
  return cast(node, *result, resultType);
}

static bool hasShape(Node &node, const Tensor &parameter, ArrayRef<Size> shape) {
  return parameter.shape.size() == shape.size() &&
         llvm::all_of(llvm::zip_equal(parameter.shape, shape),
                      [&](auto pair) { return node.symbols.equal(std::get<0>(pair), std::get<1>(pair)); });
}

/// Whether a kernel norms `input` from dimension `axis` on: they are for rows of one size and of float32.
static bool hasNormKernel(Node &node, const Tensor &input, int64_t axis, const Tensor &scale, const Tensor *shift) {
  ArrayRef<Size> row = ArrayRef<Size>(input.shape).drop_front(axis);
  bool isStatic = productOf(row).getConstant().value_or(0) > 0;
  bool isVector = isStatic && hasShape(node, scale, row) && (!shift || hasShape(node, *shift, row));
  return isVector && computeType(input.type) == DataType::Float && scale.type != DataType::Double;
}

FailureOr<Tensor> attn::onnx::layerNorm(Node &node, const Tensor &input, int64_t axis, const Tensor &scale,
                                        const Tensor *shift, double epsilon) {
  if (hasNormKernel(node, input, axis, scale, shift))
    return normOp(node, input, axis, scale, shift, epsilon, /*centered=*/true, input.type);
  DataType type = computeType(input.type);
  auto dims = llvm::to_vector(llvm::seq(axis, input.rank()));
  FailureOr<Moments> moments = momentsOf(node, input, dims, epsilon, type);
  if (failed(moments))
    return failure();
  Operand gain = alongLast(scale, input.rank()), offset;
  if (shift)
    offset = alongLast(*shift, input.rank());
  return normalize(node, input, dims, &moments->mean, moments->inverse, &gain, shift ? &offset : nullptr, input.type);
}

/// The norm, and 1 / sqrt(mean of squares + epsilon).
static FailureOr<std::pair<Tensor, Tensor>> rmsNormAndInverse(Node &node, const Tensor &input, int64_t axis,
                                                              const Tensor &scale, double epsilon,
                                                              DataType resultType) {
  auto dims = llvm::to_vector(llvm::seq(axis, input.rank()));
  FailureOr<Tensor> inverse = inverseRootMeanSquare(node, input, dims, epsilon, computeType(input.type));
  if (failed(inverse))
    return failure();
  Operand gain = alongLast(scale, input.rank());
  FailureOr<Tensor> result = normalize(node, input, dims, nullptr, *inverse, &gain, nullptr, resultType);
  if (failed(result))
    return failure();
  return std::pair(*result, *inverse);
}

FailureOr<Tensor> attn::onnx::rmsNorm(Node &node, const Tensor &input, int64_t axis, const Tensor &scale,
                                      double epsilon, DataType resultType) {
  if (hasNormKernel(node, input, axis, scale, /*shift=*/nullptr))
    return normOp(node, input, axis, scale, /*shift=*/nullptr, epsilon, /*centered=*/false, resultType);
  FailureOr<std::pair<Tensor, Tensor>> parts = rmsNormAndInverse(node, input, axis, scale, epsilon, resultType);
  if (failed(parts))
    return failure();
  return parts->first;
}

//===----------------------------------------------------------------------===//
// Importers
//===----------------------------------------------------------------------===//

namespace {
struct NormAttributes {
  int64_t axis;
  double epsilon;
  DataType stash;
};
} // namespace

static FailureOr<NormAttributes> readAttributes(Node &node) {
  FailureOr<int64_t> axis = node.integer("axis", -1), stash = node.integer("stash_type", 1);
  FailureOr<double> epsilon = readEpsilon(node);
  if (failed(axis) || failed(stash) || failed(epsilon) || failed(axis = node.axis(*axis, node.input(0).rank())))
    return failure();
  if (!isFloat(DataType(*stash)))
    return node.error() << "stash_type " << *stash << " is no floating-point type";
  return NormAttributes{*axis, *epsilon, DataType(*stash)};
}

/// Fails where input `i`, if it is given, doesn't broadcast to the input that is normalized.
static LogicalResult expectParameter(Node &node, size_t i, ArrayRef<DataType> types) {
  if (!node.has(i))
    return success();
  const Tensor &input = node.input(0), &parameter = node.input(i);
  if (failed(types.empty() ? node.expectFloat(i) : node.expectType(i, types)))
    return failure();
  FailureOr<Shape> shape = broadcast(node, {input.shape, parameter.shape});
  if (failed(shape))
    return failure();
  return expectEqual(node, *shape, input.shape, "input " + Twine(i) + " must broadcast to input 0");
}

/// Sets output `i` to the statistics with the normalized dimensions as ones.
static LogicalResult setStatistic(Node &node, size_t i, const Tensor &statistic, ArrayRef<int64_t> dims,
                                  DataType type) {
  if (!node.wants(i))
    return success();
  FailureOr<Tensor> shaped =
      reshape(node, cast(node, statistic, type), shapeWithout(node.input(0).shape, dims, /*keep=*/true));
  return node.set(i, shaped);
}

static LogicalResult importLayerNormalization(Node &node) {
  if (failed(node.expectInputs(2, 3)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<NormAttributes> attributes = readAttributes(node);
  if (failed(attributes) || failed(expectParameter(node, 1, {})) || failed(expectParameter(node, 2, {})))
    return failure();
  const Tensor &input = node.input(0), &scale = node.input(1);
  const Tensor *shift = node.has(2) ? &node.input(2) : nullptr;
  auto dims = llvm::to_vector(llvm::seq(attributes->axis, input.rank()));
  if (!node.wants(1) && !node.wants(2)) {
    FailureOr<Tensor> result = layerNorm(node, input, attributes->axis, scale, shift, attributes->epsilon);
    if (failed(result))
      return failure();
    node.set(0, *result);
    return success();
  }
  FailureOr<Moments> moments = momentsOf(node, input, dims, attributes->epsilon, computeType(input.type));
  if (failed(moments))
    return failure();
  Operand gain = alongLast(scale, input.rank()), offset;
  if (shift)
    offset = alongLast(*shift, input.rank());
  FailureOr<Tensor> result =
      normalize(node, input, dims, &moments->mean, moments->inverse, &gain, shift ? &offset : nullptr, input.type);
  if (failed(result) || failed(setStatistic(node, 1, moments->mean, dims, attributes->stash)) ||
      failed(setStatistic(node, 2, moments->inverse, dims, attributes->stash)))
    return failure();
  node.set(0, *result);
  return success();
}

/// Both ONNX's RMSNormalization and the op that onnxruntime writes, which may also give the inverse.
static LogicalResult importRMSNormalization(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<NormAttributes> attributes = readAttributes(node);
  if (failed(attributes) || failed(expectParameter(node, 1, {})))
    return failure();
  const Tensor &input = node.input(0), &scale = node.input(1);
  if (!node.wants(1))
    return node.set(0, rmsNorm(node, input, attributes->axis, scale, attributes->epsilon, scale.type));
  FailureOr<std::pair<Tensor, Tensor>> parts =
      rmsNormAndInverse(node, input, attributes->axis, scale, attributes->epsilon, scale.type);
  if (failed(parts))
    return failure();
  node.set(0, parts->first);
  auto dims = llvm::to_vector(llvm::seq(attributes->axis, input.rank()));
  return setStatistic(node, 1, parts->second, dims, attributes->stash);
}

void attn::onnx::registerNormalizations(Registry &registry) {
  registry.add("LayerNormalization", importLayerNormalization);
  registry.add("RMSNormalization", importRMSNormalization);
  registry.add("SimplifiedLayerNormalization", importRMSNormalization);
}
