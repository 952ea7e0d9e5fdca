//===- Shapes.cpp - Sizes as values, reshapes, layouts ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Indexing.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

//===----------------------------------------------------------------------===//
// Shapes as values
//===----------------------------------------------------------------------===//

LogicalResult importShape(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  int64_t rank = node.input(0).rank();
  FailureOr<int64_t> start = node.integer("start", 0), end = node.integer("end", rank);
  if (failed(start) || failed(end))
    return failure();
  auto clamp = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? std::max(axis, -rank) + rank : axis, 0, rank);
  };
  int64_t first = clamp(*start), last = std::max(clamp(*end), first);
  ArrayRef<Size> sizes = ArrayRef<Size>(node.input(0).shape).slice(first, last - first);
  node.set(0, integers(sizes, Shape{Size(last - first)}));
  return success();
}

LogicalResult importSize(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  node.set(0, integers(productOf(node.input(0).shape), Shape()));
  return success();
}

//===----------------------------------------------------------------------===//
// The same elements under another shape
//===----------------------------------------------------------------------===//

LogicalResult setReshaped(Node &node, const Tensor &input, ArrayRef<Size> shape) {
  FailureOr<Tensor> result = reshape(node, input, shape);
  if (failed(result))
    return failure();
  node.set(0, std::move(*result));
  return success();
}

LogicalResult importReshape(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> allowZero = node.integer("allowzero", 0);
  FailureOr<SmallVector<Size>> given = expectSizes(node, 1, "the new shape");
  if (failed(allowZero) || failed(given))
    return failure();
  Shape shape;
  std::optional<size_t> open;
  for (auto [i, size] : llvm::enumerate(*given)) {
    std::optional<int64_t> constant = size.getConstant();
    if (constant && *constant < -1)
      return node.error() << "the new shape has " << *constant << " in it";
    if (constant && *constant == -1 && open)
      return node.error() << "the new shape has several -1 in it";
    if (constant && *constant == -1) {
      open = i;
      shape.push_back(Size(1));
    } else if (constant && *constant == 0 && !*allowZero) {
      if (int64_t(i) >= input.rank())
        return node.error() << "the new shape keeps dimension " << i << " of an input that has " << input.rank();
      shape.push_back(input.shape[i]);
    } else {
      shape.push_back(size);
    }
  }
  if (open) {
    auto rest = [&]() -> std::optional<Size> {
      Size others = node.symbols.canonical(productOf(shape));
      return others.isConstant(0) ? std::nullopt
                                  : node.symbols.exactQuotient(node.builder, productOf(input.shape), others);
    };
    std::optional<Size> size = rest();
    // The dimensions that models leave as they are come first.
    for (size_t i = 0; !size && i < std::min<size_t>(*open, input.rank()); ++i) {
      if (!node.symbols.unify(input.shape[i], shape[i]))
        break;
      size = rest();
    }
    if (!size)
      return node.error() << node.symbols.toString(productOf(input.shape))
                          << " elements are not known to be a multiple of " << node.symbols.toString(productOf(shape))
                          << ", so the -1 in the new shape can't be computed";
    shape[*open] = *size;
  }
  return setReshaped(node, input, shape);
}

LogicalResult importFlatten(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> given = node.integer("axis", 1);
  if (failed(given))
    return failure();
  int64_t rank = input.rank();
  if (*given < -rank || *given > rank)
    return node.error() << "axis " << *given << " is not in [" << -rank << ", " << rank << "]";
  int64_t axis = *given < 0 ? *given + rank : *given;
  ArrayRef<Size> sizes(input.shape);
  return setReshaped(node, input, {productOf(sizes.take_front(axis)), productOf(sizes.drop_front(axis))});
}

/// The dimensions that input 1 names, of a tensor of the rank.
FailureOr<llvm::SmallBitVector> readAxes(Node &node, ArrayRef<int64_t> given, int64_t rank) {
  llvm::SmallBitVector axes(rank);
  for (int64_t value : given) {
    FailureOr<int64_t> axis = node.axis(value, rank);
    if (failed(axis))
      return failure();
    if (axes.test(*axis))
      return node.error() << "axis " << value << " is named twice";
    axes.set(*axis);
  }
  return axes;
}

