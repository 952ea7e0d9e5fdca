//===- RemovePadding.cpp - Row ops take the tokens alone --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A batch of sequences of unequal length is mostly padding, and linears and norms don't care which sequence a row
// belongs to. So the rows up to each sequence's last key that counts stand one after another, and these ops work on
// them alone; attention, which needs sequences, has them brought back to their places, where its key ranges keep it
// from reading what stands between. Rows after a sequence's end are zeros for whoever is left to read them.
//
//===----------------------------------------------------------------------===//

#include "TokenRows.h"
#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace attn {
#define GEN_PASS_DEF_REMOVEPADDINGPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// The sequences of one mask.
class Sequences {
public:
  Sequences(KeyRangesOp ranges, bool undefinedResults) : ranges(ranges), undefinedResults(undefinedResults) {}

  /// Finds what can work on tokens alone. Sets why nothing can where that is so.
  bool find(std::string &reason);
  void rewrite();
  Operation *firstOp() const { return members.front(); }
  int64_t numOps() const { return members.size(); }

private:
  bool add(AttentionOp op, std::string &reason);
  void close();
  /// True where attention reads it as queries, keys or values, perhaps through views. Its ranges are bounds for keys
  /// and values, and its rows are read by members alone.
  bool isForAttention(OpOperand &use) const {
    if (auto op = dyn_cast<AttentionOp>(use.getOwner()))
      return llvm::is_contained(attentions, op) && use.getOperandNumber() < 3;
    return isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(use.getOwner()) &&
           llvm::all_of(use.getOwner()->getUses(), [&](OpOperand &inner) { return isForAttention(inner); });
  }
  Operation *findReader(OpOperand &use);

  bool findSources();
  void count();
  Value pack(Value matrix);
  Value unpack(Value packed, bool zeros);
  Value copyRows(Value source, Value destination, bool packs);
  Value packed(Value matrix);

  KeyRangesOp ranges;
  bool undefinedResults;
  SmallVector<AttentionOp> attentions;
  llvm::SmallSetVector<Operation *, 16> members;
  SmallVector<OpFoldResult> sizes;  ///< of batch and sequence
  SmallVector<Operation *> sources; ///< all that ranges and sizes need

  OpBuilder b = OpBuilder(ranges);
  Location loc = ranges.getLoc();
  Value starts, total;
  llvm::DenseMap<Value, Value> packedOf;
};

bool Sequences::add(AttentionOp op, std::string &reason) {
  tensor::ExpandShapeOp query = findExpansion(op.getQuery()), key = findExpansion(op.getKey()),
                        value = findExpansion(op.getValue());
  if (!op.rangesFollowMask() || op->getNumResults() != 1 || !query || !key || !value ||
      !hasRowsInFront(op.getQueryMap(), AttentionOp::Query) || !hasRowsInFront(op.getKeyMap(), AttentionOp::Key) ||
      !hasRowsInFront(op.getValueMap(), AttentionOp::Key) || !hasRowsInFront(op.getInitMap(), AttentionOp::Query)) {
    reason = "queries, keys and values are not views of matrices with a row for each token";
    return false;
  }
  SmallVector<OpFoldResult> of(ArrayRef(query.getMixedOutputShape()).take_front(2));
  if (sizes.empty())
    sizes = of;
  for (tensor::ExpandShapeOp expand : {query, key, value})
    if (ArrayRef(expand.getMixedOutputShape()).take_front(2) != ArrayRef(sizes)) {
      reason = "queries and keys are of different sequences";
      return false;
    }
  for (Operation *user : op->getUsers()) {
    auto merge = dyn_cast<tensor::CollapseShapeOp>(user);
    if (!merge || merge.getResultType().getRank() != 2 || !joinsRows(merge.getReassociationIndices())) {
      reason = "attention's result is not read as a matrix";
      return false;
    }
  }
  // With keys of others, a row has nothing to do with the key of the same number.
  if (!haveSameRows(query.getSrc(), key.getSrc()) || !haveSameRows(query.getSrc(), value.getSrc())) {
    reason = "queries and keys are of different rows";
    return false;
  }
  attentions.push_back(op);
  for (tensor::ExpandShapeOp expand : {query, key, value})
    if (Operation *source = expand.getSrc().getDefiningOp(); source && isRowOp(source))
      members.insert(source);
  return true;
}

