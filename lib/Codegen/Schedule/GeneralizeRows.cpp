//===- GeneralizeRows.cpp - Row ops as linalg ops ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Generalize.h"
#include "ScalarCode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

/// The first `count` of `dims` loops.
static AffineMap leading(MLIRContext *context, unsigned dims, unsigned count) {
  AffineMap all = AffineMap::getMultiDimIdentityMap(dims, context);
  return AffineMap::get(dims, 0, all.getResults().take_front(count), context);
}

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

/// The weight as [N, K], taken out of its panels.
static Value unpack(OpBuilder &b, LinearOp op) {
  Location loc = op.getLoc();
  RankedTensorType type = typeOf(op.getWeight());
  LinalgBuilder linalg(b, loc);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getWeight());
  std::swap(sizes[1], sizes[2]);
  Value init = linalg.empty(sizes, type.getElementType());
  SmallVector<int64_t> permutation = {0, 2, 1};
  Value rows = linalg::TransposeOp::create(b, loc, op.getWeight(), init, permutation).getResult()[0];
  rows = tensor::CollapseShapeOp::create(b, loc, rows, ArrayRef<ReassociationIndices>{{0, 1}, {2}});
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult columns = tensor::getMixedSize(b, loc, op.getInit(), typeOf(op.getInit()).getRank() - 1);
  return tensor::ExtractSliceOp::create(b, loc, rows, ArrayRef<OpFoldResult>{zero, zero},
                                        ArrayRef<OpFoldResult>{columns, sizes[2]}, ArrayRef<OpFoldResult>{one, one});
}

SmallVector<Value> attn::generalize(OpBuilder &b, LinearOp op) {
  Location loc = op.getLoc();
  MLIRContext *context = op.getContext();
  LinalgBuilder linalg(b, loc);
  unsigned rank = typeOf(op.getInit()).getRank(), loops = rank + 1;
  AffineExpr n = b.getAffineDimExpr(rank - 1), k = b.getAffineDimExpr(rank);
  SmallVector<AffineExpr> row;
  for (unsigned i = 0; i + 1 < rank; ++i)
    row.push_back(b.getAffineDimExpr(i));
  row.push_back(k);
  Value weight = op.isPacked() ? unpack(b, op) : Value(op.getWeight());
  bool trivial = op.hasTrivialEpilogue();
  Type element = typeOf(op.getInit()).getElementType();
  Value init = op.getInit();
  if (!trivial)
    init = linalg.empty(tensor::getMixedSizes(b, loc, init), element);
  Value sum = linalg.contract({op.getInput(), AffineMap::get(loops, 0, row, context)},
                              {weight, AffineMap::get(loops, 0, {n, k}, context)},
                              {linalg.filled(init, 0), leading(context, loops, rank)});
  if (trivial)
    return {sum};
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<LinalgBuilder::Operand> inputs = {{sum, identity}};
  for (auto [extra, map] : llvm::zip(op.getExtras(), op.getExtraMaps().getAsValueRange<AffineMapAttr>()))
    inputs.emplace_back(extra, map);
  return {linalg.generic(inputs, {op.getInit(), identity}, [&](OpBuilder &inner, ArrayRef<Value> arguments) {
    Block &epilogue = op.getEpilogue().front();
    IRMapping mapping;
    mapping.map(epilogue.getArguments(), arguments.drop_back());
    for (Operation &code : epilogue.without_terminator())
      inner.clone(code, mapping);
    return mapping.lookupOrDefault(epilogue.getTerminator()->getOperand(0));
  })};
}

//===----------------------------------------------------------------------===//
// layer_norm, rms_norm
//===----------------------------------------------------------------------===//

