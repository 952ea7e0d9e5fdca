//===- MapToThreads.cpp - One GPU thread for each element of a result --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stays on the host are sizes, addresses and the loops around launches; it never reads or writes a buffer.
//
//===----------------------------------------------------------------------===//

#include "ThreadGrid.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Dialect/Attn/IR/ErrorCodes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_MAPTOTHREADS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// linalg ops
//===----------------------------------------------------------------------===//

namespace {

/// Threads of a warp.
constexpr int64_t kLanes = 32;

/// Emits one thread's part of a linalg op: an element of each output, summed up in registers over the other loops; of
/// rows that are reduced, a lane's part of a warp's element.
class LinalgThreads {
public:
  explicit LinalgThreads(linalg::LinalgOp op)
      : op(op), loc(op.getLoc()), maps(op.getIndexingMapsArray()), indices(op.getNumLoops()) {}

  void run() {
    OpBuilder b(op);
    SmallVector<Range> ranges = op.createLoopRanges(b, loc);
    SmallVector<unsigned> parallel;
    SmallVector<Value> extents;
    for (auto [loop, range] : llvm::enumerate(ranges)) {
      sizes.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
      if (!isParallel(loop)) {
        sequential.push_back(loop);
        continue;
      }
      parallel.push_back(loop);
      extents.push_back(sizes.back());
    }
    bool inLanes = findCombiners();
    if (inLanes)
      extents.push_back(arith::ConstantIndexOp::create(b, loc, kLanes));
    launchThreads(b, loc, extents, [&](OpBuilder &inner, ValueRange place) {
      for (auto [loop, index] : llvm::zip(parallel, place.take_front(parallel.size())))
        indices[loop] = index;
      if (inLanes)
        emitRow(inner, place.back());
      else
        emitElement(inner);
    });
    op.erase();
  }

private:
  /// True where different indices of the loop write different elements of every output.
  bool isParallel(unsigned loop) {
    if (op.getIteratorTypesArray()[loop] != utils::IteratorType::parallel)
      return false;
    return llvm::all_of(outputMaps(), [&](AffineMap map) {
      return map.getResultPosition(getAffineDimExpr(loop, op.getContext())).has_value();
    });
  }

  /// True where a warp takes each element, its lanes side by side along a row that is read once: one loop is reduced,
  /// an input is read at every step of all loops and stands in memory along that loop, and what the lanes have can be
  /// combined.
  bool findCombiners() {
    if (sequential.size() != 1 || op.getIteratorTypesArray()[sequential[0]] != utils::IteratorType::reduction)
      return false;
    int64_t size = op.getStaticLoopRanges()[sequential[0]];
    AffineExpr row = getAffineDimExpr(sequential[0], op.getContext());
    bool readsRows = llvm::any_of(ArrayRef(maps).drop_back(op.getNumDpsInits()),
                                  [&](AffineMap map) { return map.isPermutation() && map.getResults().back() == row; });
    if ((!ShapedType::isDynamic(size) && size < kLanes) || !readsRows || !hasFixedOutputs())
      return false;
    for (unsigned output = 0; output < op.getNumDpsInits(); ++output) {
      SmallVector<Operation *> chain;
      Type type = getElementTypeOrSelf(op.getDpsInits()[output].getType());
      if (!matchReduction(op.getRegionOutputArgs(), output, chain) || chain.size() != 1 ||
          !arith::getNeutralElement(chain[0]) || !(type.isF32() || type.isInteger(32)))
        return false;
      combiners.push_back(chain[0]);
    }
    return true;
  }

  Value combine(OpBuilder &b, unsigned output, Value x, Value y) {
    IRMapping mapping;
    mapping.map(combiners[output]->getOperand(0), x);
    mapping.map(combiners[output]->getOperand(1), y);
    return b.clone(*combiners[output], mapping)->getResult(0);
  }