/// Row ops that give rows to members, or take rows of them.
void Sequences::close() {
  for (AttentionOp op : attentions)
    for (Operation *merge : op->getUsers())
      for (OpOperand &use : merge->getUses())
        if (isRowUse(use))
          members.insert(use.getOwner());
  for (size_t i = 0; i < members.size(); ++i) {
    for (OpOperand *operand : rowOperands(members[i]))
      if (Operation *source = operand->get().getDefiningOp(); source && isRowOp(source))
        members.insert(source);
    for (OpOperand &use : members[i]->getResult(0).getUses())
      if (isRowUse(use))
        members.insert(use.getOwner());
  }
}

/// Who reads of a member's result, through `use`, rows without a token so that it makes a difference; null: nobody.
Operation *Sequences::findReader(OpOperand &use) {
  Operation *user = use.getOwner();
  auto isTaken = [&](Operation *op) { return undefinedResults && isa<func::ReturnOp>(op); };
  if (isTaken(user) || (members.contains(user) && isRowUse(use)))
    return nullptr;
  auto expand = dyn_cast<tensor::ExpandShapeOp>(user);
  if (!expand || !joinsRows(expand.getReassociationIndices()))
    return user;
  for (OpOperand &inner : expand->getUses()) {
    Operation *reader = inner.getOwner();
    if (!isForAttention(inner) && !isTaken(reader) && !isFirstRow(inner) && !isMaskedSum(inner, ranges.getMask()))
      return reader;
  }
  return nullptr;
}

/// What ranges and sizes are computed from, in order, itself last; false where that includes members or can't be moved.
bool Sequences::findSources() {
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  llvm::SetVector<Operation *> slice;
  SmallVector<Operation *> roots = {ranges};
  for (OpFoldResult size : sizes)
    if (Operation *op = isa<Value>(size) ? cast<Value>(size).getDefiningOp() : nullptr)
      roots.push_back(op);
  for (Operation *root : roots)
    if (failed(getBackwardSlice(root, &slice, options)))
      return false;
  sources = llvm::to_vector(topologicalSort(slice));
  return llvm::all_of(sources, [&](Operation *op) {
    return op->getBlock() == ranges->getBlock() && !members.contains(op) && isMemoryEffectFree(op);
  });
}

bool Sequences::find(std::string &reason) {
  SmallVector<AttentionOp> users;
  for (Operation *user : ranges->getUsers())
    if (auto op = dyn_cast<AttentionOp>(user))
      users.push_back(op);
  for (AttentionOp op : users)
    if (!add(op, reason))
      return false;
  close();
  if (members.empty()) {
    reason = "no linear or norm works on the rows of attention";
    return false;
  }
  // In the order in which they stand, in one block.
  Block *block = ranges->getBlock();
  SmallVector<Operation *> ordered(members.begin(), members.end());
  if (llvm::any_of(ordered, [&](Operation *op) { return op->getBlock() != block; })) {
    reason = "ops are in different regions";
    return false;
  }
  llvm::sort(ordered, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  members.clear();
  members.insert_range(ordered);
  if (!findSources()) {
    reason = "the mask is computed from the rows";
    return false;
  }
  bool isStatic = llvm::all_of(sizes, [](OpFoldResult size) { return getConstantIntValue(size).has_value(); });
  for (Operation *member : members)
    if (!readsMatrices(member) || cast<RankedTensorType>(member->getResult(0).getType()).isDynamicDim(0) == isStatic) {
      reason = "what a linear adds is no matrix with a row for each token";
      return false;
    }
  for (Operation *member : members)
    for (OpOperand &use : member->getResult(0).getUses())
      if (Operation *reader = findReader(use)) {
        reason = isa<func::ReturnOp>(reader)
                     ? "rows after a sequence's end are results; --padded-rows=undefined says that nobody needs them"
                     : ("rows after a sequence's end are read by " + reader->getName().getStringRef()).str();
        return false;
      }
  for (AttentionOp op : attentions)
    for (Operation *merge : op->getUsers())
      for (OpOperand &use : merge->getUses())
        if (!members.contains(use.getOwner()) || !isRowUse(use)) {
          reason = ("all rows of attention are read by " + use.getOwner()->getName().getStringRef()).str();
          return false;
        }
  return true;
}

/// The end of sequence `batch`: behind its last key that counts.
static Value endOf(OpBuilder &b, Location loc, Value ranges, Value batch, Value length) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value end = tensor::ExtractOp::create(b, loc, ranges, ValueRange{batch, one});
  end = arith::IndexCastOp::create(b, loc, b.getIndexType(), end);
  return arith::MinSIOp::create(b, loc, end, length);
}

