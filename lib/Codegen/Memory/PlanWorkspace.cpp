//===- PlanWorkspace.cpp - Put all buffers into one workspace that the caller gives -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layout is slots of the entry first, then one area a worker. It is computed twice from the same description:
// without checks in the entry, where the caller has already asked for the size, and with checks in the function that
// tells it.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/BufferLifetimes.h"
#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "attn/Codegen/Memory/SizeBounds.h"
#include "attn/Codegen/Memory/WorkspaceSize.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {
#define GEN_PASS_DEF_PLANWORKSPACE
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Where buffers go: slots of the entry, and buffers of the tasks of each parallel loop.
struct Layout {
  SmallVector<SmallVector<memref::AllocOp>> slots;
  SmallVector<std::pair<scf::ForallOp, SmallVector<memref::AllocOp>>> tasks;
};

/// Offsets and sizes of a layout as values.
struct PlacedLayout {
  SmallVector<Value> slotOffsets;
  SmallVector<SmallVector<Value>> taskOffsets; // within a worker's area
  Value workerBase, workerStride, total;
};

class EntryPlanner {
public:
  EntryPlanner(func::FuncOp entry, int64_t alignment) : entry(entry), alignment(alignment) {}

  LogicalResult run() {
    collect();
    if (failed(hoistSizes()))
      return failure();
    if (failed(createSizeFunction()))
      return failure();
    replaceAllocations();
    return success();
  }

  size_t getNumBuffers() const { return numBuffers; }
  size_t getNumSlots() const { return layout.slots.size(); }

private:
  Block &body() { return entry.getBody().front(); }

  void collect() {
    SmallVector<memref::AllocOp> own;
    llvm::MapVector<scf::ForallOp, SmallVector<memref::AllocOp>> tasks;
    entry.walk([&](memref::AllocOp alloc) {
      ++numBuffers;
      if (auto task = alloc->getParentOfType<scf::ForallOp>())
        tasks[task].push_back(alloc);
      else
        own.push_back(alloc);
    });
    layout.slots = colorBuffers(findLifetimes(body(), own));
    for (auto &[task, allocs] : tasks)
      layout.tasks.emplace_back(task, allocs);
  }

  template <typename Fn>
  void forEachAlloc(Fn fn) {
    for (auto &slot : layout.slots)
      for (memref::AllocOp alloc : slot)
        fn(alloc);
    for (auto &[task, allocs] : layout.tasks)
      for (memref::AllocOp alloc : allocs)
        fn(alloc);
  }

  /// Finds how large each buffer may be, and moves the computation to the begin of the entry; remembers it in order.
  LogicalResult hoistSizes() {
    SizeBounds sizeBounds(body());
    llvm::SetVector<Operation *> all;
    LogicalResult result = success();
    forEachAlloc([&](memref::AllocOp alloc) {
      for (Value size : alloc.getDynamicSizes()) {
        Value bound = sizeBounds.of(size);
        if (!bound) {
          alloc.emitError("the size of this buffer is not known at entry: it depends on ")
              << sizeBounds.getCulprit()->getName();
          result = failure();
          return;
        }
        bounds[alloc].push_back(bound);
        BackwardSliceOptions options;
        options.inclusive = true;
        options.omitBlockArguments = true;
        if (failed(getBackwardSlice(bound, &all, options)))
          result = failure();
      }
    });
    sizeBounds.eraseUnused([&](Operation *op) { return all.contains(op); });
    if (failed(result))
      return failure();
    // In program order each op stands behind what it reads.
    sizeOps = topologicalSort(all);
    Operation *last = nullptr;
    for (Operation *op : sizeOps) {
      if (last)
        op->moveAfter(last);
      else
        op->moveBefore(&body(), body().begin());
      last = op;
    }
    return success();
  }

  PlacedLayout place(SizeBuilder &sizes, OpBuilder &b, Value workers, IRMapping *mapping) {
    auto bytesOf = [&](memref::AllocOp alloc) {
      SmallVector<Value> dynamic(bounds.lookup(alloc));
      if (mapping)
        for (Value &value : dynamic)
          value = mapping->lookup(value);
      return sizes.bytes(alloc.getType(), dynamic, alignment);
    };
    PlacedLayout placed;
    Value offset = sizes.constant(0);
    for (auto &slot : layout.slots) {
      placed.slotOffsets.push_back(offset);
      Value size;
      for (memref::AllocOp alloc : slot)
        size = size ? sizes.max(size, bytesOf(alloc)) : bytesOf(alloc);
      offset = sizes.add(offset, size);
    }
    placed.workerBase = offset;
    placed.workerStride = sizes.constant(0);
    for (auto &[task, allocs] : layout.tasks) {
      Value inner = sizes.constant(0);
      placed.taskOffsets.emplace_back();
      for (memref::AllocOp alloc : allocs) {
        placed.taskOffsets.back().push_back(inner);
        inner = sizes.add(inner, bytesOf(alloc));
      }
      placed.workerStride = sizes.max(placed.workerStride, inner);
    }
    placed.total = sizes.add(offset, sizes.mul(placed.workerStride, workers));
    return placed;
  }

