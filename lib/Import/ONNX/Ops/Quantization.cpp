//===- Quantization.cpp - To and from integers ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quotients, sums and products are computed in float32.
//
//===----------------------------------------------------------------------===//

#include "Quantization.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static Value toFloat(OpBuilder &b, Location loc, Value scalar, DataType type) {
  return castScalar(b, loc, scalar, computeType(type), DataType::Float);
}

//===----------------------------------------------------------------------===//
// QuantizeLinear, DequantizeLinear
//===----------------------------------------------------------------------===//

namespace {
/// How scales stand to the input: the loops to use, which cut the quantized axis where it is quantized in blocks.
struct Granularity {
  Tensor input; // over the loops
  SmallVector<int64_t> loops;
};
} // namespace

static FailureOr<Granularity> granularityOf(Node &node) {
  FailureOr<int64_t> axis = node.integer("axis", 1), block = node.integer("block_size", 0);
  if (failed(axis) || failed(block))
    return failure();
  const Tensor &input = node.input(0), &scale = node.input(1);
  // One number, with or without a dimension.
  auto isSingle = [](const Tensor &tensor) {
    return tensor.rank() == 0 || (tensor.rank() == 1 && tensor.shape[0].isConstant(1));
  };
  if (node.has(2) && !(isSingle(scale) && isSingle(node.input(2))) &&
      failed(expectEqual(node, scale.shape, node.input(2).shape, "the zero point's shape")))
    return failure();
  if (scale.rank() == 0 || (isSingle(scale) && *block == 0)) {
    // The axis means nothing here; its default is out of range for vectors.
    return Granularity{input, {}};
  }
  FailureOr<int64_t> dim = node.axis(*axis, input.rank());
  if (failed(dim))
    return failure();
  if (*block == 0) {
    if (scale.rank() != 1)
      return node.error() << "the scale has " << scale.rank() << " dimensions, expected at most 1 without block_size";
    if (failed(expectEqual(node, scale.shape[0], input.shape[*dim], "the scale's size")))
      return failure();
    return Granularity{input, {*dim}};
  }
  if (*block < 0 || scale.rank() != input.rank())
    return node.error() << "block_size " << *block << " and a scale of " << scale.rank()
                        << " dimensions for an input of " << input.rank();
  std::optional<Size> blocks = input.shape[*dim].dividedBy(Size(*block));
  if (!blocks)
    return node.unsupported() << "a size of " << node.symbols.toString(input.shape[*dim])
                              << " that is no multiple of block_size " << *block;
  Granularity result;
  Shape cut, expected;
  for (auto [i, size] : llvm::enumerate(input.shape)) {
    result.loops.push_back(cut.size());
    cut.push_back(int64_t(i) == *dim ? *blocks : size);
    expected.push_back(cut.back());
    if (int64_t(i) == *dim)
      cut.push_back(Size(*block));
  }
  FailureOr<Tensor> reshaped = reshape(node, input, cut);
  if (failed(reshaped) || failed(expectEqual(node, scale.shape, expected, "the scale's shape")))
    return failure();
  result.input = *reshaped;
  return result;
}

/// The function of input, scale and zero point (null where there is none), all in float32.
static LogicalResult setScaled(Node &node, DataType result, const Rounding &rounding,
                               llvm::function_ref<Value(OpBuilder &, Location, Value, Value, Value)> body) {
  FailureOr<Granularity> granularity = granularityOf(node);
  if (failed(granularity))
    return failure();
  // A vector of one for an input without dimensions.
  auto parameter = [&](size_t i) -> FailureOr<Operand> {
    Tensor tensor = node.input(i);
    if (tensor.rank() == 1 && tensor.shape[0].isConstant(1)) {
      FailureOr<Tensor> scalar = reshape(node, tensor, {});
      if (failed(scalar))
        return failure();
      return Operand{*scalar, {}};
    }
    return Operand{tensor, granularity->loops};
  };
  SmallVector<Operand> operands = {along(granularity->input)};
  for (size_t i : {1, 2})
    if (node.has(i)) {
      FailureOr<Operand> operand = parameter(i);
      if (failed(operand))
        return failure();
      operands.push_back(*operand);
    }
  FailureOr<Tensor> value =
      mapOver(node, operands, granularity->input.shape, result, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value x = toFloat(b, loc, v[0], operands[0].tensor.type);
        Value scale = toFloat(b, loc, v[1], operands[1].tensor.type);
        Value zero;
        if (operands.size() > 2)
          zero = toFloat(b, loc, v[2], operands[2].tensor.type);
        Value y = body(b, loc, x, scale, zero);
        return castScalar(b, loc, y, DataType::Float, computeType(result), rounding);
      });
  if (succeeded(value))
    value = reshape(node, *value, node.input(0).shape);
  return node.set(0, value);
}

