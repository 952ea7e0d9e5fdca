//===- VectorEmitter.cpp - Emits ops on native vectors ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/VectorEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

VectorType VectorEmitter::vectorType(Type element) const {
  return VectorType::get({laneCount}, element ? element : builder.getF32Type());
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value VectorEmitter::index(int64_t value) const { return arith::ConstantIndexOp::create(builder, loc, value); }

Value VectorEmitter::add(Value a, Value b) const { return builder.createOrFold<arith::AddIOp>(loc, a, b); }

Value VectorEmitter::add(Value a, int64_t b) const { return b == 0 ? a : add(a, index(b)); }

Value VectorEmitter::sub(Value a, Value b) const { return builder.createOrFold<arith::SubIOp>(loc, a, b); }

Value VectorEmitter::mul(Value a, int64_t b) const { return builder.createOrFold<arith::MulIOp>(loc, a, index(b)); }

Value VectorEmitter::rem(Value a, int64_t b) const { return builder.createOrFold<arith::RemUIOp>(loc, a, index(b)); }

Value VectorEmitter::div(Value a, int64_t b) const { return builder.createOrFold<arith::DivUIOp>(loc, a, index(b)); }

Value VectorEmitter::log2(Value a) const {
  Value integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), a);
  Value one = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(1));
  Value zeros = math::CountLeadingZerosOp::create(builder, loc, arith::OrIOp::create(builder, loc, integer, one));
  Value last = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(63));
  Value result = arith::SubIOp::create(builder, loc, last, zeros);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), result);
}

Value VectorEmitter::clamp(Value a, Value low, Value high) const {
  Value atLeast = builder.createOrFold<arith::MaxSIOp>(loc, a, low);
  return builder.createOrFold<arith::MinSIOp>(loc, atLeast, high);
}

Value VectorEmitter::min(Value a, Value b) const { return builder.createOrFold<arith::MinSIOp>(loc, a, b); }

Value VectorEmitter::dim(Value memref, int64_t dimension) const {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return index(type.getDimSize(dimension));
  return memref::DimOp::create(builder, loc, memref, dimension);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value VectorEmitter::splat(double value) const {
  VectorType type = vectorType();
  return arith::ConstantOp::create(builder, loc, type,
                                   DenseElementsAttr::get(type, builder.getF32FloatAttr(float(value)).getValue()));
}

Value VectorEmitter::broadcast(Value scalar) const {
  return vector::BroadcastOp::create(builder, loc, vectorType(scalar.getType()), scalar);
}

Value VectorEmitter::inLanes(Value value) const {
  if (isa<VectorType>(value.getType()))
    return value;
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return broadcast(value);
  VectorType type = vectorType(value.getType());
  return arith::ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, constant));
}

Value VectorEmitter::lanesFrom0(Type element) const {
  SmallVector<APInt> numbers;
  VectorType type = vectorType(element);
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  for (int64_t i = 0; i < laneCount; ++i)
    numbers.push_back(APInt(bits, i));
  return arith::ConstantOp::create(builder, loc, type, DenseIntElementsAttr::get(type, numbers));
}

Value VectorEmitter::mask(int64_t active) const {
  SmallVector<bool> bits(laneCount, false);
  std::fill_n(bits.begin(), active, true);
  VectorType type = vectorType(builder.getI1Type());
  return arith::ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, ArrayRef<bool>(bits)));
}

Value VectorEmitter::loadMasked(Value memref, ValueRange indices, Value mask) const {
  VectorType type = vectorType(cast<MemRefType>(memref.getType()).getElementType());
  Value zero = arith::ConstantOp::create(builder, loc, type, cast<TypedAttr>(builder.getZeroAttr(type)));
  return vector::MaskedLoadOp::create(builder, loc, type, memref, indices, mask, zero);
}

Value VectorEmitter::load(Value memref, ValueRange indices, int64_t active) const {
  if (active < laneCount)
    return loadMasked(memref, indices, mask(active));
  return vector::LoadOp::create(builder, loc, vectorType(cast<MemRefType>(memref.getType()).getElementType()), memref,
                                indices);
}

Value VectorEmitter::loadBytes(Value memref, ValueRange indices, Value mask) const {
  // A vector of i1 would be loaded as bits, so its address is made of the memref's parts.
  auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, memref);
  auto asValue = [&](OpFoldResult number) { return getValueOrCreateConstantIndexOp(builder, loc, number); };
  Value address = add(memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, memref),
                      asValue(metadata.getConstifiedMixedOffset()));
  for (auto [index, stride] : llvm::zip_equal(indices, metadata.getConstifiedMixedStrides()))
    address = add(address, builder.createOrFold<arith::MulIOp>(loc, index, asValue(stride)));
  Value integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
  Value pointer = LLVM::IntToPtrOp::create(builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), integer);
  VectorType type = vectorType(builder.getI8Type());
  if (!mask)
    return LLVM::LoadOp::create(builder, loc, type, pointer, /*alignment=*/1);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return LLVM::MaskedLoadOp::create(builder, loc, type, pointer, mask, zero, /*alignment=*/1);
}

Value VectorEmitter::loadStored(Value memref, ValueRange indices, Value mask) const {
  if (cast<MemRefType>(memref.getType()).getElementType().isInteger(1))
    return loadBytes(memref, indices, mask);
  return mask ? loadMasked(memref, indices, mask) : load(memref, indices);
}

Value VectorEmitter::isNotZero(Value vector) const {
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector.getType()));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, vector, zero);
}

Value VectorEmitter::lanesBelow(Value begin, Value end) const {
  Value left = clamp(sub(end, begin), index(0), index(laneCount));
  Value count = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), left);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, lanesFrom0(builder.getI32Type()),
                               broadcast(count));
}

