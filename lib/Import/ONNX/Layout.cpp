//===- Layout.cpp - Tensors reshaped, permuted and cut ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants change their weight expression and cost nothing at run time; known integers stay known.
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Graph.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

namespace {
/// Dimensions [beginA, endA) of one shape and [beginB, endB) of the other have as many elements.
struct Group {
  int64_t beginA, endA, beginB, endB;
};
} // namespace

/// Cuts two shapes into the smallest groups of equal products; none where that can't be seen.
static std::optional<SmallVector<Group>> findGroups(const Symbols &symbols, ArrayRef<Size> a, ArrayRef<Size> b) {
  SmallVector<Group> groups;
  int64_t i = 0, j = 0, n = a.size(), m = b.size();
  while (i < n && j < m) {
    Group group{i, i + 1, j, j + 1};
    Size left = symbols.canonical(a[i++]), right = symbols.canonical(b[j++]);
    while (left != right) {
      // The one that divides the other lacks dimensions. A zero divides nothing.
      bool growLeft = !left.isConstant(0) && right.dividedBy(left).has_value();
      if (growLeft ? i >= n : j >= m)
        return std::nullopt;
      if (growLeft)
        left = left * symbols.canonical(a[i++]);
      else
        right = right * symbols.canonical(b[j++]);
    }
    group.endA = i;
    group.endB = j;
    groups.push_back(group);
  }
  // Only ones can be left over.
  for (; i < n; ++i) {
    if (!a[i].isConstant(1) || groups.empty())
      return std::nullopt;
    groups.back().endA = i + 1;
  }
  for (; j < m; ++j) {
    if (!b[j].isConstant(1) || groups.empty())
      return std::nullopt;
    groups.back().endB = j + 1;
  }
  return groups;
}

/// The coarsest shape without ones such that dimensions of both are products of neighbours in it; none where that can't
/// be seen, or nothing is left.
static std::optional<Shape> refine(const Symbols &symbols, ArrayRef<Size> a, ArrayRef<Size> b) {
  auto listOf = [&](ArrayRef<Size> shape) {
    Shape list;
    for (const Size &size : llvm::reverse(shape))
      if (!size.isConstant(1))
        list.push_back(symbols.canonical(size));
    return list;
  };
  // From the outermost dimension on, which is taken from the back.
  Shape left = listOf(a), right = listOf(b), refined;
  while (!left.empty() && !right.empty()) {
    Size x = left.pop_back_val(), y = right.pop_back_val();
    if (x.isConstant(0) || y.isConstant(0))
      return std::nullopt;
    if (x == y) {
      refined.push_back(x);
    } else if (std::optional<Size> rest = y.dividedBy(x)) {
      refined.push_back(x);
      right.push_back(*rest);
    } else if (std::optional<Size> rest = x.dividedBy(y)) {
      refined.push_back(y);
      left.push_back(*rest);
    } else {
      return std::nullopt;
    }
  }
  return left.empty() && right.empty() && !refined.empty() ? std::optional(refined) : std::nullopt;
}

static Value collapse(Node &node, Value value, ArrayRef<ReassociationIndices> groups, ArrayRef<Size> shape,
                      DataType type) {
  return tensor::CollapseShapeOp::create(node.builder, node.loc, node.tensorType(type, shape), value, groups);
}

static Value expand(Node &node, Value value, ArrayRef<ReassociationIndices> groups, ArrayRef<Size> shape,
                    DataType type) {
  return tensor::ExpandShapeOp::create(node.builder, node.loc, node.tensorType(type, shape), value, groups,
                                       node.mixed(shape));
}

static Value reshapeValue(Node &node, const Tensor &input, ArrayRef<Size> shape) {
  if (productOf(shape).isConstant(0)) // there is nothing to see
    return empty(node, shape, input.type);
  Value value = node.value(input);
  std::optional<SmallVector<Group>> groups = findGroups(node.symbols, input.shape, shape);
  if (!groups || input.shape.empty() || shape.empty()) {
    // By way of all elements in a row.
    groups = SmallVector<Group>{{0, input.rank(), 0, int64_t(shape.size())}};
    if (input.shape.empty() && shape.empty())
      return value;
    if (input.shape.empty())
      return expand(node, value, {}, shape, input.type);
    if (shape.empty())
      return collapse(node, value, {}, shape, input.type);
  }
  SmallVector<ReassociationIndices> before, after;
  Shape middle;
  bool collapses = false, expands = false;
  for (const Group &group : *groups) {
    before.push_back(llvm::to_vector<2>(llvm::seq(group.beginA, group.endA)));
    after.push_back(llvm::to_vector<2>(llvm::seq(group.beginB, group.endB)));
    collapses |= before.back().size() > 1;
    expands |= after.back().size() > 1;
    // Static where one of both sides is.
    Size size = productOf(ArrayRef<Size>(input.shape).slice(group.beginA, group.endA - group.beginA));
    middle.push_back(size);
  }
  if (collapses)
    value = collapse(node, value, before, middle, input.type);
  if (expands)
    value = expand(node, value, after, shape, input.type);
  return value;
}

