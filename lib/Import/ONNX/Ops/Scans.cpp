//===- Scans.cpp - Sums and products so far ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Indexing.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

struct Scan {
  bool exclusive, reverse, isProduct;
};

/// The scan along `axis`. The loop along it is innermost and carries the value so far.
class ScanBuilder {
public:
  ScanBuilder(Node &node, const Tensor &input, Scan scan)
      : b(node.builder), loc(node.loc), type(input.type), compute(computeType(type)), source(node.value(input)),
        init(empty(node, input.shape, type)), scan(scan) {
    for (const Size &size : input.shape)
      sizes.push_back(node.index(size));
  }

  Value build(int64_t axis) {
    SmallVector<Value> indices(sizes.size());
    return loops(b, 0, axis, init, indices);
  }

private:
  Value index(OpBuilder &builder, int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  Value loops(OpBuilder &builder, int64_t dim, int64_t axis, Value carried, SmallVectorImpl<Value> &indices) {
    if (dim == axis)
      return loops(builder, dim + 1, axis, carried, indices);
    if (dim >= int64_t(sizes.size()))
      return line(builder, axis, carried, indices);
    return scf::ForOp::create(builder, loc, index(builder, 0), sizes[dim], index(builder, 1), carried,
                              [&](OpBuilder &inner, Location, Value at, ValueRange arguments) {
                                indices[dim] = at;
                                scf::YieldOp::create(inner, loc, loops(inner, dim + 1, axis, arguments[0], indices));
                              })
        .getResult(0);
  }

  Value line(OpBuilder &builder, int64_t axis, Value carried, SmallVectorImpl<Value> &indices) {
    Value neutral = scalarConstant(builder, loc, compute, scan.isProduct ? 1 : 0);
    return scf::ForOp::create(
               builder, loc, index(builder, 0), sizes[axis], index(builder, 1), ValueRange{carried, neutral},
               [&](OpBuilder &inner, Location, Value at, ValueRange arguments) {
                 if (scan.reverse) {
                   Value last = arith::SubIOp::create(inner, loc, sizes[axis], index(inner, 1));
                   at = arith::SubIOp::create(inner, loc, last, at);
                 }
                 indices[axis] = at;
                 Value element = tensor::ExtractOp::create(inner, loc, source, indices);
                 element = castScalar(inner, loc, element, type, compute);
                 Scalars s(inner, loc, compute);
                 Value sum = scan.isProduct ? s.mul(arguments[1], element) : s.add(arguments[1], element);
                 Value result = castScalar(inner, loc, scan.exclusive ? arguments[1] : sum, compute, type);
                 Value written = tensor::InsertOp::create(inner, loc, result, arguments[0], indices);
                 scf::YieldOp::create(inner, loc, ValueRange{written, sum});
               })
        .getResult(0);
  }

  OpBuilder &b;
  Location loc;
  DataType type, compute;
  Value source, init;
  Scan scan;
  SmallVector<Value> sizes;
};

template <bool isProduct>
LogicalResult importScan(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(expectIndices(node, 1)))
    return failure();
  const Tensor &input = node.input(0), &axis = node.input(1);
  FailureOr<int64_t> exclusive = node.integer("exclusive", 0), reverse = node.integer("reverse", 0);
  if (failed(exclusive) || failed(reverse))
    return failure();
  if (!isFloat(input.type) && !isInteger(input.type))
    return node.error() << "input 0 has elements of " << nameOf(input.type) << ", expected numbers";
  if (input.rank() == 0)
    return node.error() << "the input has no dimension";
  if (!productOf(axis.shape).isConstant(1))
    return node.error() << "the axis has shape " << node.symbols.toString(axis.shape) << ", expected a single element";
  ScanBuilder builder(node, input, {*exclusive != 0, *reverse != 0, isProduct});
  if (std::optional<SmallVector<int64_t>> given = node.constants(1)) {
    FailureOr<int64_t> dim = node.axis(given->front(), input.rank());
    if (failed(dim))
      return failure();
    node.set(0, node.make(builder.build(*dim), input.type, input.shape));
    return success();
  }
  // Known at run time only: one that is out of range counts as the nearest.
  FailureOr<Tensor> single = reshape(node, axis, Shape());
  if (failed(single))
    return failure();
  OpBuilder &b = node.builder;
  Value number = tensor::ExtractOp::create(b, node.loc, node.value(*single), ValueRange());
  Value place = wrapIndex(b, node.loc, number, node.index(Size(input.rank())));
  auto choose = [&](auto &&self, int64_t dim) -> Value {
    if (dim == input.rank() - 1)
      return builder.build(dim);
    Value isHere = arith::CmpIOp::create(b, node.loc, arith::CmpIPredicate::sle, place, node.index(Size(dim)));
    auto choice = scf::IfOp::create(b, node.loc, node.tensorType(input.type, input.shape), isHere, true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(b, node.loc, builder.build(dim));
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, node.loc, self(self, dim + 1));
    return choice.getResult(0);
  };
  node.set(0, node.make(choose(choose, 0), input.type, input.shape));
  return success();
}

} // namespace

void attn::onnx::registerScans(Registry &registry) {
  registry.add("CumSum", importScan<false>);
  registry.add("CumProd", importScan<true>);
}
