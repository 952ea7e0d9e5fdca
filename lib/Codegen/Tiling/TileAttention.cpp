//===- TileAttention.cpp - Make attention a task for each batch row, head and tile of queries -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TaskMask.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_TILEATTENTION
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Builds the loop of one attention op.
class AttentionTiler {
public:
  explicit AttentionTiler(AttentionOp op)
      : op(op), loc(op.getLoc()), b(op), kernel(llvm::cast<AttentionKernelAttr>(op.getScheduleAttr().getKernel())),
        mask(op, b) {}

  LogicalResult run() {
    FailureOr<double> scaleOr = op.getScaleOrDefault();
    if (failed(scaleOr))
      return op.emitError("attention needs static head sizes");
    scale = *scaleOr;
    for (auto [map, inner] :
         {std::pair(op.getQueryMap(), AttentionOp::QueryChannel), std::pair(op.getKeyMap(), AttentionOp::QueryChannel),
          std::pair(op.getValueMap(), AttentionOp::ValueChannel),
          std::pair(op.getInitMap(), AttentionOp::ValueChannel)})
      if (map.getNumResults() == 0 || map.getResults().back() != dim(inner))
        return op.emitError("attention needs its channels in the last dimension of each operand; transpose ")
               << AffineMapAttr::get(map);

    if (op.getKeyMask() && op.getEmpty() != EmptyRow::Zero && !op.rangesFollowMask())
      return op.emitError("attention that yields something for rows without keys needs the ranges that attn.key_ranges "
                          "makes of its key mask; give it the mask alone");

    arrangeMapped(op);
    Value batch = extentOf(AttentionOp::Batch), heads = extentOf(AttentionOp::Head);
    queries = extentOf(AttentionOp::Query);
    keys = extentOf(AttentionOp::Key);
    if (!queries || !keys || !op.getQueryMap().getResultPosition(dim(AttentionOp::Query)))
      return op.emitError("attention needs its queries as rows of the query, and its keys as rows of the key");
    Value tiles = arith::CeilDivUIOp::create(b, loc, queries, constant(kernel.getQueries()));
    Value perBatch = arith::MulIOp::create(b, loc, heads, tiles);
    OpFoldResult tasks = getAsOpFoldResult(arith::MulIOp::create(b, loc, batch, perBatch));
    auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{tasks}, ValueRange{op.getInit()}, std::nullopt);

    b.setInsertionPoint(loop.getTerminator());
    Value task = loop.getInductionVar(0);
    batchIndex = arith::DivUIOp::create(b, loc, task, perBatch);
    Value inBatch = arith::RemUIOp::create(b, loc, task, perBatch);
    headIndex = arith::DivUIOp::create(b, loc, inBatch, tiles);
    Value tile = arith::RemUIOp::create(b, loc, inBatch, tiles);
    // Tiles with more keys come first, so that what is left for the last worker is little.
    if (mask.hasUpperDiagonal())
      tile = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, tiles, constant(1)), tile);
    queryBegin = arith::MulIOp::create(b, loc, tile, constant(kernel.getQueries()));
    queryCount = arith::MinUIOp::create(b, loc, arith::SubIOp::create(b, loc, queries, queryBegin),
                                        constant(kernel.getQueries()));
    buildTask(loop);
    op.getResult(0).replaceAllUsesWith(loop.getResult(0));
    op.erase();
    return success();
  }

