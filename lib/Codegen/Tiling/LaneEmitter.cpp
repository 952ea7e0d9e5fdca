//===- LaneEmitter.cpp - The body of a linalg op on vectors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaneEmitter.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace attn;

/// Vectors of bits are packed in memory, buffers of bits are not; LLVM lacks masked accesses of bf16.
static bool isRaw(Type element) { return element.isInteger(1) || element.isBF16(); }

LaneEmitter::LaneEmitter(OpBuilder &builder, linalg::LinalgOp op, const VectorPlan &plan, int64_t lanes)
    : b(builder), loc(op.getLoc()), op(op), plan(plan), lanes(lanes) {
  for (OpOperand &operand : op->getOpOperands()) {
    const LaneAccess &access = plan.accesses[operand.getOperandNumber()];
    lines.push_back(access.kind == LaneAccess::Strided ? makeLine(operand.get(), access.steps)
                    : access.kind == LaneAccess::Raw   ? makeRawLine(operand.get())
                                                       : Line());
  }
  for (auto load : op.getBlock()->getOps<memref::LoadOp>()) {
    SmallVector<int64_t> steps(load.getMemRefType().getRank(), 0);
    loads[load] = isRaw(load.getType()) ? makeRawLine(load.getMemRef()) : makeLine(load.getMemRef(), steps);
  }
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value LaneEmitter::mask(Value count) const {
  return vector::CreateMaskOp::create(b, loc, vectorOf(b.getI1Type()), count);
}

Value LaneEmitter::broadcast(Value scalar) const {
  return vector::BroadcastOp::create(b, loc, vectorOf(scalar.getType()), scalar);
}

Value LaneEmitter::toVector(Value value) const {
  return llvm::isa<VectorType>(value.getType()) ? value : broadcast(value);
}

Value LaneEmitter::allLanes() const {
  VectorType type = vectorOf(b.getI1Type());
  return arith::ConstantOp::create(b, loc, type, DenseElementsAttr::get(type, true));
}

Value LaneEmitter::lanesFrom0() const { return vector::StepOp::create(b, loc, vectorOf(b.getIndexType())); }

Value LaneEmitter::add(Value lhs, Value rhs) const { return b.createOrFold<arith::AddIOp>(loc, lhs, rhs); }

Value LaneEmitter::multiply(Value lhs, Value rhs) const { return b.createOrFold<arith::MulIOp>(loc, lhs, rhs); }

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LaneEmitter::Line LaneEmitter::makeLine(Value memref, ArrayRef<int64_t> steps) const {
  auto type = llvm::cast<MemRefType>(memref.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Line line;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  // By how much a lane advances, and how many elements there are from the first to the last.
  Value step = zero, reach = one;
  for (auto [stride, size, times] :
       llvm::zip(metadata.getConstifiedMixedStrides(), metadata.getConstifiedMixedSizes(), steps)) {
    line.strides.push_back(getValueOrCreateConstantIndexOp(b, loc, stride));
    Value factor = arith::ConstantIndexOp::create(b, loc, times);
    step = add(step, multiply(line.strides.back(), factor));
    Value last = b.createOrFold<arith::SubIOp>(loc, getValueOrCreateConstantIndexOp(b, loc, size), one);
    reach = add(reach, multiply(line.strides.back(), last));
  }
  line.positions = arith::MulIOp::create(b, loc, lanesFrom0(), broadcast(step));
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1});
  auto flat = MemRefType::get({ShapedType::kDynamic}, type.getElementType(), layout);
  line.buffer =
      memref::ReinterpretCastOp::create(b, loc, flat, metadata.getBaseBuffer(), metadata.getConstifiedMixedOffset(),
                                        ArrayRef<OpFoldResult>{reach}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return line;
}

LaneEmitter::Line LaneEmitter::makeRawLine(Value memref) const {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Line line;
  for (OpFoldResult stride : metadata.getConstifiedMixedStrides())
    line.strides.push_back(getValueOrCreateConstantIndexOp(b, loc, stride));
  Type element = llvm::cast<MemRefType>(memref.getType()).getElementType();
  Value bytes = arith::ConstantIndexOp::create(b, loc, element.isBF16() ? 2 : 1);
  Value offset = getValueOrCreateConstantIndexOp(b, loc, metadata.getConstifiedMixedOffset());
  line.buffer = add(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref), multiply(offset, bytes));
  return line;
}

