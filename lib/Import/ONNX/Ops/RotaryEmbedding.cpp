//===- RotaryEmbedding.cpp - Pairs of channels, turned ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The channels that turn become attn.rotary; where their number is known at run time only, they are seen as pairs,
// [..., half, 2] where they are interleaved and [..., 2, half] where not, and one elementwise function writes both.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "ScaledDotProduct.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

FailureOr<Tensor> attn::onnx::rowsAt(Node &node, const Tensor &table, const Tensor &positions) {
  if (table.shape[0].isConstant(0))
    return node.error() << "the table of angles is empty";
  Shape shape(positions.shape);
  shape.push_back(table.shape[1]);
  Value source = node.value(table), rows = node.index(table.shape[0]);
  auto all = llvm::to_vector(llvm::seq<int64_t>(shape.size()));
  SmallVector<int64_t> leading(ArrayRef<int64_t>(all).drop_back());
  SmallVector<IteratorType> iterators(shape.size(), IteratorType::parallel);
  Value value = generic(node, node.value(positions), empty(node, shape, table.type), {leading, all}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                          // Negative ones count from the end; others that are out of range read the nearest row.
                          Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), arguments[0]);
                          Value zero = arith::ConstantIndexOp::create(b, loc, 0),
                                one = arith::ConstantIndexOp::create(b, loc, 1);
                          Value isNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, zero);
                          Value fromEnd = arith::AddIOp::create(b, loc, position, rows);
                          position = arith::SelectOp::create(b, loc, isNegative, fromEnd, position);
                          position = arith::MaxSIOp::create(b, loc, position, zero);
                          position = arith::MinSIOp::create(b, loc, position, arith::SubIOp::create(b, loc, rows, one));
                          Value channel = linalg::IndexOp::create(b, loc, all.back());
                          return tensor::ExtractOp::create(b, loc, source, ValueRange{position, channel});
                        });
  return node.make(value, table.type, shape);
}

FailureOr<Tensor> attn::onnx::rotate(Node &node, const Tensor &input, int64_t sequence, const Tensor &cosines,
                                     const Tensor &sines, bool interleaved) {
  int64_t last = input.rank() - 1;
  Size half = cosines.shape.back(), turned = half * Size(2);
  Tensor part = slice(node, input, last, Size(0), turned);
  auto withRest = [&](const FailureOr<Tensor> &joined) -> FailureOr<Tensor> {
    if (failed(joined) || node.symbols.equal(turned, input.shape.back()))
      return joined;
    Tensor rest = slice(node, input, last, turned, input.shape.back() - turned);
    return concat(node, {*joined, rest}, last);
  };
  if (half.getConstant().value_or(0) > 0) {
    Value x = node.value(part), init = empty(node, part.shape, input.type);
    AffineMap map = AffineMap::get(last, 0, {node.builder.getAffineDimExpr(0), node.builder.getAffineDimExpr(sequence)},
                                   node.builder.getContext());
    Value result = RotaryOp::create(node.builder, node.loc, init.getType(), x, node.value(cosines), node.value(sines),
                                    init, map, interleaved)
                       .getResult(0);
    return withRest(node.make(result, input.type, part.shape));
  }
  // The op is for channels of a number that is known here.
  Shape pairs(part.shape);
  pairs.back() = interleaved ? half : Size(2);
  pairs.push_back(interleaved ? Size(2) : half);
  FailureOr<Tensor> split = reshape(node, part, pairs);
  if (failed(split))
    return failure();
  int64_t pair = interleaved ? last + 1 : last, channel = interleaved ? last : last + 1;
  auto member = [&](int64_t i) {
    Shape shape(pairs);
    shape.erase(shape.begin() + pair);
    return reshape(node, slice(node, *split, pair, Size(i), Size(1)), shape);
  };
  FailureOr<Tensor> first = member(0), second = member(1);
  if (failed(first) || failed(second))
    return failure();
  // Where the elements of both members, and of the angles, stand.
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(last + 2)), members, angles;
  for (int64_t dim : all)
    if (dim != pair)
      members.push_back(dim);
  angles = {0, sequence, channel};
  SmallVector<Value> inputs = {node.value(*first), node.value(*second), node.value(cosines), node.value(sines)};
  SmallVector<IteratorType> iterators(all.size(), IteratorType::parallel);
  Value value =
      generic(node, inputs, empty(node, pairs, input.type), {members, members, angles, angles, all}, iterators,
              [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                DataType type = computeType(input.type);
                auto as = [&](Value scalar, DataType from) { return castScalar(b, loc, scalar, from, type); };
                Value x = as(arguments[0], input.type), y = as(arguments[1], input.type);
                Value cosine = as(arguments[2], cosines.type), sine = as(arguments[3], sines.type);
                auto times = [&](Value p, Value q) { return arith::MulFOp::create(b, loc, p, q).getResult(); };
                Value real = arith::SubFOp::create(b, loc, times(cosine, x), times(sine, y));
                Value imaginary = arith::AddFOp::create(b, loc, times(sine, x), times(cosine, y));
                Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                                      linalg::IndexOp::create(b, loc, pair), zero);
                return castScalar(b, loc, arith::SelectOp::create(b, loc, isFirst, real, imaginary), type, input.type);
              });
  return withRest(reshape(node, node.make(value, input.type, pairs), part.shape));
}

