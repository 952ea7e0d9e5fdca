//===- VectorizeGeneric.cpp - Run linalg ops on native vectors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Works on buffers, where every size may be dynamic and nothing needs to be proven about tensors: loops with exact
// bounds around one-dimensional vectors of native width, and a mask for what is left. Parallel loops are outside,
// reductions inside of them with their accumulators in registers. Where lanes are parallel, several vectors (and, where
// reads are shared, several rows) are accumulated side by side; where lanes are partial sums, several of these.
//
//===----------------------------------------------------------------------===//

#include "LaneEmitter.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_VECTORIZEGENERIC
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

using Values = SmallVector<Value>;

/// Operations of a body that is not repeated side by side.
constexpr size_t kLongBody = 12;

/// Emits the loops of one op before it.
class LoopEmitter {
public:
  LoopEmitter(OpBuilder &builder, linalg::LinalgOp op, const VectorPlan &plan, const Target &target)
      : b(builder), loc(op.getLoc()), op(op), plan(plan), lanes(target.lanes(plan.elementBits)),
        emitter(builder, op, plan, lanes), numInits(op.getNumDpsInits()) {
    for (Range range : op.createLoopRanges(b, loc))
      extents.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
    for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
      if (loop == plan.lane || loop == plan.rows)
        continue;
      (linalg::isParallelIterator(iterator) ? outer : reductions).push_back(loop);
    }
    reduces = op.getNumReductionLoops() != 0;
    // Accumulators that hide the latency of an addition, without more registers than there are.
    if (plan.rows)
      rows = std::max<int64_t>(1, 4 / numInits);
    if (reduces)
      vectors =
          std::max<int64_t>(1, (plan.rows && (plan.laneReduces || target.vectorRegisters < 32) ? 2 : 4) / numInits);
    // A long body hides latencies by itself.
    if (llvm::range_size(*op.getBlock()) > kLongBody)
      vectors = rows = 1;
    if (std::optional<int64_t> extent = getConstantIntValue(extents[plan.lane]))
      vectors = std::clamp<int64_t>(*extent / lanes, 1, vectors);
  }

  void emit() {
    Values ivs(extents.size());
    emitOuter(0, ivs);
  }