LogicalResult importUnsqueeze(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<SmallVector<int64_t>> given = expectConstants(node, 1, "the axes");
  if (failed(given))
    return failure();
  int64_t rank = input.rank() + int64_t(given->size());
  FailureOr<llvm::SmallBitVector> axes = readAxes(node, *given, rank);
  if (failed(axes))
    return failure();
  Shape shape;
  const Size *next = input.shape.begin();
  for (int64_t i = 0; i < rank; ++i)
    shape.push_back(axes->test(i) ? Size(1) : *next++);
  return setReshaped(node, input, shape);
}

LogicalResult importSqueeze(Node &node) {
  if (failed(node.expectInputs(1, 2)))
    return failure();
  const Tensor &input = node.input(0);
  llvm::SmallBitVector dropped(input.rank());
  if (node.has(1)) {
    FailureOr<SmallVector<int64_t>> given = expectConstants(node, 1, "the axes");
    if (failed(given))
      return failure();
    FailureOr<llvm::SmallBitVector> axes = readAxes(node, *given, input.rank());
    if (failed(axes))
      return failure();
    dropped = *axes;
    for (unsigned i : dropped.set_bits())
      if (failed(expectEqual(node, input.shape[i], Size(1), "dimension " + Twine(i) + " can't be left out")))
        return failure();
  } else {
    for (auto [i, size] : llvm::enumerate(input.shape)) {
      if (!size.getConstant())
        return node.unsupported() << "no axes are given, and whether dimension " << i
                                  << " is 1 is known at run time only; name the axes";
      if (size.isConstant(1))
        dropped.set(i);
    }
  }
  Shape shape;
  for (auto [i, size] : llvm::enumerate(input.shape))
    if (!dropped.test(i))
      shape.push_back(size);
  return setReshaped(node, input, shape);
}

//===----------------------------------------------------------------------===//
// Transpose, Concat, Expand, Tile
//===----------------------------------------------------------------------===//

LogicalResult importTranspose(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<std::optional<SmallVector<int64_t>>> given = node.integers("perm");
  if (failed(given))
    return failure();
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(input.rank())));
  if (*given)
    permutation = **given;
  llvm::SmallBitVector seen(input.rank());
  bool ok = int64_t(permutation.size()) == input.rank();
  for (int64_t dim : permutation)
    if (ok) {
      ok = dim >= 0 && dim < input.rank() && !seen.test(dim);
      if (ok)
        seen.set(dim);
    }
  if (!ok)
    return node.error() << "attribute 'perm' is no permutation of the input's " << input.rank() << " dimensions";
  node.set(0, transpose(node, input, permutation));
  return success();
}

LogicalResult importConcat(Node &node) {
  if (failed(node.expectInputs(std::max<size_t>(node.numInputs(), 1), node.numInputs())))
    return failure();
  FailureOr<int64_t> given = node.integer("axis");
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, node.input(0).rank());
  if (failed(axis))
    return failure();
  SmallVector<Tensor> inputs;
  Shape common = node.input(0).shape;
  for (size_t i = 0; i < node.numInputs(); ++i) {
    const Tensor &input = node.input(i);
    if (input.type != node.input(0).type)
      return node.error() << "inputs 0 and " << i << " have elements of " << nameOf(node.input(0).type) << " and "
                          << nameOf(input.type);
    if (input.rank() != node.input(0).rank())
      return node.error() << "inputs 0 and " << i << " have ranks " << node.input(0).rank() << " and " << input.rank();
    for (int64_t dim = 0; dim < input.rank(); ++dim)
      if (dim != *axis &&
          failed(expectEqual(node, input.shape[dim], common[dim],
                             "input " + Twine(i) + " doesn't fit the first one at dimension " + Twine(dim))))
        return failure();
    inputs.push_back(input);
  }
  node.set(0, concat(node, inputs, *axis));
  return success();
}

LogicalResult importExpand(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  FailureOr<SmallVector<Size>> given = expectSizes(node, 1, "the new shape");
  if (failed(given))
    return failure();
  for (const Size &size : *given)
    if (isAtMost(node.symbols, size, -1))
      return node.error() << "the new shape has " << node.symbols.toString(size) << " in it";
  FailureOr<Shape> shape = broadcast(node, {node.input(0).shape, Shape(given->begin(), given->end())});
  if (failed(shape))
    return failure();
  FailureOr<Tensor> result = broadcastTo(node, node.input(0), *shape);
  if (failed(result))
    return failure();
  node.set(0, std::move(*result));
  return success();
}