SmallVector<Value> attn::generalize(OpBuilder &b, NormOpInterface op) {
  Location loc = op.getLoc();
  LinalgBuilder linalg(b, loc);
  unsigned rank = typeOf(op.getInit()).getRank();
  Type element = typeOf(op.getInit()).getElementType();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getInit());
  Value count = getValueOrCreateConstantIndexOp(b, loc, sizes.back());
  sizes.pop_back();
  AffineMap all = b.getMultiDimIdentityMap(rank), rows = leading(op.getContext(), rank, rank - 1);
  AffineMap channels = AffineMap::get(rank, 0, b.getAffineDimExpr(rank - 1));
  /// `sum` divided by the number of elements of a row.
  auto mean = [&](OpBuilder &inner, Value sum) -> Value {
    Value integer = arith::IndexCastOp::create(inner, loc, inner.getI64Type(), count);
    return arith::DivFOp::create(inner, loc, sum, arith::SIToFPOp::create(inner, loc, element, integer));
  };
  // What is read of an element: itself and, for the difference to it, the sum of its row.
  SmallVector<LinalgBuilder::Operand> inputs = {{op.getInput(), all}};
  auto difference = [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
    if (!op.isCentered())
      return arguments[0];
    return arith::SubFOp::create(inner, loc, arguments[0], mean(inner, arguments[1]));
  };
  if (op.isCentered())
    inputs.emplace_back(linalg.generic(inputs, {linalg.filled(sizes, element, 0), rows},
                                       [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                                         return arith::AddFOp::create(inner, loc, arguments[1], arguments[0]);
                                       }),
                        rows);
  Value squares = linalg.generic(inputs, {linalg.filled(sizes, element, 0), rows},
                                 [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                                   Value x = difference(inner, arguments);
                                   Value square = arith::MulFOp::create(inner, loc, x, x);
                                   return arith::AddFOp::create(inner, loc, arguments.back(), square);
                                 });
  unsigned first = inputs.size();
  inputs.emplace_back(squares, rows);
  inputs.emplace_back(op.getScale(), channels);
  if (op.getShift())
    inputs.emplace_back(op.getShift(), channels);
  double epsilon = op.getEpsilon().convertToDouble();
  return {linalg.generic(inputs, {op.getInit(), all}, [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
    Value x = difference(inner, arguments);
    Value variance = mean(inner, arguments[first]);
    variance = arith::AddFOp::create(inner, loc, variance, createFloat(inner, loc, element, epsilon));
    x = arith::DivFOp::create(inner, loc, x, math::SqrtOp::create(inner, loc, variance));
    x = arith::MulFOp::create(inner, loc, x, arguments[first + 1]);
    return op.getShift() ? arith::AddFOp::create(inner, loc, x, arguments[first + 2]).getResult() : x;
  })};
}

//===----------------------------------------------------------------------===//
// rotary
//===----------------------------------------------------------------------===//

/// `rank` + 1 dimensions, the last two of them as one.
static SmallVector<ReassociationIndices> lastTwoTogether(int64_t rank) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < rank; ++i)
    groups.push_back({i});
  groups.back().push_back(rank);
  return groups;
}

