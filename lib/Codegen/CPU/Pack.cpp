//===- Pack.cpp - Panels of transposed rows ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Squares of lanes x lanes elements are transposed in registers: in step h = lanes / 2, ..., 2, 1 each pair of rows i
// and i + h exchanges the halves that stand on the wrong side. Rows beyond the source are not read and give zeros.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNoKernel(PackOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  auto init = cast<MemRefType>(op.getInit().getType());
  int64_t lanes = op.getKernel()->getLanes();
  if (!init.getElementType().isF32() || !cast<MemRefType>(op.getSource().getType()).getElementType().isF32())
    return "elements other than f32";
  if (init.isDynamicDim(1) || init.isDynamicDim(2))
    return "the sizes of a panel are not static";
  if (!llvm::isPowerOf2_64(lanes) || init.getDimSize(2) % lanes != 0)
    return "a panel is not made of squares with a power of two of lanes";
  return "";
}

namespace {
struct ExpandPack final : KernelPattern<PackOp> {
  using KernelPattern::KernelPattern;

  void emit(PackOp op, PatternRewriter &rewriter) const override {
    auto init = cast<MemRefType>(op.getInit().getType());
    int64_t lanes = op.getKernel()->getLanes(), depth = init.getDimSize(1), width = init.getDimSize(2);
    VectorEmitter emitter(rewriter, op.getLoc(), lanes);
    emitter.loop(emitter.dim(op.getInit(), 0), 1, {}, [&](Value panel, ValueRange) -> VectorEmitter::Values {
      Value first = emitter.mul(panel, width);
      emitter.tiles(emitter.index(width), lanes, [&](Value lane, int64_t) {
        int64_t full = depth / lanes * lanes;
        auto emitAt = [&](Value k, int64_t active) {
          emitSquare(op, emitter, {panel, lane, emitter.add(first, lane), k}, active);
        };
        emitter.tiles(emitter.index(full), lanes, [&](Value k, int64_t) { emitAt(k, lanes); });
        if (full < depth)
          emitAt(emitter.index(full), depth - full);
      });
      return {};
    });
  }

private:
  struct Place {
    Value panel, lane; ///< Where in the result.
    Value row, column; ///< Where in the source.
  };

  /// `active` columns of the source become as many rows of a panel.
  static void emitSquare(PackOp op, VectorEmitter &emitter, const Place &place, int64_t active) {
    OpBuilder &builder = emitter.getBuilder();
    Location loc = op.getLoc();
    Value count = emitter.dim(op.getSource(), 0);
    Value columns = emitter.mask(active);
    VectorEmitter::Values rows;
    for (int64_t i = 0; i < emitter.lanes(); ++i) {
      Value row = emitter.add(place.row, i);
      Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, row, count);
      Value mask = arith::AndIOp::create(builder, loc, emitter.broadcast(inside), columns);
      rows.push_back(emitter.loadMasked(op.getSource(), {row, place.column}, mask));
    }
    emitter.transpose(rows);
    for (int64_t i = 0; i < active; ++i)
      emitter.store(rows[i], op.getInit(), {place.panel, emitter.add(place.column, i), place.lane});
  }
};
} // namespace

void attn::populatePackPatterns(RewritePatternSet &patterns) { patterns.add<ExpandPack>(patterns.getContext()); }
