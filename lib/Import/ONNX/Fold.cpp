//===- Fold.cpp - What is known of small tensors ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fold.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

//===----------------------------------------------------------------------===//
// Order of sizes
//===----------------------------------------------------------------------===//

bool attn::onnx::isAtLeast(const Symbols &symbols, const Size &size, int64_t bound) {
  std::optional<int64_t> least = symbols.leastOf(size);
  return least && *least >= bound;
}

bool attn::onnx::isAtMost(const Symbols &symbols, const Size &size, int64_t bound) {
  return isAtLeast(symbols, Size(bound) - size, 0);
}

template <typename OpTy>
static std::optional<Size> derive(Node &node, const Size &a, const Size &b) {
  if (!isAtLeast(node.symbols, a, 0) || !isAtLeast(node.symbols, b, 0))
    return std::nullopt;
  return node.derived(OpTy::create(node.builder, node.loc, node.index(a), node.index(b)));
}

std::optional<Size> attn::onnx::minimum(Node &node, const Size &a, const Size &b) {
  if (isAtMost(node.symbols, a - b, 0))
    return a;
  if (isAtLeast(node.symbols, a - b, 0))
    return b;
  return derive<arith::MinSIOp>(node, a, b);
}

std::optional<Size> attn::onnx::maximum(Node &node, const Size &a, const Size &b) {
  if (isAtLeast(node.symbols, a - b, 0))
    return a;
  if (isAtMost(node.symbols, a - b, 0))
    return b;
  return derive<arith::MaxSIOp>(node, a, b);
}

Size attn::onnx::notNegative(Node &node, const Size &size) {
  if (isAtLeast(node.symbols, size, 0) || !size.isValid())
    return size;
  if (isAtMost(node.symbols, size, 0))
    return Size(0);
  return node.derived(arith::MaxSIOp::create(node.builder, node.loc, node.index(size), node.index(Size(0))));
}

std::optional<Size> attn::onnx::quotient(Node &node, const Size &a, const Size &b) {
  std::optional<int64_t> x = a.getConstant(), y = b.getConstant();
  if (!a.isValid() || !b.isValid() || (y && *y == 0))
    return std::nullopt;
  if (x && y)
    return *x == std::numeric_limits<int64_t>::min() && *y == -1 ? std::nullopt : std::optional(Size(*x / *y));
  if (std::optional<Size> known = node.symbols.quotient(node.builder, a, b))
    return known;
  if (!isAtLeast(node.symbols, a, 0) || !isAtLeast(node.symbols, b, 0))
    return std::nullopt;
  // A divisor that may be 0 must not trap.
  Value divisor = node.index(b);
  if (!isAtLeast(node.symbols, b, 1))
    divisor = arith::MaxSIOp::create(node.builder, node.loc, divisor, node.index(Size(1)));
  return node.derived(arith::DivUIOp::create(node.builder, node.loc, node.index(a), divisor));
}

Size attn::onnx::truth(Node &node, Value condition) {
  return node.derived(arith::IndexCastUIOp::create(node.builder, node.loc, node.builder.getIndexType(), condition));
}

std::optional<Size> attn::onnx::choose(Node &node, const Size &condition, const Size &a, const Size &b) {
  if (std::optional<int64_t> known = condition.getConstant())
    return *known ? a : b;
  if (node.symbols.equal(a, b))
    return a;
  if (!isAtLeast(node.symbols, a, 0) || !isAtLeast(node.symbols, b, 0))
    return std::nullopt;
  Value isFirst = arith::CmpIOp::create(node.builder, node.loc, arith::CmpIPredicate::ne, node.index(condition),
                                        node.index(Size(0)));
  return node.derived(arith::SelectOp::create(node.builder, node.loc, isFirst, node.index(a), node.index(b)));
}

