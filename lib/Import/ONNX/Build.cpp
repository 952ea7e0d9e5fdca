//===- Build.cpp - What importers of nodes build with -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Fold.h"
#include "Graph.h"
#include "StorageTypes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Two products of as many dimensions of inputs, where nothing says that they are equal: that holds if their factors
/// are, in the order of the inputs, which is what is demanded of the caller. It is more than the node does, but what
/// models mean that see several dimensions as one.
static bool unifyFactors(Symbols &symbols, const Size &a, const Size &b) {
  Size x = symbols.canonical(a), y = symbols.canonical(b);
  if (x.getTerms().size() != 1 || y.getTerms().size() != 1 || !symbols.isComputable(x) || !symbols.isComputable(y) ||
      x.getTerms()[0].coefficient != y.getTerms()[0].coefficient)
    return false;
  // Factors are sorted; those that both have are equal already.
  SmallVector<Symbol> left, right;
  ArrayRef<Symbol> p = x.getTerms()[0].symbols, q = y.getTerms()[0].symbols;
  std::set_difference(p.begin(), p.end(), q.begin(), q.end(), std::back_inserter(left));
  std::set_difference(q.begin(), q.end(), p.begin(), p.end(), std::back_inserter(right));
  if (left.size() != right.size())
    return false;
  for (auto [i, j] : llvm::zip_equal(left, right))
    if (!symbols.unify(Size::of(i), Size::of(j)))
      return false;
  return symbols.equal(a, b);
}

/// Makes two sizes equal of which at least one is known at run time only: where a symbol without a name is the only
/// thing that nothing is known of, it is what the rest makes it, and that is checked.
static bool agreeAtRunTime(Node &node, const Size &a, const Size &b) {
  Size zero = node.symbols.canonical(a) - node.symbols.canonical(b);
  for (const Size::Term &term : zero.getTerms())
    for (Symbol symbol : term.symbols) {
      if (!node.symbols.nameOf(symbol).empty() || llvm::count(term.symbols, symbol) != 1)
        continue;
      Size sign(term.coefficient < 0 ? -1 : 1), factor(1), product(term.coefficient);
      for (Symbol other : term.symbols) {
        product = product * Size::of(other);
        factor = factor * (other == symbol ? Size(term.coefficient) * sign : Size::of(other));
      }
      Size rest = (product - zero) * sign;
      if (rest.contains(symbol) || !node.symbols.isComputable(rest) || !node.symbols.isComputable(factor))
        continue;
      Operation *op = node.symbols.definingOp(symbol);
      std::optional<Size> quotient = op ? node.symbols.exactQuotient(node.builder, rest, factor) : std::nullopt;
      if (!quotient)
        continue;
      // Where the symbol comes from, so that it holds wherever the symbol is used.
      OpBuilder::InsertionGuard guard(node.builder);
      node.builder.setInsertionPointAfter(op);
      Value isEqual = arith::CmpIOp::create(node.builder, node.loc, arith::CmpIPredicate::eq,
                                            node.index(Size::of(symbol)), node.index(*quotient));
      CheckOp::create(node.builder, node.loc, isEqual, Value(), Violation::Shape);
      return node.symbols.define(symbol, *quotient);
    }
  return false;
}

bool attn::onnx::agree(Node &node, const Size &a, const Size &b) {
  Size x = node.symbols.canonical(a), y = node.symbols.canonical(b), common = commonFactor({x, y});
  // A factor of both that is 0 makes them equal, but what is built here is for any size.
  if (std::optional<Size> left = x.dividedBy(common), right = y.dividedBy(common); left && right) {
    x = *left;
    y = *right;
  }
  return node.symbols.unify(x, y) || agreeAtRunTime(node, x, y);
}

LogicalResult attn::onnx::expectEqual(Node &node, const Size &a, const Size &b, const Twine &what) {
  if (agree(node, a, b) || unifyFactors(node.symbols, a, b))
    return success();
  std::string text = what.str();
  InFlightDiagnostic diagnostic = node.error();
  diagnostic << text << ": " << node.symbols.toString(a) << " and " << node.symbols.toString(b);
  if (a.getConstant() && b.getConstant())
    diagnostic << " differ";
  else
    diagnostic << " are not known to be equal; give the model's inputs sizes that say so";
  return diagnostic;
}

