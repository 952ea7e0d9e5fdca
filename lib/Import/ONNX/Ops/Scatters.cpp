//===- Scatters.cpp - Elements written at computed places -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes at computed places may meet, so they are done one after the other. TensorScatter's don't: each of its elements
// knows whether it is a new one.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Indexing.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// What the attribute 'reduction' says of elements that are written to where one is.
FailureOr<std::string> readReduction(Node &node, DataType type) {
  FailureOr<std::string> reduction = node.text("reduction", StringRef("none"));
  if (failed(reduction))
    return failure();
  if (!llvm::is_contained({"none", "add", "mul", "min", "max"}, *reduction))
    return node.error() << "attribute 'reduction' is '" << *reduction << "', expected none, add, mul, min or max";
  if (*reduction != "none" && !isFloat(type) && !isInteger(type))
    return node.error() << "elements of " << nameOf(type) << " have no '" << *reduction << "'";
  return reduction;
}

Value reduce(OpBuilder &b, Location loc, StringRef reduction, DataType type, Value old, Value update) {
  if (reduction == "none")
    return update;
  DataType compute = computeType(type);
  Scalars s(b, loc, compute);
  Value x = castScalar(b, loc, old, type, compute), y = castScalar(b, loc, update, type, compute);
  Value result = reduction == "add"   ? s.add(x, y)
                 : reduction == "mul" ? s.mul(x, y)
                 : reduction == "min" ? s.min(x, y)
                                      : s.max(x, y);
  return castScalar(b, loc, result, compute, type);
}

/// Loops over all indices of `shape`, which pass tensors on. The body gets the tensors and the indices.
ValueRange nest(OpBuilder &b, Location loc, ArrayRef<Value> sizes, ValueRange carried, SmallVectorImpl<Value> &indices,
                llvm::function_ref<SmallVector<Value>(OpBuilder &, ValueRange, ArrayRef<Value>)> body,
                SmallVectorImpl<Value> &results) {
  if (indices.size() == sizes.size()) {
    results = body(b, carried, indices);
    return results;
  }
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, sizes[indices.size()], one, carried,
                                 [&](OpBuilder &inner, Location, Value index, ValueRange arguments) {
                                   indices.push_back(index);
                                   SmallVector<Value> values;
                                   nest(inner, loc, sizes, arguments, indices, body, values);
                                   indices.pop_back();
                                   scf::YieldOp::create(inner, loc, values);
                                 });
  results.assign(loop.result_begin(), loop.result_end());
  return results;
}

/// A copy of `data` with each element of `updates` written to the place that `placeOf` gives for its index; indices of
/// the dimensions in `unsure` are clamped.
Tensor scatter(Node &node, const Tensor &data, const Tensor &updates, const Reader &reader, StringRef reduction,
               llvm::function_ref<SmallVector<Value>(OpBuilder &, Location, ArrayRef<Value>)> placeOf) {
  // Where there is no place, nothing is written.
  SmallVector<Value> sizes;
  Value room;
  for (int64_t i = 0; i < data.rank(); ++i)
    if (reader.size(i) && !isAtLeast(node.symbols, data.shape[i], 1)) {
      Value size = reader.size(i);
      room = room ? arith::MinSIOp::create(node.builder, node.loc, room, size).getResult() : size;
    }
  for (const Size &size : updates.shape)
    sizes.push_back(node.index(size));
  if (room) {
    Value zero = node.index(Size(0));
    Value isThere = arith::CmpIOp::create(node.builder, node.loc, arith::CmpIPredicate::sgt, room, zero);
    if (sizes.empty())
      sizes.push_back(node.index(Size(1)));
    sizes.front() = arith::SelectOp::create(node.builder, node.loc, isThere, sizes.front(), zero);
  }
  Value source = node.value(updates);
  SmallVector<Value> indices, results;
  nest(
      node.builder, node.loc, sizes, reader.getSource(), indices,
      [&](OpBuilder &b, ValueRange carried, ArrayRef<Value> at) -> SmallVector<Value> {
        at = at.take_front(updates.rank());
        SmallVector<Value> place = placeOf(b, node.loc, at);
        for (auto [dim, index] : llvm::enumerate(place))
          if (reader.size(dim))
            index = reader.clamp(b, node.loc, index, dim);
        Value update = tensor::ExtractOp::create(b, node.loc, source, at);
        if (reduction != "none") {
          Value old = tensor::ExtractOp::create(b, node.loc, carried[0], place);
          update = reduce(b, node.loc, reduction, data.type, old, update);
        }
        return {tensor::InsertOp::create(b, node.loc, update, carried[0], place)};
      },
      results);
  return node.make(results.front(), data.type, data.shape);
}