/// Half of the channels that turn; the tables must have as many columns.
static FailureOr<Size> halfOf(Node &node, const Size &channels, int64_t turned, Size columns) {
  std::optional<int64_t> size = channels.getConstant();
  if (turned < 0 || turned % 2 != 0)
    return node.error() << "attribute 'rotary_embedding_dim' is " << turned << ", expected an even number";
  if (size && turned > *size)
    return node.error() << "attribute 'rotary_embedding_dim' is " << turned << ", but heads have " << *size
                        << " channels";
  if (size && turned == 0 && *size % 2 != 0)
    return node.error() << "heads have " << *size << " channels, which is odd";
  Size half = turned ? Size(turned / 2) : quotientOf(node, channels, 2);
  std::optional<int64_t> expected = half.getConstant(), given = columns.getConstant();
  if (expected && given && *expected != *given)
    return node.error() << "the angles have " << *given << " columns, expected " << *expected;
  if (expected && given)
    return half;
  // Sizes that are known at run time only: as many as all have.
  half = minimumOf(node, half, columns);
  return turned ? minimumOf(node, half, quotientOf(node, channels, 2)) : half;
}

static LogicalResult importRotaryEmbedding(Node &node) {
  FailureOr<int64_t> heads = node.integer("num_heads", 0), turned = node.integer("rotary_embedding_dim", 0),
                     interleaved = node.integer("interleaved", 0);
  if (failed(node.expectInputs(3, 4)) || failed(heads) || failed(turned) || failed(interleaved))
    return failure();
  for (size_t i : {0, 1, 2})
    if (failed(node.expectFloat(i)))
      return failure();
  if (failed(node.expectType(3, DataType::Int64)))
    return failure();
  Tensor input = node.input(0), cosines = node.input(1), sines = node.input(2);
  if (input.rank() != 3 && input.rank() != 4)
    return node.error() << "the input has rank " << input.rank() << ", expected 3 or 4";
  if (*interleaved != 0 && *interleaved != 1)
    return node.error() << "attribute 'interleaved' is " << *interleaved << ", expected 0 or 1";
  int64_t rank = node.has(3) ? 2 : 3;
  for (const Tensor *table : {&cosines, &sines})
    if (table->rank() != rank)
      return node.error() << "the angles have rank " << table->rank() << ", expected " << rank
                          << (node.has(3) ? " with" : " without") << " position_ids";
  if (failed(expectEqual(node, cosines.shape, sines.shape, "the shapes of cosines and sines")))
    return failure();
  Size whole = input.shape.back();
  bool isFlat = input.rank() == 3;
  if (isFlat) {
    if (*heads < 1)
      return node.error() << "attribute 'num_heads' is " << *heads << ", which an input of rank 3 needs to be positive";
    FailureOr<Tensor> split = splitHeads(node, input, *heads, "the input");
    if (failed(split))
      return failure();
    input = *split;
  }
  int64_t sequence = isFlat ? 1 : 2;
  FailureOr<Size> half = halfOf(node, input.shape[3], *turned, cosines.shape.back());
  if (failed(half))
    return failure();
  if (node.has(3)) {
    const Tensor &positions = node.input(3);
    if (positions.rank() != 2)
      return node.error() << "position_ids have rank " << positions.rank() << ", expected 2";
    for (Tensor *table : {&cosines, &sines}) {
      FailureOr<Tensor> rows = rowsAt(node, *table, positions);
      if (failed(rows))
        return failure();
      *table = *rows;
    }
  }
  for (Tensor *table : {&cosines, &sines}) {
    *table = slice(node, *table, 2, Size(0), *half);
    if (failed(expectEqual(node, input.shape[0], table->shape[0], "the batch of the input and the angles")) ||
        failed(expectEqual(node, input.shape[sequence], table->shape[1], "the length of the input and the angles")))
      return failure();
  }
  FailureOr<Tensor> result = rotate(node, input, sequence, cosines, sines, *interleaved);
  if (succeeded(result) && isFlat)
    result = joinHeads(node, *result, whole);
  return node.set(0, result);
}

