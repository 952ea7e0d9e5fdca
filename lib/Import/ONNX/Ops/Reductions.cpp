//===- Reductions.cpp - Sums, means, extremes --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Reduce* ops are one: a function of each element, a sum, product or extreme, a function of the result.
//
//===----------------------------------------------------------------------===//

#include "Reduce.h"
#include "Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

enum class Kind { Sum, Mean, Max, Min, Prod, L1, L2, SumSquare, LogSum, LogSumExp };

Reduction reductionOf(Kind kind) {
  switch (kind) {
  case Kind::Max:
    return Reduction::Max;
  case Kind::Min:
    return Reduction::Min;
  case Kind::Prod:
    return Reduction::Product;
  default:
    return Reduction::Sum;
  }
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

/// The dimensions that are reduced, in ascending order: all where none is named, unless the node says that this means
/// none.
FailureOr<SmallVector<int64_t>> readAxes(Node &node, bool axesAreAnInput) {
  const Tensor &input = node.input(0);
  std::optional<SmallVector<int64_t>> given;
  FailureOr<int64_t> noop(0);
  if (axesAreAnInput) {
    noop = node.integer("noop_with_empty_axes", 0);
    if (failed(noop))
      return failure();
    if (node.has(1)) {
      const Tensor &axes = node.input(1);
      if (axes.type != DataType::Int64 || axes.rank() != 1)
        return node.error() << "axes are " << nameOf(axes.type) << " of " << axes.rank()
                            << " dimensions, expected int64 of 1";
      given = axes.shape[0].isConstant(0) ? SmallVector<int64_t>() : node.constants(1);
      if (!given)
        return node.unsupported() << "axes that are computed at run time; make them a constant";
    }
  } else {
    auto axes = node.integers("axes");
    if (failed(axes))
      return failure();
    given = std::move(*axes);
  }
  if (!given || given->empty())
    return *noop ? SmallVector<int64_t>() : llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  llvm::SmallBitVector isReduced(input.rank());
  for (int64_t axis : *given) {
    FailureOr<int64_t> dim = node.axis(axis, input.rank());
    if (failed(dim))
      return failure();
    isReduced.set(*dim);
  }
  return SmallVector<int64_t>(isReduced.set_bits_begin(), isReduced.set_bits_end());
}

//===----------------------------------------------------------------------===//
// Known integers
//===----------------------------------------------------------------------===//

std::optional<Size> foldPair(Kind kind, const Size &a, const Size &b) {
  switch (kind) {
  case Kind::Sum:
    return a + b;
  case Kind::Prod:
    return a * b;
  case Kind::Max:
  case Kind::Min: {
    if (a == b)
      return a;
    std::optional<int64_t> x = a.getConstant(), y = b.getConstant();
    if (!x || !y)
      return std::nullopt;
    return Size(kind == Kind::Max ? std::max(*x, *y) : std::min(*x, *y));
  }
  default:
    return std::nullopt;
  }
}

/// Of a row of known integers as a whole, or of a single one: what shapes are computed with.
std::optional<Size> foldAll(Node &node, Kind kind, ArrayRef<int64_t> dims) {
  const Tensor &input = node.input(0);
  if (!input.elements || !isInteger(input.type) || int64_t(dims.size()) != input.rank())
    return std::nullopt;
  bool isProduct = kind == Kind::Prod;
  if (input.elements->empty())
    return isProduct || kind == Kind::Sum ? std::optional(Size(isProduct ? 1 : 0)) : std::nullopt;
  std::optional<Size> result = input.elements->front();
  for (const Size &element : ArrayRef<Size>(*input.elements).drop_front())
    if (result)
      result = foldPair(kind, *result, element);
  return result && result->isValid() && (kind <= Kind::Prod && kind != Kind::Mean) ? result : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Reduce*
//===----------------------------------------------------------------------===//

Value absolute(OpBuilder &b, Location loc, DataType type, Value x) {
  if (isFloat(type))
    return math::AbsFOp::create(b, loc, x);
  return isUnsigned(type) ? x : math::AbsIOp::create(b, loc, x).getResult();
}

/// log(sum exp(x)) by way of the largest x, which keeps exp in range; where that is infinite, without it.
FailureOr<Tensor> logSumExp(Node &node, const Tensor &input, ArrayRef<int64_t> dims, DataType type) {
  FailureOr<Tensor> most = reduceOver(node, along(input), input.shape, dims, Reduction::Max, type,
                                      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  if (failed(most))
    return failure();
  FailureOr<Tensor> base =
      mapOver(node, along(*most), most->shape, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value size = math::AbsFOp::create(b, loc, v[0]);
        Value infinite = scalarConstant(b, loc, type, std::numeric_limits<double>::infinity());
        Value isFinite = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE, size, infinite);
        return arith::SelectOp::create(b, loc, isFinite, v[0], scalarConstant(b, loc, type, 0));
      });
  if (failed(base))
    return failure();
  FailureOr<Tensor> sum = reduceOver(node, {along(input), alongOthers(*base, input.rank(), dims)}, input.shape, dims,
                                     Reduction::Sum, type, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                       return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, v[0], v[1]));
                                     });
  if (failed(sum))
    return failure();
  return mapOver(node, {along(*sum), along(*base)}, sum->shape, input.type,
                 [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                   return arith::AddFOp::create(b, loc, math::LogOp::create(b, loc, v[0]), v[1]);
                 });
}

