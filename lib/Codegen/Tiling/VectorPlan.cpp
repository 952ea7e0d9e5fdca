//===- VectorPlan.cpp - How a linalg op runs in lanes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Of the loops that could go in lanes, the one with the most consecutive and the fewest strided accesses wins; a
// parallel loop wins over a reduction, since it needs no sum across lanes.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Tiling/VectorPlan.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// True for functions that are instructions of every target, or polynomials in f32; the others are calls.
static bool isInline(Operation &op) {
  if (llvm::isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
                math::CountTrailingZerosOp, math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp,
                math::IsNaNOp, math::IsNormalOp, math::RoundEvenOp, math::RsqrtOp, math::SqrtOp, math::TruncOp,
                math::ClampFOp>(op))
    return true;
  if (llvm::isa<math::ExpOp, math::Exp2Op, math::LogOp, math::TanhOp, math::ErfOp, math::ErfcOp, GeluOp>(op))
    return op.getResult(0).getType().isF32();
  return llvm::isa<arith::ArithDialect>(op.getDialect()) && !llvm::isa<arith::RemFOp>(op);
}

static std::string quoted(Operation &op) { return ("'" + op.getName().getStringRef() + "'").str(); }

/// Why lanes can't read what a body reads by index, empty where they can.
static std::string whyNotGathered(memref::LoadOp load) {
  MemRefType type = load.getMemRefType();
  Type element = type.getElementType();
  int64_t offset;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, offset)) || type.getMemorySpace() || type.getRank() == 0)
    return "its body reads a buffer that is not strided";
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() > 64 ||
      (element.getIntOrFloatBitWidth() < 8 && !element.isInteger(1)) ||
      !llvm::isPowerOf2_32(element.getIntOrFloatBitWidth()))
    return llvm::formatv("its body reads elements of type {0} by index", element);
  return "";
}

/// Why the body can't work on vectors, empty where it can.
static std::string whyNotOnVectors(linalg::LinalgOp op) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (matchPattern(&inner, m_Constant()) || llvm::isa<linalg::IndexOp>(inner))
      continue;
    if (auto load = llvm::dyn_cast<memref::LoadOp>(inner)) {
      if (std::string why = whyNotGathered(load); !why.empty())
        return why;
      continue;
    }
    if (inner.getNumRegions() != 0 || !OpTrait::hasElementwiseMappableTraits(&inner))
      return quoted(inner) + " in its body is not elementwise";
    if (!isInline(inner))
      return quoted(inner) + " in its body has no vector form";
    for (Type type : llvm::concat<const Type>(inner.getOperandTypes(), inner.getResultTypes()))
      if (!type.isIntOrIndexOrFloat())
        return quoted(inner) + " in its body works on " + llvm::formatv("{0}", type).str();
  }
  return "";
}

