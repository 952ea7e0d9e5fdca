//===- IntegerProducts.cpp - Matrix products of 8-bit integers --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums are int32, what they are scaled with is float32. Meanings of com.microsoft's ops are those of onnxruntime's
// documentation, ContribOperators.md.
//
//===----------------------------------------------------------------------===//

#include "MatrixProducts.h"
#include "Quantization.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static constexpr StringLiteral kDomain = "com.microsoft";

LogicalResult attn::onnx::expectBytes(Node &node, size_t i) {
  return node.expectType(i, {DataType::Int8, DataType::UInt8});
}

/// A scale or zero point as an operand of loops over matrices of `shape`: a number, one for each row or column, or a
/// tensor that broadcasts to them.
static FailureOr<Operand> parameterOf(Node &node, const Tensor &parameter, ArrayRef<Size> shape, bool perRow,
                                      const Twine &what) {
  int64_t rank = shape.size();
  if (parameter.rank() == 0 || (parameter.rank() == 1 && parameter.shape[0].isConstant(1))) {
    FailureOr<Tensor> scalar = reshape(node, parameter, {});
    if (failed(scalar))
      return failure();
    return Operand{*scalar, {}};
  }
  if (parameter.rank() == 1) {
    if (rank == 0)
      return node.error() << what.str() << " is a vector, but the factor has no dimensions";
    int64_t dim = rank - (perRow && rank > 1 ? 2 : 1);
    if (failed(expectEqual(node, parameter.shape[0], shape[dim], "the size of " + what)))
      return failure();
    return Operand{parameter, {dim}};
  }
  FailureOr<Shape> all = broadcast(node, {Shape(shape), parameter.shape});
  if (failed(all) || failed(expectEqual(node, *all, shape, what + " must broadcast")))
    return failure();
  return alongLast(parameter, rank);
}

/// `input` as int32 less its zero point.
static FailureOr<Tensor> withoutZeroPoint(Node &node, const Tensor &input, const Tensor *point, bool perRow) {
  if (!point)
    return cast(node, input, DataType::Int32);
  FailureOr<Operand> operand = parameterOf(node, *point, input.shape, perRow,
                                           Twine("the zero point of the ") + (perRow ? "first" : "second") + " factor");
  if (failed(operand))
    return failure();
  return mapOver(node, {along(input), *operand}, input.shape, DataType::Int32,
                 [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                   Value x = castScalar(b, loc, v[0], input.type, DataType::Int32);
                   return arith::SubIOp::create(b, loc, x, castScalar(b, loc, v[1], point->type, DataType::Int32));
                 });
}

FailureOr<Tensor> attn::onnx::integerMatmul(Node &node, const Tensor &a, const Tensor *zeroA, const Tensor &b,
                                            const Tensor *zeroB) {
  FailureOr<Tensor> x = withoutZeroPoint(node, a, zeroA, true), y = withoutZeroPoint(node, b, zeroB, false);
  if (failed(x) || failed(y))
    return failure();
  return matmul(node, *x, *y);
}

static const Tensor *pointer(const std::optional<Tensor> &tensor) { return tensor ? &*tensor : nullptr; }

/// The product of integers times both scales; `finish` gets it in float32 and then the elements of `more`.
static FailureOr<Tensor> scaledMatmul(Node &node, const Quantized &a, const Quantized &b, ArrayRef<Operand> more,
                                      DataType result, ScalarBody finish) {
  FailureOr<Tensor> product = integerMatmul(node, a.values, pointer(a.zeroPoint), b.values, pointer(b.zeroPoint));
  if (failed(product))
    return failure();
  if (product->rank() < 2 && (a.scale.rank() > 1 || b.scale.rank() > 1))
    return node.unsupported() << "scales of matrices for a vector";
  FailureOr<Operand> scaleA = parameterOf(node, a.scale, product->shape, true, "the scale of the first factor");
  FailureOr<Operand> scaleB = parameterOf(node, b.scale, product->shape, false, "the scale of the second factor");
  if (failed(scaleA) || failed(scaleB))
    return failure();
  SmallVector<Operand> operands = {along(*product), *scaleA, *scaleB};
  llvm::append_range(operands, more);
  return mapOver(node, operands, product->shape, result, [&](OpBuilder &builder, Location loc, ValueRange v) -> Value {
    SmallVector<Value> scalars;
    for (auto [scalar, operand] : llvm::zip_equal(v, operands)) {
      DataType type = computeType(operand.tensor.type);
      scalars.push_back(castScalar(builder, loc, scalar, type, DataType::Float));
    }
    Value factor = arith::MulFOp::create(builder, loc, scalars[1], scalars[2]);
    SmallVector<Value> rest = {arith::MulFOp::create(builder, loc, scalars[0], factor)};
    rest.append(scalars.begin() + 3, scalars.end());
    return finish(builder, loc, rest);
  });
}

