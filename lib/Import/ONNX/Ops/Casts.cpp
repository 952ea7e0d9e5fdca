//===- Casts.cpp - From one element type to another -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../StorageTypes.h"
#include "Elementwise.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// The type of the attribute 'to', which must be one that tensors can have here.
FailureOr<DataType> readTarget(Node &node) {
  FailureOr<int64_t> to = node.integer("to");
  if (failed(to))
    return failure();
  auto type = *to < 0 || *to > 1000 ? DataType::Undefined : DataType(*to);
  if (!node.elementType(type))
    return node.unsupported() << "elements of " << (type == DataType::Undefined ? "that type" : nameOf(type));
  return type;
}

FailureOr<Rounding> readRounding(Node &node) {
  FailureOr<int64_t> saturate = node.integer("saturate", 1);
  FailureOr<std::string> mode = node.text("round_mode", StringRef("up"));
  if (failed(saturate) || failed(mode))
    return failure();
  Rounding rounding;
  rounding.saturate = *saturate != 0;
  if (*mode != "up" && *mode != "down" && *mode != "nearest")
    return node.error() << "round_mode is '" << *mode << "', expected 'up', 'down' or 'nearest'";
  rounding.mode = *mode == "up" ? Rounding::Up : *mode == "down" ? Rounding::Down : Rounding::Nearest;
  return rounding;
}

/// Sets the output to the input in another type.
LogicalResult setCast(Node &node, DataType to, const Rounding &rounding) {
  const Tensor &input = node.input(0);
  // On the way through float64 a number of 64 bits could round twice.
  if (to == DataType::Float8E8M0 && (input.type == DataType::Int64 || input.type == DataType::UInt64))
    return node.unsupported() << nameOf(input.type) << " as " << nameOf(to) << "; convert to float64 first";
  node.set(0, cast(node, input, to, rounding));
  return success();
}

LogicalResult importCast(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  FailureOr<Rounding> rounding = readRounding(node);
  FailureOr<DataType> type = readTarget(node);
  if (failed(rounding) || failed(type))
    return failure();
  return setCast(node, *type, *rounding);
}

LogicalResult importCastLike(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  FailureOr<Rounding> rounding = readRounding(node);
  if (failed(rounding))
    return failure();
  return setCast(node, node.input(1).type, *rounding);
}

LogicalResult importBitCast(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  FailureOr<DataType> to = readTarget(node);
  if (failed(to))
    return failure();
  const Tensor &input = node.input(0);
  if (bitsOf(input.type) != bitsOf(*to))
    return node.error() << "elements of " << nameOf(input.type) << " have " << bitsOf(input.type) << " bits, those of "
                        << nameOf(*to) << " " << bitsOf(*to);
  if (input.type == *to) {
    node.set(0, input);
    return success();
  }
  SmallVector<mlir::utils::IteratorType> iterators(input.rank(), mlir::utils::IteratorType::parallel);
  auto identity = llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  Value value = generic(node, node.value(input), empty(node, input.shape, *to), {identity, identity}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          Type element = node.elementType(*to);
                          if (bitsOf(*to) < 8)
                            return fillByte(b, loc, v[0], *to);
                          if (v[0].getType() == element)
                            return v[0];
                          if (input.type == DataType::Bool || *to == DataType::Bool)
                            return castScalar(b, loc, v[0], input.type, *to);
                          return arith::BitcastOp::create(b, loc, element, v[0]);
                        });
  node.set(0, node.make(value, *to, input.shape));
  return success();
}

} // namespace

void attn::onnx::registerCasts(Registry &registry) {
  registry.add("Cast", importCast);
  registry.add("CastLike", importCastLike);
  registry.add("BitCast", importBitCast);
}