/// Where each sequence's rows begin among the tokens, and how many tokens there are.
void Sequences::count() {
  for (Operation *source : sources)
    if (!source->isBeforeInBlock(members.front()))
      source->moveBefore(members.front());
  b.setInsertionPoint(members.front());
  Value batch = getValueOrCreateConstantIndexOp(b, loc, sizes[0]),
        length = getValueOrCreateConstantIndexOp(b, loc, sizes[1]);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<OpFoldResult>{sizes[0]}, b.getI64Type());
  auto loop = scf::ForOp::create(
      b, loc, zero, batch, one, ValueRange{zero, empty}, [&](OpBuilder &inner, Location, Value i, ValueRange state) {
        Value start = arith::IndexCastOp::create(inner, loc, inner.getI64Type(), state[0]);
        Value all = tensor::InsertOp::create(inner, loc, start, state[1], i);
        Value end = endOf(inner, loc, ranges->getResult(0), i, length);
        scf::YieldOp::create(inner, loc, ValueRange{arith::AddIOp::create(inner, loc, state[0], end), all});
      });
  starts = loop.getResult(1);
  // The second operand bounds the memory that is planned for.
  total = arith::MinSIOp::create(b, loc, loop.getResult(0), arith::MulIOp::create(b, loc, batch, length));
}

/// Copies the rows with tokens between [B, S, N] and [tokens, N].
Value Sequences::copyRows(Value source, Value destination, bool packs) {
  Value length = getValueOrCreateConstantIndexOp(b, loc, sizes[1]);
  auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{sizes[0]}, ValueRange{destination}, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value i = loop.getInductionVar(0);
  Value start = tensor::ExtractOp::create(b, loc, starts, i);
  start = arith::IndexCastOp::create(b, loc, b.getIndexType(), start);
  Value rows = endOf(b, loc, ranges->getResult(0), i, length);
  auto type = cast<RankedTensorType>(source.getType());
  OpFoldResult columns = tensor::getMixedSize(b, loc, source, type.getRank() - 1);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  struct Place {
    SmallVector<OpFoldResult> offsets, sizes, strides;
  };
  Place padded = {{i, zero, zero}, {one, rows, columns}, {one, one, one}};
  Place tokens = {{start, zero}, {rows, columns}, {one, one}};
  const Place &read = packs ? padded : tokens, &written = packs ? tokens : padded;
  auto matrix = RankedTensorType::get({ShapedType::kDynamic, type.getShape().back()}, type.getElementType());
  Value shared = loop.getRegionOutArgs()[0];
  Value from = tensor::ExtractSliceOp::create(b, loc, matrix, source, read.offsets, read.sizes, read.strides);
  Value to = tensor::ExtractSliceOp::create(b, loc, matrix, shared, written.offsets, written.sizes, written.strides);
  // Unlike a linalg.copy it isn't folded away, so that bufferization finds the place that the copy goes to.
  Value copied = bufferization::MaterializeInDestinationOp::create(b, loc, matrix, from, to).getResult();
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, copied, shared, written.offsets, written.sizes, written.strides);
  return loop.getResult(0);
}

