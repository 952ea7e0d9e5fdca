//===- Indexing.cpp - Gather and its like -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

//===----------------------------------------------------------------------===//
// Reading elements
//===----------------------------------------------------------------------===//

Reader::Reader(Node &node, const Tensor &source, const llvm::SmallBitVector &unsure)
    : source(node.value(source)), sizes(source.rank()), mayBeEmpty(source.rank()), type(source.type) {
  for (unsigned dim : unsure.set_bits()) {
    sizes[dim] = node.index(source.shape[dim]);
    if (!isAtLeast(node.symbols, source.shape[dim], 1))
      mayBeEmpty.set(dim);
  }
}

Value Reader::clamp(OpBuilder &b, Location loc, Value index, int64_t dim) const {
  Value one = arith::ConstantIndexOp::create(b, loc, 1), zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value last = arith::SubIOp::create(b, loc, sizes[dim], one);
  return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, index, last), zero);
}

Value Reader::read(OpBuilder &b, Location loc, ArrayRef<Value> indices) const {
  SmallVector<Value> places;
  for (auto [dim, index] : llvm::enumerate(indices))
    places.push_back(sizes[dim] ? clamp(b, loc, index, dim) : index);
  if (mayBeEmpty.none())
    return tensor::ExtractOp::create(b, loc, source, places);
  // Nothing is nearest where there is nothing.
  Value isThere;
  for (unsigned dim : mayBeEmpty.set_bits()) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, sizes[dim], zero);
    isThere = isThere ? arith::AndIOp::create(b, loc, isThere, some).getResult() : some;
  }
  return scf::IfOp::create(
             b, loc, isThere,
             [&](OpBuilder &inner, Location) {
               scf::YieldOp::create(inner, loc, tensor::ExtractOp::create(inner, loc, source, places).getResult());
             },
             [&](OpBuilder &inner, Location) { scf::YieldOp::create(inner, loc, scalarConstant(inner, loc, type, 0)); })
      .getResult(0);
}

Value attn::onnx::wrapIndex(OpBuilder &b, Location loc, Value integer, Value size) {
  Value index = integer;
  if (!integer.getType().isIndex())
    index = arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value isNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
  return arith::SelectOp::create(b, loc, isNegative, arith::AddIOp::create(b, loc, index, size), index);
}

Value attn::onnx::checkedIndex(OpBuilder &b, Location loc, Value integer, Value size) {
  Value index = wrapIndex(b, loc, integer, size);
  // Without a sign a negative one is large.
  Value isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, size);
  CheckOp::create(b, loc, isInside, /*call=*/Value(), Violation::Index);
  return index;
}

Tensor attn::onnx::generate(Node &node, DataType type, ArrayRef<Size> shape, ArrayRef<Tensor> inputs,
                            ArrayRef<SmallVector<int64_t>> maps, IndexedBody body) {
  SmallVector<Value> values;
  for (const Tensor &input : inputs)
    values.push_back(node.value(input));
  SmallVector<SmallVector<int64_t>> all(maps);
  all.push_back(llvm::to_vector(llvm::seq<int64_t>(shape.size())));
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  Value result = generic(node, values, empty(node, shape, type), all, iterators,
                         [&](OpBuilder &b, Location loc, ValueRange arguments) {
                           SmallVector<Value> indices;
                           for (size_t i = 0; i < shape.size(); ++i)
                             indices.push_back(linalg::IndexOp::create(b, loc, i));
                           return body(b, loc, arguments.drop_back(), indices);
                         });
  return node.make(result, type, Shape(shape));
}

