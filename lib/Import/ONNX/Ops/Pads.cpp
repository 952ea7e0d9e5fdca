//===- Pads.cpp - Tensors with a border -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

enum class Mode { Constant, Reflect, Edge, Wrap };

/// The index in [0, size) that stands for `index`, which is before or behind it.
Value foldBack(OpBuilder &b, Location loc, Mode mode, Value index, Value size) {
  auto number = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value).getResult(); };
  auto modulo = [&](Value by) -> Value {
    by = arith::MaxSIOp::create(b, loc, by, number(1));
    Value rest = arith::RemSIOp::create(b, loc, index, by);
    Value isNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, number(0));
    return arith::SelectOp::create(b, loc, isNegative, arith::AddIOp::create(b, loc, rest, by), rest);
  };
  if (mode == Mode::Wrap)
    return modulo(size);
  if (mode != Mode::Reflect)
    return index; // reading clamps it
  // There and back again, without either end twice.
  Value period = arith::MulIOp::create(b, loc, arith::SubIOp::create(b, loc, size, number(1)), number(2));
  Value place = modulo(period);
  return arith::MinSIOp::create(b, loc, place, arith::SubIOp::create(b, loc, period, place));
}

/// The value to pad with, as a scalar of the data's type; null after an error.
Value paddingOf(Node &node, DataType type) {
  if (!node.has(2))
    return scalarConstant(node.builder, node.loc, type, 0);
  const Tensor &given = node.input(2);
  if (failed(node.expectType(2, type)))
    return {};
  if (!productOf(given.shape).isConstant(1)) {
    node.error() << "the value to pad with has shape " << node.symbols.toString(given.shape)
                 << ", expected a single element";
    return {};
  }
  if (DenseElementsAttr dense = denseOf(node, given))
    return arith::ConstantOp::create(node.builder, node.loc,
                                     llvm::cast<TypedAttr>(*dense.getValues<Attribute>().begin()));
  FailureOr<Tensor> single = reshape(node, given, Shape());
  if (failed(single))
    return {};
  return tensor::ExtractOp::create(node.builder, node.loc, node.value(*single), ValueRange());
}

LogicalResult importPad(Node &node) {
  if (failed(node.expectInputs(2, 4)))
    return failure();
  Tensor data = node.input(0);
  int64_t rank = data.rank();
  FailureOr<std::string> modeName = node.text("mode", StringRef("constant"));
  FailureOr<SmallVector<Size>> pads = expectSizes(node, 1, "the pads");
  if (failed(modeName) || failed(pads))
    return failure();
  static constexpr StringLiteral kModes[] = {"constant", "reflect", "edge", "wrap"};
  const auto *found = llvm::find(kModes, *modeName);
  if (found == std::end(kModes))
    return node.error() << "attribute 'mode' is '" << *modeName << "', expected constant, reflect, edge or wrap";
  auto mode = Mode(found - std::begin(kModes));
  auto axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (node.has(3)) {
    FailureOr<SmallVector<int64_t>> given = expectConstants(node, 3, "the axes");
    if (failed(given))
      return failure();
    axes = *given;
  }
  if (pads->size() != 2 * axes.size())
    return node.error() << pads->size() << " pads are given for " << axes.size() << " axes, expected two for each";
  SmallVector<Size> before(rank), after(rank);
  for (auto [i, given] : llvm::enumerate(axes)) {
    FailureOr<int64_t> axis = node.axis(given, rank);
    if (failed(axis))
      return failure();
    before[*axis] = (*pads)[i];
    after[*axis] = (*pads)[axes.size() + i];
  }
  // Negative ones cut something off first.
  Shape shape;
  llvm::SmallBitVector padded(rank);
  for (int64_t i = 0; i < rank; ++i) {
    for (Size *pad : {&before[i], &after[i]}) {
      if (isAtLeast(node.symbols, *pad, 0))
        continue;
      Size rest = data.shape[i] + *pad;
      if (!isAtLeast(node.symbols, rest, 0) && !node.symbols.limit(rest, 0))
        return node.error() << "a pad cuts " << node.symbols.toString(Size(0) - *pad) << " of "
                            << node.symbols.toString(data.shape[i]) << " elements off dimension " << i;
      Size cut = notNegative(node, Size(0) - *pad);
      data = slice(node, data, i, pad == &before[i] ? cut : Size(0), data.shape[i] - cut);
      *pad = *pad + cut;
    }
    shape.push_back(data.shape[i] + before[i] + after[i]);
    bool isPadded = !before[i].isConstant(0) || !after[i].isConstant(0);
    if (isPadded && mode != Mode::Constant && data.shape[i].isConstant(0))
      return node.error() << "dimension " << i << " is empty, so there is nothing to pad it with";
    if (isPadded)
      padded.set(i);
  }
  if (padded.none()) {
    node.set(0, std::move(data));
    return success();
  }
  if (mode == Mode::Constant) {
    Value padding = paddingOf(node, data.type);
    if (!padding)
      return failure();
    Value border = linalg::FillOp::create(node.builder, node.loc, padding, empty(node, shape, data.type)).getResult(0);
    SmallVector<OpFoldResult> offsets = node.mixed(before);
    SmallVector<OpFoldResult> strides(rank, node.builder.getIndexAttr(1));
    Value result = tensor::InsertSliceOp::create(node.builder, node.loc, node.value(data), border, offsets,
                                                 node.mixed(data.shape), strides);
    node.set(0, node.make(result, data.type, shape));
    return success();
  }
  Reader reader(node, data, padded);
  SmallVector<Value> starts(rank);
  for (unsigned i : padded.set_bits())
    starts[i] = node.index(before[i]);
  node.set(
      0, generate(node, data.type, shape, {}, {}, [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) {
        SmallVector<Value> place(indices);
        for (unsigned i : padded.set_bits()) {
          Value index = arith::SubIOp::create(b, loc, indices[i], starts[i]);
          place[i] = foldBack(b, loc, mode, index, reader.size(i));
        }
        return reader.read(b, loc, place);
      }));
  return success();
}

} // namespace

void attn::onnx::registerPads(Registry &registry) { registry.add("Pad", importPad); }
