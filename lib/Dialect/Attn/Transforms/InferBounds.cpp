//===- InferBounds.cpp - What values and sizes an entry accepts ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table has so many rows, and no token or position beyond them means anything. What the caller passes is checked
// against that once at entry, so the kernels need no checks; the bounds follow from the tables and need no help from
// the importer.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_INFERBOUNDSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Collects the bounds of one entry.
class BoundInference {
public:
  explicit BoundInference(func::FuncOp function) : function(function) {}

  FailureOr<int64_t> run() {
    LogicalResult result = success();
    function.walk([&](EmbeddingOp op) {
      for (auto [index, table] : llvm::zip(op.getIndices(), op.getTables()))
        boundValues(op, index, table);
      if (op.getPositions())
        result = success(succeeded(boundPositions(op)) && succeeded(result));
    });
    if (failed(result))
      return failure();
    write();
    return int64_t(ranges.size() + bounds.size());
  }

private:
  bool isEntryArgument(BlockArgument argument) {
    return argument && argument.getOwner() == &function.front() &&
           function.getArgAttr(argument.getArgNumber(), kShapeAttr);
  }

  void boundValues(EmbeddingOp op, Value index, Value table) {
    int64_t rows = cast<ShapedType>(table.getType()).getDimSize(0);
    BlockArgument argument = findIndexArgument(index);
    if (!isEntryArgument(argument) || ShapedType::isDynamic(rows)) {
      remarkMissed(op, "InferBounds")
          << "an index is computed, or its table's size is not known: it is checked where it is read";
      return;
    }
    auto [range, isNew] = ranges.try_emplace(argument.getArgNumber(), rows);
    if (!isNew)
      range->second = std::min(range->second, rows);
  }

  LogicalResult boundPositions(EmbeddingOp op) {
    int64_t rows = cast<ShapedType>(op.getPositions().getType()).getDimSize(0);
    auto indexType = cast<ShapedType>(op.getIndices().front().getType());
    if (ShapedType::isDynamic(rows) || indexType.getRank() == 0)
      return success();
    if (int64_t size = indexType.getShape().back(); !ShapedType::isDynamic(size)) {
      if (size > rows)
        return op.emitOpError() << "looks up " << size << " positions in a table of " << rows
                                << " rows; the sequence must not be longer than the table of positions";
      return success();
    }
    Value index = op.getIndices().front();
    while (auto cast = index.getDefiningOp<tensor::CastOp>())
      index = cast.getSource();
    auto argument = dyn_cast<BlockArgument>(index);
    auto shape = isEntryArgument(argument) ? function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kShapeAttr)
                                           : ArrayAttr();
    auto symbol = shape && !shape.empty() ? dyn_cast<StringAttr>(shape.getValue().back()) : StringAttr();
    if (!symbol) {
      remarkMissed(op, "InferBounds")
          << "the number of positions is not a symbolic dimension of an argument: positions "
             "are clamped instead";
      return success();
    }
    auto [bound, isNew] = bounds.try_emplace(symbol, rows);
    if (!isNew)
      bound->second = std::min(bound->second, rows);
    return success();
  }

  void write() {
    Builder b(function.getContext());
    for (auto [argument, rows] : ranges) {
      int64_t begin = 0, end = rows;
      // A range that is there already says more than a table can only where it is narrower.
      if (auto old = function.getArgAttrOfType<DenseI64ArrayAttr>(argument, kIndexRangeAttr); old && old.size() == 2) {
        begin = std::max(begin, old[0]);
        end = std::min(end, old[1]);
      }
      function.setArgAttr(argument, kIndexRangeAttr, b.getDenseI64ArrayAttr({begin, end}));
    }
    for (auto [symbol, rows] : bounds)
      limitDim(function, symbol, rows);
  }

  func::FuncOp function;
  llvm::MapVector<unsigned, int64_t> ranges;
  llvm::MapVector<StringAttr, int64_t> bounds;
};

struct InferBoundsPass final : attn::impl::InferBoundsPassBase<InferBoundsPass> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<int64_t> bounds = inferBounds(getOperation());
    if (failed(bounds))
      return signalPassFailure();
    numBounds += *bounds;
  }
};

} // namespace

FailureOr<int64_t> attn::inferBounds(func::FuncOp function) {
  if (function.isDeclaration() || !function.isPublic())
    return 0;
  return BoundInference(function).run();
}
