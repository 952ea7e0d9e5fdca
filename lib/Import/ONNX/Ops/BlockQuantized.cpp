//===- BlockQuantized.cpp - Weights of 2, 4 and 8 bits in blocks -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MatMulNBits as onnxruntime's documentation, ContribOperators.md, says. Weights stay packed in the library; they are
// unpacked when the op runs.
//
//===----------------------------------------------------------------------===//

#include "../Packing.h"
#include "MatrixProducts.h"
#include "Quantization.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

static constexpr StringLiteral kDomain = "com.microsoft";

namespace {
enum { A, Packed, Scales, ZeroPoints, Groups, Bias };

struct Attributes {
  int64_t rows, columns, bits, block; ///< the weight is [columns, rows], quantized along rows
  int64_t blocks() const { return llvm::divideCeil(rows, block); }
  int64_t perByte() const { return 8 / bits; }
};
} // namespace

static FailureOr<Attributes> readAttributes(Node &node) {
  FailureOr<int64_t> rows = node.integer("K"), columns = node.integer("N"), bits = node.integer("bits", 4),
                     block = node.integer("block_size"), prepacked = node.integer("weight_prepacked", 0);
  // How exact a kernel may be: ours is float32.
  FailureOr<int64_t> accuracy = node.integer("accuracy_level", 0);
  if (failed(rows) || failed(columns) || failed(bits) || failed(block) || failed(prepacked) || failed(accuracy))
    return failure();
  constexpr int64_t kMost = int64_t(1) << 31;
  if (*rows < 1 || *columns < 1 || *rows > kMost || *columns > kMost)
    return node.error() << "K is " << *rows << " and N " << *columns << ", expected 1 to 2^31";
  if (*bits != 2 && *bits != 4 && *bits != 8)
    return node.unsupported() << "weights of " << *bits << " bits, only 2, 4 and 8 are; quantize the model again";
  if (*block < 16 || *block > kMost || !llvm::isPowerOf2_64(*block))
    return node.error() << "block_size is " << *block << ", expected a power of 2 that is at least 16";
  if (*prepacked != 0)
    return node.unsupported() << "weights laid out for a kernel of onnxruntime (weight_prepacked is " << *prepacked
                              << "); export the model without";
  return Attributes{*rows, *columns, *bits, *block};
}

/// Input `i`, which may have lost dimensions, in the shape it should have.
static FailureOr<Tensor> inShape(Node &node, size_t i, StringRef name, ArrayRef<int64_t> sizes) {
  Size count(1), given(1);
  Shape shape;
  for (int64_t size : sizes) {
    shape.push_back(Size(size));
    count = count * Size(size);
  }
  for (const Size &size : node.input(i).shape)
    given = given * size;
  if (failed(expectEqual(node, given, count, "the number of elements of " + name)))
    return failure();
  return reshape(node, node.input(i), shape);
}

/// [.., bytes] as [.., bytes, numbers in a byte].
static Tensor unpackNumbers(Node &node, const Tensor &packed, int64_t bits) {
  return bits == 8 ? packed : unpackBytes(node, packed, bits == 4 ? DataType::UInt4 : DataType::UInt2);
}

/// The zero points, [columns, blocks] once those are cut off that only fill a byte.
static FailureOr<Tensor> readZeroPoints(Node &node, const Attributes &given) {
  int64_t blocks = given.blocks();
  if (node.input(ZeroPoints).type != DataType::UInt8)
    return inShape(node, ZeroPoints, "zero_points", {given.columns, blocks});
  int64_t bytes = llvm::divideCeil(blocks, given.perByte());
  FailureOr<Tensor> packed = inShape(node, ZeroPoints, "zero_points", {given.columns, bytes});
  if (failed(packed))
    return failure();
  FailureOr<Tensor> all =
      reshape(node, unpackNumbers(node, *packed, given.bits), {Size(given.columns), Size(bytes * given.perByte())});
  if (failed(all))
    return failure();
  return slice(node, *all, 1, Size(0), Size(blocks));
}

/// The weight, [columns, rows] in float32.
static FailureOr<Tensor> dequantize(Node &node, const Attributes &given) {
  int64_t blocks = given.blocks();
  FailureOr<Tensor> packed = inShape(node, Packed, "B", {given.columns, blocks, given.block / given.perByte()});
  FailureOr<Tensor> scales = inShape(node, Scales, "scales", {given.columns, blocks});
  if (failed(packed) || failed(scales))
    return failure();
  Shape cut = {Size(given.columns), Size(blocks), Size(given.block)};
  FailureOr<Tensor> numbers = reshape(node, unpackNumbers(node, *packed, given.bits), cut);
  if (failed(numbers))
    return failure();
  SmallVector<Operand> operands = {along(*numbers), Operand{*scales, {0, 1}}};
  if (node.has(ZeroPoints)) {
    FailureOr<Tensor> points = readZeroPoints(node, given);
    if (failed(points))
      return failure();
    operands.push_back(Operand{*points, {0, 1}});
  }
  FailureOr<Tensor> result =
      mapOver(node, operands, cut, DataType::Float, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value number = castScalar(b, loc, v[0], numbers->type, DataType::Float);
        Value point = v.size() > 2 ? castScalar(b, loc, v[2], computeType(operands[2].tensor.type), DataType::Float)
                                   : scalarConstant(b, loc, DataType::Float, double(1 << (given.bits - 1)));
        return arith::MulFOp::create(b, loc, arith::SubFOp::create(b, loc, number, point), v[1]);
      });
  if (succeeded(result))
    result = reshape(node, *result, {Size(given.columns), Size(blocks * given.block)});
  if (failed(result))
    return failure();
  return slice(node, *result, 1, Size(0), Size(given.rows));
}

static LogicalResult importMatMulNBits(Node &node) {
  FailureOr<Attributes> given = readAttributes(node);
  if (failed(given) || failed(node.expectInputs(3, 6)) || failed(node.expectType(Packed, DataType::UInt8)))
    return failure();
  const Tensor &a = node.input(A);
  if (failed(node.expectType(A, {DataType::Float, DataType::Float16, DataType::BFloat16})) ||
      failed(node.expectType(Scales, a.type)) || failed(node.expectType(ZeroPoints, {DataType::UInt8, a.type})) ||
      failed(node.expectType(Bias, a.type)))
    return failure();
  if (node.has(Groups))
    return node.unsupported() << "the input 'g_idx', which is deprecated; order the rows of the weight by groups";
  if (a.rank() < 1)
    return node.error() << "A has no dimensions, expected at least 1";
  if (failed(expectEqual(node, a.shape.back(), Size(given->rows), "A's last dimension, and K")))
    return failure();
  FailureOr<Tensor> weight = dequantize(node, *given);
  if (failed(weight))
    return failure();
  FailureOr<Tensor> result = matmul(node, cast(node, a, DataType::Float), *weight, false, true);
  if (failed(result))
    return failure();
  if (node.has(Bias)) {
    FailureOr<Tensor> bias = inShape(node, Bias, "bias", {given->columns});
    if (failed(bias))
      return failure();
    result =
        elementwise(node, {*result, *bias}, DataType::Float, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          return arith::AddFOp::create(b, loc, v[0], v[1]);
        });
    if (failed(result))
      return failure();
  }
  node.set(0, cast(node, *result, a.type));
  return success();
}

void attn::onnx::registerBlockQuantized(Registry &registry) {
  registry.add("MatMulNBits", importMatMulNBits, 1, kDomain);
}