void VectorEmitter::store(Value vector, Value memref, ValueRange indices, int64_t active) const {
  if (active < laneCount)
    vector::MaskedStoreOp::create(builder, loc, memref, indices, mask(active), vector);
  else
    vector::StoreOp::create(builder, loc, vector, memref, indices);
}

void VectorEmitter::prefetch(Value memref, ValueRange indices, bool near) const {
  memref::PrefetchOp::create(builder, loc, memref, indices, /*isWrite=*/false, /*localityHint=*/near ? 3 : 2,
                             /*isDataCache=*/true);
}

Value VectorEmitter::loadScalar(Value memref, ValueRange indices) const {
  return memref::LoadOp::create(builder, loc, memref, indices);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value VectorEmitter::fma(Value a, Value b, Value c) const { return vector::FMAOp::create(builder, loc, a, b, c); }

Value VectorEmitter::addf(Value a, Value b) const { return arith::AddFOp::create(builder, loc, a, b); }

Value VectorEmitter::subf(Value a, Value b) const { return arith::SubFOp::create(builder, loc, a, b); }

Value VectorEmitter::mulf(Value a, Value b) const { return arith::MulFOp::create(builder, loc, a, b); }

Value VectorEmitter::maxf(Value a, Value b) const {
  // arith.maximumf would cost a compare and a blend for NaNs.
  Value greater = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, loc, greater, a, b);
}

Value VectorEmitter::sum(Value vector) const {
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, vector, arith::FastMathFlags::reassoc);
}

Value VectorEmitter::tree(ArrayRef<Value> values, function_ref<Value(Value, Value)> combine) const {
  Values level(values);
  while (level.size() > 1) {
    Values next;
    for (size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(combine(level[i], level[i + 1]));
    if (level.size() % 2)
      next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

/// Of vectors a and b the blocks of `half` lanes that have even numbers, and those that have odd ones: a's at even
/// places, b's at odd ones.
static std::pair<Value, Value> exchange(OpBuilder &builder, Location loc, Value a, Value b, int64_t half) {
  int64_t lanes = cast<VectorType>(a.getType()).getNumElements();
  SmallVector<int64_t> even, odd;
  for (int64_t j = 0; j < lanes; ++j) {
    even.push_back(j & half ? lanes + j - half : j);
    odd.push_back(j & half ? lanes + j : j + half);
  }
  return {vector::ShuffleOp::create(builder, loc, a, b, even), vector::ShuffleOp::create(builder, loc, a, b, odd)};
}

void VectorEmitter::transpose(MutableArrayRef<Value> rows) const {
  for (int64_t half = laneCount / 2; half >= 1; half /= 2)
    for (int64_t i = 0; i < laneCount; ++i)
      if (!(i & half))
        std::tie(rows[i], rows[i + half]) = exchange(builder, loc, rows[i], rows[i + half], half);
}

Value VectorEmitter::sums(ArrayRef<Value> rows) const {
  // A transpose that adds what it exchanges, so that each step halves the number of vectors.
  Values left(rows);
  for (int64_t half = laneCount / 2; half >= 1; half /= 2) {
    for (int64_t i = 0; i < half; ++i) {
      auto [even, odd] = exchange(builder, loc, left[i], left[i + half], half);
      left[i] = addf(even, odd);
    }
    left.resize(half);
  }
  return left.front();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

VectorEmitter::Values VectorEmitter::loop(Value count, int64_t step, ValueRange carried, LoopBody body) const {
  auto loop = scf::ForOp::create(builder, loc, index(0), count, index(step), carried,
                                 [&](OpBuilder &nested, Location, Value iv, ValueRange arguments) {
                                   Values results = body(iv, arguments);
                                   scf::YieldOp::create(nested, loc, results);
                                 });
  return Values(loop.getResults());
}

VectorEmitter::Values VectorEmitter::tiles(Value count, int64_t size, ValueRange carried, TileBody body) const {
  std::optional<int64_t> constant = getConstantIntValue(count);
  Value remainder = rem(count, size);
  Value begin = sub(count, remainder);
  Values values(carried);
  // One full tile needs no loop.
  if (constant && *constant / size == 1)
    values = body(index(0), size, values);
  else if (!constant || *constant / size > 1)
    values = loop(begin, size, values, [&](Value iv, ValueRange arguments) { return body(iv, size, arguments); });
  if (size == 1)
    return values;

  for (int64_t tail = llvm::bit_floor(uint64_t(size - 1)); tail >= 1; tail /= 2) {
    if (constant) {
      if (!(*constant % size & tail))
        continue;
      values = body(begin, tail, values);
      begin = add(begin, tail);
      continue;
    }
    Value bit = builder.createOrFold<arith::AndIOp>(loc, remainder, index(tail));
    Value present = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, bit, index(0));
    auto yield = [&](ValueRange results) { scf::YieldOp::create(builder, loc, results); };
    if (values.empty()) {
      scf::IfOp::create(builder, loc, present, [&](OpBuilder &, Location) {
        body(begin, tail, {});
        yield({});
      });
    } else {
      auto branch = scf::IfOp::create(
          builder, loc, present, [&](OpBuilder &, Location) { yield(body(begin, tail, values)); },
          [&](OpBuilder &, Location) { yield(values); });
      values = Values(branch.getResults());
    }
    begin = add(begin, bit);
  }
  return values;
}

void VectorEmitter::tiles(Value count, int64_t size, function_ref<void(Value, int64_t)> body) const {
  tiles(count, size, ValueRange(), [&](Value begin, int64_t tile, ValueRange) -> Values {
    body(begin, tile);
    return {};
  });
}
