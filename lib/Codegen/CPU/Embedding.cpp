//===- Embedding.cpp - Sums of rows of tables -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNoKernel(EmbeddingOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  auto isF32 = [](Value value) { return cast<MemRefType>(value.getType()).getElementType().isF32(); };
  if (!isF32(op.getInit()) || !llvm::all_of(op.getTables(), isF32) || (op.getPositions() && !isF32(op.getPositions())))
    return "elements other than f32";
  if (llvm::any_of(op.getIndices(), isF32))
    return "indices are not integers";
  auto init = cast<MemRefType>(op.getInit().getType());
  if (init.isDynamicDim(init.getRank() - 1))
    return "the size of a row is not static";
  return "";
}

namespace {

class EmbeddingKernel {
public:
  EmbeddingKernel(EmbeddingOp op, OpBuilder &builder)
      : op(op), builder(builder), emitter(builder, op.getLoc(), op.getKernel()->getLanes()) {}

  void emit() { emitDimension({}); }

private:
  /// A loop over each dimension of the indices.
  void emitDimension(ArrayRef<Value> place) {
    int64_t rank = cast<MemRefType>(op.getInit().getType()).getRank() - 1;
    if (int64_t(place.size()) == rank)
      return emitRow(place);
    Value extent = emitter.dim(op.getInit(), place.size());
    emitter.loop(extent, 1, {}, [&](Value i, ValueRange) -> VectorEmitter::Values {
      VectorEmitter::Values inner(place);
      inner.push_back(i);
      emitDimension(inner);
      return {};
    });
  }

  void emitRow(ArrayRef<Value> place) {
    SmallVector<std::pair<Value, Value>> rows;
    for (auto [indices, table] : llvm::zip(op.getIndices(), op.getTables())) {
      Value index =
          arith::IndexCastOp::create(builder, op.getLoc(), builder.getIndexType(), emitter.loadScalar(indices, place));
      rows.emplace_back(table, clamp(index, table));
    }
    if (op.getPositions() && !place.empty())
      rows.emplace_back(op.getPositions(), clamp(place.back(), op.getPositions()));

    auto emitVector = [&](Value column, int64_t active) {
      VectorEmitter::Values parts, target(place);
      for (auto [table, row] : rows)
        parts.push_back(emitter.load(table, {row, column}, active));
      target.push_back(column);
      Value sum = emitter.tree(parts, [&](Value a, Value b) { return emitter.addf(a, b); });
      emitter.store(sum, op.getInit(), target, active);
    };
    auto type = cast<MemRefType>(op.getInit().getType());
    int64_t size = type.getDimSize(type.getRank() - 1), lanes = emitter.lanes(), full = size / lanes * lanes;
    emitter.tiles(emitter.index(full), lanes, [&](Value column, int64_t) { emitVector(column, lanes); });
    if (full < size)
      emitVector(emitter.index(full), size - full);
  }

  /// `index` moved into the rows of `table`.
  Value clamp(Value index, Value table) {
    Value last = emitter.add(emitter.dim(table, 0), -1);
    Value notNegative = arith::MaxSIOp::create(builder, op.getLoc(), index, emitter.index(0));
    return emitter.min(notNegative, last);
  }

  EmbeddingOp op;
  OpBuilder &builder;
  VectorEmitter emitter;
};

struct ExpandEmbedding final : KernelPattern<EmbeddingOp> {
  using KernelPattern::KernelPattern;
  void emit(EmbeddingOp op, PatternRewriter &rewriter) const override { EmbeddingKernel(op, rewriter).emit(); }
};

} // namespace

void attn::populateEmbeddingPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandEmbedding>(patterns.getContext());
}