  LogicalResult createSizeFunction() {
    EntrySignature signature(entry);
    OpBuilder b(entry);
    Location loc = entry.getLoc();
    SmallVector<Type> inputs(signature.getDims().size() + 1, b.getIndexType());
    auto function =
        func::FuncOp::create(b, loc, workspaceFunctionName(entry.getName()), b.getFunctionType(inputs, b.getI64Type()));
    function.setPrivate();
    b.setInsertionPointToStart(function.addEntryBlock());
    Value workers = function.getArguments().back();
    IRMapping mapping;
    SizeBuilder sizes(b, loc, /*checked=*/true);
    for (Operation *op : sizeOps) {
      if (auto dim = llvm::dyn_cast<memref::DimOp>(op)) {
        auto arg = llvm::cast<BlockArgument>(dim.getSource());
        std::optional<int64_t> position = dim.getConstantIndex();
        std::optional<unsigned> symbol = position ? signature.getDim(arg.getArgNumber(), *position) : std::nullopt;
        if (!symbol)
          return entry.emitError() << "argument " << arg.getArgNumber()
                                   << " has a dynamic dimension without a symbol in '" << kShapeAttr << "'";
        mapping.map(dim.getResult(), function.getArgument(*symbol));
      } else if (llvm::isa<NumWorkersOp>(op)) {
        mapping.map(op->getResult(0), workers);
      } else {
        sizes.repeat(*op, mapping);
      }
    }
    PlacedLayout placed = place(sizes, b, workers, &mapping);
    Value total = arith::IndexCastOp::create(b, loc, b.getI64Type(), placed.total);
    if (Value overflow = sizes.getOverflow()) {
      Value impossible = arith::ConstantIntOp::create(b, loc, b.getI64Type(), -1);
      total = arith::SelectOp::create(b, loc, overflow, impossible, total);
    }
    func::ReturnOp::create(b, loc, total);
    return success();
  }

  void replaceAllocations() {
    OpBuilder b(entry.getContext());
    Location loc = entry.getLoc();
    auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
    unsigned position = entry.getNumArguments();
    (void)entry.insertArgument(position, bytes, b.getDictionaryAttr(b.getNamedAttr(kWorkspaceAttr, b.getUnitAttr())),
                               loc);
    Value workspace = entry.getArgument(position);
    if (numBuffers == 0)
      return;
    if (sizeOps.empty())
      b.setInsertionPointToStart(&body());
    else
      b.setInsertionPointAfter(sizeOps.back());
    Value workers = NumWorkersOp::create(b, loc);
    SizeBuilder sizes(b, loc, /*checked=*/false);
    PlacedLayout placed = place(sizes, b, workers, nullptr);

    auto replace = [&](memref::AllocOp alloc, Value offset) {
      OpBuilder at(alloc);
      Value view =
          memref::ViewOp::create(at, alloc.getLoc(), alloc.getType(), workspace, offset, alloc.getDynamicSizes());
      alloc.getResult().replaceAllUsesWith(view);
      alloc.erase();
    };
    for (auto [slot, offset] : llvm::zip(layout.slots, placed.slotOffsets))
      for (memref::AllocOp alloc : slot)
        replace(alloc, offset);
    for (auto [task, offsets] : llvm::zip(layout.tasks, placed.taskOffsets)) {
      b.setInsertionPointToStart(task.first.getBody());
      Value worker = WorkerOp::create(b, loc);
      Value area =
          arith::AddIOp::create(b, loc, placed.workerBase, arith::MulIOp::create(b, loc, worker, placed.workerStride));
      // All offsets first: replacing erases the op that the builder stands at.
      SmallVector<Value> starts;
      for (Value offset : offsets)
        starts.push_back(arith::AddIOp::create(b, loc, area, offset));
      for (auto [alloc, start] : llvm::zip(task.second, starts))
        replace(alloc, start);
    }
  }

  func::FuncOp entry;
  int64_t alignment;
  Layout layout;
  /// How large the dynamic sizes of a buffer may be.
  llvm::DenseMap<Operation *, SmallVector<Value>> bounds;
  llvm::SetVector<Operation *> sizeOps;
  size_t numBuffers = 0;
};

struct PlanWorkspace final : attn::impl::PlanWorkspaceBase<PlanWorkspace> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> entries;
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal())
        entries.push_back(function);
    for (func::FuncOp entry : entries) {
      EntryPlanner planner(entry, alignment);
      if (failed(planner.run()))
        return signalPassFailure();
      numBuffers += planner.getNumBuffers();
      numSlots += planner.getNumSlots();
    }
  }
};

} // namespace