/// True where both shapes have as many elements, or from now on have.
static bool haveAsManyElements(Node &node, ArrayRef<Size> a, ArrayRef<Size> b) {
  // What both have says nothing of the rest.
  Shape left(a), right;
  for (const Size &size : b) {
    auto *same = llvm::find_if(left, [&](const Size &other) { return node.symbols.equal(size, other); });
    if (same == left.end())
      right.push_back(size);
    else
      left.erase(same);
  }
  return agree(node, productOf(left), productOf(right)) || node.symbols.equal(productOf(a), productOf(b));
}

FailureOr<Tensor> attn::onnx::reshape(Node &node, const Tensor &given, ArrayRef<Size> wanted) {
  if (!haveAsManyElements(node, given.shape, wanted)) {
    InFlightDiagnostic diagnostic = node.error();
    diagnostic << node.symbols.toString(given.shape) << " can't be seen as " << node.symbols.toString(wanted);
    return diagnostic;
  }
  // What turned out to be a number here is one on both sides.
  Tensor input = node.settled(given);
  Shape shape = node.settled(node.make(Value(), given.type, Shape(wanted))).shape;
  Tensor result = input;
  result.shape = Shape(shape);
  result.value = Value();
  result.columns.clear();
  if (input.ramp) {
    std::optional<Ramp> ramp = reshapeRamp(node.symbols, *input.ramp, input.shape, shape);
    result.ramp = ramp ? std::make_shared<const Ramp>(std::move(*ramp)) : nullptr;
  }
  SmallVector<int64_t> sizes;
  for (const Size &size : shape)
    sizes.push_back(size.getConstant().value_or(ShapedType::kDynamic));
  if (input.weight) {
    if (DenseElementsAttr dense = node.dense(input))
      result.weight = DenseExprAttr::get(node.builder.getContext(),
                                         dense.reshape(RankedTensorType::get(sizes, dense.getElementType())));
    else
      result.weight =
          ReshapeAttr::get(node.builder.getContext(), input.weight, node.builder.getDenseI64ArrayAttr(sizes));
    return result;
  }
  if (input.elements && !input.value)
    return result;
  Tensor source =
      node.make(input.base ? input.base : node.value(input), input.type, input.base ? input.baseShape : input.shape);
  source.value = node.value(source);
  // A dimension that was merged and is split again was never merged.
  bool fromSource = findGroups(node.symbols, source.shape, shape).has_value();
  result.value = reshapeValue(node, fromSource ? source : input, shape);
  result.base = Value();
  if (std::optional<Shape> refined = refine(node.symbols, source.shape, shape)) {
    result.base = reshapeValue(node, source, *refined);
    result.baseShape = std::move(*refined);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Transpose, broadcast, slice, concat
//===----------------------------------------------------------------------===//

/// The elements of a tensor of `shape` in another order: `source` says for each index of the result where it stands.
static SmallVector<Size> gatherElements(ArrayRef<Size> elements, ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                                        llvm::function_ref<SmallVector<int64_t>(ArrayRef<int64_t>)> source) {
  SmallVector<Size> result;
  int64_t count = 1;
  for (int64_t size : to)
    count *= size;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<int64_t> index(to.size());
    for (int64_t rest = i, k = int64_t(to.size()) - 1; k >= 0; --k) {
      index[k] = rest % to[k];
      rest /= to[k];
    }
    int64_t at = 0;
    for (auto [position, size] : llvm::zip(source(index), from))
      at = at * size + position;
    result.push_back(elements[at]);
  }
  return result;
}

static SmallVector<int64_t> constantsOf(ArrayRef<Size> shape) {
  return llvm::map_to_vector(shape, [](const Size &size) { return *size.getConstant(); });
}

/// Which neighbours of its base, from the first to before the second, each dimension of `input` is the product of; none
/// where that can't be seen.
static std::optional<SmallVector<std::pair<int64_t, int64_t>>> partsOf(const Symbols &symbols, const Tensor &input) {
  if (!input.base)
    return std::nullopt;
  SmallVector<std::pair<int64_t, int64_t>> parts;
  int64_t next = 0, rank = int64_t(input.baseShape.size());
  for (const Size &size : input.shape) {
    int64_t begin = next;
    for (Size product(1); !symbols.equal(product, size); ++next) {
      if (next == rank)
        return std::nullopt;
      product = product * input.baseShape[next];
    }
    parts.emplace_back(begin, next);
  }
  return next == rank ? std::optional(parts) : std::nullopt;
}

Tensor attn::onnx::transpose(Node &node, const Tensor &input, ArrayRef<int64_t> permutation) {
  Tensor result;
  result.type = input.type;
  for (int64_t dim : permutation)
    result.shape.push_back(input.shape[dim]);
  if (llvm::equal(permutation, llvm::seq<int64_t>(permutation.size())))
    return input;
  if (input.weight && !input.elements) {
    result.weight =
        TransposeAttr::get(node.builder.getContext(), input.weight, node.builder.getDenseI64ArrayAttr(permutation));
    return result;
  }
  if (input.elements) {
    result.elements = gatherElements(*input.elements, constantsOf(input.shape), constantsOf(result.shape),
                                     [&](ArrayRef<int64_t> index) {
                                       SmallVector<int64_t> at(index.size());
                                       for (auto [i, dim] : llvm::enumerate(permutation))
                                         at[dim] = index[i];
                                       return at;
                                     });
    return result;
  }
  // Merged dimensions that move together may as well move before they are merged, and those of size 1 don't move.
  if (auto parts = partsOf(node.symbols, input); parts && !input.ramp) {
    SmallVector<int64_t> moved;
    for (int64_t dim : permutation)
      llvm::append_range(moved, llvm::seq((*parts)[dim].first, (*parts)[dim].second));
    Tensor base = transpose(node, node.make(input.base, input.type, input.baseShape), moved);
    result.value = reshapeValue(node, base, result.shape);
    result.base = base.value;
    result.baseShape = base.shape;
    return result;
  }
  if (input.ramp) {
    Ramp ramp{input.ramp->start, {}};
    for (int64_t dim : permutation)
      ramp.steps.push_back(input.ramp->steps[dim]);
    result.ramp = std::make_shared<const Ramp>(std::move(ramp));
  }
  result.value = linalg::TransposeOp::create(node.builder, node.loc, node.value(input),
                                             empty(node, result.shape, input.type), permutation)
                     ->getResult(0);
  return result;
}

FailureOr<Tensor> attn::onnx::broadcastTo(Node &node, const Tensor &input, ArrayRef<Size> shape) {
  FailureOr<Shape> common = broadcast(node, {input.shape, Shape(shape)});
  if (failed(common))
    return failure();
  if (common->size() != shape.size())
    return node.error() << node.symbols.toString(input.shape) << " doesn't broadcast to "
                        << node.symbols.toString(shape);
  if (common->size() == input.shape.size() && llvm::all_of(llvm::zip(*common, input.shape), [&](auto pair) {
        return node.symbols.equal(std::get<0>(pair), std::get<1>(pair));
      }))
    return input;
  Tensor result;
  result.type = input.type;
  result.shape = *common;
  if (input.elements && llvm::all_of(*common, [](const Size &size) { return size.getConstant().has_value(); })) {
    Size count = productOf(*common);
    if (count.getConstant() && *count.getConstant() <= 1024) {
      int64_t skipped = int64_t(common->size()) - input.rank();
      result.elements =
          gatherElements(*input.elements, constantsOf(input.shape), constantsOf(*common), [&](ArrayRef<int64_t> index) {
            SmallVector<int64_t> at(index.drop_front(skipped));
            for (auto [i, size] : llvm::enumerate(input.shape))
              if (size.isConstant(1))
                at[i] = 0;
            return at;
          });
      return result;
    }
  }
  if (std::optional<Ramp> ramp = rampOf(node, input))
    return rampTensor(node, input.type, *common, broadcastRamp(*ramp, input.shape, *common));
  // As an elementwise function of the input alone, over the larger shape.
  SmallVector<int64_t> map;
  Shape kept;
  for (auto [i, size] : llvm::enumerate(input.shape)) {
    int64_t dim = int64_t(common->size()) - input.rank() + i;
    if (size.isConstant(1) && !(*common)[dim].isConstant(1))
      continue;
    map.push_back(dim);
    kept.push_back(size);
  }
  FailureOr<Tensor> reduced = reshape(node, input, kept);
  if (failed(reduced))
    return failure();
  SmallVector<IteratorType> iterators(common->size(), IteratorType::parallel);
  result.value = generic(node, node.value(*reduced), empty(node, *common, input.type),
                         {map, llvm::to_vector(llvm::seq<int64_t>(common->size()))}, iterators,
                         [](OpBuilder &, Location, ValueRange arguments) { return arguments[0]; });
  return result;
}

Tensor attn::onnx::slice(Node &node, const Tensor &input, int64_t axis, const Size &begin, const Size &size) {
  Tensor result;
  result.type = input.type;
  result.shape = input.shape;
  result.shape[axis] = size;
  if (node.symbols.equal(size, input.shape[axis]))
    return input;
  if (size.isConstant(0) && !input.elements) { // wherever it begins
    result.value = empty(node, result.shape, input.type);
    return result;
  }
  if (std::optional<Ramp> ramp = rampOf(node, input))
    return rampTensor(node, input.type, result.shape, sliceRamp(*ramp, axis, begin));
  // What is left out need not move.
  if (auto moved = input.value ? input.value.getDefiningOp<linalg::TransposeOp>() : linalg::TransposeOp()) {
    SmallVector<int64_t> permutation(moved.getPermutation());
    Shape shape(input.rank());
    for (auto [i, dim] : llvm::enumerate(permutation))
      shape[dim] = input.shape[i];
    Tensor part = slice(node, node.make(moved.getInput(), input.type, shape), permutation[axis], begin, size);
    FailureOr<Tensor> viewed = reshape(node, part, part.shape); // remembers which dimensions are 1
    return transpose(node, *viewed, permutation);
  }
  bool fixed = begin.getConstant() && size.getConstant() &&
               llvm::all_of(input.shape, [](const Size &s) { return s.getConstant().has_value(); });
  if (input.elements && fixed) {
    result.elements = gatherElements(*input.elements, constantsOf(input.shape), constantsOf(result.shape),
                                     [&](ArrayRef<int64_t> index) {
                                       SmallVector<int64_t> at(index);
                                       at[axis] += *begin.getConstant();
                                       return at;
                                     });
    return result;
  }
  if (input.weight && fixed) {
    SmallVector<int64_t> offsets(input.rank(), 0);
    offsets[axis] = *begin.getConstant();
    result.weight = SliceAttr::get(node.builder.getContext(), input.weight, node.builder.getDenseI64ArrayAttr(offsets),
                                   node.builder.getDenseI64ArrayAttr(constantsOf(result.shape)));
    return result;
  }
  SmallVector<OpFoldResult> offsets(input.rank(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(input.rank(), node.builder.getIndexAttr(1));
  offsets[axis] = node.symbols.materialize(node.builder, node.loc, begin);
  result.value = tensor::ExtractSliceOp::create(node.builder, node.loc, node.tensorType(input.type, result.shape),
                                                node.value(input), offsets, node.mixed(result.shape), strides);
  return result;
}

/// What each of `inputs`, whose last dimension is 1, is over the other dimensions; empty where one isn't known.
static SmallVector<Ramp, 0> columnsOf(Node &node, ArrayRef<Tensor> inputs) {
  SmallVector<Ramp, 0> columns;
  for (const Tensor &input : inputs) {
    std::optional<Ramp> ramp = rampOf(node, input);
    if (!ramp || !input.shape.back().isConstant(1))
      return {};
    ramp->steps.pop_back();
    columns.push_back(std::move(*ramp));
  }
  return columns;
}

Tensor attn::onnx::concat(Node &node, ArrayRef<Tensor> inputs, int64_t axis) {
  Tensor result;
  result.type = inputs.front().type;
  result.shape = inputs.front().shape;
  result.shape[axis] = Size(0);
  for (const Tensor &input : inputs)
    result.shape[axis] = result.shape[axis] + input.shape[axis];
  if (inputs.size() == 1)
    return inputs.front();
  if (llvm::all_of(inputs, [](const Tensor &input) { return input.elements && input.rank() == 1; })) {
    result.elements.emplace();
    for (const Tensor &input : inputs)
      llvm::append_range(*result.elements, *input.elements);
    return result;
  }
  if (axis + 1 == result.rank() && result.shape[axis].isConstant(int64_t(inputs.size())))
    result.columns = columnsOf(node, inputs);
  if (llvm::all_of(inputs, [](const Tensor &input) { return bool(input.weight); })) {
    auto parts = llvm::map_to_vector(inputs, [](const Tensor &input) { return input.weight; });
    result.weight = ConcatAttr::get(node.builder.getContext(), axis, parts);
    return result;
  }
  // Each part is copied to its place; one that is known to be empty has none.
  Value whole = empty(node, result.shape, result.type);
  SmallVector<OpFoldResult> strides(result.rank(), node.builder.getIndexAttr(1));
  Size begin(0);
  for (const Tensor &input : inputs) {
    if (productOf(input.shape).isConstant(0))
      continue;
    SmallVector<OpFoldResult> offsets(result.rank(), node.builder.getIndexAttr(0));
    offsets[axis] = node.symbols.materialize(node.builder, node.loc, begin);
    whole = tensor::InsertSliceOp::create(node.builder, node.loc, node.value(input), whole, offsets,
                                          node.mixed(input.shape), strides);
    begin = begin + input.shape[axis];
  }
  result.value = whole;
  return result;
}
