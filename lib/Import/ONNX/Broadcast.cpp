//===- Broadcast.cpp - Dimensions that are 1 at run time only ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A dimension of an input that has a name is no 1 where it meets others: that it equals them is demanded of the caller.
// But what a model divides by may leave 1, and then the dimension is repeated, as NumPy does.
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Ops/Indexing.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static Value isEqual(Node &node, const Size &a, const Size &b) {
  return arith::CmpIOp::create(node.builder, node.loc, arith::CmpIPredicate::eq, node.index(a), node.index(b));
}

/// What two sizes are together: the one, or the other where the first is 1. Anything else ends the run.
static Size together(Node &node, const Size &a, const Size &b) {
  OpBuilder &builder = node.builder;
  Value isOne = isEqual(node, a, Size(1)), fits = arith::OrIOp::create(builder, node.loc, isOne, isEqual(node, a, b));
  bool both = node.symbols.mayBeOne(b);
  if (both)
    fits = arith::OrIOp::create(builder, node.loc, fits, isEqual(node, b, Size(1)));
  CheckOp::create(builder, node.loc, fits, Value(), Violation::Shape);
  if (!both)
    return b;
  return node.derived(arith::SelectOp::create(builder, node.loc, isOne, node.index(b), node.index(a)));
}

/// The tensor in another shape: dimensions of `repeated` have the new size or 1.
static Tensor repeat(Node &node, const Tensor &input, ArrayRef<Size> shape, const llvm::SmallBitVector &repeated) {
  Reader reader(node, input, repeated);
  return generate(
      node, input.type, shape, {}, {},
      [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) { return reader.read(b, loc, indices); });
}

SmallVector<Tensor> attn::onnx::repeatQuotients(Node &node, ArrayRef<Tensor> inputs) {
  SmallVector<Tensor> result(inputs);
  int64_t rank = 0;
  for (const Tensor &input : inputs)
    rank = std::max(rank, input.rank());
  // The dimension of each input that is dimension `dim` of the result; null where there is none.
  auto sizeOf = [&](const Tensor &input, int64_t dim) {
    int64_t at = dim - rank + input.rank();
    return at < 0 ? nullptr : &input.shape[at];
  };
  Shape shape(rank, Size(1));
  llvm::SmallBitVector met(rank);
  for (int64_t dim = 0; dim < rank; ++dim) {
    // Those that are surely not 1 come first, so that what is known of a size stays known.
    SmallVector<Size> sizes;
    for (const Tensor &input : inputs)
      if (const Size *size = sizeOf(input, dim); size && !node.symbols.canonical(*size).isConstant(1))
        sizes.push_back(*size);
    llvm::stable_sort(
        sizes, [&](const Size &a, const Size &b) { return !node.symbols.mayBeOne(a) && node.symbols.mayBeOne(b); });
    for (const Size &size : sizes) {
      Size &all = shape[dim];
      if (all.isConstant(1)) {
        all = size;
      } else if (!node.symbols.equal(all, size) && node.symbols.mayBeOne(size) && node.symbols.isComputable(all)) {
        // What has no name is whatever it meets, see `agree`.
        all = together(node, size, all);
        met.set(dim);
      }
    }
  }
  if (met.none())
    return result;
  for (Tensor &input : result) {
    llvm::SmallBitVector repeated(input.rank());
    Shape wanted(input.shape);
    for (int64_t i = 0; i < input.rank(); ++i) {
      int64_t dim = rank - input.rank() + i;
      if (!met.test(dim) || !node.symbols.mayBeOne(input.shape[i]) || node.symbols.equal(input.shape[i], shape[dim]))
        continue;
      repeated.set(i);
      wanted[i] = shape[dim];
    }
    if (repeated.any())
      input = repeat(node, input, wanted, repeated);
  }
  return result;
}