LogicalResult attn::onnx::expectEqual(Node &node, ArrayRef<Size> a, ArrayRef<Size> b, const Twine &what) {
  if (a.size() != b.size())
    return node.error() << what.str() << ": ranks " << a.size() << " and " << b.size() << " differ";
  for (auto [i, x, y] : llvm::enumerate(a, b))
    if (failed(expectEqual(node, x, y, what + ", dimension " + Twine(i))))
      return failure();
  return success();
}

FailureOr<Shape> attn::onnx::broadcast(Node &node, ArrayRef<Shape> shapes) {
  size_t rank = 0;
  for (const Shape &shape : shapes)
    rank = std::max(rank, shape.size());
  Shape result(rank, Size(1));
  for (const Shape &shape : shapes)
    for (auto [i, size] : llvm::enumerate(shape)) {
      Size &sum = result[rank - shape.size() + i];
      if (size.isConstant(1))
        continue;
      if (sum.isConstant(1))
        sum = size;
      else if (failed(expectEqual(node, sum, size,
                                  "shapes don't broadcast at dimension " + Twine(rank - shape.size() + i) +
                                      " of the result")))
        return failure();
      else if (size.getConstant())
        sum = size;
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

DataType attn::onnx::computeType(DataType type) {
  return type == DataType::Float16 || type == DataType::BFloat16 ? DataType::Float : type;
}

Value attn::onnx::scalarConstant(OpBuilder &b, Location loc, DataType type, double value) {
  Type element = elementTypeOf(*b.getContext(), type);
  if (llvm::isa<FloatType>(element))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, int64_t(value)));
}

/// The nearest integer toward 0 in the range of `to`, and 0 for NaN.
static Value floatToInteger(OpBuilder &b, Location loc, Value scalar, DataType to) {
  auto element = llvm::cast<IntegerType>(elementTypeOf(*b.getContext(), to));
  auto floating = llvm::cast<FloatType>(scalar.getType());
  unsigned width = element.getWidth();
  bool isU = isUnsigned(to);
  llvm::APInt least = isU ? llvm::APInt::getZero(width) : llvm::APInt::getSignedMinValue(width);
  llvm::APInt most = isU ? llvm::APInt::getMaxValue(width) : llvm::APInt::getSignedMaxValue(width);
  auto bound = [&](const llvm::APInt &value, llvm::RoundingMode) {
    llvm::APFloat result(floating.getFloatSemantics());
    result.convertFromAPInt(value, !isU, llvm::APFloat::rmTowardZero);
    return arith::ConstantOp::create(b, loc, FloatAttr::get(floating, result)).getResult();
  };
  Value low = bound(least, llvm::APFloat::rmTowardZero), high = bound(most, llvm::APFloat::rmTowardZero);
  Value isNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, scalar, scalar);
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(floating, 0.0));
  Value number = arith::SelectOp::create(b, loc, isNumber, scalar, zero);
  // The bounds are representable, so what is between them converts; above the upper bound the largest integer counts.
  Value isHigh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, number, high);
  number = arith::MaximumFOp::create(b, loc, arith::MinimumFOp::create(b, loc, number, high), low);
  Value integer = isU ? arith::FPToUIOp::create(b, loc, element, number).getResult()
                      : arith::FPToSIOp::create(b, loc, element, number).getResult();
  Value largest = arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, most));
  return arith::SelectOp::create(b, loc, isHigh, largest, integer);
}

Value attn::onnx::roundToOdd(OpBuilder &b, Location loc, Value scalar) {
  Type narrow = b.getF32Type(), bits = b.getI32Type();
  Value nearest = arith::TruncFOp::create(b, loc, narrow, scalar);
  Value back = arith::ExtFOp::create(b, loc, scalar.getType(), nearest);
  Value isInexact = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, back, scalar);
  Value isBeyond = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, math::AbsFOp::create(b, loc, back),
                                         math::AbsFOp::create(b, loc, scalar));
  Value pattern = arith::BitcastOp::create(b, loc, bits, nearest);
  pattern = arith::SubIOp::create(b, loc, pattern, arith::ExtUIOp::create(b, loc, bits, isBeyond));
  pattern = arith::OrIOp::create(b, loc, pattern, arith::ExtUIOp::create(b, loc, bits, isInexact));
  return arith::BitcastOp::create(b, loc, narrow, pattern);
}