private:
  /// One vector of iterations and, where they were given to it, its accumulators.
  using VectorBody = function_ref<Values(Value base, int64_t count, Value mask, ValueRange carried)>;

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value value, int64_t n) { return n == 0 ? value : b.createOrFold<arith::AddIOp>(loc, value, index(n)); }
  /// The largest multiple of `factor` that is not above `value`.
  Value floorTo(Value value, int64_t factor) {
    Value rest = b.createOrFold<arith::RemUIOp>(loc, value, index(factor));
    return b.createOrFold<arith::SubIOp>(loc, value, rest);
  }

  /// A loop from `begin` to `end`, none where they are known to be equal.
  Values loop(Value begin, Value end, int64_t step, ValueRange carried,
              function_ref<Values(Value iv, ValueRange carried)> body) {
    std::optional<int64_t> from = getConstantIntValue(begin), to = getConstantIntValue(end);
    if (begin == end || (from && to && *from >= *to))
      return Values(carried);
    if (from && to && *to - *from <= step)
      return body(begin, carried);
    auto loop = scf::ForOp::create(b, loc, begin, end, index(step), carried,
                                   [&](OpBuilder &, Location, Value iv, ValueRange arguments) {
                                     Values results = body(iv, arguments);
                                     scf::YieldOp::create(b, loc, results);
                                   });
    return Values(loop.getResults());
  }

  /// [0, extent) in groups of `vectors`, then single vectors, then the lanes that are left.
  Values strips(Value extent, ValueRange carried, VectorBody body) {
    Value wide = floorTo(extent, vectors * lanes), full = floorTo(extent, lanes);
    Values values = loop(index(0), wide, vectors * lanes, carried,
                         [&](Value base, ValueRange arguments) { return body(base, vectors, Value(), arguments); });
    if (vectors > 1)
      values = loop(wide, full, lanes, values,
                    [&](Value base, ValueRange arguments) { return body(base, 1, Value(), arguments); });
    std::optional<int64_t> constant = getConstantIntValue(extent);
    if (constant && *constant % lanes == 0)
      return values;
    auto tail = [&] {
      Value left = b.createOrFold<arith::SubIOp>(loc, extent, full);
      return body(full, 1, emitter.mask(left), values);
    };
    if (constant)
      return tail();
    Value any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, full, extent);
    auto yield = [&](ValueRange results) { scf::YieldOp::create(b, loc, results); };
    if (values.empty()) {
      scf::IfOp::create(b, loc, any, [&](OpBuilder &, Location) {
        tail();
        yield({});
      });
      return {};
    }
    auto branch = scf::IfOp::create(
        b, loc, any, [&](OpBuilder &, Location) { yield(tail()); }, [&](OpBuilder &, Location) { yield(values); });
    return Values(branch.getResults());
  }

  void emitOuter(size_t depth, Values &ivs) {
    if (depth < outer.size()) {
      loop(index(0), extents[outer[depth]], 1, {}, [&](Value iv, ValueRange) -> Values {
        ivs[outer[depth]] = iv;
        emitOuter(depth + 1, ivs);
        return {};
      });
    } else if (plan.laneReduces) {
      emitRows([&](Value row, int64_t size) { emitSums(ivs, row, size); });
    } else {
      strips(extents[plan.lane], {}, [&](Value base, int64_t count, Value mask, ValueRange) -> Values {
        emitRows([&](Value row, int64_t size) { emitTile(ivs, row, size, base, count, mask); });
        return {};
      });
    }
  }

  /// The rows in tiles, if there are such, and those that are left one by one.
  void emitRows(function_ref<void(Value row, int64_t size)> body) {
    if (!plan.rows)
      return body(Value(), 1);
    Value extent = extents[*plan.rows], whole = floorTo(extent, rows);
    auto tile = [&](int64_t size) {
      return [&, size](Value row, ValueRange) {
        body(row, size);
        return Values();
      };
    };
    loop(index(0), whole, rows, {}, tile(rows));
    if (rows > 1)
      loop(whole, extent, 1, {}, tile(1));
  }

  /// `ivs` at row `r` of a tile that begins at `row`.
  Values atRow(ArrayRef<Value> ivs, Value row, int64_t r) {
    Values instance(ivs);
    if (plan.rows)
      instance[*plan.rows] = add(row, r);
    return instance;
  }

  /// All reductions but that of the lanes, the accumulators carried through.
  Values emitReductions(size_t depth, Values &ivs, ValueRange carried, function_ref<Values(ValueRange)> body) {
    if (depth == reductions.size())
      return body(carried);
    return loop(index(0), extents[reductions[depth]], 1, carried, [&](Value iv, ValueRange arguments) {
      ivs[reductions[depth]] = iv;
      return emitReductions(depth + 1, ivs, arguments, body);
    });
  }

  //===--- Parallel lanes ---===//

  void emitTile(Values &ivs, Value row, int64_t size, Value base, int64_t count, Value mask) {
    SmallVector<Values> instances;
    for (int64_t r = 0; r < size; ++r)
      for (int64_t u = 0; u < count; ++u) {
        instances.push_back(atRow(ivs, row, r));
        instances.back()[plan.lane] = add(base, u * lanes);
      }
    emitInstances(ivs, instances, mask);
  }

  /// Vectors of iterations that differ in lanes and rows, side by side through all reductions.
  void emitInstances(Values &ivs, MutableArrayRef<Values> instances, Value mask) {
    auto store = [&](ArrayRef<Value> instance, ValueRange results) {
      for (auto [init, result] : llvm::zip(op.getDpsInitsMutable(), results))
        emitter.store(result, init, instance, mask);
    };
    if (!reduces) {
      for (ArrayRef<Value> instance : instances)
        store(instance, emitter.compute(instance, mask, {}));
      return;
    }
    Values carried;
    for (ArrayRef<Value> instance : instances)
      for (OpOperand &init : op.getDpsInitsMutable())
        carried.push_back(emitter.load(init, instance, mask));
    carried = emitReductions(0, ivs, carried, [&](ValueRange arguments) {
      Values next;
      for (auto [i, instance] : llvm::enumerate(instances)) {
        for (unsigned reduction : reductions)
          instance[reduction] = ivs[reduction];
        Values accumulators(arguments.slice(i * numInits, numInits));
        for (Value result : emitter.compute(instance, mask, accumulators))
          next.push_back(llvm::isa<VectorType>(result.getType()) ? result : emitter.broadcast(result));
      }
      return next;
    });
    for (auto [i, instance] : llvm::enumerate(instances))
      store(instance, ValueRange(carried).slice(i * numInits, numInits));
  }

  //===--- Lanes as partial results ---===//

  /// `vectors` partial results for each result of each of `size` rows, in this order: row, vector, result.
  void emitSums(Values &ivs, Value row, int64_t size) {
    Values neutral;
    for (int64_t i = 0; i < numInits; ++i) {
      TypedAttr element = *arith::getNeutralElement(combinerOf(op, i));
      auto type = VectorType::get({lanes}, element.getType());
      neutral.push_back(arith::ConstantOp::create(b, loc, type, DenseElementsAttr::get(type, Attribute(element))));
    }
    Values carried;
    for (int64_t u = 0; u < size * vectors; ++u)
      llvm::append_range(carried, neutral);
    carried = emitReductions(0, ivs, carried, [&](ValueRange arguments) {
      return strips(extents[plan.lane], arguments, [&](Value base, int64_t count, Value mask, ValueRange inner) {
        return emitPartial(ivs, row, size, base, count, mask, inner);
      });
    });
    for (int64_t r = 0; r < size; ++r) {
      Values instance = atRow(ivs, row, r);
      for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
        vector::CombiningKind kind = plan.combiners[i];
        Value total = carried[r * vectors * numInits + i];
        for (int64_t u = 1; u < vectors; ++u)
          total = vector::makeArithReduction(b, loc, kind, total, carried[(r * vectors + u) * numInits + i]);
        bool floats = llvm::isa<FloatType>(getElementTypeOrSelf(total.getType()));
        auto order = floats ? arith::FastMathFlags::reassoc : arith::FastMathFlags::none;
        Value before = emitter.load(init, instance, Value());
        Value result = vector::ReductionOp::create(b, loc, kind, total, before, order);
        emitter.store(result, init, instance, Value());
      }
    }
  }

  Values emitPartial(ArrayRef<Value> ivs, Value row, int64_t size, Value base, int64_t count, Value mask,
                     ValueRange carried) {
    Values next(carried);
    for (int64_t r = 0; r < size; ++r) {
      for (int64_t u = 0; u < count; ++u) {
        Values instance = atRow(ivs, row, r);
        instance[plan.lane] = add(base, u * lanes);
        int64_t first = (r * vectors + u) * numInits;
        Values accumulators(carried.slice(first, numInits));
        Values results = emitter.compute(instance, mask, accumulators);
        for (auto [i, result] : llvm::enumerate(results)) {
          if (mask)
            result = arith::SelectOp::create(b, loc, mask, result, accumulators[i]);
          next[first + i] = result;
        }
      }
    }
    return next;
  }

  OpBuilder &b;
  Location loc;
  linalg::LinalgOp op;
  const VectorPlan &plan;
  int64_t lanes;
  LaneEmitter emitter;
  int64_t numInits;
  Values extents;
  SmallVector<unsigned> outer, reductions;
  bool reduces = false;
  int64_t vectors = 1, rows = 1;
};