Operation *attn::combinerOf(linalg::LinalgOp op, unsigned i) {
  BlockArgument accumulator = op.getMatchingBlockArgument(op.getDpsInitOperand(i));
  Operation *combiner = op.getBlock()->getTerminator()->getOperand(i).getDefiningOp();
  if (!accumulator || !combiner || combiner->getBlock() != op.getBlock() || !accumulator.hasOneUse() ||
      *accumulator.getUsers().begin() != combiner || !combiner->hasOneUse() || combiner->getNumOperands() != 2)
    return nullptr;
  if (!linalg::getCombinerOpKind(combiner) || !arith::getNeutralElement(combiner))
    return nullptr;
  return combiner;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// By how much `expr` grows with loop `dim`, nullopt where it isn't linear in it.
static std::optional<int64_t> stepOf(AffineExpr expr, unsigned dim) {
  if (!expr.isFunctionOfDim(dim))
    return 0;
  if (auto loop = llvm::dyn_cast<AffineDimExpr>(expr))
    return loop.getPosition() == dim ? 1 : 0;
  auto binary = llvm::dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> lhs = stepOf(binary.getLHS(), dim), rhs = stepOf(binary.getRHS(), dim);
  if (!lhs || !rhs)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return *lhs + *rhs;
  if (expr.getKind() == AffineExprKind::Mul)
    if (auto factor = llvm::dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return *lhs * factor.getValue();
  return std::nullopt;
}

/// How `operand` is met by lanes of loop `lane`; nullopt where it can't be.
static std::optional<LaneAccess> accessOf(linalg::LinalgOp op, OpOperand &operand, unsigned lane) {
  LaneAccess access;
  auto type = llvm::dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return access;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  bool moves = false;
  for (AffineExpr expr : map.getResults()) {
    std::optional<int64_t> step = stepOf(expr, lane);
    if (!step)
      return std::nullopt;
    access.steps.push_back(*step);
    moves |= *step != 0;
  }
  if (!moves)
    return access;
  unsigned bits = type.getElementType().isIntOrFloat() ? type.getElementTypeBitWidth() : 0;
  bool lastOnly = access.steps.back() == 1 &&
                  llvm::all_of(ArrayRef(access.steps).drop_back(), [](int64_t step) { return step == 0; });
  bool consecutive = lastOnly && type.isLastDimUnitStride();
  // Vectors of bits are packed in memory, buffers of bits are not; masked accesses of bf16 become calls.
  if ((bits == 1 || type.getElementType().isBF16()) && consecutive)
    access.kind = LaneAccess::Raw;
  else if (type.getElementType().isBF16())
    return std::nullopt;
  else if (bits < 8 || !llvm::isPowerOf2_32(bits))
    return std::nullopt;
  else
    access.kind = consecutive ? LaneAccess::Contiguous : LaneAccess::Strided;
  return access;
}

/// Bits of the widest floating-point or stored element: integers that are only read may take several registers.
static unsigned elementBitsOf(linalg::LinalgOp op) {
  unsigned bits = 0;
  auto count = [&](Type type) {
    if (type.isIntOrFloat())
      bits = std::max(bits, type.getIntOrFloatBitWidth());
  };
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = getElementTypeOrSelf(operand.get().getType());
    if (op.isDpsInit(&operand) || llvm::isa<FloatType>(type))
      count(type);
  }
  op.getBlock()->walk([&](Operation *inner) {
    for (Type type : inner->getResultTypes())
      if (llvm::isa<FloatType>(type))
        count(type);
  });
  return std::clamp(bits, 8u, 64u);
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

namespace {
struct Candidate {
  VectorPlan plan;
  int64_t score;
};
} // namespace

/// The plan with loop `lane` in lanes and how good it is.
static std::optional<Candidate> planLane(linalg::LinalgOp op, unsigned lane, int64_t extent) {
  Candidate candidate;
  VectorPlan &plan = candidate.plan;
  plan.lane = lane;
  plan.laneReduces = linalg::isReductionIterator(op.getIteratorTypesArray()[lane]);
  candidate.score = plan.laneReduces ? 0 : 1;
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<LaneAccess> access = accessOf(op, operand, lane);
    if (!access)
      return std::nullopt;
    bool written = op.isDpsInit(&operand);
    // Lanes that write one element would race; lanes of a reduction have one place to write.
    if (written && (access->kind == LaneAccess::Uniform) != plan.laneReduces)
      return std::nullopt;
    if (access->kind == LaneAccess::Contiguous || access->kind == LaneAccess::Raw)
      candidate.score += written ? 6 : 4;
    if (access->kind == LaneAccess::Strided)
      candidate.score -= written ? 8 : 6;
    plan.accesses.push_back(std::move(*access));
  }
  if (plan.laneReduces)
    for (int64_t i = 0; i < op.getNumDpsInits(); ++i) {
      Operation *combiner = combinerOf(op, i);
      if (!combiner)
        return std::nullopt;
      plan.combiners.push_back(*linalg::getCombinerOpKind(combiner));
    }
  // A short loop leaves most lanes idle.
  if (!ShapedType::isDynamic(extent) && extent < 8)
    candidate.score -= extent == 1 ? 100 : 8;
  return candidate;
}

/// A parallel loop that some consecutive reads don't depend on, in an op that reduces: its iterations share those
/// reads.
static std::optional<unsigned> sharedRows(linalg::LinalgOp op, const VectorPlan &plan) {
  if (op.getNumReductionLoops() == 0)
    return std::nullopt;
  for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (loop == plan.lane || !linalg::isParallelIterator(iterator))
      continue;
    for (OpOperand *input : op.getDpsInputOperands())
      if (plan.accesses[input->getOperandNumber()].kind == LaneAccess::Contiguous &&
          !op.getMatchingIndexingMap(input).isFunctionOfDim(loop))
        return loop;
  }
  return std::nullopt;
}

std::optional<VectorPlan> attn::planVectors(linalg::LinalgOp op, std::string *why) {
  auto fail = [&](const Twine &reason) {
    if (why)
      *why = reason.str();
    return std::nullopt;
  };
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = operand.get().getType();
    if (auto memref = llvm::dyn_cast<MemRefType>(type)) {
      int64_t offset;
      SmallVector<int64_t> strides;
      if (failed(memref.getStridesAndOffset(strides, offset)) || memref.getMemorySpace())
        return fail("a buffer is not strided");
      type = memref.getElementType();
    }
    if (!type.isIntOrIndexOrFloat())
      return fail(llvm::formatv("an operand is of type {0}", type).str());
  }
  if (!op.getShapesToLoopsMap())
    return fail("its loops don't follow from its operands' sizes");
  if (std::string body = whyNotOnVectors(op); !body.empty())
    return fail(body);
  auto iterators = op.getIteratorTypesArray();
  for (OpOperand &init : op.getDpsInitsMutable())
    for (auto [loop, iterator] : llvm::enumerate(iterators))
      if (!linalg::isParallelIterator(iterator) && op.getMatchingIndexingMap(&init).isFunctionOfDim(loop))
        return fail("a result is indexed by a reduction");

  std::optional<Candidate> best;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (unsigned lane = 0; lane < op.getNumLoops(); ++lane)
    if (std::optional<Candidate> candidate = planLane(op, lane, extents[lane]))
      if (!best || candidate->score >= best->score)
        best = std::move(candidate);
  if (!best)
    return fail(op.getNumLoops() == 0 ? "it computes a single element" : "none of its loops can go in lanes");
  best->plan.elementBits = elementBitsOf(op);
  best->plan.rows = sharedRows(op, best->plan);
  return best->plan;
}