static bool isFloat8Or4(DataType type) {
  return isStorage(type) && type != DataType::Float8E8M0 && !isSmallInteger(type);
}

/// A float32 in the range of an integer of 8 bits or less.
static Value clampTo(OpBuilder &b, Location loc, Value x, DataType type) {
  double count = double(1 << bitsOf(type)), least = isUnsigned(type) ? 0 : -count / 2;
  x = arith::MaximumFOp::create(b, loc, x, scalarConstant(b, loc, DataType::Float, least));
  return arith::MinimumFOp::create(b, loc, x, scalarConstant(b, loc, DataType::Float, least + count - 1));
}

/// The types of quantized numbers. float8e8m0 is one of scales.
static bool isQuantized(DataType type) {
  return isFloat8Or4(type) || isSmallInteger(type) ||
         llvm::is_contained({DataType::UInt8, DataType::Int8, DataType::UInt16, DataType::Int16, DataType::Int32},
                            type);
}

static LogicalResult expectScale(Node &node) {
  return node.expectType(1, {DataType::Float, DataType::Float16, DataType::BFloat16});
}

static LogicalResult importQuantizeLinear(Node &node) {
  if (failed(node.expectInputs(2, 3)) || failed(expectScale(node)) ||
      failed(node.expectType(0, {DataType::Float, DataType::Float16, DataType::BFloat16, DataType::Int32})))
    return failure();
  FailureOr<int64_t> wanted = node.integer("output_dtype", 0), precision = node.integer("precision", 0);
  // An integer saturates in any case.
  FailureOr<int64_t> saturate = node.integer("saturate", 1);
  if (failed(wanted) || failed(precision) || failed(saturate))
    return failure();
  if (*precision != 0 && DataType(*precision) != DataType::Float)
    return node.unsupported() << "division in " << nameOf(DataType(*precision)) << "; precision must be float32";
  DataType type = node.has(2) ? node.input(2).type : *wanted ? DataType(*wanted) : DataType::UInt8;
  if (node.has(2) && *wanted && DataType(*wanted) != type)
    return node.error() << "output_dtype is " << nameOf(DataType(*wanted)) << ", but the zero point is "
                        << nameOf(type);
  if (!isQuantized(type) || type == DataType::Int32)
    return node.unsupported() << "a result of " << nameOf(type);
  Rounding rounding;
  rounding.saturate = *saturate != 0;
  return setScaled(node, type, rounding, [&](OpBuilder &b, Location loc, Value x, Value scale, Value zero) -> Value {
    Value quotient = arith::DivFOp::create(b, loc, x, scale);
    if (!isFloat8Or4(type))
      quotient = math::RoundEvenOp::create(b, loc, quotient);
    if (zero)
      quotient = arith::AddFOp::create(b, loc, quotient, zero);
    return isSmallInteger(type) ? clampTo(b, loc, quotient, type) : quotient;
  });
}

static LogicalResult importDequantizeLinear(Node &node) {
  if (failed(node.expectInputs(2, 3)) || failed(expectScale(node)) || failed(node.expectType(2, node.input(0).type)))
    return failure();
  if (!isQuantized(node.input(0).type))
    return node.unsupported() << "quantized numbers of " << nameOf(node.input(0).type);
  FailureOr<int64_t> wanted = node.integer("output_dtype", 0);
  if (failed(wanted))
    return failure();
  DataType type = *wanted ? DataType(*wanted) : node.input(1).type;
  if (!isFloat(type))
    return node.error() << "output_dtype " << nameOf(type) << " is no floating-point type";
  return setScaled(node, type, {}, [](OpBuilder &b, Location loc, Value x, Value scale, Value zero) -> Value {
    Value off = zero ? arith::SubFOp::create(b, loc, x, zero).getResult() : x;
    return arith::MulFOp::create(b, loc, off, scale);
  });
}

