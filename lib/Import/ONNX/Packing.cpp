//===- Packing.cpp - Elements of less than a byte ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Packing.h"
#include "Build.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// What is exclusive-ored with an element and then subtracted from it, so that its sign fills the byte.
static int signOf(DataType type) { return isSmallInteger(type) && !isUnsigned(type) ? 1 << (bitsOf(type) - 1) : 0; }

std::vector<char> attn::onnx::unpack(ArrayRef<char> bytes, DataType type, int64_t count) {
  int bits = bitsOf(type), perByte = 8 / bits, sign = signOf(type);
  std::vector<char> elements(count);
  for (int64_t i = 0; i < count; ++i) {
    int element = (uint8_t(bytes[i / perByte]) >> (i % perByte * bits)) & ((1 << bits) - 1);
    elements[i] = char((element ^ sign) - sign);
  }
  return elements;
}

Tensor attn::onnx::unpackBytes(Node &node, const Tensor &packed, DataType type) {
  int bits = bitsOf(type), sign = signOf(type);
  Shape shape(packed.shape);
  shape.push_back(Size(8 / bits));
  int64_t rank = shape.size();
  auto loops = llvm::to_vector(llvm::seq<int64_t>(rank));
  SmallVector<int64_t> bytes(ArrayRef<int64_t>(loops).drop_back());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value value = generic(node, node.value(packed), empty(node, shape, type), {bytes, loops}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          auto constant = [&](int64_t value) { return scalarConstant(b, loc, DataType::UInt8, value); };
                          Value place = linalg::IndexOp::create(b, loc, rank - 1);
                          place = arith::IndexCastOp::create(b, loc, v[0].getType(), place);
                          Value shifted = arith::ShRUIOp::create(b, loc, v[0],
                                                                 arith::MulIOp::create(b, loc, place, constant(bits)));
                          Value element = arith::AndIOp::create(b, loc, shifted, constant((1 << bits) - 1));
                          if (!sign)
                            return element;
                          element = arith::XOrIOp::create(b, loc, element, constant(sign));
                          return arith::SubIOp::create(b, loc, element, constant(sign));
                        });
  return node.make(value, type, shape);
}

FailureOr<Tensor> attn::onnx::unpack(Node &node, const Tensor &packed, DataType type, ArrayRef<Size> shape) {
  Tensor elements = unpackBytes(node, packed, type);
  Size count(1);
  for (const Size &size : shape)
    count = count * size;
  FailureOr<Tensor> flat = reshape(node, elements, elements.shape[0] * elements.shape[1]);
  if (failed(flat))
    return failure();
  return reshape(node, slice(node, *flat, 0, Size(0), count), shape);
}
