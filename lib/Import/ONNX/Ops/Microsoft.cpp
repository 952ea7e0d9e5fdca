//===- Microsoft.cpp - Fused ops of com.microsoft ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What onnxruntime's optimizer writes in place of several nodes, but for attention. Meanings are those of its
// documentation, ContribOperators.md.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "MatrixProducts.h"
#include "Normalizations.h"
#include "attn/Dialect/Attn/IR/Attn.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static constexpr StringLiteral kDomain = "com.microsoft";
/// The default of the norms' epsilon.
static constexpr double kEpsilon = 1e-12f;

/// Each of these inputs that is given has floats, which may be of different types.
static LogicalResult expectAnyFloats(Node &node, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i)
    if (node.has(i) && failed(node.expectType(i, {DataType::Float, DataType::Float16, DataType::BFloat16})))
      return failure();
  return success();
}

/// Fails where input `i` is given and is no vector of `size` elements.
static LogicalResult expectVector(Node &node, size_t i, const Size &size) {
  if (!node.has(i))
    return success();
  if (node.input(i).rank() != 1)
    return node.error() << "input " << i << " has " << node.input(i).rank() << " dimensions, expected 1";
  return expectEqual(node, node.input(i).shape[0], size, "the size of input " + Twine(i));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// gelu(x) or gelu(x + bias)
template <bool approximate, size_t least, size_t most>
static LogicalResult importGelu(Node &node) {
  if (failed(node.expectInputs(least, most)) || failed(expectAnyFloats(node, 0, most)))
    return failure();
  const Tensor &input = node.input(0);
  SmallVector<Tensor> inputs = {input};
  if (node.has(1)) {
    if (input.rank() == 0)
      return node.error() << "the input has no dimensions, expected at least 1 for a bias";
    if (failed(node.expectType(1, input.type)) || failed(expectVector(node, 1, input.shape.back())))
      return failure();
    inputs.push_back(node.input(1));
  }
  return setElementwise(node, inputs, input.type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value x = v.size() > 1 ? arith::AddFOp::create(b, loc, v[0], v[1]).getResult() : v[0];
    return GeluOp::create(b, loc, x, approximate);
  });
}

/// x * sigmoid(alpha * x)
static LogicalResult importQuickGelu(Node &node) {
  FailureOr<double> alpha = node.real("alpha", 1.702f);
  if (failed(alpha) || failed(node.expectInputs(1, 1)) || failed(expectAnyFloats(node, 0, 1)))
    return failure();
  return setElementwise(node, node.input(0), node.input(0).type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, DataType::Float);
    return s.mul(v[0], s.sigmoid(s.mul(s.constant(*alpha), v[0])));
  });
}

//===----------------------------------------------------------------------===//
// FusedMatMul
//===----------------------------------------------------------------------===//

/// [m, batch..., k] as [batch..., m, k]
static Tensor transposeBatch(Node &node, const Tensor &tensor) {
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(1, tensor.rank() - 1));
  permutation.push_back(0);
  permutation.push_back(tensor.rank() - 1);
  return transpose(node, tensor, permutation);
}

static LogicalResult importFusedMatMul(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(node.expectFloat(0)) || failed(node.expectType(1, node.input(0).type)))
    return failure();
  FailureOr<double> alpha = node.real("alpha", 1.0);
  if (failed(alpha))
    return failure();
  Tensor factors[2];
  bool transposed[2];
  for (size_t i : {0, 1}) {
    FailureOr<int64_t> rows = node.integer(i == 0 ? "transA" : "transB", 0);
    FailureOr<int64_t> batch = node.integer(i == 0 ? "transBatchA" : "transBatchB", 0);
    if (failed(rows) || failed(batch))
      return failure();
    factors[i] = node.input(i);
    // Of a vector nothing is transposed.
    transposed[i] = *rows != 0 && factors[i].rank() > 1;
    if (*batch && factors[i].rank() > 2)
      factors[i] = transposeBatch(node, factors[i]);
  }
  DataType type = factors[0].type;
  FailureOr<Tensor> result = matmul(node, factors[0], factors[1], transposed[0], transposed[1]);
  if (failed(result))
    return failure();
  if (*alpha == 1.0) {
    node.set(0, cast(node, *result, type));
    return success();
  }
  result = mapOver(node, along(*result), result->shape, type, [&](OpBuilder &b, Location loc, ValueRange v) {
    return multiply(b, loc, computeType(type), v[0], scalarConstant(b, loc, computeType(type), *alpha));
  });
  return node.set(0, result);
}