struct VectorizeGeneric final : attn::impl::VectorizeGenericBase<VectorizeGeneric> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    FailureOr<const Target *> target = targetOf(function);
    if (failed(target))
      return signalPassFailure();
    generalizeCopies(function);
    SmallVector<linalg::LinalgOp> ops;
    function.walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops) {
      std::string why;
      std::optional<VectorPlan> plan = planVectors(op, &why);
      if (!plan) {
        ++numScalar;
        remark::missed(op.getLoc(),
                       remark::RemarkOpts::name("scalar").category("attn-vectorize").subCategory((*target)->name))
            << remark::add("runs as scalar code: {0}", why);
        continue;
      }
      OpBuilder builder(op);
      LoopEmitter(builder, op, *plan, **target).emit();
      op.erase();
      ++numVectorized;
    }
    // Conversions from and to bf16 are a few integer operations; LLVM would call a library that isn't there.
    RewritePatternSet conversions(&getContext());
    arith::populateExpandBFloat16Patterns(conversions);
    math::populateExpansionPatterns(conversions, {"clampf"});
    walkAndApplyPatterns(function, std::move(conversions));
  }

  /// Copies between buffers that are not dense become linalg ops: a copy of dense ones is a call of memcpy.
  void generalizeCopies(func::FuncOp function) {
    function.walk([](memref::CopyOp copy) {
      auto from = llvm::dyn_cast<MemRefType>(copy.getSource().getType());
      auto to = llvm::dyn_cast<MemRefType>(copy.getTarget().getType());
      if (!from || !to || from.getRank() == 0 || (from.getLayout().isIdentity() && to.getLayout().isIdentity()))
        return;
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    });
  }
};

} // namespace