Value LaneEmitter::addressOf(const Line &line, ArrayRef<Value> indices, int64_t bytes) const {
  Value distance = multiply(positionOf(line, indices), arith::ConstantIndexOp::create(b, loc, bytes));
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), add(line.buffer, distance));
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), integer);
}

Value LaneEmitter::loadRaw(const Line &line, Type element, ArrayRef<Value> indices, Value mask) const {
  int64_t bytes = element.isBF16() ? 2 : 1;
  VectorType type = vectorOf(b.getIntegerType(8 * bytes));
  Value address = addressOf(line, indices, bytes);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value raw = mask ? LLVM::MaskedLoadOp::create(b, loc, type, address, mask, zero, bytes).getResult()
                   : LLVM::LoadOp::create(b, loc, type, address, bytes).getResult();
  return fromRaw(raw, element);
}

Value LaneEmitter::fromRaw(Value raw, Type element) const {
  if (element.isBF16())
    return arith::BitcastOp::create(b, loc, vectorOf(element), raw);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(raw.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, raw, zero);
}

Value LaneEmitter::loadByIndex(memref::LoadOp load, IRMapping &values, Value mask, Value laneIv) const {
  auto indices = llvm::map_to_vector(load.getIndices(), [&](Value index) { return values.lookupOrDefault(index); });
  auto inLanes = [](Value index) { return llvm::isa<VectorType>(index.getType()); };
  if (llvm::none_of(indices, inLanes))
    return memref::LoadOp::create(b, load.getLoc(), load.getMemRef(), indices);
  MemRefType memref = load.getMemRefType();
  Type element = memref.getElementType();
  const Line &line = loads.at(load);
  VectorType type = vectorOf(element);
  auto last = load.getIndices().back().getDefiningOp<linalg::IndexOp>();
  if (last && last.getDim() == plan.lane && memref.isLastDimUnitStride() &&
      llvm::none_of(ArrayRef(indices).drop_back(), inLanes)) {
    indices.back() = laneIv;
    if (isRaw(element))
      return loadRaw(line, element, indices, mask);
    if (!mask)
      return vector::LoadOp::create(b, loc, type, load.getMemRef(), indices);
    Value rest = arith::ConstantOp::create(b, loc, type, llvm::cast<TypedAttr>(b.getZeroAttr(type)));
    return vector::MaskedLoadOp::create(b, loc, type, load.getMemRef(), indices, mask, rest);
  }
  Value position;
  for (auto [index, stride] : llvm::zip(indices, line.strides)) {
    Value part = arith::MulIOp::create(b, loc, toVector(index), broadcast(stride));
    position = position ? add(position, part) : part;
  }
  Value counting = mask ? mask : allLanes();
  if (!isRaw(element)) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value rest = arith::ConstantOp::create(b, loc, type, llvm::cast<TypedAttr>(b.getZeroAttr(type)));
    return vector::GatherOp::create(b, loc, type, line.buffer, ValueRange{zero}, position, counting, rest);
  }
  int64_t bytes = element.isBF16() ? 2 : 1;
  VectorType rawType = vectorOf(b.getIntegerType(8 * bytes)), integers = vectorOf(b.getI64Type());
  Value distance = arith::MulIOp::create(b, loc, position, broadcast(arith::ConstantIndexOp::create(b, loc, bytes)));
  Value address = arith::IndexCastOp::create(b, loc, integers, add(broadcast(line.buffer), distance));
  Value pointers = LLVM::IntToPtrOp::create(b, loc, vectorOf(LLVM::LLVMPointerType::get(b.getContext())), address);
  Value rest = arith::ConstantOp::create(b, loc, b.getZeroAttr(rawType));
  return fromRaw(LLVM::masked_gather::create(b, loc, rawType, pointers, counting, rest, bytes), element);
}