//===----------------------------------------------------------------------===//
// DynamicQuantizeLinear
//===----------------------------------------------------------------------===//

/// The extreme of all elements and 0.
static FailureOr<Tensor> extremeWithZero(Node &node, const Tensor &input, Reduction reduction) {
  auto dims = llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  FailureOr<Tensor> extreme = reduceOver(node, along(input), input.shape, dims, reduction, DataType::Float,
                                         [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  if (failed(extreme))
    return failure();
  return mapOver(node, along(*extreme), {}, DataType::Float, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value zero = scalarConstant(b, loc, DataType::Float, 0.0);
    if (reduction == Reduction::Max)
      return arith::MaximumFOp::create(b, loc, v[0], zero);
    return arith::MinimumFOp::create(b, loc, v[0], zero);
  });
}

FailureOr<Quantized> attn::onnx::quantizeDynamically(Node &node, const Tensor &input) {
  FailureOr<Tensor> most = extremeWithZero(node, input, Reduction::Max);
  FailureOr<Tensor> least = extremeWithZero(node, input, Reduction::Min);
  if (failed(most) || failed(least))
    return failure();
  FailureOr<Tensor> scale = mapOver(
      node, {along(*most), along(*least)}, {}, DataType::Float, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value range = arith::SubFOp::create(b, loc, v[0], v[1]);
        Value zero = scalarConstant(b, loc, DataType::Float, 0.0);
        Value one = scalarConstant(b, loc, DataType::Float, 1.0);
        Value isEmpty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, range, zero);
        range = arith::SelectOp::create(b, loc, isEmpty, one, range);
        return arith::DivFOp::create(b, loc, range, scalarConstant(b, loc, DataType::Float, 255.0));
      });
  if (failed(scale))
    return failure();
  FailureOr<Tensor> zeroPoint = mapOver(
      node, {along(*least), along(*scale)}, {}, DataType::UInt8, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = scalarConstant(b, loc, DataType::Float, 0.0);
        Value quotient = arith::DivFOp::create(b, loc, v[0], v[1]);
        Value point = clampTo(b, loc, arith::SubFOp::create(b, loc, zero, quotient), DataType::UInt8);
        point = math::RoundEvenOp::create(b, loc, point);
        return castScalar(b, loc, point, DataType::Float, DataType::UInt8);
      });
  if (failed(zeroPoint))
    return failure();
  FailureOr<Tensor> result =
      mapOver(node, {along(input), along(*scale), along(*zeroPoint)}, input.shape, DataType::UInt8,
              [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                Value rounded = math::RoundEvenOp::create(b, loc, arith::DivFOp::create(b, loc, v[0], v[1]));
                Value shifted = arith::AddFOp::create(b, loc, rounded, toFloat(b, loc, v[2], DataType::UInt8));
                return castScalar(b, loc, clampTo(b, loc, shifted, DataType::UInt8), DataType::Float, DataType::UInt8);
              });
  if (failed(result))
    return failure();
  return Quantized{*result, *scale, *zeroPoint};
}

static LogicalResult importDynamicQuantizeLinear(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectType(0, DataType::Float)))
    return failure();
  FailureOr<Quantized> result = quantizeDynamically(node, node.input(0));
  if (failed(result))
    return failure();
  node.set(0, result->values);
  node.set(1, result->scale);
  node.set(2, *result->zeroPoint);
  return success();
}

void attn::onnx::registerQuantization(Registry &registry) {
  registry.add("QuantizeLinear", importQuantizeLinear);
  registry.add("DequantizeLinear", importDequantizeLinear);
  registry.add("DynamicQuantizeLinear", importDynamicQuantizeLinear);
  registerIntegerProducts(registry);
  registerBlockQuantized(registry);
}
