//===- MaskBounds.cpp - Mask regions as bounds of loops ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/MaskBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Numbers that stand in tensors may be anything. Beyond these they bound like these, and sums of a few don't overflow.
static constexpr int64_t kGreatestTerm = int64_t(1) << 48;

bool attn::isMappedByTask(AttentionOp op, unsigned i) {
  AffineMap map = op.getMappedMap(i);
  return !map.isFunctionOfDim(AttentionOp::Query) && !map.isFunctionOfDim(AttentionOp::Key);
}

namespace {

/// The values of one mask region.
class MaskAnalyzer {
public:
  explicit MaskAnalyzer(AttentionOp op) : op(op), block(op.getMask().front()) {}

  MaskConditions run() {
    addCondition(block.getTerminator()->getOperand(0));
    return std::move(conditions);
  }

private:
  void addCondition(Value condition) {
    if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
      addCondition(both.getLhs());
      return addCondition(both.getRhs());
    }
    if (matchPattern(condition, m_One()))
      return;
    if (auto compare = condition.getDefiningOp<arith::CmpIOp>())
      if (std::optional<MaskBound> bound = boundOf(compare))
        return conditions.bounds.push_back(*bound);
    conditions.others.push_back(condition);
  }

  /// `lhs < rhs` and the like as a bound of k or k - q.
  std::optional<MaskBound> boundOf(arith::CmpIOp compare) {
    using P = arith::CmpIPredicate;
    P predicate = compare.getPredicate();
    bool isUnsigned = predicate >= P::ult;
    switch (predicate) {
    case P::ult:
      predicate = P::slt;
      break;
    case P::ule:
      predicate = P::sle;
      break;
    case P::ugt:
      predicate = P::sgt;
      break;
    case P::uge:
      predicate = P::sge;
      break;
    default:
      break;
    }
    bool isStrict = predicate == P::slt || predicate == P::sgt;
    bool isLess = predicate == P::slt || predicate == P::sle;
    if (!isLess && predicate != P::sgt && predicate != P::sge)
      return std::nullopt;
    std::optional<LinearIndex> lhs = linear(compare.getLhs()), rhs = linear(compare.getRhs());
    if (!lhs || !rhs || (isUnsigned && (!isNeverNegative(*lhs) || !isNeverNegative(*rhs))))
      return std::nullopt;
    // difference <= 0, where difference is lhs - rhs or rhs - lhs.
    std::optional<LinearIndex> difference = isLess ? add(*lhs, *rhs, -1) : add(*rhs, *lhs, -1);
    if (!difference || (isStrict && llvm::AddOverflow(difference->constant, int64_t(1), difference->constant)))
      return std::nullopt;
    bool ofKey = std::abs(difference->key) == 1 && difference->query == 0;
    bool ofBoth = std::abs(difference->key) == 1 && difference->query == -difference->key;
    if (!ofKey && !ofBoth)
      return std::nullopt;
    // k + rest <= 0 or -k + rest <= 0.
    MaskBound bound;
    bound.isUpper = difference->key == 1;
    bound.ofDifference = ofBoth;
    LinearIndex rest = *difference;
    rest.key = rest.query = 0;
    std::optional<LinearIndex> moved = bound.isUpper ? add({}, rest, -1) : rest;
    if (!moved)
      return std::nullopt;
    bound.rest = *moved;
    return bound;
  }

  /// True for sums of indices and constants; what stands in tensors may be anything.
  static bool isNeverNegative(const LinearIndex &sum) {
    return sum.key >= 0 && sum.query >= 0 && sum.constant >= 0 && sum.terms.empty();
  }

  /// lhs + factor * rhs; none where a number overflows.
  static std::optional<LinearIndex> add(const LinearIndex &lhs, const LinearIndex &rhs, int64_t factor) {
    LinearIndex sum = lhs;
    auto accumulate = [&](int64_t &to, int64_t value) {
      int64_t product;
      return !llvm::MulOverflow(value, factor, product) && !llvm::AddOverflow(to, product, to);
    };
    if (!accumulate(sum.key, rhs.key) || !accumulate(sum.query, rhs.query) || !accumulate(sum.constant, rhs.constant))
      return std::nullopt;
    for (auto [times, value] : rhs.terms) {
      sum.terms.emplace_back(0, value);
      if (!accumulate(sum.terms.back().first, times))
        return std::nullopt;
    }
    return sum;
  }

