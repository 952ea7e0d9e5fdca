//===- Heads.cpp - Channels and the heads they are of ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaledDotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

Size attn::onnx::minimumOf(Node &node, const Size &a, const Size &b) {
  if (node.symbols.equal(a, b))
    return a;
  if (a.getConstant() && b.getConstant())
    return Size(std::min(*a.getConstant(), *b.getConstant()));
  return node.derived(arith::MinSIOp::create(node.builder, node.loc, node.index(a), node.index(b)));
}

Size attn::onnx::quotientOf(Node &node, const Size &size, int64_t divisor) {
  if (std::optional<int64_t> constant = size.getConstant())
    return Size(*constant / divisor);
  if (std::optional<Size> exact = node.symbols.exactQuotient(node.builder, size, Size(divisor)))
    return *exact;
  return node.derived(arith::DivUIOp::create(node.builder, node.loc, node.index(size), node.index(Size(divisor))));
}

/// `input` at the beginning of zeros of `shape`.
static Tensor padTo(Node &node, const Tensor &input, const Shape &shape) {
  SmallVector<OpFoldResult> offsets(shape.size(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(shape.size(), node.builder.getIndexAttr(1));
  Value value =
      tensor::InsertSliceOp::create(node.builder, node.loc, node.value(input), filled(node, shape, input.type, 0),
                                    offsets, node.mixed(input.shape), strides);
  return node.make(value, input.type, shape);
}

FailureOr<Tensor> attn::onnx::fitTo(Node &node, const Tensor &input, int64_t dim, const Size &size, const Twine &what) {
  const Size &given = input.shape[dim];
  if (node.symbols.unify(given, size))
    return input;
  if (given.getConstant() && size.getConstant()) {
    (void)expectEqual(node, given, size, what);
    return failure();
  }
  Shape shape(input.shape);
  shape[dim] = size;
  return padTo(node, slice(node, input, dim, Size(0), minimumOf(node, given, size)), shape);
}

FailureOr<Tensor> attn::onnx::splitHeads(Node &node, const Tensor &input, int64_t heads, StringRef what,
                                         std::optional<Size> channels) {
  const Size &hidden = input.shape.back();
  if (std::optional<int64_t> constant = hidden.getConstant(); constant && *constant % heads != 0)
    return node.error() << what << " has " << *constant << " channels, which is no multiple of " << heads << " heads";
  if (!channels)
    channels = quotientOf(node, hidden, heads);
  Tensor whole = slice(node, input, input.rank() - 1, Size(0), *channels * Size(heads));
  Shape shape(whole.shape);
  shape.back() = Size(heads);
  shape.push_back(*channels);
  return reshape(node, whole, shape);
}

FailureOr<Tensor> attn::onnx::joinHeads(Node &node, const Tensor &input, const Size &size) {
  Shape shape(input.shape);
  Size channels = shape.pop_back_val();
  shape.back() = shape.back() * channels;
  FailureOr<Tensor> joined = reshape(node, input, shape);
  if (failed(joined) || node.symbols.equal(shape.back(), size))
    return joined;
  shape.back() = size;
  return padTo(node, *joined, shape);
}
