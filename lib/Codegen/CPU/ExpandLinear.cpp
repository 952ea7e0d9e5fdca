//===- ExpandLinear.cpp - attn.linear as register tiles ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A panel of the weight is read for each tile of rows, so it should stay in the second-level cache; the input's rows
// are read by broadcasts, as they stand or from a copy whose rows do not compete for one set of the first-level cache.
// Nothing is packed here: the schedule stored the weight in panels.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/Epilogue.h"
#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/CPU/RegisterTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDLINEARPASS
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// How many rows of a panel are asked for ahead of their use, from the second-level cache.
static constexpr int64_t kNearRows = 16;

/// Sums of more terms are taken in blocks of at most `kBlock`: each addition rounds a partial sum, and partial sums
/// grow with the root of their length. Between blocks the totals wait on the stack, which takes about 90 cycles for a
/// tile.
static constexpr int64_t kLongestSum = 384, kBlock = 256;

//===----------------------------------------------------------------------===//
// What the kernel takes
//===----------------------------------------------------------------------===//

/// True for maps (m, n) -> ... of which the kernel reads a vector along n or one element: n stands last or nowhere.
static bool isReadableMap(AffineMap map) {
  AffineExpr column = getAffineDimExpr(1, map.getContext());
  for (auto [i, result] : llvm::enumerate(map.getResults()))
    if (!isa<AffineDimExpr, AffineConstantExpr>(result) || (result == column && i + 1 != map.getNumResults()))
      return false;
  return true;
}

