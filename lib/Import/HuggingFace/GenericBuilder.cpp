//===- GenericBuilder.cpp - linalg ops by lists of loop dimensions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GenericBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using utils::IteratorType;

Value GenericBuilder::constant(double value) {
  return arith::ConstantOp::create(ops, loc, ops.getF32FloatAttr(float(value)));
}

Value GenericBuilder::empty(ArrayRef<OpFoldResult> sizes, Type element) {
  return tensor::EmptyOp::create(ops, loc, sizes, element ? element : ops.getF32Type());
}

Value GenericBuilder::filled(ArrayRef<OpFoldResult> sizes, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(ops, loc, value);
  return linalg::FillOp::create(ops, loc, scalar, empty(sizes, value.getType())).getResult(0);
}

Value GenericBuilder::generic(ValueRange inputs, Value init, ArrayRef<ArrayRef<unsigned>> maps, unsigned numLoops,
                              Body body) {
  SmallVector<AffineMap> affine;
  for (ArrayRef<unsigned> map : maps)
    affine.push_back(AffineMap::getMultiDimMapWithTargets(numLoops, map, ops.getContext()));
  SmallVector<IteratorType> iterators(numLoops, IteratorType::reduction);
  for (unsigned dim : maps.back())
    iterators[dim] = IteratorType::parallel;
  return linalg::GenericOp::create(ops, loc, init.getType(), inputs, init, affine, iterators,
                                   [&](OpBuilder &b, Location l, ValueRange arguments) {
                                     linalg::YieldOp::create(b, l, body(b, l, arguments));
                                   })
      .getResult(0);
}