  /// `value` as a sum. Indices of attention are far from where 32 bits end, so conversions between integers keep them.
  std::optional<LinearIndex> linear(Value value) {
    if (APInt constant; matchPattern(value, m_ConstantInt(&constant)) && constant.getSignificantBits() <= 64)
      return LinearIndex{0, 0, constant.getSExtValue(), {}};
    if (value == block.getArgument(AttentionOp::Key))
      return LinearIndex{1, 0, 0, {}};
    if (value == block.getArgument(AttentionOp::Query))
      return LinearIndex{0, 1, 0, {}};
    if (isOfTask(value))
      return LinearIndex{0, 0, 0, {{1, value}}};
    Operation *code = value.getDefiningOp();
    bool narrow = !value.getType().isIndex() && value.getType().getIntOrFloatBitWidth() < 32;
    if (!code || narrow)
      return std::nullopt;
    if (isa<arith::IndexCastOp, arith::ExtSIOp>(code))
      return linear(code->getOperand(0));
    if (!isa<arith::AddIOp, arith::SubIOp>(code))
      return std::nullopt;
    std::optional<LinearIndex> lhs = linear(code->getOperand(0)), rhs = linear(code->getOperand(1));
    if (!lhs || !rhs)
      return std::nullopt;
    return add(*lhs, *rhs, isa<arith::AddIOp>(code) ? 1 : -1);
  }

  /// True for what is the same for all queries and keys of a task, and computed from arguments that are scalars.
  bool isOfTask(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      unsigned number = argument.getArgNumber();
      if (number < 4)
        return number == AttentionOp::Batch || number == AttentionOp::Head;
      return number - 4 < op.getMapped().size() && isMappedByTask(op, number - 4);
    }
    auto [known, isNew] = ofTask.try_emplace(value, false);
    if (!isNew)
      return known->second;
    Operation *code = value.getDefiningOp();
    bool result = isa<arith::ArithDialect>(code->getDialect()) && isPure(code) && code->getNumRegions() == 0 &&
                  llvm::all_of(code->getOperands(), [&](Value operand) { return isOfTask(operand); });
    return ofTask[value] = result;
  }

  AttentionOp op;
  Block &block;
  MaskConditions conditions;
  llvm::DenseMap<Value, bool> ofTask;
};

} // namespace

MaskConditions attn::analyzeMask(AttentionOp op) {
  return op.getMask().empty() ? MaskConditions() : MaskAnalyzer(op).run();
}

/// Copies what computes `value` to where a task runs.
static Value emitOfTask(OpBuilder &b, Value value, IRMapping &arguments) {
  if (Value known = arguments.lookupOrNull(value))
    return known;
  Operation *code = value.getDefiningOp();
  for (Value operand : code->getOperands())
    emitOfTask(b, operand, arguments);
  b.clone(*code, arguments);
  return arguments.lookup(value);
}

Value attn::emitLinearIndex(OpBuilder &b, Location loc, const LinearIndex &sum, IRMapping &arguments) {
  Value total = arith::ConstantIndexOp::create(b, loc, sum.constant);
  for (auto [factor, value] : sum.terms) {
    Value term = emitOfTask(b, value, arguments);
    if (!term.getType().isIndex())
      term = arith::IndexCastOp::create(b, loc, b.getIndexType(), term);
    Value most = arith::ConstantIndexOp::create(b, loc, kGreatestTerm);
    Value least = arith::ConstantIndexOp::create(b, loc, -kGreatestTerm);
    term = arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, term, most), least);
    if (factor != 1)
      term = arith::MulIOp::create(b, loc, term, arith::ConstantIndexOp::create(b, loc, factor));
    total = b.createOrFold<arith::AddIOp>(loc, total, term);
  }
  return total;
}

void attn::copyConditions(AttentionOp op, ArrayRef<Value> conditions, Region &to) {
  IRMapping mapping;
  op.getMask().cloneInto(&to, mapping);
  Block &block = to.front();
  Operation *yield = block.getTerminator();
  OpBuilder b(yield);
  Value all;
  for (Value condition : conditions) {
    Value copy = mapping.lookup(condition);
    all = all ? arith::AndIOp::create(b, condition.getLoc(), all, copy).getResult() : copy;
  }
  yield->setOperand(0, all);
  for (Operation *code = yield->getPrevNode(); code;) {
    Operation *before = code->getPrevNode();
    if (isOpTriviallyDead(code))
      code->erase();
    code = before;
  }
}