std::optional<Tensor> attn::onnx::rearrange(const Tensor &input, ArrayRef<Size> shape, PlaceFunction source) {
  if (!input.elements)
    return std::nullopt;
  SmallVector<int64_t> from, to;
  int64_t count = 1;
  for (const Size &size : input.shape)
    from.push_back(size.getConstant().value_or(-1));
  for (const Size &size : shape) {
    to.push_back(size.getConstant().value_or(-1));
    if (to.back() < 0 || llvm::MulOverflow(count, to.back(), count) || count > kMostKnown)
      return std::nullopt;
  }
  if (llvm::is_contained(from, -1))
    return std::nullopt;
  SmallVector<Size> elements;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<int64_t> index(to.size());
    for (int64_t rest = i, k = int64_t(to.size()) - 1; k >= 0; --k) {
      index[k] = rest % to[k];
      rest /= to[k];
    }
    int64_t at = 0;
    for (auto [place, size] : llvm::zip(source(index), from)) {
      if (place < 0 || place >= size)
        return std::nullopt;
      at = at * size + place;
    }
    elements.push_back((*input.elements)[at]);
  }
  return integers(elements, Shape(shape), input.type);
}

//===----------------------------------------------------------------------===//
// Known inputs
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Size>> attn::onnx::expectSizes(Node &node, size_t i, StringRef what) {
  const Tensor &input = node.input(i);
  if (failed(node.expectType(i, {DataType::Int64, DataType::Int32})))
    return failure();
  if (input.rank() != 1)
    return node.error() << "input " << i << " has rank " << input.rank() << ", expected 1";
  if (input.elements && llvm::all_of(*input.elements, [](const Size &size) { return size.isValid(); }))
    return *input.elements;
  return node.unsupported() << what << " (input " << i
                            << ") must be known when compiling: a constant, or computed from shapes";
}

FailureOr<SmallVector<int64_t>> attn::onnx::expectConstants(Node &node, size_t i, StringRef what) {
  if (failed(node.expectType(i, {DataType::Int64, DataType::Int32})))
    return failure();
  if (node.input(i).rank() > 1)
    return node.error() << "input " << i << " has rank " << node.input(i).rank() << ", expected 1";
  if (std::optional<SmallVector<int64_t>> constants = node.constants(i))
    return *constants;
  return node.unsupported() << what << " (input " << i << ") must be numbers that are known when compiling";
}