FailureOr<Tensor> attn::onnx::quantizedMatmul(Node &node, const Quantized &a, const Quantized &b, const Tensor *bias) {
  SmallVector<Operand> more;
  if (bias) {
    const Size &columns = b.values.rank() ? b.values.shape.back() : Size(1);
    if (bias->rank() != 1 || b.values.rank() < 2)
      return node.error() << "a bias of " << bias->rank() << " dimensions for a second factor of " << b.values.rank()
                          << ", expected 1 and at least 2";
    if (failed(expectEqual(node, bias->shape[0], columns, "the size of the bias")))
      return failure();
    int64_t rank = a.values.rank() == 1 ? b.values.rank() - 1 : std::max(a.values.rank(), b.values.rank());
    more.push_back(Operand{*bias, {rank - 1}});
  }
  return scaledMatmul(node, a, b, more, DataType::Float, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return v.size() > 1 ? arith::AddFOp::create(b, loc, v[0], v[1]).getResult() : v[0];
  });
}

static std::optional<Tensor> optionalInput(Node &node, size_t i) {
  return node.has(i) ? std::optional(node.input(i)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Importers
//===----------------------------------------------------------------------===//

static LogicalResult importMatMulInteger(Node &node) {
  if (failed(node.expectInputs(2, 4)))
    return failure();
  for (size_t i : {0, 1})
    if (failed(expectBytes(node, i)) || failed(node.expectType(i + 2, node.input(i).type)))
      return failure();
  FailureOr<Tensor> result = integerMatmul(node, node.input(0), node.has(2) ? &node.input(2) : nullptr, node.input(1),
                                           node.has(3) ? &node.input(3) : nullptr);
  return node.set(0, result);
}

/// The product of dequantized matrices, quantized: rounded to even, saturated.
static LogicalResult importQLinearMatMul(Node &node) {
  enum { A, ScaleA, ZeroA, B, ScaleB, ZeroB, Scale, Zero };
  if (failed(node.expectInputs(8, 8)) || failed(expectBytes(node, A)) || failed(expectBytes(node, B)) ||
      failed(expectBytes(node, Zero)) || failed(node.expectType(ZeroA, node.input(A).type)) ||
      failed(node.expectType(ZeroB, node.input(B).type)))
    return failure();
  for (size_t i : {ScaleA, ScaleB, Scale})
    if (failed(node.expectType(i, {DataType::Float, DataType::Float16, DataType::BFloat16})))
      return failure();
  SmallVector<Operand> more;
  for (size_t i : {Scale, Zero}) {
    const Tensor &tensor = node.input(i);
    if (tensor.rank() > 1 || (tensor.rank() == 1 && !tensor.shape[0].isConstant(1)))
      return node.unsupported() << "scales and zero points of the result by rows; they must be one number";
    FailureOr<Tensor> scalar = reshape(node, tensor, {});
    if (failed(scalar))
      return failure();
    more.push_back(Operand{*scalar, {}});
  }
  FailureOr<Tensor> result =
      scaledMatmul(node, {node.input(A), node.input(ScaleA), node.input(ZeroA)},
                   {node.input(B), node.input(ScaleB), node.input(ZeroB)}, more, DataType::Float,
                   [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                     Value rounded = math::RoundEvenOp::create(b, loc, arith::DivFOp::create(b, loc, v[0], v[1]));
                     return arith::AddFOp::create(b, loc, rounded, v[2]);
                   });
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, node.input(Zero).type));
  return success();
}

static LogicalResult importMatMulIntegerToFloat(Node &node) {
  enum { A, B, ScaleA, ScaleB, ZeroA, ZeroB, Bias };
  if (failed(node.expectInputs(4, 7)) || failed(expectBytes(node, A)) || failed(expectBytes(node, B)) ||
      failed(node.expectType(ZeroA, node.input(A).type)) || failed(node.expectType(ZeroB, node.input(B).type)))
    return failure();
  for (size_t i : {ScaleA, ScaleB, Bias})
    if (failed(node.expectType(i, {DataType::Float, DataType::Float16})))
      return failure();
  FailureOr<Tensor> result = quantizedMatmul(node, {node.input(A), node.input(ScaleA), optionalInput(node, ZeroA)},
                                             {node.input(B), node.input(ScaleB), optionalInput(node, ZeroB)},
                                             node.has(Bias) ? &node.input(Bias) : nullptr);
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, node.input(ScaleA).type));
  return success();
}

static LogicalResult importDynamicQuantizeMatMul(Node &node) {
  enum { A, B, ScaleB, ZeroB, Bias };
  if (failed(node.expectInputs(3, 5)) || failed(node.expectType(A, DataType::Float)) || failed(expectBytes(node, B)) ||
      failed(node.expectType(ScaleB, DataType::Float)) || failed(node.expectType(ZeroB, node.input(B).type)) ||
      failed(node.expectType(Bias, DataType::Float)))
    return failure();
  FailureOr<Quantized> a = quantizeDynamically(node, node.input(A));
  if (failed(a))
    return failure();
  FailureOr<Tensor> result = quantizedMatmul(node, *a, {node.input(B), node.input(ScaleB), optionalInput(node, ZeroB)},
                                             node.has(Bias) ? &node.input(Bias) : nullptr);
  return node.set(0, result);
}

void attn::onnx::registerIntegerProducts(Registry &registry) {
  registry.add("MatMulInteger", importMatMulInteger);
  registry.add("QLinearMatMul", importQLinearMatMul);
  registry.add("MatMulIntegerToFloat", importMatMulIntegerToFloat, 1, kDomain);
  registry.add("DynamicQuantizeMatMul", importDynamicQuantizeMatMul, 1, kDomain);
}