void LaneEmitter::storeRaw(Value value, OpOperand &operand, ArrayRef<Value> indices, Value mask) const {
  bool halfwords = getElementTypeOrSelf(value.getType()).isBF16();
  int64_t bytes = halfwords ? 2 : 1;
  VectorType type = vectorOf(b.getIntegerType(8 * bytes));
  Value raw = halfwords ? arith::BitcastOp::create(b, loc, type, value).getResult()
                        : arith::ExtUIOp::create(b, loc, type, value).getResult();
  Value address = addressOf(lines[operand.getOperandNumber()], indices, bytes);
  if (mask)
    LLVM::MaskedStoreOp::create(b, loc, raw, address, mask, bytes);
  else
    LLVM::StoreOp::create(b, loc, raw, address, bytes);
}

SmallVector<Value> LaneEmitter::indicesOf(OpOperand &operand, ArrayRef<Value> ivs) const {
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
    indices.push_back(affine::expandAffineExpr(b, loc, expr, ivs, {}));
  return indices;
}

Value LaneEmitter::positionOf(const Line &line, ArrayRef<Value> indices) const {
  Value position = arith::ConstantIndexOp::create(b, loc, 0);
  for (auto [index, stride] : llvm::zip(indices, line.strides))
    position = add(position, multiply(index, stride));
  return position;
}

Value LaneEmitter::load(OpOperand &operand, ArrayRef<Value> ivs, Value mask) const {
  auto memref = llvm::dyn_cast<MemRefType>(operand.get().getType());
  if (!memref)
    return operand.get();
  SmallVector<Value> indices = indicesOf(operand, ivs);
  LaneAccess::Kind kind = plan.accesses[operand.getOperandNumber()].kind;
  if (kind == LaneAccess::Uniform)
    return memref::LoadOp::create(b, loc, operand.get(), indices);
  if (kind == LaneAccess::Raw)
    return loadRaw(lines[operand.getOperandNumber()], memref.getElementType(), indices, mask);
  VectorType type = vectorOf(memref.getElementType());
  if (kind == LaneAccess::Contiguous && !mask)
    return vector::LoadOp::create(b, loc, type, operand.get(), indices);
  Value rest = arith::ConstantOp::create(b, loc, type, llvm::cast<TypedAttr>(b.getZeroAttr(type)));
  if (kind == LaneAccess::Contiguous)
    return vector::MaskedLoadOp::create(b, loc, type, operand.get(), indices, mask, rest);
  const Line &line = lines[operand.getOperandNumber()];
  return vector::GatherOp::create(b, loc, type, line.buffer, ValueRange{positionOf(line, indices)}, line.positions,
                                  mask ? mask : allLanes(), rest);
}

