//===- BlockOps.cpp - Whole blocks ------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers follow the constraints C1, C2, ... of the ops' documentation, in their order.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "attn/Dialect/Attn/IR/BlockSyntax.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

ParseResult attn::parseContext(OpAsmParser &parser, OpAsmParser::UnresolvedOperand &query,
                               std::optional<OpAsmParser::UnresolvedOperand> &key, Type &keyType,
                               std::optional<OpAsmParser::UnresolvedOperand> &value, Type &valueType,
                               std::optional<OpAsmParser::UnresolvedOperand> &mask, Type &maskType) {
  if (parser.parseOperand(query))
    return failure();
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    auto *operand = name == "key" ? &key : name == "value" ? &value : name == "mask" ? &mask : nullptr;
    if (!operand || operand->has_value())
      return parser.emitError(loc) << "expected 'key', 'value' or 'mask', each at most once, got '" << name << "'";
    Type &type = name == "key" ? keyType : name == "value" ? valueType : maskType;
    operand->emplace();
    if (parser.parseLParen() || parser.parseOperand(**operand) || parser.parseColonType(type) || parser.parseRParen())
      return failure();
  }
  return success();
}

void attn::printContext(OpAsmPrinter &printer, Operation *, Value query, Value key, Type keyType, Value value,
                        Type valueType, Value mask, Type maskType) {
  printer << query;
  for (auto [name, operand, type] :
       {std::tuple("key", key, keyType), std::tuple("value", value, valueType), std::tuple("mask", mask, maskType)})
    if (operand)
      printer << ", " << name << "(" << operand << " : " << type << ")";
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

/// A projection's weight [rows, columns] and bias [rows], whose elements are those of the block's input.
static LogicalResult checkProjection(Checker &check, StringRef label, StringRef name, Value weight, Value bias,
                                     StringRef rows, StringRef columns, Type element) {
  if (failed(check.shape(label, name + "_weight", weight, {rows.str(), columns.str()})) ||
      failed(check.shape(label, name + "_bias", bias, {rows.str()})) ||
      failed(check.element(label, name + "_weight", weight, element)))
    return failure();
  return check.element(label, name + "_bias", bias, element);
}

/// A number of heads that divides the extent of `dim`.
static LogicalResult checkHeads(Checker &check, StringRef label, int64_t heads, StringRef dim) {
  if (heads <= 0)
    return check.fail(label) << "num_heads is " << heads << ", expected a positive number";
  int64_t extent = check.extent(dim);
  if (!ShapedType::isDynamic(extent) && extent % heads != 0)
    return check.fail(label) << "num_heads is " << heads << ", expected a divisor of " << dim << " = " << extent;
  return success();
}

LogicalResult MultiHeadAttentionOp::verify() {
  if (failed(checkSegments(
          *this, {{0, "query"}, {4, "query_weight"}, {6, "key_weight"}, {8, "value_weight"}, {10, "output_weight"}})))
    return failure();
  Checker check(*this);
  Type element = elementOf(getQuery());
  if (failed(check.shape("C1", "query", getQuery(), {"B", "S", "E"})) ||
      failed(check.floating("C1", "query", getQuery())) ||
      failed(check.shape("C1", "key", getKey() ? getKey() : getQuery(), {"B", "T", "Ek"})) ||
      failed(check.element("C1", "key", getKey(), element)) ||
      failed(check.shape("C1", "value", getValue() ? getValue() : getQuery(), {"B", "T", "Ev"})) ||
      failed(check.element("C1", "value", getValue(), element)))
    return failure();
  if (failed(checkProjection(check, "C2", "query", getQueryWeight(), getQueryBias(), "Eq", "E", element)) ||
      failed(checkProjection(check, "C2", "key", getKeyWeight(), getKeyBias(), "Eq", "Ek", element)) ||
      failed(checkProjection(check, "C2", "value", getValueWeight(), getValueBias(), "rows of Wv", "Ev", element)) ||
      failed(checkProjection(check, "C2", "output", getOutputWeight(), getOutputBias(), "Eo", "rows of Wv", element)))
    return failure();
  if (failed(checkHeads(check, "C3", getNumHeads(), "Eq")) ||
      failed(checkHeads(check, "C3", getNumHeads(), "rows of Wv")))
    return failure();
  if (failed(check.shape("C4", "mask", getMask(), {"B", "T"})) || failed(check.integers("C4", "mask", getMask())) ||
      failed(check.shape("C5", "the result", getResult(), {"B", "S", "Eo"})))
    return failure();
  return check.element("C5", "the result", getResult(), element);
}

LogicalResult FeedForwardOp::verify() {
  if (failed(checkSegments(*this, {{0, "input"}, {1, "up_weight"}, {3, "down_weight"}})))
    return failure();
  Checker check(*this);
  int64_t rank = rankOf(getInput());
  if (rank < 1)
    return check.fail("C1") << "input is " << getInput().getType() << ", expected at least 1 dimension";
  Type element = elementOf(getInput());
  if (failed(check.shape("C1", "input", getInput(), leadingDims("m", rank - 1, {"E"}))) ||
      failed(check.floating("C1", "input", getInput())) ||
      failed(checkProjection(check, "C1", "up", getUpWeight(), getUpBias(), "F", "E", element)) ||
      failed(checkProjection(check, "C1", "down", getDownWeight(), getDownBias(), "E'", "F", element)) ||
      failed(check.shape("C2", "the result", getResult(), leadingDims("m", rank - 1, {"E'"}))))
    return failure();
  return check.element("C2", "the result", getResult(), element);
}

LogicalResult EncoderLayerOp::verify() {
  if (failed(checkSegments(*this, {{0, "input"},
                                   {2, "query_weight"},
                                   {4, "key_weight"},
                                   {6, "value_weight"},
                                   {8, "output_weight"},
                                   {10, "attention_norm_scale"},
                                   {11, "attention_norm_shift"},
                                   {12, "up_weight"},
                                   {14, "down_weight"},
                                   {16, "output_norm_scale"},
                                   {17, "output_norm_shift"}})))
    return failure();
  Checker check(*this);
  Type element = elementOf(getInput());
  if (failed(check.shape("C1", "input", getInput(), {"B", "S", "E"})) ||
      failed(check.floating("C1", "input", getInput())))
    return failure();
  if (getResult().getType() != getInput().getType())
    return check.fail("C1") << "the result is " << getResult().getType() << ", expected the type of input, "
                            << getInput().getType();
  if (failed(checkProjection(check, "C2", "query", getQueryWeight(), getQueryBias(), "E", "E", element)) ||
      failed(checkProjection(check, "C2", "key", getKeyWeight(), getKeyBias(), "E", "E", element)) ||
      failed(checkProjection(check, "C2", "value", getValueWeight(), getValueBias(), "E", "E", element)) ||
      failed(checkProjection(check, "C2", "output", getOutputWeight(), getOutputBias(), "E", "E", element)) ||
      failed(checkProjection(check, "C2", "up", getUpWeight(), getUpBias(), "F", "E", element)) ||
      failed(checkProjection(check, "C2", "down", getDownWeight(), getDownBias(), "E", "F", element)) ||
      failed(checkHeads(check, "C2", getNumHeads(), "E")))
    return failure();
  for (auto [name, value] :
       {std::pair("attention_norm_scale", getAttentionNormScale()),
        std::pair("attention_norm_shift", getAttentionNormShift()),
        std::pair("output_norm_scale", getOutputNormScale()), std::pair("output_norm_shift", getOutputNormShift())})
    if (failed(check.shape("C3", name, value, {"E"})) || failed(check.element("C3", name, value, element)))
      return failure();
  if (failed(check.epsilon("C3", getEpsilon())) || failed(check.shape("C4", "mask", getMask(), {"B", "S"})))
    return failure();
  return check.integers("C4", "mask", getMask());
}

//===----------------------------------------------------------------------===//
// Shapes of results
//===----------------------------------------------------------------------===//

/// The leading dimensions of `input` and the rows of `weight`.
static SmallVector<OpFoldResult> projectedShape(OpBuilder &b, Location loc, Value input, Value weight) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, input);
  shape.back() = tensor::getMixedSize(b, loc, weight, 0);
  return shape;
}

LogicalResult MultiHeadAttentionOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(projectedShape(b, getLoc(), getQuery(), getOutputWeight()));
  return success();
}

LogicalResult FeedForwardOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(projectedShape(b, getLoc(), getInput(), getDownWeight()));
  return success();
}

LogicalResult EncoderLayerOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(b, getLoc(), getInput()));
  return success();
}