bool attn::onnx::fits(const Size &size, DataType type) {
  if (!size.isValid())
    return false;
  std::optional<int64_t> constant = size.getConstant();
  if (!constant)
    return type == DataType::Int64 || type == DataType::Int32 || type == DataType::Bool;
  switch (type) {
  case DataType::Bool:
    return *constant == 0 || *constant == 1;
  case DataType::Int8:
    return llvm::isInt<8>(*constant);
  case DataType::Int16:
    return llvm::isInt<16>(*constant);
  case DataType::Int32:
    return llvm::isInt<32>(*constant);
  case DataType::Int64:
    return true;
  case DataType::UInt8:
    return llvm::isUInt<8>(*constant);
  case DataType::UInt16:
    return llvm::isUInt<16>(*constant);
  case DataType::UInt32:
    return llvm::isUInt<32>(*constant);
  case DataType::UInt64:
    return *constant >= 0;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Elementwise functions
//===----------------------------------------------------------------------===//

/// The sizes of all shapes, broadcast; none where they aren't numbers, don't fit, or have too many elements.
static std::optional<SmallVector<int64_t>> commonShape(ArrayRef<Tensor> inputs) {
  size_t rank = 0;
  for (const Tensor &input : inputs)
    rank = std::max(rank, input.shape.size());
  SmallVector<int64_t> common(rank, 1);
  for (const Tensor &input : inputs)
    for (auto [i, size] : llvm::enumerate(input.shape)) {
      std::optional<int64_t> constant = size.getConstant();
      int64_t &sum = common[rank - input.shape.size() + i];
      if (!constant || (*constant != 1 && sum != 1 && *constant != sum))
        return std::nullopt;
      if (*constant != 1)
        sum = *constant;
    }
  int64_t count = 1;
  for (int64_t size : common)
    if (llvm::MulOverflow(count, size, count) || count > kMostKnown)
      return std::nullopt;
  return common;
}

/// Where the element at row-major position `i` of `common` stands in a tensor of the shape.
static int64_t positionIn(ArrayRef<Size> shape, ArrayRef<int64_t> common, int64_t i) {
  int64_t position = 0, stride = 1;
  for (int64_t k = int64_t(common.size()) - 1, skipped = int64_t(common.size() - shape.size()); k >= skipped; --k) {
    int64_t size = *shape[k - skipped].getConstant();
    position += size == 1 ? 0 : (i % common[k]) * stride;
    stride *= size;
    i /= common[k];
  }
  return position;
}

static int64_t countOf(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::optional<Tensor> attn::onnx::foldElements(Node &node, ArrayRef<Tensor> inputs, DataType result,
                                               SizeFunction function) {
  for (const Tensor &input : inputs)
    if (!input.elements)
      return std::nullopt;
  std::optional<SmallVector<int64_t>> common = commonShape(inputs);
  if (!common)
    return std::nullopt;
  SmallVector<Size> values;
  for (int64_t i = 0, e = countOf(*common); i < e; ++i) {
    SmallVector<Size> arguments;
    for (const Tensor &input : inputs) {
      arguments.push_back((*input.elements)[positionIn(input.shape, *common, i)]);
      if (!arguments.back().isValid())
        return std::nullopt;
    }
    std::optional<Size> value = function(arguments);
    if (!value || !fits(*value, result))
      return std::nullopt;
    values.push_back(std::move(*value));
  }
  return integers(values, Shape(common->begin(), common->end()), result);
}

/// What the ops of `block` compute of constants; null where one of them doesn't fold.
static Attribute evaluate(Block &block, Value result) {
  DenseMap<Value, Attribute> values;
  for (Operation &op : block) {
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    if (op.getNumResults() != 1)
      return {};
    SmallVector<OpFoldResult> folded;
    Attribute value;
    if (matchPattern(&op, m_Constant(&value))) {
      values[op.getResult(0)] = value;
      continue;
    }
    if (failed(op.fold(operands, folded)) || folded.size() != 1)
      return {};
    value = llvm::dyn_cast_if_present<Attribute>(folded.front());
    if (auto forwarded = llvm::dyn_cast_if_present<Value>(folded.front()))
      value = values.lookup(forwarded);
    if (!value)
      return {};
    values[op.getResult(0)] = value;
  }
  return values.lookup(result);
}

std::optional<Tensor> attn::onnx::foldConstants(Node &node, ArrayRef<Tensor> inputs, DataType result, ScalarBody body) {
  SmallVector<DenseElementsAttr> constants;
  for (const Tensor &input : inputs) {
    // Values that are computed are there for a reason.
    if (input.value && !input.weight && !input.elements)
      return std::nullopt;
    constants.push_back(denseOf(node, input));
    if (!constants.back())
      return std::nullopt;
  }
  std::optional<SmallVector<int64_t>> common = commonShape(inputs);
  Type element = node.elementType(result);
  if (!common || !element)
    return std::nullopt;
  SmallVector<Attribute> values;
  for (int64_t i = 0, e = countOf(*common); i < e; ++i) {
    Block block;
    OpBuilder b(node.builder.getContext()); // the block is in no region that could tell it
    b.setInsertionPointToEnd(&block);
    SmallVector<Value> arguments;
    for (auto [input, constant] : llvm::zip(inputs, constants)) {
      auto value = llvm::cast<TypedAttr>(constant.getValues<Attribute>()[positionIn(input.shape, *common, i)]);
      Value scalar = arith::ConstantOp::create(b, node.loc, value);
      arguments.push_back(castScalar(b, node.loc, scalar, input.type, computeType(input.type)));
    }
    Value scalar = castScalar(b, node.loc, body(b, node.loc, arguments), computeType(result), result);
    Attribute value = evaluate(block, scalar);
    if (!value)
      return std::nullopt;
    values.push_back(value);
  }
  return constantTensor(node, DenseElementsAttr::get(RankedTensorType::get(*common, element), values), result);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

SmallVector<Size> attn::onnx::elementsOf(DenseElementsAttr dense, DataType type) {
  SmallVector<Size> elements;
  for (const llvm::APInt &value : dense.getValues<llvm::APInt>()) {
    bool zeroExtend = type == DataType::Bool || isUnsigned(type);
    if (zeroExtend && value.getActiveBits() > 63)
      elements.push_back(Size::invalid());
    else
      elements.push_back(Size(zeroExtend ? int64_t(value.getZExtValue()) : value.getSExtValue()));
  }
  return elements;
}

Tensor attn::onnx::constantTensor(Node &node, DenseElementsAttr dense, DataType type) {
  Tensor tensor;
  tensor.type = type;
  for (int64_t size : dense.getType().getShape())
    tensor.shape.push_back(Size(size));
  tensor.weight = DenseExprAttr::get(node.builder.getContext(), dense);
  if ((isInteger(type) || type == DataType::Bool) && dense.getNumElements() <= kMostKnown)
    tensor.elements = elementsOf(dense, type);
  return tensor;
}

DenseElementsAttr attn::onnx::denseOf(Node &node, const Tensor &tensor, int64_t most) {
  if (DenseElementsAttr dense = node.dense(tensor, most))
    return dense;
  if (!tensor.elements || int64_t(tensor.elements->size()) > most)
    return {};
  Type element = node.elementType(tensor.type);
  SmallVector<Attribute> values;
  for (const Size &size : *tensor.elements) {
    std::optional<int64_t> constant = size.getConstant();
    if (!constant)
      return {};
    values.push_back(node.builder.getIntegerAttr(
        element, llvm::APInt(element.getIntOrFloatBitWidth(), uint64_t(*constant), false, /*implicitTrunc=*/true)));
  }
  RankedTensorType type = node.tensorType(tensor.type, tensor.shape);
  if (!type.hasStaticShape() || type.getNumElements() != int64_t(values.size()))
    return {};
  return DenseElementsAttr::get(type, values);
}