//===----------------------------------------------------------------------===//
// Norms of sums
//===----------------------------------------------------------------------===//

/// The sum of `terms`, which broadcast to the first one, in float32.
static FailureOr<Tensor> sumOf(Node &node, ArrayRef<Tensor> terms) {
  SmallVector<Shape> shapes;
  for (const Tensor &term : terms)
    shapes.push_back(term.shape);
  FailureOr<Shape> shape = broadcast(node, shapes);
  if (failed(shape) ||
      failed(expectEqual(node, *shape, terms.front().shape, "what is added must not enlarge the input")))
    return failure();
  return elementwise(node, terms, DataType::Float, [](OpBuilder &b, Location loc, ValueRange v) {
    Value sum = v[0];
    for (Value term : v.drop_front())
      sum = arith::AddFOp::create(b, loc, sum, term);
    return sum;
  });
}

/// Norms input + skip (+ bias). `simplified` is by the root mean square alone, without a shift.
template <bool simplified>
static LogicalResult importSkipNorm(Node &node) {
  size_t biasAt = simplified ? 3 : 4;
  if (failed(node.expectInputs(3, biasAt + 1)) || failed(expectAnyFloats(node, 0, biasAt + 1)))
    return failure();
  FailureOr<double> epsilon = readEpsilon(node, kEpsilon);
  if (failed(epsilon))
    return failure();
  const Tensor &input = node.input(0);
  if (input.rank() < 2)
    return node.error() << "the input has " << input.rank() << " dimensions, expected at least 2";
  for (size_t i = 2; i <= biasAt; ++i)
    if (failed(expectVector(node, i, input.shape.back())))
      return failure();
  SmallVector<Tensor> terms = {input, node.input(1)};
  if (node.has(biasAt))
    terms.push_back(node.input(biasAt));
  FailureOr<Tensor> sum = sumOf(node, terms);
  if (failed(sum))
    return failure();
  const Tensor *shift = !simplified && node.has(3) ? &node.input(3) : nullptr;
  FailureOr<Tensor> result = simplified ? rmsNorm(node, *sum, sum->rank() - 1, node.input(2), *epsilon, sum->type)
                                        : layerNorm(node, *sum, sum->rank() - 1, node.input(2), shift, *epsilon);
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, input.type));
  if (node.wants(3))
    node.set(3, cast(node, *sum, input.type));
  return success();
}

//===----------------------------------------------------------------------===//
// EmbedLayerNormalization
//===----------------------------------------------------------------------===//

namespace {
/// Its inputs.
enum : size_t { InputIds, SegmentIds, Words, Positions, Segments, Gamma, Beta, Mask, PositionIds, NumInputs };
} // namespace

/// Fails where input `i`, if given, isn't int32 of the shape of the input ids; a first dimension of 1 is repeated.
static LogicalResult expectIndices(Node &node, size_t i) {
  if (!node.has(i))
    return success();
  if (failed(node.expectType(i, {DataType::Int32, DataType::Int64})))
    return failure();
  const Tensor &tensor = node.input(i);
  if (tensor.rank() != 2)
    return node.error() << "input " << i << " has " << tensor.rank() << " dimensions, expected batch and sequence";
  FailureOr<Shape> shape = broadcast(node, {node.input(InputIds).shape, tensor.shape});
  if (failed(shape))
    return failure();
  return expectEqual(node, *shape, node.input(InputIds).shape, "the shape of input " + Twine(i));
}

static LogicalResult expectTable(Node &node, size_t i) {
  if (!node.has(i))
    return success();
  if (node.input(i).rank() != 2)
    return node.error() << "input " << i << " has " << node.input(i).rank() << " dimensions, expected 2";
  return expectEqual(node, node.input(i).shape[1], node.input(Words).shape[1], "the width of input " + Twine(i));
}