LogicalResult importTile(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<SmallVector<Size>> repeats = expectSizes(node, 1, "the repeats");
  if (failed(repeats))
    return failure();
  if (int64_t(repeats->size()) != input.rank())
    return node.error() << repeats->size() << " repeats are given for " << input.rank() << " dimensions";
  // Each repeat as a dimension of its own, which is broadcast.
  Shape split, repeated, merged;
  for (auto [size, repeat] : llvm::zip(input.shape, *repeats)) {
    if (isAtMost(node.symbols, repeat, -1))
      return node.error() << "a repeat is " << node.symbols.toString(repeat);
    if (!repeat.isConstant(1) && !size.isConstant(1)) {
      split.push_back(Size(1));
      repeated.push_back(repeat);
    }
    split.push_back(size);
    repeated.push_back(size.isConstant(1) ? repeat : size);
    merged.push_back(size * repeat);
  }
  FailureOr<Tensor> result = reshape(node, input, split);
  if (succeeded(result))
    result = broadcastTo(node, *result, repeated);
  if (failed(result))
    return failure();
  return setReshaped(node, *result, merged);
}

//===----------------------------------------------------------------------===//
// Blocks of pixels
//===----------------------------------------------------------------------===//

/// DepthToSpace where `toSpace`, else its inverse.
template <bool toSpace>
LogicalResult importPixels(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> block = node.integer("blocksize");
  FailureOr<std::string> mode = node.text("mode", StringRef("DCR"));
  if (failed(block) || failed(mode))
    return failure();
  if (*mode != "DCR" && *mode != "CRD")
    return node.error() << "attribute 'mode' is '" << *mode << "', expected DCR or CRD";
  if (*block < 1 || *block > (1 << 20))
    return node.error() << "attribute 'blocksize' is " << *block;
  if (input.rank() != 4)
    return node.error() << "the input has rank " << input.rank() << ", expected 4";
  Size b(*block);
  bool depthFirst = *mode == "DCR";
  auto divide = [&](int64_t dim, const Size &by) -> FailureOr<Size> {
    if (std::optional<Size> result = node.symbols.exactQuotient(node.builder, input.shape[dim], by))
      return *result;
    return node.error() << "dimension " << dim << ", " << node.symbols.toString(input.shape[dim])
                        << ", is not known to be a multiple of " << node.symbols.toString(by);
  };
  const Size &n = input.shape[0], &c = input.shape[1], &h = input.shape[2], &w = input.shape[3];
  Shape split, merged;
  SmallVector<int64_t> permutation;
  if (toSpace) {
    FailureOr<Size> channels = divide(1, b * b);
    if (failed(channels))
      return failure();
    split = depthFirst ? Shape{n, b, b, *channels, h, w} : Shape{n, *channels, b, b, h, w};
    permutation = depthFirst ? SmallVector<int64_t>{0, 3, 4, 1, 5, 2} : SmallVector<int64_t>{0, 1, 4, 2, 5, 3};
    merged = {n, *channels, h * b, w * b};
  } else {
    FailureOr<Size> rows = divide(2, b), columns = divide(3, b);
    if (failed(rows) || failed(columns))
      return failure();
    split = {n, c, *rows, b, *columns, b};
    permutation = depthFirst ? SmallVector<int64_t>{0, 3, 5, 1, 2, 4} : SmallVector<int64_t>{0, 1, 3, 5, 2, 4};
    merged = {n, c * b * b, *rows, *columns};
  }
  FailureOr<Tensor> parts = reshape(node, input, split);
  if (failed(parts))
    return failure();
  return setReshaped(node, transpose(node, *parts, permutation), merged);
}

} // namespace

void attn::onnx::registerShapes(Registry &registry) {
  registry.add("Shape", importShape);
  registry.add("Size", importSize);
  registry.add("Reshape", importReshape);
  registry.add("Flatten", importFlatten);
  registry.add("Unsqueeze", importUnsqueeze);
  registry.add("Squeeze", importSqueeze);
  registry.add("Transpose", importTranspose);
  registry.add("Concat", importConcat);
  registry.add("Expand", importExpand);
  registry.add("Tile", importTile);
  registry.add("DepthToSpace", importPixels<true>);
  registry.add("SpaceToDepth", importPixels<false>);
  registerConstants(registry);
  registerGenerators(registry);
}