Value attn::onnx::castScalar(OpBuilder &b, Location loc, Value scalar, DataType from, DataType to,
                             const Rounding &rounding) {
  if (from == to)
    return scalar;
  if (isStorage(from)) {
    Computable value = fromStorage(b, loc, scalar, from);
    return castScalar(b, loc, value.scalar, value.type, to, rounding);
  }
  if (isStorage(to))
    return toStorage(b, loc, scalar, from, to, rounding);
  Type element = elementTypeOf(*b.getContext(), to);
  if (to == DataType::Bool) {
    if (isFloat(from)) {
      Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(scalar.getType(), 0.0));
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, scalar, zero);
    }
    Value zero = arith::ConstantOp::create(b, loc, b.getIntegerAttr(scalar.getType(), 0));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, scalar, zero);
  }
  if (isFloat(from) && isFloat(to)) {
    unsigned before = scalar.getType().getIntOrFloatBitWidth(), after = element.getIntOrFloatBitWidth();
    if (before == after && scalar.getType() != element) { // float16 and bfloat16
      scalar = arith::ExtFOp::create(b, loc, b.getF32Type(), scalar);
      before = 32;
    }
    if (before < after)
      return arith::ExtFOp::create(b, loc, element, scalar);
    if (before == 64 && after == 16)
      scalar = roundToOdd(b, loc, scalar);
    if (before > after)
      return arith::TruncFOp::create(b, loc, element, scalar);
    return scalar;
  }
  if (isFloat(from)) {
    if (from != computeType(from))
      scalar = arith::ExtFOp::create(b, loc, b.getF32Type(), scalar);
    return floatToInteger(b, loc, scalar, to);
  }
  bool zeroExtend = from == DataType::Bool || isUnsigned(from);
  if (isFloat(to)) {
    Type wide = elementTypeOf(*b.getContext(), computeType(to));
    Value result = zeroExtend ? arith::UIToFPOp::create(b, loc, wide, scalar).getResult()
                              : arith::SIToFPOp::create(b, loc, wide, scalar).getResult();
    return castScalar(b, loc, result, computeType(to), to);
  }
  unsigned before = scalar.getType().getIntOrFloatBitWidth(), after = element.getIntOrFloatBitWidth();
  if (before > after)
    return arith::TruncIOp::create(b, loc, element, scalar);
  if (before == after)
    return scalar;
  return zeroExtend ? arith::ExtUIOp::create(b, loc, element, scalar).getResult()
                    : arith::ExtSIOp::create(b, loc, element, scalar).getResult();
}

//===----------------------------------------------------------------------===//
// Generic ops
//===----------------------------------------------------------------------===//

Value attn::onnx::empty(Node &node, ArrayRef<Size> shape, DataType type) {
  return tensor::EmptyOp::create(node.builder, node.loc, node.mixed(shape), node.elementType(type));
}

Value attn::onnx::filled(Node &node, ArrayRef<Size> shape, DataType type, double value) {
  Value constant = scalarConstant(node.builder, node.loc, type, value);
  return linalg::FillOp::create(node.builder, node.loc, constant, empty(node, shape, type)).getResult(0);
}

Value attn::onnx::generic(Node &node, ValueRange inputs, Value init, ArrayRef<SmallVector<int64_t>> maps,
                          ArrayRef<IteratorType> iterators, ScalarBody body) {
  SmallVector<AffineMap> affine;
  for (ArrayRef<int64_t> map : maps) {
    SmallVector<AffineExpr> results;
    for (int64_t dim : map)
      results.push_back(dim < 0 ? node.builder.getAffineConstantExpr(0) : node.builder.getAffineDimExpr(dim));
    affine.push_back(AffineMap::get(iterators.size(), 0, results, node.builder.getContext()));
  }
  return generic(node, inputs, init, affine, iterators, body);
}