/// The pairs as two dimensions, [..., 2, D/2], or [..., D/2, 2] where interleaved: one elementwise op writes both of a
/// pair, in vectors of pairs.
SmallVector<Value> attn::generalize(OpBuilder &b, RotaryOp op) {
  Location loc = op.getLoc();
  LinalgBuilder linalg(b, loc);
  int64_t rank = typeOf(op.getInit()).getRank(), half = typeOf(op.getInit()).getShape().back() / 2;
  int64_t member = op.getInterleaved() ? rank : rank - 1, pair = op.getInterleaved() ? rank - 1 : rank;
  Type element = typeOf(op.getInit()).getElementType();
  auto splitChannels = [&](Value value) -> Value {
    SmallVector<int64_t> shape(typeOf(value).getShape());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
    int64_t last = shape.size() - 1;
    SmallVector<int64_t> split = {2, half};
    if (op.getInterleaved())
      std::swap(split[0], split[1]);
    shape.back() = split[0], sizes.back() = b.getIndexAttr(split[0]);
    shape.push_back(split[1]), sizes.push_back(b.getIndexAttr(split[1]));
    return tensor::ExpandShapeOp::create(b, loc, typeOf(value).clone(shape), value, lastTwoTogether(last + 1), sizes);
  };
  Value pairs = splitChannels(op.getInput()), init = splitChannels(op.getInit());
  auto memberOf = [&](int64_t i) -> Value {
    SmallVector<OpFoldResult> offsets(rank + 1, b.getIndexAttr(0)), strides(rank + 1, b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, pairs);
    offsets[member] = b.getIndexAttr(i);
    sizes[member] = b.getIndexAttr(1);
    SmallVector<int64_t> shape(typeOf(op.getInit()).getShape());
    shape.back() = half;
    return tensor::ExtractSliceOp::create(b, loc, typeOf(pairs).clone(shape), pairs, offsets, sizes, strides);
  };
  AffineMap all = b.getMultiDimIdentityMap(rank + 1), members = all.dropResult(member);
  SmallVector<AffineExpr> angle(op.getMap().getResults());
  if (!op.hasAngleOfPairs()) {
    angle.push_back(b.getAffineDimExpr(rank - 1));
    angle.push_back(b.getAffineDimExpr(rank));
  } else {
    angle.push_back(b.getAffineDimExpr(pair));
  }
  AffineMap angles = AffineMap::get(rank + 1, 0, angle, op.getContext());
  auto table = [&](Value value) { return op.hasAngleOfPairs() ? value : splitChannels(value); };
  Value turned = linalg.generic(
      {{memberOf(0), members}, {memberOf(1), members}, {table(op.getCosine()), angles}, {table(op.getSine()), angles}},
      {init, all}, [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
        Value x = arguments[0], y = arguments[1];
        Value cosine = createFloatCast(inner, loc, arguments[2], element);
        Value sine = createFloatCast(inner, loc, arguments[3], element);
        auto times = [&](Value p, Value q) { return arith::MulFOp::create(inner, loc, p, q).getResult(); };
        Value first = arith::SubFOp::create(inner, loc, times(x, cosine), times(y, sine));
        Value second = arith::AddFOp::create(inner, loc, times(y, cosine), times(x, sine));
        Value isFirst =
            arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::eq, linalg::IndexOp::create(inner, loc, member),
                                  arith::ConstantIndexOp::create(inner, loc, 0));
        return arith::SelectOp::create(inner, loc, isFirst, first, second);
      });
  return {tensor::CollapseShapeOp::create(b, loc, turned, lastTwoTogether(rank))};
}

//===----------------------------------------------------------------------===//
// embedding
//===----------------------------------------------------------------------===//

SmallVector<Value> attn::generalize(OpBuilder &b, EmbeddingOp op) {
  Location loc = op.getLoc();
  LinalgBuilder linalg(b, loc);
  unsigned rank = typeOf(op.getInit()).getRank();
  Type element = typeOf(op.getInit()).getElementType();
  Type wide = isNarrowFloat(element) ? Type(b.getF32Type()) : element;
  AffineMap all = b.getMultiDimIdentityMap(rank), place = leading(op.getContext(), rank, rank - 1);
  SmallVector<LinalgBuilder::Operand> inputs;
  for (Value indices : op.getIndices())
    inputs.emplace_back(indices, place);
  auto rowsOf = [&](Value table) -> Value { return b.createOrFold<tensor::DimOp>(loc, table, 0); };
  SmallVector<Value> tableRows = llvm::map_to_vector(op.getTables(), rowsOf);
  Value positionRows = op.getPositions() ? rowsOf(op.getPositions()) : Value();
  return {linalg.generic(inputs, {op.getInit(), all}, [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
    Value column = linalg::IndexOp::create(inner, loc, rank - 1), sum;
    auto addRow = [&](Value table, Value row, Value rows) {
      Value clamped = createClamp(inner, loc, row, rows);
      Value part = tensor::ExtractOp::create(inner, loc, table, ValueRange{clamped, column});
      part = createFloatCast(inner, loc, part, wide);
      sum = sum ? arith::AddFOp::create(inner, loc, sum, part).getResult() : part;
    };
    for (auto [index, table, rows] : llvm::zip(arguments, op.getTables(), tableRows))
      addRow(table, arith::IndexCastOp::create(inner, loc, inner.getIndexType(), index), rows);
    if (op.getPositions() && rank >= 2)
      addRow(op.getPositions(), linalg::IndexOp::create(inner, loc, rank - 2), positionRows);
    return createFloatCast(inner, loc, sum, element);
  })};
}