LogicalResult attn::onnx::expectIndices(Node &node, size_t i) {
  return node.expectType(i, {DataType::Int64, DataType::Int32});
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

FailureOr<llvm::SmallBitVector> attn::onnx::dimsToCheck(Node &node, const Tensor &data, const Tensor &indices,
                                                        int64_t axis) {
  llvm::SmallBitVector unsure(data.rank());
  for (int64_t i = 0; i < data.rank(); ++i) {
    Size difference = indices.shape[i] - data.shape[i];
    if (i != axis && isAtLeast(node.symbols, difference, 1))
      return node.error() << "the indices have more elements than the data along dimension " << i << ": "
                          << node.symbols.toString(indices.shape[i]) << " and " << node.symbols.toString(data.shape[i]);
    if (i == axis || !isAtMost(node.symbols, difference, 0))
      unsure.set(i);
  }
  return unsure;
}

namespace {

/// Indices at most once around the end, as those of a table of `size` rows.
Tensor wrapped(Node &node, const Tensor &indices, const Size &size) {
  Value rows = node.index(size);
  auto identity = llvm::to_vector(llvm::seq<int64_t>(indices.rank()));
  return generate(node, indices.type, indices.shape, indices, {identity},
                  [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value>) -> Value {
                    return arith::IndexCastOp::create(b, loc, v[0].getType(), wrapIndex(b, loc, v[0], rows));
                  });
}

LogicalResult importGather(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(expectIndices(node, 1)))
    return failure();
  const Tensor &data = node.input(0), &indices = node.input(1);
  FailureOr<int64_t> given = node.integer("axis", 0);
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, data.rank());
  if (failed(axis))
    return failure();
  const Size &size = data.shape[*axis];
  std::optional<int64_t> rows = size.getConstant();
  Shape shape(data.shape.begin(), data.shape.begin() + *axis);
  llvm::append_range(shape, indices.shape);
  shape.append(data.shape.begin() + *axis + 1, data.shape.end());

  std::optional<SmallVector<int64_t>> known = node.constants(1);
  // A single row of a dimension that the caller chooses, such as the first token's: the caller is asked for it.
  if (known && !rows && known->size() == 1 && known->front() != std::numeric_limits<int64_t>::min()) {
    int64_t index = known->front(), needed = index < 0 ? -index : index;
    if (index >= 0 && needed != std::numeric_limits<int64_t>::max())
      ++needed;
    if (isAtLeast(node.symbols, size, needed) || node.symbols.limit(size, needed)) {
      Tensor row = slice(node, data, *axis, index < 0 ? size + Size(index) : Size(index), Size(1));
      return node.set(0, reshape(node, row, shape));
    }
  }
  if (known && rows) {
    for (int64_t &index : *known) {
      if (index < -*rows || index >= *rows)
        return node.error() << "index " << index << " is not in [" << -*rows << ", " << *rows - 1 << "]";
      index += index < 0 ? *rows : 0;
    }
    int64_t rank = indices.rank();
    std::optional<Tensor> folded = rearrange(data, shape, [&](ArrayRef<int64_t> index) {
      int64_t at = 0;
      for (int64_t i = 0; i < rank; ++i)
        at = at * *indices.shape[i].getConstant() + index[*axis + i];
      SmallVector<int64_t> place(index.take_front(*axis));
      place.push_back((*known)[at]);
      llvm::append_range(place, index.drop_front(*axis + rank));
      return place;
    });
    if (folded) {
      node.set(0, std::move(*folded));
      return success();
    }
    // A single one, or several one after the other, are a slice.
    bool inOrder = !known->empty();
    for (size_t i = 1; i < known->size(); ++i)
      inOrder &= (*known)[i] == (*known)[i - 1] + 1;
    if (inOrder) {
      Tensor part = slice(node, data, *axis, Size(known->front()), Size(int64_t(known->size())));
      FailureOr<Tensor> result = reshape(node, part, shape);
      if (failed(result))
        return failure();
      node.set(0, std::move(*result));
      return success();
    }
  }

  FailureOr<std::optional<Tensor>> inOrder = gatherRamp(node, data, *axis, indices);
  if (failed(inOrder))
    return failure();
  if (*inOrder) {
    node.set(0, std::move(**inOrder));
    return success();
  }
  if (data.rank() == 2 && *axis == 0 && data.type == DataType::Float && indices.rank() > 0 && rows && *rows > 0) {
    // Rows of a table: that has a kernel.
    Value rowIndices = node.value(wrapped(node, indices, size));
    Value table = node.value(data);
    Value result = EmbeddingOp::create(node.builder, node.loc, node.tensorType(data.type, shape), rowIndices, table,
                                       Value(), empty(node, shape, data.type), RowKernelAttr(), ScheduleAttr())
                       ->getResult(0);
    node.set(0, node.make(result, data.type, shape));
    return success();
  }
  llvm::SmallBitVector unsure(data.rank());
  unsure.set(*axis);
  Reader reader(node, data, unsure);
  auto map = llvm::to_vector(llvm::seq<int64_t>(*axis, *axis + indices.rank()));
  node.set(0, generate(node, data.type, shape, indices, {map},
                       [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> at) {
                         SmallVector<Value> place(at.take_front(*axis));
                         place.push_back(known && rows ? wrapIndex(b, loc, v[0], reader.size(*axis))
                                                       : checkedIndex(b, loc, v[0], reader.size(*axis)));
                         llvm::append_range(place, at.drop_front(*axis + indices.rank()));
                         return reader.read(b, loc, place);
                       }));
  return success();
}