  void emitRow(OpBuilder &b, Value lane) {
    unsigned loop = sequential[0];
    SmallVector<Value> sums;
    for (Operation *combiner : combiners)
      sums.push_back(arith::ConstantOp::create(b, loc, *arith::getNeutralElement(combiner)));
    Value lanes = arith::ConstantIndexOp::create(b, loc, kLanes);
    auto steps = scf::ForOp::create(b, loc, lane, sizes[loop], lanes, sums,
                                    [&](OpBuilder &inner, Location, Value index, ValueRange carried) {
                                      indices[loop] = index;
                                      scf::YieldOp::create(inner, loc, emitBody(inner, carried));
                                    });
    sums.assign(steps.getResults().begin(), steps.getResults().end());
    for (int64_t distance = kLanes / 2; distance > 0; distance /= 2)
      for (auto [output, sum] : llvm::enumerate(sums)) {
        auto other = gpu::ShuffleOp::create(b, loc, sum, distance, kLanes, gpu::ShuffleMode::XOR);
        sum = combine(b, output, sum, other.getShuffleResult());
      }
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lane, zero);
    scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &inner, Location) {
      for (auto [output, init, map] : llvm::enumerate(op.getDpsInits(), outputMaps()))
        sums[output] = combine(inner, output, load(inner, init, map, true), sums[output]);
      store(inner, sums);
      scf::YieldOp::create(inner, loc);
    });
  }

  ArrayRef<AffineMap> outputMaps() { return ArrayRef(maps).take_back(op.getNumDpsInits()); }

  /// True where all steps of the sequential loops add to one element of each output.
  bool hasFixedOutputs() {
    return llvm::none_of(sequential, [&](unsigned loop) {
      return llvm::any_of(outputMaps(), [&](AffineMap map) { return map.isFunctionOfDim(loop); });
    });
  }

  void emitElement(OpBuilder &b) {
    SmallVector<Value> values;
    bool fixed = hasFixedOutputs();
    if (fixed)
      for (auto [init, map] : llvm::zip(op.getDpsInits(), outputMaps()))
        values.push_back(load(b, init, map, isInitRead(init)));
    values = emitLoops(b, sequential, values, [&](OpBuilder &inner, ValueRange sums) { return emitBody(inner, sums); });
    if (fixed)
      store(b, values);
  }

  using Body = llvm::function_ref<SmallVector<Value>(OpBuilder &, ValueRange)>;
  SmallVector<Value> emitLoops(OpBuilder &b, ArrayRef<unsigned> loops, ValueRange carried, Body body) {
    if (loops.empty())
      return body(b, carried);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
    auto loop = scf::ForOp::create(b, loc, zero, sizes[loops.front()], one, carried,
                                   [&](OpBuilder &inner, Location, Value index, ValueRange sums) {
                                     indices[loops.front()] = index;
                                     scf::YieldOp::create(inner, loc, emitLoops(inner, loops.drop_front(), sums, body));
                                   });
    return SmallVector<Value>(loop.getResults());
  }

  /// One step; with no `sums` the outputs are read and written in memory.
  SmallVector<Value> emitBody(OpBuilder &b, ValueRange sums) {
    Block &block = op->getRegion(0).front();
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (argument.use_empty())
        continue;
      unsigned number = operand.getOperandNumber(), inputs = op.getNumDpsInputs();
      bool isSum = number >= inputs && !sums.empty();
      mapping.map(argument, isSum ? sums[number - inputs] : load(b, operand.get(), maps[number], true));
    }
    for (Operation &code : block.without_terminator()) {
      Operation *clone = b.clone(code, mapping);
      finishClone(clone, mapping, code);
    }
    SmallVector<Value> results;
    for (Value value : block.getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(value));
    if (!sums.empty())
      return results;
    store(b, results);
    return {};
  }

  /// The indices that a clone asks for are the thread's.
  void finishClone(Operation *clone, IRMapping &mapping, Operation &code) {
    SmallVector<linalg::IndexOp> asked;
    clone->walk([&](linalg::IndexOp index) { asked.push_back(index); });
    for (linalg::IndexOp index : asked) {
      Value value = indices[index.getDim()];
      if (index.getOperation() == clone)
        mapping.map(code.getResult(0), value);
      index.getResult().replaceAllUsesWith(value);
      index.erase();
    }
  }

  bool isInitRead(Value init) {
    for (OpOperand &operand : op.getDpsInitsMutable())
      if (operand.get() == init && !op.getMatchingBlockArgument(&operand).use_empty())
        return true;
    return false;
  }

  SmallVector<Value> place(OpBuilder &b, AffineMap map) {
    SmallVector<Value> dims(indices);
    // A dimension that isn't known yet stands in no map that is asked for now.
    for (Value &dim : dims)
      if (!dim)
        dim = arith::ConstantIndexOp::create(b, loc, 0);
    return llvm::map_to_vector(map.getResults(),
                               [&](AffineExpr expr) { return affine::expandAffineExpr(b, loc, expr, dims, {}); });
  }

  Value load(OpBuilder &b, Value operand, AffineMap map, bool isRead) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      return operand;
    if (!isRead)
      return arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
    return memref::LoadOp::create(b, loc, operand, place(b, map));
  }

  void store(OpBuilder &b, ValueRange values) {
    for (auto [value, init, map] : llvm::zip(values, op.getDpsInits(), outputMaps()))
      memref::StoreOp::create(b, loc, value, init, place(b, map));
  }

  linalg::LinalgOp op;
  Location loc;
  SmallVector<AffineMap> maps;
  SmallVector<Value> sizes;           // of all loops
  SmallVector<unsigned> sequential;   // those that a thread goes through
  SmallVector<Value> indices;         // of all loops, where the code stands
  SmallVector<Operation *> combiners; // what adds to each output, where a warp takes an element
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct MapToThreads final : attn::impl::MapToThreadsBase<MapToThreads> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SmallVector<Operation *> ops;
    bool failed = false;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<linalg::LinalgOp, memref::CopyOp, memref::StoreOp>(op)) {
        ops.push_back(op);
        return WalkResult::skip();
      }
      if (isa<gpu::LaunchOp>(op)) // Device code already.
        return WalkResult::skip();
      failed |= op != function.getOperation() && mlir::failed(checkHostOp(op));
      return WalkResult::advance();
    });
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (auto storage = function.getArgAttrOfType<TypeAttr>(i, kStorageAttr);
          storage && storage.getValue().getIntOrFloatBitWidth() < 8) {
        function.emitError() << "argument " << i << " has elements of " << storage.getValue()
                             << ", packed in bytes, which GPU targets can't take; give them 8 bits";
        failed = true;
      }
    if (failed)
      return signalPassFailure();
    if (function.isPublic())
      checkIndices(function);
    for (Operation *op : ops) {
      map(op);
      ++numLaunches;
    }
    function.walk([&](CheckOp op) {
      if (op->getParentOfType<gpu::LaunchOp>())
        lowerCheck(op);
    });
  }