Value attn::onnx::generic(Node &node, ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
                          ArrayRef<IteratorType> iterators, ScalarBody body) {
  // No loops that never run: the result is what it starts with.
  auto isEmpty = [](Value value) {
    auto type = llvm::dyn_cast<ShapedType>(value.getType());
    return type && llvm::is_contained(type.getShape(), 0);
  };
  if (isEmpty(init) || llvm::any_of(inputs, isEmpty))
    return init;
  return linalg::GenericOp::create(node.builder, node.loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &b, Location loc, ValueRange arguments) {
                                     linalg::YieldOp::create(b, loc, body(b, loc, arguments));
                                   })
      .getResult(0);
}

/// `input` without the given dimensions, which have size 1.
static Value dropDims(Node &node, const Tensor &input, const llvm::SmallBitVector &dropped) {
  Value value = node.value(input);
  if (dropped.none())
    return value;
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (int64_t i = 0; i < input.rank(); ++i) {
    if (dropped.test(i)) {
      (groups.empty() ? leading : groups.back()).push_back(i);
      continue;
    }
    groups.emplace_back(std::exchange(leading, {}));
    groups.back().push_back(i);
  }
  return tensor::CollapseShapeOp::create(node.builder, node.loc, value, groups);
}

FailureOr<Tensor> attn::onnx::elementwise(Node &node, ArrayRef<Tensor> given, DataType result, ScalarBody body) {
  if (std::optional<Tensor> known = foldConstants(node, given, result, body))
    return *known;
  SmallVector<Tensor> inputs = repeatQuotients(node, given);
  SmallVector<Shape> shapes;
  for (const Tensor &input : inputs)
    shapes.push_back(input.shape);
  FailureOr<Shape> shape = broadcast(node, shapes);
  if (failed(shape))
    return failure();
  int64_t rank = shape->size();
  SmallVector<Value> values;
  SmallVector<SmallVector<int64_t>> maps;
  for (const Tensor &input : inputs) {
    // A dimension that is repeated is not there for the loops.
    llvm::SmallBitVector repeated(input.rank());
    SmallVector<int64_t> map;
    for (auto [i, size] : llvm::enumerate(input.shape)) {
      int64_t dim = rank - input.rank() + i;
      if (size.isConstant(1) && !(*shape)[dim].isConstant(1))
        repeated.set(i);
      else
        map.push_back(dim);
    }
    values.push_back(dropDims(node, input, repeated));
    maps.push_back(map);
  }
  maps.push_back(llvm::to_vector(llvm::seq<int64_t>(rank)));
  SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
  Value value = generic(node, values, empty(node, *shape, result), maps, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange arguments) {
                          SmallVector<Value> scalars;
                          for (auto [scalar, input] : llvm::zip(arguments.drop_back(), inputs))
                            scalars.push_back(castScalar(b, loc, scalar, input.type, computeType(input.type)));
                          return castScalar(b, loc, body(b, loc, scalars), computeType(result), result);
                        });
  return node.make(value, result, *shape);
}

Tensor attn::onnx::cast(Node &node, const Tensor &input, DataType type, const Rounding &rounding) {
  if (input.type == type)
    return input;
  if (isInteger(type) || type == DataType::Bool) {
    // Sizes are far from where int32 would wrap around.
    auto convert = [&](ArrayRef<Size> v) -> std::optional<Size> {
      if (type != DataType::Bool)
        return v[0];
      if (isAtLeast(node.symbols, v[0], 1) || isAtMost(node.symbols, v[0], -1))
        return Size(1);
      return v[0].isConstant(0) ? std::optional(Size(0)) : std::nullopt;
    };
    if (std::optional<Tensor> known = foldElements(node, input, type, convert))
      return *known;
    if (std::optional<Tensor> known = foldUniform(node, input, type, convert))
      return *known;
    bool keeps = (type == DataType::Int32 || type == DataType::Int64) &&
                 (input.type == DataType::Int32 || input.type == DataType::Int64);
    if (std::optional<Ramp> ramp = keeps ? rampOf(node, input) : std::nullopt; ramp && fits(*ramp, type))
      return rampTensor(node, type, input.shape, *ramp);
  }
  if (std::optional<Tensor> known = foldConstants(node, input, type, [&](OpBuilder &b, Location loc, ValueRange v) {
        return castScalar(b, loc, v[0], computeType(input.type), computeType(type), rounding);
      }))
    return *known;
  Tensor result;
  result.type = type;
  result.shape = input.shape;
  if (input.weight && isFloat(input.type) && isFloat(type)) {
    result.weight = ConvertAttr::get(node.builder.getContext(), input.weight, node.elementType(type));
    return result;
  }
  SmallVector<IteratorType> iterators(input.rank(), IteratorType::parallel);
  auto identity = llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  result.value = generic(node, node.value(input), empty(node, input.shape, type), {identity, identity}, iterators,
                         [&](OpBuilder &b, Location loc, ValueRange arguments) {
                           return castScalar(b, loc, arguments[0], input.type, type, rounding);
                         });
  return result;
}