static SmallVector<ReassociationIndices> rowsTogether() { return {{0, 1}, {2}}; }

/// The tokens of [B * S, N].
Value Sequences::pack(Value matrix) {
  auto type = cast<RankedTensorType>(matrix.getType());
  SmallVector<OpFoldResult> shape = {sizes[0], sizes[1], tensor::getMixedSize(b, loc, matrix, 1)};
  SmallVector<int64_t> extents;
  for (OpFoldResult size : shape)
    extents.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  Value rows = tensor::ExpandShapeOp::create(b, loc, type.clone(extents), matrix, rowsTogether(), shape);
  return copyRows(rows, createDestination(b, loc, {total, shape[2]}, type.getElementType()), /*packs=*/true);
}

/// [B * S, N] with the tokens in their places.
Value Sequences::unpack(Value tokens, bool zeros) {
  auto type = cast<RankedTensorType>(tokens.getType());
  SmallVector<OpFoldResult> shape = {sizes[0], sizes[1], tensor::getMixedSize(b, loc, tokens, 1)};
  Value rows = createDestination(b, loc, shape, type.getElementType());
  if (zeros) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
    rows = linalg::FillOp::create(b, loc, zero, rows).getResult(0);
  }
  return tensor::CollapseShapeOp::create(b, loc, copyRows(tokens, rows, /*packs=*/false), rowsTogether());
}

Value Sequences::packed(Value matrix) {
  Value &known = packedOf[matrix];
  if (!known)
    known = pack(matrix);
  return known;
}

void Sequences::rewrite() {
  count();
  for (Operation *op : members) {
    b.setInsertionPoint(op);
    loc = op->getLoc();
    IRMapping mapping;
    for (OpOperand *operand : rowOperands(op))
      mapping.map(operand->get(), packed(operand->get()));
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    auto destination = cast<DestinationStyleOpInterface>(op);
    Value init = createDestination(b, loc, {total, tensor::getMixedSize(b, loc, destination.getDpsInits()[0], 1)},
                                   type.getElementType());
    Operation *tokens = b.clone(*op, mapping);
    tokens->setOperand(destination.getDpsInitOperand(0)->getOperandNumber(), init);
    tokens->getResult(0).setType(cast<RankedTensorType>(init.getType()));
    packedOf[op->getResult(0)] = tokens->getResult(0);

    // Others than members see all rows.
    bool leaves = false, isReadWhole = false;
    for (Operation *user : op->getUsers()) {
      if (members.contains(user))
        continue;
      leaves = true;
      isReadWhole |= !llvm::all_of(user->getUses(), [&](OpOperand &use) { return isForAttention(use); });
      isReadWhole |= isa<func::ReturnOp>(user);
    }
    if (!leaves)
      continue;
    Value all = unpack(tokens->getResult(0), isReadWhole);
    if (all.getType() != type)
      all = tensor::CastOp::create(b, loc, type, all);
    op->getResult(0).replaceUsesWithIf(all, [&](OpOperand &use) { return !members.contains(use.getOwner()); });
  }
  for (Operation *op : llvm::reverse(members))
    op->erase();
}

struct RemovePaddingPass final : attn::impl::RemovePaddingPassBase<RemovePaddingPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<KeyRangesOp> all;
    getOperation().walk([&](KeyRangesOp op) {
      if (llvm::any_of(op->getUsers(), llvm::IsaPred<AttentionOp>))
        all.push_back(op);
    });
    for (KeyRangesOp op : all) {
      Sequences sequences(op, undefinedResults);
      std::string reason;
      if (!sequences.find(reason)) {
        remarkMissed(op, "RemovePadding") << "padding stays: " + reason;
        continue;
      }
      numOps += sequences.numOps();
      remarkDone(op, "RemovePadding") << std::to_string(sequences.numOps()) + " ops without padding";
      sequences.rewrite();
    }
  }
};

} // namespace