LogicalResult importScatterElements(Node &node) {
  if (failed(node.expectInputs(3, 3)) || failed(expectIndices(node, 1)))
    return failure();
  const Tensor &data = node.input(0), &indices = node.input(1), &updates = node.input(2);
  FailureOr<int64_t> given = node.integer("axis", 0);
  FailureOr<std::string> reduction = readReduction(node, data.type);
  if (failed(given) || failed(reduction) || failed(node.expectType(2, data.type)))
    return failure();
  if (data.rank() != indices.rank() || data.rank() == 0)
    return node.error() << "the data and the indices have ranks " << data.rank() << " and " << indices.rank();
  FailureOr<int64_t> axis = node.axis(*given, data.rank());
  if (failed(axis) || failed(expectEqual(node, indices.shape, updates.shape, "the indices and the updates differ")))
    return failure();
  FailureOr<llvm::SmallBitVector> unsure = dimsToCheck(node, data, indices, *axis);
  if (failed(unsure))
    return failure();
  if (data.shape[*axis].isConstant(0))
    return node.error() << "the data are empty along axis " << *axis << ", so there is no place to write to";
  Reader reader(node, data, *unsure);
  Value places = node.value(indices);
  node.set(0, scatter(node, data, updates, reader, *reduction, [&](OpBuilder &b, Location loc, ArrayRef<Value> at) {
             SmallVector<Value> place(at);
             Value index = tensor::ExtractOp::create(b, loc, places, at);
             place[*axis] = checkedIndex(b, loc, index, reader.size(*axis));
             return place;
           }));
  return success();
}