/// The mean of integers is cut toward 0, as is their norm.
Value finish(OpBuilder &b, Location loc, Kind kind, DataType type, Value x, const ScalarSize &count) {
  switch (kind) {
  case Kind::Mean:
    if (isFloat(type))
      return arith::DivFOp::create(b, loc, x, count.get(b, loc));
    if (isUnsigned(type))
      return arith::DivUIOp::create(b, loc, x, count.get(b, loc));
    return arith::DivSIOp::create(b, loc, x, count.get(b, loc));
  case Kind::L2: {
    DataType real = isFloat(type) ? type : DataType::Double;
    Value root = math::SqrtOp::create(b, loc, castScalar(b, loc, x, type, real));
    return castScalar(b, loc, root, real, type);
  }
  case Kind::LogSum:
    return math::LogOp::create(b, loc, x);
  default:
    return x;
  }
}

FailureOr<Tensor> reduceKind(Node &node, Kind kind, const Tensor &input, ArrayRef<int64_t> dims) {
  DataType type = computeType(input.type);
  if (kind == Kind::LogSumExp)
    return logSumExp(node, input, dims, type);
  FailureOr<Tensor> result = reduceOver(
      node, along(input), input.shape, dims, reductionOf(kind), type, [&](OpBuilder &b, Location loc, ValueRange v) {
        if (kind == Kind::L1)
          return absolute(b, loc, type, v[0]);
        return kind == Kind::L2 || kind == Kind::SumSquare ? multiply(b, loc, type, v[0], v[0]) : v[0];
      });
  bool isDone = kind != Kind::Mean && kind != Kind::L2 && kind != Kind::LogSum;
  if (failed(result) || isDone)
    return failed(result) ? result : FailureOr<Tensor>(cast(node, *result, input.type));
  Size size = countOf(input.shape, dims);
  if (kind == Kind::Mean && !isFloat(type) && size.isConstant(0))
    return node.error() << "the mean of no integers is not defined";
  ScalarSize count(node, kind == Kind::Mean ? size : Size(1), type);
  return mapOver(node, along(*result), result->shape, input.type,
                 [&](OpBuilder &b, Location loc, ValueRange v) { return finish(b, loc, kind, type, v[0], count); });
}

LogicalResult expectReducible(Node &node, Kind kind) {
  DataType type = node.input(0).type;
  if (kind == Kind::LogSum || kind == Kind::LogSumExp)
    return node.expectFloat(0);
  bool isExtreme = kind == Kind::Max || kind == Kind::Min;
  if (isFloat(type) || isInteger(type) || (isExtreme && type == DataType::Bool))
    return success();
  return node.error() << "elements of " << nameOf(type) << " can't be reduced";
}

template <Kind kind, bool axesAreAnInput>
LogicalResult importReduce(Node &node) {
  if (failed(node.expectInputs(1, axesAreAnInput ? 2 : 1)) || failed(expectReducible(node, kind)))
    return failure();
  FailureOr<int64_t> keep = node.integer("keepdims", 1);
  FailureOr<SmallVector<int64_t>> dims = readAxes(node, axesAreAnInput);
  if (failed(keep) || failed(dims))
    return failure();
  const Tensor &input = node.input(0);
  Shape shape = shapeWithout(input.shape, *dims, *keep != 0);
  if (std::optional<Size> known = foldAll(node, kind, *dims)) {
    node.set(0, integers({*known}, shape, input.type));
    return success();
  }
  // Without a dimension to reduce, only the functions before and after are left.
  bool isIdentity =
      dims->empty() && kind != Kind::L1 && kind != Kind::L2 && kind != Kind::SumSquare && kind != Kind::LogSum;
  if (isIdentity) {
    node.set(0, input);
    return success();
  }
  FailureOr<Tensor> result = reduceKind(node, kind, input, *dims);
  if (succeeded(result))
    result = reshape(node, *result, shape);
  return node.set(0, result);
}