std::string attn::whyNoKernel(LinearOp op) {
  if (std::string why = whyNoKernelOperands(op); !why.empty())
    return why;
  if (!op.isPacked())
    return "the weight is not in panels";
  auto weight = cast<MemRefType>(op.getWeight().getType());
  auto init = cast<MemRefType>(op.getInit().getType());
  auto input = cast<MemRefType>(op.getInput().getType());
  if (init.getRank() != 2)
    return "rows are not one dimension";
  if (!weight.hasStaticShape() || init.isDynamicDim(1))
    return "the sizes of the weight are not static";
  if (!weight.getElementType().isF32() || !init.getElementType().isF32() || !input.getElementType().isF32())
    return "elements other than f32";
  LinearKernelAttr kernel = *op.getKernel();
  if (op.getScratch().size() != op.getScratchTypes().size())
    return "its scratch buffers are not allocated";
  if (weight.getDimSize(2) % kernel.getColumns() != 0)
    return "panels of " + std::to_string(weight.getDimSize(2)) + " are no multiple of the kernel's columns";
  for (Attribute map : op.getExtraMaps())
    if (!isReadableMap(cast<AffineMapAttr>(map).getValue()))
      return "an extra operand is neither read along the columns nor constant along them";
  return whyNotElementwise(op.getEpilogue().front());
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {

/// Columns of the output that one column of register tiles computes.
struct Strip {
  Value panel;       ///< The weight's panel.
  Value panelColumn; ///< First column in the panel.
  Value column;      ///< First column of the output.
  int64_t active;    ///< How many columns there are, at most the kernel's.

  /// How many of them are in vector `j`.
  int64_t activeIn(int64_t j, int64_t lanes) const { return std::min(lanes, active - j * lanes); }
};

/// Rows of the output, and where their input is read.
struct RowBlock {
  Value input; ///< The op's input, or a copy that begins with this block.
  Value first; ///< First row of the output.
  Value count; ///< How many there are.
};

class LinearKernel {
public:
  LinearKernel(LinearOp op, OpBuilder &builder)
      : op(op), kernel(*op.getKernel()), emitter(builder, op.getLoc(), kernel.getLanes()) {}

  void emit() {
    Value rows = emitter.dim(op.getInit(), 0);
    if (op.getScratch().empty())
      return emitRows({op.getInput(), emitter.index(0), rows});
    int64_t copied = kernel.getCopiedRows();
    emitter.loop(rows, copied, {}, [&](Value first, ValueRange) {
      RowBlock block{op.getScratch().front(), first, emitter.min(emitter.index(copied), emitter.sub(rows, first))};
      copyRows(block);
      emitRows(block);
      return VectorEmitter::Values();
    });
  }

private:
  /// Copies a block of the input's rows to where it is read.
  void copyRows(const RowBlock &block) {
    constexpr int64_t kUnrolled = 4;
    int64_t depth = cast<MemRefType>(op.getInput().getType()).getDimSize(1), lanes = kernel.getLanes();
    emitter.loop(block.count, 1, {}, [&](Value row, ValueRange) {
      Value from = emitter.add(block.first, row);
      auto copy = [&](Value k, int64_t active) {
        emitter.store(emitter.load(op.getInput(), {from, k}, active), block.input, {row, k}, active);
      };
      int64_t whole = depth / lanes * lanes;
      emitter.tiles(emitter.index(whole), kUnrolled * lanes, [&](Value k, int64_t size) {
        for (int64_t i = 0; i < size; i += lanes)
          copy(emitter.add(k, i), std::min(lanes, size - i));
      });
      if (whole < depth)
        copy(emitter.index(whole), depth - whole);
      return VectorEmitter::Values();
    });
  }

  void emitRows(const RowBlock &rowBlock) {
    block = rowBlock;
    int64_t width = cast<MemRefType>(op.getWeight().getType()).getDimSize(2);
    int64_t columns = cast<MemRefType>(op.getInit().getType()).getDimSize(1);
    int64_t fullPanels = columns / width;
    tilesLog2 = emitter.log2(emitter.div(block.count, kernel.getRows()));
    if (fullPanels > 0)
      emitter.loop(emitter.index(fullPanels), 1, {}, [&](Value panel, ValueRange) {
        emitPanel(panel, width);
        return VectorEmitter::Values();
      });
    if (columns % width != 0)
      emitPanel(emitter.index(fullPanels), columns % width);
  }

  /// The first `active` columns of a panel.
  void emitPanel(Value panel, int64_t active) {
    int64_t width = cast<MemRefType>(op.getWeight().getType()).getDimSize(2);
    Value first = emitter.mul(panel, width);
    int64_t full = active / kernel.getColumns() * kernel.getColumns();
    emitter.tiles(emitter.index(full), kernel.getColumns(), [&](Value column, int64_t) {
      emitStrip({panel, column, emitter.add(first, column), kernel.getColumns()});
    });
    if (full < active)
      emitStrip({panel, emitter.index(full), emitter.add(first, full), active - full});
  }

  void emitStrip(const Strip &strip) {
    emitter.tiles(block.count, kernel.getRows(), [&](Value row, int64_t count) { emitTile(strip, row, count); });
  }

  /// The tile of `count` rows that begins at `row` of the block.
  void emitTile(const Strip &strip, Value row, int64_t count) {
    int64_t vectors = llvm::divideCeil(strip.active, kernel.getLanes());
    int64_t depthRows = cast<MemRefType>(op.getWeight().getType()).getDimSize(1);
    VectorEmitter::Values inputRows, weightColumns;
    bool isCopied = block.input != op.getInput();
    Value first = emitter.add(block.first, row);
    for (int64_t i = 0; i < count; ++i)
      inputRows.push_back(emitter.add(isCopied ? row : first, i));
    for (int64_t j = 0; j < vectors; ++j)
      weightColumns.push_back(emitter.add(strip.panelColumn, j * kernel.getLanes()));

    // The weight is met for the first time since the last run, so it is far away. While the tiles of this panel run,
    // the next panel is fetched, an equal part by each tile: asked for at once it would come no faster than memory is.
    // Small tiles have no load to spare for it.
    bool prefetches = 2 * count >= kernel.getRows();
    Value nextPanel = emitter.add(strip.panel, 1);
    Value done = emitter.mul(emitter.div(row, kernel.getRows()), depthRows);
    VectorEmitter::Values sums = emitInBlocks(count * vectors, [&](Value from, Value depth, ValueRange init) {
      return emitRegisterTile(
          emitter, depth, count, vectors, init,
          [&](Value k, int64_t i) { return emitter.loadScalar(block.input, {inputRows[i], emitter.add(from, k)}); },
          [&](Value inner, int64_t j) {
            Value k = emitter.add(from, inner);
            if (prefetches) {
              Value far = arith::ShRUIOp::create(emitter.getBuilder(), op.getLoc(), emitter.add(done, k), tilesLog2);
              Value near = emitter.add(k, kNearRows);
              emitter.prefetch(op.getWeight(), {strip.panel, near, weightColumns[j]}, /*near=*/true);
              emitter.prefetch(op.getWeight(), {nextPanel, far, weightColumns[j]}, /*near=*/false);
            }
            return emitter.load(op.getWeight(), {strip.panel, k, weightColumns[j]});
          });
    });

    if (isLongEpilogue())
      emitEpilogueLoop(strip, first, count, sums);
    else
      emitEpilogueInRegisters(strip, first, count, sums);
  }

  /// The sum over K, where `product` adds `depth` terms from `first` on to what it is given.
  VectorEmitter::Values
  emitInBlocks(int64_t accumulators,
               function_ref<VectorEmitter::Values(Value first, Value depth, ValueRange)> product) {
    int64_t depth = cast<MemRefType>(op.getWeight().getType()).getDimSize(1);
    int64_t blocks = depth <= kLongestSum ? 1 : llvm::divideCeil(depth, kBlock);
    VectorEmitter::Values zeros(accumulators, emitter.splat(0));
    if (blocks <= 1)
      return product(emitter.index(0), emitter.index(depth), zeros);
    int64_t block = llvm::divideCeil(depth, blocks);
    return emitter.loop(emitter.index(depth), block, zeros, [&](Value first, ValueRange totals) {
      Value size = emitter.index(block);
      if (depth % block != 0)
        size = emitter.min(size, emitter.sub(emitter.index(depth), first));
      VectorEmitter::Values results = product(first, size, zeros);
      for (auto [result, total] : llvm::zip(results, totals))
        result = emitter.addf(result, total);
      return results;
    });
  }

  /// True for epilogues whose code should stand once in a tile, not once for each accumulator: functions are dozens of
  /// instructions, with many temporaries beside the accumulators. Not where an extra may be the buffer of the result,
  /// which the loop uses for the sums.
  bool isLongEpilogue() {
    if (llvm::any_of(op.getExtraMaps().getAsValueRange<AffineMapAttr>(),
                     [](AffineMap map) { return map.isFunctionOfDim(0) && map.isFunctionOfDim(1); }))
      return false;
    return llvm::any_of(op.getEpilogue().front(), [](Operation &inner) {
      return isa<GeluOp>(inner) || inner.getDialect()->getNamespace() == math::MathDialect::getDialectNamespace();
    });
  }

  using SharedExtras = llvm::DenseMap<std::pair<unsigned, int64_t>, Value>;

  void emitEpilogueInRegisters(const Strip &strip, Value row, int64_t count, ArrayRef<Value> sums) {
    // Extras that are the same in all rows are read once.
    SharedExtras shared;
    int64_t vectors = sums.size() / count;
    for (auto [i, sum] : llvm::enumerate(sums))
      emitEpilogue(strip, emitter.add(row, i / vectors), i % vectors, sum, shared);
  }

  void emitEpilogueLoop(const Strip &strip, Value row, int64_t count, ArrayRef<Value> sums) {
    int64_t vectors = sums.size() / count;
    auto place = [&](Value row, int64_t j) {
      return VectorEmitter::Values{row, emitter.add(strip.column, j * kernel.getLanes())};
    };
    for (auto [i, sum] : llvm::enumerate(sums))
      emitter.store(sum, op.getInit(), place(emitter.add(row, i / vectors), i % vectors),
                    strip.activeIn(i % vectors, kernel.getLanes()));
    emitter.loop(emitter.index(count), 1, {}, [&](Value i, ValueRange) -> VectorEmitter::Values {
      SharedExtras shared;
      Value current = emitter.add(row, i);
      for (int64_t j = 0; j < vectors; ++j) {
        Value sum = emitter.load(op.getInit(), place(current, j), strip.activeIn(j, kernel.getLanes()));
        emitEpilogue(strip, current, j, sum, shared);
      }
      return {};
    });
  }

  void emitEpilogue(const Strip &strip, Value row, int64_t j, Value sum, SharedExtras &shared) {
    Value column = emitter.add(strip.column, j * kernel.getLanes());
    int64_t active = strip.activeIn(j, kernel.getLanes());
    VectorEmitter::Values arguments{sum};
    for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
      AffineMap map = cast<AffineMapAttr>(op.getExtraMaps()[i]).getValue();
      if (map.isFunctionOfDim(0)) {
        arguments.push_back(readExtra(extra, map, row, column, active));
        continue;
      }
      Value &value = shared[{i, map.isFunctionOfDim(1) ? j : 0}];
      if (!value)
        value = readExtra(extra, map, row, column, active);
      arguments.push_back(value);
    }
    Value result = emitElementwise(emitter, op.getEpilogue().front(), arguments).front();
    emitter.store(result, op.getInit(), {row, column}, active);
  }

  Value readExtra(Value extra, AffineMap map, Value row, Value column, int64_t active) {
    VectorEmitter::Values indices;
    for (AffineExpr result : map.getResults()) {
      if (auto constant = dyn_cast<AffineConstantExpr>(result))
        indices.push_back(emitter.index(constant.getValue()));
      else
        indices.push_back(cast<AffineDimExpr>(result).getPosition() == 0 ? row : column);
    }
    if (map.isFunctionOfDim(1))
      return emitter.load(extra, indices, active);
    return emitter.broadcast(emitter.loadScalar(extra, indices));
  }

  LinearOp op;
  LinearKernelAttr kernel;
  VectorEmitter emitter;
  RowBlock block;  ///< What is emitted now.
  Value tilesLog2; ///< Of the number of full tiles of rows in it, rounded down.
};

struct ExpandLinear final : KernelPattern<LinearOp> {
  using KernelPattern::KernelPattern;
  void emit(LinearOp op, PatternRewriter &rewriter) const override { LinearKernel(op, rewriter).emit(); }
};

struct ExpandLinearPass final : attn::impl::ExpandLinearPassBase<ExpandLinearPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateExpandLinearPatterns(patterns);
    if (failed(expandKernels<LinearOp>(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void attn::populateExpandLinearPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandLinear>(patterns.getContext());
}