void LaneEmitter::store(Value value, OpOperand &operand, ArrayRef<Value> ivs, Value mask) const {
  SmallVector<Value> indices = indicesOf(operand, ivs);
  LaneAccess::Kind kind = plan.accesses[operand.getOperandNumber()].kind;
  if (kind == LaneAccess::Uniform) {
    memref::StoreOp::create(b, loc, value, operand.get(), indices);
    return;
  }
  value = toVector(value);
  if (kind == LaneAccess::Raw)
    return storeRaw(value, operand, indices, mask);
  if (kind == LaneAccess::Contiguous) {
    if (mask)
      vector::MaskedStoreOp::create(b, loc, operand.get(), indices, mask, value);
    else
      vector::StoreOp::create(b, loc, value, operand.get(), indices);
    return;
  }
  const Line &line = lines[operand.getOperandNumber()];
  vector::ScatterOp::create(b, loc, Type(), line.buffer, ValueRange{positionOf(line, indices)}, line.positions,
                            mask ? mask : allLanes(), value);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// The product that `sum` adds to `accumulator` and nothing else uses, so that both may be one operation.
static arith::MulFOp productAddedTo(Operation &sum, Value accumulator) {
  if (!llvm::isa<arith::AddFOp>(sum) || !llvm::is_contained(sum.getOperands(), accumulator))
    return {};
  Value other = sum.getOperand(sum.getOperand(0) == accumulator ? 1 : 0);
  auto product = other.getDefiningOp<arith::MulFOp>();
  bool native = other.getType().isF32() || other.getType().isF64();
  return product && native && product->hasOneUse() && product->getBlock() == sum.getBlock() ? product : arith::MulFOp();
}

void LaneEmitter::emitOp(Operation &inner, IRMapping &values, Value mask, Value laneIv,
                         ArrayRef<Value> accumulators) const {
  if (auto load = llvm::dyn_cast<memref::LoadOp>(inner)) {
    values.map(load.getResult(), loadByIndex(load, values, mask, laneIv));
    return;
  }
  if (auto index = llvm::dyn_cast<linalg::IndexOp>(inner)) {
    // Mapped by the caller; in lanes it counts up.
    Value iv = values.lookup(index.getResult());
    if (index.getDim() == plan.lane)
      values.map(index.getResult(), arith::AddIOp::create(b, loc, broadcast(iv), lanesFrom0()).getResult());
    return;
  }
  if (!accumulators.empty())
    for (OpOperand &init : op.getDpsInitsMutable()) {
      BlockArgument argument = op.getMatchingBlockArgument(&init);
      if (arith::MulFOp product = argument ? productAddedTo(inner, argument) : arith::MulFOp()) {
        // A factor may be a scalar from outside the body.
        Value lhs = toVector(values.lookupOrDefault(product.getLhs()));
        Value rhs = toVector(values.lookupOrDefault(product.getRhs()));
        Value fused = math::FmaOp::create(b, inner.getLoc(), lhs, rhs, toVector(values.lookup(argument)));
        values.map(inner.getResult(0), fused);
        return;
      }
    }
  SmallVector<Value> operands;
  for (Value operand : inner.getOperands())
    operands.push_back(values.lookupOrDefault(operand));
  bool inLanes = llvm::any_of(operands, [](Value value) { return llvm::isa<VectorType>(value.getType()); });
  SmallVector<Type> types(inner.getResultTypes());
  if (inLanes) {
    for (Value &operand : operands)
      operand = toVector(operand);
    for (Type &type : types)
      type = vectorOf(type);
  }
  OperationState state(inner.getLoc(), inner.getName(), operands, types, inner.getAttrs());
  values.map(inner.getResults(), b.create(state)->getResults());
}

SmallVector<Value> LaneEmitter::compute(ArrayRef<Value> ivs, Value mask, ArrayRef<Value> accumulators) const {
  IRMapping values;
  for (OpOperand *operand : op.getOpOperandsMatchingBBargs()) {
    BlockArgument argument = op.getMatchingBlockArgument(operand);
    if (argument.use_empty())
      continue;
    if (op.isDpsInit(operand) && !accumulators.empty()) {
      int64_t number = operand->getOperandNumber() - op.getDpsInitOperand(0)->getOperandNumber();
      values.map(argument, accumulators[number]);
    } else {
      values.map(argument, load(*operand, ivs, mask));
    }
  }
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto index = llvm::dyn_cast<linalg::IndexOp>(inner))
      values.map(index.getResult(), ivs[index.getDim()]);
    emitOp(inner, values, mask, ivs[plan.lane], accumulators);
  }
  SmallVector<Value> results;
  for (Value value : op.getBlock()->getTerminator()->getOperands())
    results.push_back(values.lookupOrDefault(value));
  return results;
}
