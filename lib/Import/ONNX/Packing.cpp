//===- Packing.cpp - Elements of less than a byte ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Packing.h"
#include "StorageTypes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

Tensor attn::onnx::unpackBytes(Node &node, const Tensor &packed, DataType type) {
  int64_t bits = bitsOf(type);
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
                          return fillByte(b, loc, shifted, type);
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