FailureOr<Tensor> attn::onnx::contract(Node &node, const Tensor &a, StringRef dimsA, const Tensor &b, StringRef dimsB,
                                       StringRef dimsResult, DataType result) {
  if (result == DataType::Undefined)
    result = a.type;
  SmallVector<char> letters(dimsResult.begin(), dimsResult.end());
  for (char letter : (dimsA + dimsB).str())
    if (!llvm::is_contained(letters, letter))
      letters.push_back(letter);
  SmallVector<Size> sizes(letters.size());
  SmallVector<bool> known(letters.size(), false);
  auto position = [&](char letter) { return int64_t(llvm::find(letters, letter) - letters.begin()); };
  for (const auto &[tensor, dims] : {std::pair(&a, dimsA), std::pair(&b, dimsB)})
    for (auto [letter, size] : llvm::zip(dims, tensor->shape)) {
      int64_t at = position(letter);
      if (known[at] && failed(expectEqual(node, sizes[at], size, "the sizes of a dimension that is summed or shared")))
        return failure();
      if (!known[at] || size.getConstant())
        sizes[at] = size;
      known[at] = true;
    }
  auto mapOf = [&](StringRef dims) {
    SmallVector<int64_t> map;
    for (char letter : dims)
      map.push_back(position(letter));
    return map;
  };
  SmallVector<IteratorType> iterators(letters.size(), IteratorType::reduction);
  std::fill_n(iterators.begin(), dimsResult.size(), IteratorType::parallel);
  Shape shape(sizes.begin(), sizes.begin() + dimsResult.size());
  DataType type = a.type == DataType::Double ? a.type : computeType(result);
  Value sum = generic(node, {node.value(a), node.value(b)}, filled(node, shape, type, 0.0),
                      {mapOf(dimsA), mapOf(dimsB), mapOf(dimsResult)}, iterators,
                      [&](OpBuilder &builder, Location loc, ValueRange arguments) -> Value {
                        Value x = castScalar(builder, loc, arguments[0], a.type, type);
                        Value y = castScalar(builder, loc, arguments[1], b.type, type);
                        if (isFloat(type)) {
                          Value product = arith::MulFOp::create(builder, loc, x, y);
                          return arith::AddFOp::create(builder, loc, arguments[2], product);
                        }
                        Value product = arith::MulIOp::create(builder, loc, x, y);
                        return arith::AddIOp::create(builder, loc, arguments[2], product);
                      });
  return cast(node, node.make(sum, type, shape), result);
}

Tensor attn::onnx::integers(ArrayRef<Size> values, ArrayRef<Size> shape, DataType type) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape = Shape(shape);
  tensor.elements = SmallVector<Size>(values);
  return tensor;
}

Tensor attn::onnx::scalar(Node &node, DataType type, double value) {
  Tensor tensor;
  tensor.type = type;
  auto element = node.elementType(type);
  Attribute attribute = llvm::isa<FloatType>(element) ? Attribute(node.builder.getFloatAttr(element, value))
                                                      : node.builder.getIntegerAttr(element, int64_t(value));
  tensor.weight = DenseExprAttr::get(node.builder.getContext(),
                                     DenseElementsAttr::get(RankedTensorType::get({}, element), attribute));
  return tensor;
}