private:
  using State = SmallVector<Value, 3>; // accumulator, maximum, sum

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  AffineExpr dim(unsigned position) { return getAffineDimExpr(position, op.getContext()); }

  /// The extent of `dimension` of the iteration space, from the first operand that has it as a dimension of its own.
  Value extentOf(unsigned dimension) {
    for (auto [operand, map] : {std::pair(op.getQuery(), op.getQueryMap()), std::pair(op.getKey(), op.getKeyMap()),
                                std::pair(op.getInit(), op.getInitMap())})
      if (std::optional<unsigned> position = map.getResultPosition(dim(dimension)))
        return b.createOrFold<tensor::DimOp>(loc, operand, int64_t(*position));
    return {};
  }

  /// The rows [begin, begin + count) of `rowDim`, for this task's batch row and head, as a matrix rows x channels.
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes, strides;
    RankedTensorType type;
  };
  Slice sliceOf(Value operand, AffineMap map, unsigned rowDim, Value begin, OpFoldResult count) {
    auto type = llvm::cast<RankedTensorType>(operand.getType());
    Slice slice;
    slice.strides.assign(type.getRank(), b.getIndexAttr(1));
    std::optional<int64_t> rows = getConstantIntValue(count);
    if (rows)
      count = b.getIndexAttr(*rows);
    for (auto [result, extent] : llvm::zip(map.getResults(), type.getShape())) {
      if (result == dim(rowDim)) {
        slice.offsets.push_back(begin);
        slice.sizes.push_back(count);
      } else if (result == map.getResults().back()) {
        slice.offsets.push_back(b.getIndexAttr(0));
        slice.sizes.push_back(b.getIndexAttr(extent));
      } else {
        slice.offsets.push_back(indexOf(result));
        slice.sizes.push_back(b.getIndexAttr(1));
      }
    }
    slice.type =
        RankedTensorType::get({rows ? *rows : ShapedType::kDynamic, type.getShape().back()}, type.getElementType());
    return slice;
  }

  /// A map's result in b and h at this task.
  Value indexOf(AffineExpr result) {
    SmallVector<Value> operands{batchIndex, headIndex, constant(0), constant(0), constant(0), constant(0)};
    return affine::AffineApplyOp::create(b, loc, AffineMap::get(6, 0, result), operands);
  }

  Value extract(Value operand, const Slice &slice) {
    return tensor::ExtractSliceOp::create(b, loc, slice.type, operand, slice.offsets, slice.sizes, slice.strides);
  }

  /// True where a row without keys yields something that the queries and the range alone don't lead to.
  bool finishesEmptyRows() {
    bool isUniformly = op.getEmpty() == EmptyRow::Uniform && !op.getScore().empty();
    return op.getEmpty() != EmptyRow::Zero && (!op.getMask().empty() || (op.getRanges() && isUniformly));
  }

  void buildTask(scf::ForallOp loop) {
    readRange();
    mask.emitBounds({batchIndex, headIndex, queryBegin, queryCount}, begin, end);
    Value count = queryCount;
    // Uniform attention over the keys of an empty row is attention of queries that are zero, which is what packing no
    // rows gives.
    if (empty && op.getEmpty() == EmptyRow::Uniform && !finishesEmptyRows())
      count = arith::SelectOp::create(b, loc, empty, constant(0), queryCount);
    Queries packed = packQueries(count);
    State state = maskedLoop(packed, initialState(), /*score=*/true);
    if (finishesEmptyRows())
      state = finishEmptyRows(packed, state);
    Slice out = sliceOf(op.getInit(), op.getInitMap(), AttentionOp::Query, queryBegin, queryCount);
    Value destination = loop.getRegionOutArgs()[0];
    Value rows = extract(destination, out);
    auto finish = OnlineFinishOp::create(b, loc, TypeRange{out.type}, state[0], state[1], state[2], rows, Value(),
                                         RowKernelAttr::get(op.getContext(), kernel.getLanes()));
    b.setInsertionPointToStart(loop.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(b, loc, finish.getResult(0), destination, out.offsets, out.sizes,
                                          out.strides);
  }

  /// Which keys count for this batch row: [begin, end), whether there are holes, and whether the row has no key at all.
  void readRange() {
    begin = constant(0);
    end = keys;
    if (!op.getRanges())
      return;
    auto read = [&](int64_t column) -> Value {
      return tensor::ExtractOp::create(b, loc, op.getRanges(), ValueRange{batchIndex, constant(column)});
    };
    auto readIndex = [&](int64_t column) -> Value {
      return arith::IndexCastOp::create(b, loc, b.getIndexType(), read(column));
    };
    Value zero = arith::ConstantIntOp::create(b, loc, b.getI64Type(), 0);
    // Ranges are data: whatever they say, keys are read inside of the tensor only.
    begin = arith::MaxSIOp::create(b, loc, readIndex(0), constant(0));
    end = arith::MinSIOp::create(b, loc, readIndex(1), keys);
    // Only a key mask has holes, or no key in a range that isn't empty.
    empty = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, begin, end);
    if (op.getKeyMask() && op.rangesFollowMask()) {
      holes = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, read(2), zero);
      Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, read(3), zero);
      empty = arith::OrIOp::create(b, loc, empty, none);
    }
    if (op.getEmpty() == EmptyRow::Zero || finishesEmptyRows()) {
      end = arith::SelectOp::create(b, loc, empty, begin, end);
    } else {
      begin = arith::SelectOp::create(b, loc, empty, constant(0), begin);
      end = arith::SelectOp::create(b, loc, empty, keys, end);
    }
  }

  /// Queries as rows, and in lanes with zeros beside them.
  struct Queries {
    Value rows, packed;
  };

  /// The task's first `count` queries.
  Queries packQueries(Value count) {
    Slice slice = sliceOf(op.getQuery(), op.getQueryMap(), AttentionOp::Query, queryBegin, count);
    Value rows = extract(op.getQuery(), slice);
    Value init = tensor::EmptyOp::create(b, loc, {1, slice.type.getDimSize(1), kernel.getQueries()},
                                         slice.type.getElementType());
    auto pack = PackOp::create(b, loc, TypeRange{init.getType()}, rows, init,
                               RowKernelAttr::get(op.getContext(), kernel.getLanes()));
    return {rows, pack.getResult(0)};
  }

  /// `isLate` for a state beside the first one, which would be taken for the same.
  State initialState(bool isLate = false) {
    Type element = getElementTypeOrSelf(op.getInit().getType());
    int64_t channels = op.getStaticExtent(AttentionOp::ValueChannel);
    auto filled = [&](ArrayRef<int64_t> shape, double value) -> Value {
      Value fill = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
      Value init;
      if (isLate)
        init = bufferization::AllocTensorOp::create(b, loc, RankedTensorType::get(shape, element), ValueRange());
      else
        init = tensor::EmptyOp::create(b, loc, shape, element);
      return linalg::FillOp::create(b, loc, fill, init).getResult(0);
    };
    return {filled({kernel.getQueries(), channels}, 0.0),
            filled({kernel.getQueries()}, -std::numeric_limits<double>::infinity()),
            filled({kernel.getQueries()}, 0.0)};
  }

  /// Which keys of [begin, end) a loop asks about.
  struct KeyLoop {
    Queries queries;
    Value begin, end;
    bool keyMask, mask, score;
  };

  /// The keys that count. Where the key mask has no holes, it isn't asked.
  State maskedLoop(const Queries &queries, State state, bool score) {
    KeyLoop loop = {queries, begin, end, /*keyMask=*/false, /*mask=*/true, score};
    if (!op.getKeyMask())
      return keyLoop(loop, state);
    KeyLoop asking = loop;
    asking.keyMask = true;
    if (!holes)
      return keyLoop(asking, state);
    return branch(holes, [&] { return keyLoop(asking, state); }, [&] { return keyLoop(loop, state); });
  }

  State branch(Value condition, function_ref<State()> yes, function_ref<State()> no) {
    auto in = [&](function_ref<State()> body) {
      return [&, body](OpBuilder &inner, Location) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
        scf::YieldOp::create(b, loc, body());
      };
    };
    auto branch = scf::IfOp::create(b, loc, condition, in(yes), in(no));
    return State(branch.result_begin(), branch.result_end());
  }

  /// Rows without keys get what they yield. A sum of 0 is not all it takes: scores of -infinity have it too.
  State finishEmptyRows(const Queries &packed, State state) {
    Value none = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
    Type element = getElementTypeOrSelf(op.getInit().getType());
    Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0));
    auto isZero = [&](OpBuilder &inner, Value sum) -> Value {
      return arith::CmpFOp::create(inner, loc, arith::CmpFPredicate::OEQ, sum, zero);
    };
    auto search = scf::ForOp::create(
        b, loc, constant(0), queryCount, constant(1), none, [&](OpBuilder &inner, Location, Value j, ValueRange found) {
          Value sum = tensor::ExtractOp::create(inner, loc, state[2], j);
          scf::YieldOp::create(inner, loc, arith::OrIOp::create(inner, loc, found[0], isZero(inner, sum)).getResult());
        });
    auto replace = [&] {
      Queries zeros = packQueries(constant(0));
      Value counted = maskedLoop(zeros, initialState(/*isLate=*/true), /*score=*/false)[2];
      bool unmasked = op.getEmpty() == EmptyRow::Unmasked;
      State other = keyLoop({unmasked ? packed : zeros, constant(0), keys, /*keyMask=*/false, /*mask=*/false, unmasked},
                            initialState(/*isLate=*/true));
      State merged;
      for (auto [from, to] : llvm::zip_equal(other, state)) {
        int64_t rank = llvm::cast<RankedTensorType>(to.getType()).getRank();
        AffineMap all = b.getMultiDimIdentityMap(rank), row = AffineMap::get(rank, 0, b.getAffineDimExpr(0));
        SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
        auto select = linalg::GenericOp::create(
            b, loc, to.getType(), ValueRange{counted, from}, to, ArrayRef<AffineMap>{row, all, all}, iterators,
            [&](OpBuilder &inner, Location, ValueRange elements) {
              Value chosen = arith::SelectOp::create(inner, loc, isZero(inner, elements[0]), elements[1], elements[2]);
              linalg::YieldOp::create(inner, loc, chosen);
            });
        merged.push_back(select.getResult(0));
      }
      return merged;
    };
    return branch(search.getResult(0), replace, [&] { return state; });
  }

  State keyLoop(const KeyLoop &keys, State state) {
    Value step = constant(kernel.getKeyBlock());
    auto loop = scf::ForOp::create(b, loc, keys.begin, keys.end, step, state);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value first = loop.getInductionVar();
    Value count = arith::MinUIOp::create(b, loc, arith::SubIOp::create(b, loc, keys.end, first), step);
    Value key = extract(op.getKey(), sliceOf(op.getKey(), op.getKeyMap(), AttentionOp::Key, first, count));
    Value value = extract(op.getValue(), sliceOf(op.getValue(), op.getValueMap(), AttentionOp::Key, first, count));
    Value keyMask;
    if (keys.keyMask) {
      auto type = llvm::cast<RankedTensorType>(op.getKeyMask().getType());
      keyMask = tensor::ExtractSliceOp::create(
          b, loc, RankedTensorType::get({ShapedType::kDynamic}, type.getElementType()), op.getKeyMask(),
          ArrayRef<OpFoldResult>{batchIndex, first}, ArrayRef<OpFoldResult>{b.getIndexAttr(1), count},
          ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(1)});
    }
    ValueRange args = loop.getRegionIterArgs();
    auto online = OnlineAttentionOp::create(
        b, loc, SmallVector<Type>(args.getTypes()), keys.queries.packed, key, value, keyMask, args[0], args[1], args[2],
        /*scratch=*/ValueRange(), /*lower=*/Value(), /*upper=*/Value(), /*mapped=*/ValueRange(),
        /*indices=*/ValueRange(), keys.queries.rows, b.getF64FloatAttr(scale), b.getArrayAttr({}), kernel);
    mask.addTo(online, {keys.mask, keys.score}, first, count);
    scf::YieldOp::create(b, loc, online.getResults());
    return State(loop.result_begin(), loop.result_end());
  }

  AttentionOp op;
  Location loc;
  OpBuilder b;
  AttentionKernelAttr kernel;
  TaskMask mask;
  double scale = 1.0;
  Value queries, keys, batchIndex, headIndex, queryBegin, queryCount;
  Value begin, end, holes, empty;
};

struct TileAttention final : attn::impl::TileAttentionBase<TileAttention> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      if (!op.getScheduleAttr()) {
        op.emitError("attention has no schedule");
        return signalPassFailure();
      }
      if (failed(AttentionTiler(op).run()))
        return signalPassFailure();
      ++numTiled;
    }
  }
};

} // namespace