/// The sum of the rows that the indices name.
static FailureOr<Tensor> lookUp(Node &node) {
  SmallVector<Value> tables, indices;
  Value positions;
  auto add = [&](size_t table, size_t index) -> LogicalResult {
    FailureOr<Tensor> ids = broadcastTo(node, node.input(index), node.input(InputIds).shape);
    if (failed(ids))
      return failure();
    tables.push_back(node.value(cast(node, node.input(table), DataType::Float)));
    indices.push_back(node.value(*ids));
    return success();
  };
  if (failed(add(Words, InputIds)) || (node.has(Segments) && node.has(SegmentIds) && failed(add(Segments, SegmentIds))))
    return failure();
  if (!node.has(PositionIds))
    positions = node.value(cast(node, node.input(Positions), DataType::Float));
  else if (failed(add(Positions, PositionIds)))
    return failure();
  Shape shape(node.input(InputIds).shape);
  shape.push_back(node.input(Words).shape[1]);
  Value init = empty(node, shape, DataType::Float);
  auto op = EmbeddingOp::create(node.builder, node.loc, init.getType(), indices, tables, positions, init,
                                RowKernelAttr(), ScheduleAttr());
  return node.make(op.getResult(0), DataType::Float, shape);
}

/// How many positions of each row are not masked; zeros without a mask.
static FailureOr<Tensor> countMask(Node &node) {
  Size batch = node.input(InputIds).shape[0];
  if (!node.has(Mask))
    return node.make(filled(node, batch, DataType::Int32, 0), DataType::Int32, {batch});
  FailureOr<Tensor> mask = broadcastTo(node, node.input(Mask), node.input(InputIds).shape);
  if (failed(mask))
    return failure();
  return reduceOver(node, along(*mask), mask->shape, int64_t(1), Reduction::Sum, DataType::Int32,
                    [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                      Value one = scalarConstant(b, loc, mask->type, 1);
                      Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, v[0], one);
                      return arith::ExtUIOp::create(b, loc, b.getI32Type(), isOne);
                    });
}

static LogicalResult importEmbedLayerNormalization(Node &node) {
  if (failed(node.expectInputs(0, NumInputs)) || failed(expectAnyFloats(node, Words, Mask)))
    return failure();
  for (size_t i : {InputIds, Words, Positions, Gamma, Beta})
    if (!node.has(i))
      return node.error() << "input " << i << " is missing";
  FailureOr<double> epsilon = readEpsilon(node, kEpsilon);
  FailureOr<int64_t> maskIndexType = node.integer("mask_index_type", 0);
  if (failed(epsilon) || failed(maskIndexType))
    return failure();
  if (*maskIndexType != 0)
    return node.unsupported() << "mask_index_type " << *maskIndexType;
  for (size_t i : {InputIds, SegmentIds, Mask, PositionIds})
    if (failed(expectIndices(node, i)))
      return failure();
  for (size_t i : {Words, Positions, Segments})
    if (failed(expectTable(node, i)))
      return failure();
  const Tensor &words = node.input(Words);
  for (size_t i : {Gamma, Beta})
    if (failed(expectVector(node, i, words.shape[1])))
      return failure();
  if (!words.shape[1].getConstant())
    return node.unsupported() << "tables of width " << node.symbols.toString(words.shape[1]) << "; it must be a number";
  FailureOr<Tensor> sum = lookUp(node);
  if (failed(sum))
    return failure();
  FailureOr<Tensor> result = layerNorm(node, *sum, 2, node.input(Gamma), &node.input(Beta), *epsilon);
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, words.type));
  if (node.wants(1)) {
    FailureOr<Tensor> counts = countMask(node);
    if (failed(counts))
      return failure();
    node.set(1, *counts);
  }
  if (node.wants(2))
    node.set(2, cast(node, *sum, words.type));
  return success();
}

void attn::onnx::registerMicrosoft(Registry &registry) {
  registry.add("Gelu", importGelu<false, 1, 1>, 1, kDomain);
  registry.add("BiasGelu", importGelu<false, 2, 2>, 1, kDomain);
  registry.add("FastGelu", importGelu<true, 1, 2>, 1, kDomain);
  registry.add("QuickGelu", importQuickGelu, 1, kDomain);
  registry.add("FusedMatMul", importFusedMatMul, 1, kDomain);
  registry.add("TransposeMatMul", importFusedMatMul, 1, kDomain);
  registry.add("SkipLayerNormalization", importSkipNorm<false>, 1, kDomain);
  registry.add("SkipSimplifiedLayerNormalization", importSkipNorm<true>, 1, kDomain);
  registry.add("EmbedLayerNormalization", importEmbedLayerNormalization, 1, kDomain);
}