LogicalResult importGatherElements(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(expectIndices(node, 1)))
    return failure();
  const Tensor &data = node.input(0), &indices = node.input(1);
  FailureOr<int64_t> given = node.integer("axis", 0);
  if (failed(given))
    return failure();
  if (data.rank() != indices.rank())
    return node.error() << "the data and the indices have ranks " << data.rank() << " and " << indices.rank();
  FailureOr<int64_t> axis = node.axis(*given, data.rank());
  if (failed(axis))
    return failure();
  FailureOr<llvm::SmallBitVector> unsure = dimsToCheck(node, data, indices, *axis);
  if (failed(unsure))
    return failure();
  std::optional<Ramp> same = rampOf(node, data);
  if (same && same->isUniform()) { // whichever is read
    node.set(0, rampTensor(node, data.type, indices.shape, broadcastRamp({same->start, {}}, {}, indices.shape)));
    return success();
  }
  Reader reader(node, data, *unsure);
  auto identity = llvm::to_vector(llvm::seq<int64_t>(data.rank()));
  node.set(0, generate(node, data.type, indices.shape, indices, {identity},
                       [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> at) {
                         SmallVector<Value> place(at);
                         place[*axis] = checkedIndex(b, loc, v[0], reader.size(*axis));
                         return reader.read(b, loc, place);
                       }));
  return success();
}

LogicalResult importGatherND(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(node.expectType(1, DataType::Int64)))
    return failure();
  const Tensor &data = node.input(0), &indices = node.input(1);
  FailureOr<int64_t> batch = node.integer("batch_dims", 0);
  if (failed(batch))
    return failure();
  if (*batch < 0 || *batch >= indices.rank() || *batch >= data.rank())
    return node.error() << "attribute 'batch_dims' is " << *batch << ", but the data and the indices have ranks "
                        << data.rank() << " and " << indices.rank();
  std::optional<int64_t> depth = indices.shape.back().getConstant();
  if (!depth)
    return node.unsupported() << "the last dimension of the indices decides the result's rank, and is known at run "
                                 "time only";
  if (*depth < 1 || *depth > data.rank() - *batch)
    return node.error() << "an index consists of " << *depth << " numbers, but " << data.rank() - *batch
                        << " dimensions of the data can be indexed";
  ArrayRef<Size> from(data.shape), places(indices.shape);
  if (failed(expectEqual(node, from.take_front(*batch), places.take_front(*batch), "the batches differ")))
    return failure();
  Shape shape(places.drop_back().begin(), places.drop_back().end());
  llvm::append_range(shape, from.drop_front(*batch + *depth));
  if (*batch == 0) {
    FailureOr<std::optional<Tensor>> inOrder = gatherColumns(node, data, indices);
    if (failed(inOrder))
      return failure();
    if (*inOrder) {
      node.set(0, std::move(**inOrder));
      return success();
    }
  }
  llvm::SmallBitVector unsure(data.rank());
  unsure.set(*batch, *batch + *depth);
  Reader reader(node, data, unsure);
  Value lists = node.value(indices);
  int64_t leading = indices.rank() - 1;
  node.set(0, generate(node, data.type, shape, {}, {}, [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> at) {
             SmallVector<Value> place(at.take_front(*batch)), list(at.take_front(leading));
             for (int64_t i = 0; i < *depth; ++i) {
               list.push_back(arith::ConstantIndexOp::create(b, loc, i));
               Value number = tensor::ExtractOp::create(b, loc, lists, list);
               list.pop_back();
               place.push_back(checkedIndex(b, loc, number, reader.size(*batch + i)));
             }
             llvm::append_range(place, at.drop_front(leading));
             return reader.read(b, loc, place);
           }));
  return success();
}

} // namespace

void attn::onnx::registerIndexing(Registry &registry) {
  registry.add("Gather", importGather);
  registry.add("GatherElements", importGatherElements);
  registry.add("GatherND", importGatherND);
  registerSlices(registry);
  registerPads(registry);
  registerScatters(registry);
  registerScans(registry);
}