LogicalResult importScatterND(Node &node) {
  if (failed(node.expectInputs(3, 3)) || failed(node.expectType(1, DataType::Int64)))
    return failure();
  const Tensor &data = node.input(0), &indices = node.input(1), &updates = node.input(2);
  FailureOr<std::string> reduction = readReduction(node, data.type);
  if (failed(reduction) || failed(node.expectType(2, data.type)))
    return failure();
  if (indices.rank() == 0 || data.rank() == 0)
    return node.error() << "the data and the indices have ranks " << data.rank() << " and " << indices.rank()
                        << ", expected at least 1";
  std::optional<int64_t> depth = indices.shape.back().getConstant();
  if (!depth)
    return node.unsupported() << "the last dimension of the indices says how many dimensions are indexed, and is known "
                                 "at run time only";
  if (*depth < 1 || *depth > data.rank())
    return node.error() << "an index consists of " << *depth << " numbers, but the data have rank " << data.rank();
  Shape expected(indices.shape.begin(), indices.shape.end() - 1);
  expected.append(data.shape.begin() + *depth, data.shape.end());
  if (failed(expectEqual(node, updates.shape, expected, "the updates don't fit the indices and the data")))
    return failure();
  llvm::SmallBitVector unsure(data.rank());
  unsure.set(0, *depth);
  for (int64_t i = 0; i < *depth; ++i)
    if (data.shape[i].isConstant(0))
      return node.error() << "the data are empty along dimension " << i << ", so there is no place to write to";
  Reader reader(node, data, unsure);
  Value lists = node.value(indices);
  int64_t leading = indices.rank() - 1;
  node.set(0, scatter(node, data, updates, reader, *reduction, [&](OpBuilder &b, Location loc, ArrayRef<Value> at) {
             SmallVector<Value> place, list(at.take_front(leading));
             for (int64_t i = 0; i < *depth; ++i) {
               list.push_back(arith::ConstantIndexOp::create(b, loc, i));
               Value number = tensor::ExtractOp::create(b, loc, lists, list);
               list.pop_back();
               place.push_back(checkedIndex(b, loc, number, reader.size(i)));
             }
             llvm::append_range(place, at.drop_front(leading));
             return place;
           }));
  return success();
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

LogicalResult importTensorScatter(Node &node) {
  if (failed(node.expectInputs(2, 3)) || failed(node.expectType(2, DataType::Int64)))
    return failure();
  const Tensor &past = node.input(0), &update = node.input(1);
  FailureOr<int64_t> given = node.integer("axis", -2);
  FailureOr<std::string> mode = node.text("mode", StringRef("linear"));
  if (failed(given) || failed(mode) || failed(node.expectType(1, past.type)))
    return failure();
  if (*mode != "linear" && *mode != "circular")
    return node.error() << "attribute 'mode' is '" << *mode << "', expected linear or circular";
  FailureOr<int64_t> axis = node.axis(*given, past.rank());
  if (failed(axis))
    return failure();
  if (*axis == 0)
    return node.error() << "axis " << *given << " is the batch";
  if (past.rank() != update.rank())
    return node.error() << "the cache and the update have ranks " << past.rank() << " and " << update.rank();
  for (int64_t i = 0; i < past.rank(); ++i)
    if (i != *axis && failed(expectEqual(node, past.shape[i], update.shape[i],
                                         "the cache and the update differ at dimension " + Twine(i))))
      return failure();
  const Size &most = past.shape[*axis], &length = update.shape[*axis];
  if (isAtLeast(node.symbols, length - most, 1))
    return node.error() << "the update is longer than the cache: " << node.symbols.toString(length) << " and "
                        << node.symbols.toString(most);
  SmallVector<Tensor> inputs{past};
  SmallVector<SmallVector<int64_t>> maps{llvm::to_vector(llvm::seq<int64_t>(past.rank()))};
  if (node.has(2)) {
    const Tensor &begin = node.input(2);
    if (begin.rank() != 1)
      return node.error() << "the write indices have rank " << begin.rank() << ", expected 1";
    if (failed(expectEqual(node, begin.shape[0], past.shape[0], "there must be a write index for each in the batch")))
      return failure();
    inputs.push_back(begin);
    maps.push_back({0});
  }
  // Each element of the result is one of the update or what was there.
  llvm::SmallBitVector unsure(past.rank());
  unsure.set(*axis);
  Reader reader(node, update, unsure);
  Value size = node.index(most);
  node.set(0, generate(node, past.type, past.shape, inputs, maps,
                       [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> indices) -> Value {
                         Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                         Value at = indices[*axis];
                         if (v.size() == 2) {
                           Value begin = arith::IndexCastOp::create(b, loc, b.getIndexType(), v[1]);
                           at = arith::SubIOp::create(b, loc, at, begin);
                         }
                         if (*mode == "circular") {
                           at = arith::RemSIOp::create(b, loc, at, size); // no iteration where it is 0
                           at = wrapIndex(b, loc, at, size);
                         }
                         Value starts = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, at, zero);
                         Value ends = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, reader.size(*axis));
                         SmallVector<Value> place(indices);
                         place[*axis] = at;
                         Value isNew = arith::AndIOp::create(b, loc, starts, ends);
                         return arith::SelectOp::create(b, loc, isNew, reader.read(b, loc, place), v[0]);
                       }));
  return success();
}

} // namespace

void attn::onnx::registerScatters(Registry &registry) {
  registry.add("ScatterElements", importScatterElements);
  registry.add("ScatterND", importScatterND);
  registry.add("TensorScatter", importTensorScatter);
}