//===----------------------------------------------------------------------===//
// key_ranges
//===----------------------------------------------------------------------===//

SmallVector<Value> attn::generalize(OpBuilder &b, KeyRangesOp op) {
  Location loc = op.getLoc();
  LinalgBuilder linalg(b, loc);
  MLIRContext *context = op.getContext();
  Type i64 = b.getI64Type();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getMask());
  SmallVector<OpFoldResult> rows = {sizes[0]};
  Value keys = arith::IndexCastOp::create(b, loc, i64, getValueOrCreateConstantIndexOp(b, loc, sizes[1]));
  auto constant = [&](OpBuilder &inner, int64_t value) -> Value {
    return arith::ConstantIntOp::create(inner, loc, i64, value);
  };
  /// Of each row, `combine` of what `element` makes of each key that counts; `neutral` where none does.
  auto reduce = [&](Value neutral, auto element, auto combine) {
    Value init = linalg::FillOp::create(b, loc, neutral, linalg.empty(rows, i64)).getResult(0);
    return linalg.generic({{op.getMask(), b.getMultiDimIdentityMap(2)}}, {init, leading(context, 2, 1)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            Value zero =
                                arith::ConstantOp::create(inner, loc, inner.getZeroAttr(arguments[0].getType()));
                            Value counts =
                                arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ne, arguments[0], zero);
                            Value combined = combine(inner, arguments[1], element(inner));
                            return arith::SelectOp::create(inner, loc, counts, combined, arguments[1]);
                          });
  };
  auto key = [&](OpBuilder &inner) -> Value {
    return arith::IndexCastOp::create(inner, loc, i64, linalg::IndexOp::create(inner, loc, 1));
  };
  auto one = [&](OpBuilder &inner) -> Value { return constant(inner, 1); };
  auto least = [&](OpBuilder &inner, Value a, Value c) -> Value { return arith::MinSIOp::create(inner, loc, a, c); };
  auto most = [&](OpBuilder &inner, Value a, Value c) -> Value { return arith::MaxSIOp::create(inner, loc, a, c); };
  auto sum = [&](OpBuilder &inner, Value a, Value c) -> Value { return arith::AddIOp::create(inner, loc, a, c); };
  Value first = reduce(keys, key, least), last = reduce(constant(b, -1), key, most);
  Value count = reduce(constant(b, 0), one, sum);
  AffineMap row = leading(context, 2, 1);
  return {linalg.generic(
      {{first, row}, {last, row}, {count, row}}, {op.getInit(), b.getMultiDimIdentityMap(2)},
      [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
        auto select = [&](Value condition, Value yes, Value no) -> Value {
          return arith::SelectOp::create(inner, loc, condition, yes, no);
        };
        auto equals = [&](Value a, Value c) -> Value {
          return arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::eq, a, c);
        };
        Value zero = constant(inner, 0), unit = constant(inner, 1);
        Value empty = equals(arguments[2], zero), end = arith::AddIOp::create(inner, loc, arguments[1], unit);
        Value dense = equals(arith::SubIOp::create(inner, loc, end, arguments[0]), arguments[2]);
        Value column = arith::IndexCastOp::create(inner, loc, i64, linalg::IndexOp::create(inner, loc, 1));
        Value begin = select(empty, zero, arguments[0]), holes = select(empty, zero, select(dense, zero, unit));
        Value result = select(empty, unit, zero);
        result = select(equals(column, constant(inner, 2)), holes, result);
        result = select(equals(column, unit), select(empty, keys, end), result);
        return select(equals(column, zero), begin, result);
      })};
}