private:
  /// Fails for what the host can't do, since it sees no data.
  static LogicalResult checkHostOp(Operation *op) {
    if (isa<memref::LoadOp>(op))
      return op->emitError("a size, branch or loop of this model depends on values, which GPU targets do not support; "
                           "compile it for a CPU target");
    if (isa<CheckOp, func::ReturnOp, GetWeightOp, gpu::LaunchFuncOp>(op) ||
        op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
      return success();
    if (isMemoryEffectFree(op))
      return success();
    return op->emitError() << "'" << op->getName()
                           << "' has no code for GPU targets; compile the model for a CPU target";
  }

  static void map(Operation *op) {
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      OpBuilder b(copy);
      op = linalg::makeMemRefCopyOp(b, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
    if (auto store = dyn_cast<memref::StoreOp>(op)) {
      OpBuilder b(store);
      launchThreads(b, store.getLoc(), {}, [&](OpBuilder &inner, ValueRange) { inner.clone(*store); });
      store.erase();
      return;
    }
    LinalgThreads(cast<linalg::LinalgOp>(op)).run();
  }

  /// Raises the run's flag where an index that the caller gives lies outside of its table. Who reads the table clamps.
  static void checkIndices(func::FuncOp entry) {
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    Location loc = entry.getLoc();
    for (BlockArgument argument : entry.getArguments()) {
      auto range = entry.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), kIndexRangeAttr);
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!range || !type)
        continue;
      bool isUnsigned = bool(entry.getArgAttr(argument.getArgNumber(), kUnsignedAttr));
      SmallVector<Value> extents;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        extents.push_back(memref::DimOp::create(b, loc, argument, dim));
      launchThreads(b, loc, extents, [&](OpBuilder &inner, ValueRange place) {
        Value element = memref::LoadOp::create(inner, loc, argument, place);
        Type i64 = inner.getI64Type();
        if (element.getType() != i64)
          element = isUnsigned ? arith::ExtUIOp::create(inner, loc, i64, element).getResult()
                               : arith::ExtSIOp::create(inner, loc, i64, element).getResult();
        auto compare = [&](arith::CmpIPredicate predicate, int64_t bound) -> Value {
          return arith::CmpIOp::create(inner, loc, predicate, element,
                                       arith::ConstantIntOp::create(inner, loc, i64, bound));
        };
        Value inside = arith::AndIOp::create(inner, loc, compare(arith::CmpIPredicate::sge, range.asArrayRef()[0]),
                                             compare(arith::CmpIPredicate::slt, range.asArrayRef()[1]));
        CheckOp::create(inner, loc, inside, Value(), Violation::Index);
      });
    }
  }

  /// A thread raises the flag and goes on: what it reads is clamped.
  static void lowerCheck(CheckOp op) {
    OpBuilder outside(op->getParentOfType<gpu::LaunchOp>());
    Location loc = op.getLoc();
    Value flag = RunFlagOp::create(outside, loc, MemRefType::get({}, outside.getI32Type()));
    OpBuilder b(op);
    Value yes = arith::ConstantIntOp::create(b, loc, b.getI1Type(), 1);
    Value violated = arith::XOrIOp::create(b, loc, op.getCondition(), yes);
    scf::IfOp::create(b, loc, violated, [&](OpBuilder &inner, Location) {
      Value code = arith::ConstantIntOp::create(inner, loc, inner.getI32Type(), getErrorCode(op.getViolation()));
      memref::StoreOp::create(inner, loc, code, flag, ValueRange());
      scf::YieldOp::create(inner, loc);
    });
    op.erase();
  }
};

} // namespace
