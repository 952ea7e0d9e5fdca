//===- Casts.cpp - From one element type to another -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

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

/// What can be said of rounding to types that don't exist here.
LogicalResult readRounding(Node &node) {
  if (failed(node.integer("saturate", 1)) || failed(node.text("round_mode", StringRef("up"))))
    return failure();
  return success();
}

LogicalResult importCast(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(readRounding(node)))
    return failure();
  FailureOr<DataType> type = readTarget(node);
  if (failed(type))
    return failure();
  node.set(0, cast(node, node.input(0), *type));
  return success();
}

LogicalResult importCastLike(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(readRounding(node)))
    return failure();
  node.set(0, cast(node, node.input(0), node.input(1).type));
  return success();
}

LogicalResult importBitCast(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  FailureOr<DataType> to = readTarget(node);
  if (failed(to))
    return failure();
  const Tensor &input = node.input(0);
  // A bool is a byte.
  auto widthOf = [&](DataType type) { return std::max(8u, node.elementType(type).getIntOrFloatBitWidth()); };
  if (widthOf(input.type) != widthOf(*to))
    return node.error() << "elements of " << nameOf(input.type) << " have " << widthOf(input.type) << " bits, those of "
                        << nameOf(*to) << " " << widthOf(*to);
  if (input.type == *to) {
    node.set(0, input);
    return success();
  }
  SmallVector<mlir::utils::IteratorType> iterators(input.rank(), mlir::utils::IteratorType::parallel);
  auto identity = llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  Value value = generic(node, node.value(input), empty(node, input.shape, *to), {identity, identity}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          Type element = node.elementType(*to);
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