/// com.microsoft's: positions come second, and may be one that the first token has.
static LogicalResult importMicrosoftRotaryEmbedding(Node &node) {
  FailureOr<int64_t> heads = node.integer("num_heads", 0), turned = node.integer("rotary_embedding_dim", 0),
                     interleaved = node.integer("interleaved", 0);
  FailureOr<double> scale = node.real("scale", 1);
  if (failed(node.expectInputs(4, 4)) || failed(heads) || failed(turned) || failed(interleaved) || failed(scale) ||
      failed(expectZero(node, "is_packed_batching")) || failed(node.expectType(1, DataType::Int64)))
    return failure();
  for (size_t i : {0, 2, 3})
    if (failed(node.expectType(i, {DataType::Float, DataType::Float16, DataType::BFloat16})))
      return failure();
  if (*scale != 1)
    return node.unsupported() << "attribute 'scale' is " << *scale << ", only 1 is";
  Tensor input = node.input(0), positions = node.input(1), cosines = node.input(2), sines = node.input(3);
  if ((input.rank() != 3 && input.rank() != 4) || cosines.rank() != 2)
    return node.error() << "the input and the angles have ranks " << input.rank() << " and " << cosines.rank()
                        << ", expected 3 or 4 and 2";
  if (*heads < 0 || (*turned != 0 && *heads == 0))
    return node.error() << "attribute 'num_heads' is " << *heads << ", expected a positive number";
  if (failed(expectEqual(node, cosines.shape, sines.shape, "the shapes of cosines and sines")))
    return failure();
  Size whole = input.shape.back();
  bool isFlat = input.rank() == 3;
  if (isFlat) {
    std::optional<int64_t> hidden = whole.getConstant(), columns = cosines.shape[1].getConstant();
    if (*heads == 0) {
      // As many as have two columns of angles each.
      if (!hidden || !columns || *columns == 0 || *hidden % (*columns * 2) != 0)
        return node.error() << "the attribute 'num_heads' is missing, and " << node.symbols.toString(whole)
                            << " channels are not known to be a multiple of those of "
                            << node.symbols.toString(cosines.shape[1]) << " angles";
      heads = *hidden / (*columns * 2);
    }
    FailureOr<Tensor> split = *heads ? splitHeads(node, input, *heads, "the input") : FailureOr<Tensor>(input);
    if (failed(split))
      return failure();
    input = *split;
  }
  if (input.rank() != 4)
    return node.error() << "the input has no channels";
  int64_t sequence = isFlat ? 1 : 2;
  Shape shape = {input.shape[0], input.shape[sequence]};
  if (positions.rank() == 1) {
    if (failed(expectEqual(node, positions.shape[0], Size(1), "the size of position_ids")))
      return failure();
    Value value = generic(
        node, node.value(positions), empty(node, shape, DataType::Int64), {{-1}, {0, 1}},
        {IteratorType::parallel, IteratorType::parallel}, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Value at = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, 1));
          return arith::AddIOp::create(b, loc, v[0], at);
        });
    positions = node.make(value, DataType::Int64, shape);
  } else if (failed(expectEqual(node, positions.shape, shape, "the shape of position_ids"))) {
    return failure();
  }
  FailureOr<Size> half = halfOf(node, input.shape[3], *turned, cosines.shape[1]);
  FailureOr<Tensor> cosineRows = rowsAt(node, cosines, positions), sineRows = rowsAt(node, sines, positions);
  if (failed(half) || failed(cosineRows) || failed(sineRows))
    return failure();
  FailureOr<Tensor> result = rotate(node, input, sequence, slice(node, *cosineRows, 2, Size(0), *half),
                                    slice(node, *sineRows, 2, Size(0), *half), *interleaved == 1);
  if (succeeded(result) && isFlat)
    result = joinHeads(node, *result, whole);
  return node.set(0, result);
}

void attn::onnx::registerRotaryEmbedding(Registry &registry) {
  registry.add("RotaryEmbedding", importRotaryEmbedding, 23);
  registry.add("RotaryEmbedding", importMicrosoftRotaryEmbedding, 1, "com.microsoft");
}