template <Kind kind>
void addReduce(Registry &registry, StringRef op, int64_t axesBecomeAnInput = 18) {
  registry.add(op, importReduce<kind, false>);
  registry.add(op, importReduce<kind, true>, axesBecomeAnInput);
}

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin
//===----------------------------------------------------------------------===//

/// The first or last place where an element is the extreme one; a NaN counts as that, as in NumPy.
template <bool most>
LogicalResult importArg(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  const Tensor &input = node.input(0);
  if (!isFloat(input.type) && !isInteger(input.type))
    return node.error() << "elements of " << nameOf(input.type) << " have no order";
  FailureOr<int64_t> axis = node.integer("axis", 0), keep = node.integer("keepdims", 1),
                     last = node.integer("select_last_index", 0);
  if (failed(axis) || failed(keep) || failed(last) || failed(axis = node.axis(*axis, input.rank())))
    return failure();
  if (input.shape[*axis].isConstant(0))
    return node.error() << "dimension " << *axis << " is empty";
  DataType type = computeType(input.type);
  FailureOr<Tensor> extreme = reduceOver(node, along(input), input.shape, *axis, most ? Reduction::Max : Reduction::Min,
                                         type, [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  if (failed(extreme))
    return failure();
  double none = *last ? -1.0 : 9007199254740992.0;
  // The reduced loop is the last one of the nest.
  int64_t loop = input.rank() - 1;
  FailureOr<Tensor> index = reduceOver(
      node, {along(input), alongOthers(*extreme, input.rank(), *axis)}, input.shape, *axis,
      *last ? Reduction::Max : Reduction::Min, DataType::Int64, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value at = linalg::IndexOp::create(b, loc, loop);
        at = arith::IndexCastOp::create(b, loc, b.getI64Type(), at);
        Value hit;
        if (isFloat(type)) {
          Value equal = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, v[0], v[1]);
          Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, v[0], v[0]);
          hit = arith::OrIOp::create(b, loc, equal, isNaN);
        } else {
          hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, v[0], v[1]);
        }
        return arith::SelectOp::create(b, loc, hit, at, scalarConstant(b, loc, DataType::Int64, none));
      });
  if (succeeded(index))
    index = reshape(node, *index, shapeWithout(input.shape, *axis, *keep != 0));
  return node.set(0, index);
}

//===----------------------------------------------------------------------===//
// Global pools
//===----------------------------------------------------------------------===//

template <Kind kind>
LogicalResult importGlobalPool(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  const Tensor &input = node.input(0);
  if (input.rank() < 3)
    return node.error() << "the input has " << input.rank() << " dimensions, expected batch, channels and at least one "
                        << "to pool over";
  auto dims = llvm::to_vector(llvm::seq<int64_t>(2, input.rank()));
  FailureOr<Tensor> result = reduceKind(node, kind, input, dims);
  if (succeeded(result))
    result = reshape(node, *result, shapeWithout(input.shape, dims, true));
  return node.set(0, result);
}

} // namespace

void attn::onnx::registerReductions(Registry &registry) {
  addReduce<Kind::Sum>(registry, "ReduceSum", 13);
  addReduce<Kind::Mean>(registry, "ReduceMean");
  addReduce<Kind::Max>(registry, "ReduceMax");
  addReduce<Kind::Min>(registry, "ReduceMin");
  addReduce<Kind::Prod>(registry, "ReduceProd");
  addReduce<Kind::L1>(registry, "ReduceL1");
  addReduce<Kind::L2>(registry, "ReduceL2");
  addReduce<Kind::SumSquare>(registry, "ReduceSumSquare");
  addReduce<Kind::LogSum>(registry, "ReduceLogSum");
  addReduce<Kind::LogSumExp>(registry, "ReduceLogSumExp");
  registry.add("ArgMax", importArg<true>);
  registry.add("ArgMin", importArg<false>);
  registry.add("GlobalAveragePool", importGlobalPool<Kind::Mean>);
  registry.add("GlobalMaxPool", importGlobalPool<Kind::Max>);
}
