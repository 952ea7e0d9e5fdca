//===- BlockProduct.cpp - A block's part of a matrix product ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

static constexpr int64_t kRowBytes = 64, kChunkBytes = 16;
static constexpr unsigned kGlobal = 1, kShared = 3;

int64_t BlockProduct::getSharedBytes(GPULinearKernelAttr schedule) {
  return schedule.getStages() * (schedule.getRows() + schedule.getColumns()) * kRowBytes;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value BlockProduct::i32(int64_t value) { return arith::ConstantIntOp::create(b, loc, b.getI32Type(), value); }
Value BlockProduct::i64(int64_t value) { return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value); }
Value BlockProduct::add(Value a, Value c) { return arith::AddIOp::create(b, loc, a, c); }
Value BlockProduct::mul(Value a, Value c) { return arith::MulIOp::create(b, loc, a, c); }
Value BlockProduct::bitXor(Value a, Value c) { return arith::XOrIOp::create(b, loc, a, c); }
Value BlockProduct::extend(Value a) { return arith::ExtUIOp::create(b, loc, b.getI64Type(), a); }
Value BlockProduct::bitAnd(Value a, int64_t bits) {
  return arith::AndIOp::create(b, loc, a, arith::ConstantIntOp::create(b, loc, a.getType(), bits));
}
Value BlockProduct::shiftRight(Value a, int64_t bits) {
  return arith::ShRUIOp::create(b, loc, a, arith::ConstantIntOp::create(b, loc, a.getType(), bits));
}
Value BlockProduct::pointer(Value address, unsigned space) {
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), space), address);
}

BlockProduct::BlockProduct(OpBuilder &b, Location loc, GPULinearKernelAttr schedule, const BlockOperands &operands,
                           Value shared, Value thread)
    : b(b), loc(loc), schedule(schedule), operands(operands), shared(shared),
      elementBytes(operands.element.getIntOrFloatBitWidth() / 8),
      stageBytes((schedule.getRows() + schedule.getColumns()) * kRowBytes),
      rowTiles(schedule.getRows() / schedule.getWarpRows() / 16),
      columnTiles(schedule.getColumns() / schedule.getWarpColumns() / 16) {
  lane = extend(bitAnd(thread, 31));
  Value warp = extend(shiftRight(thread, 5));
  Value warpColumns = i64(schedule.getWarpColumns());
  warpRow = arith::DivUIOp::create(b, loc, warp, warpColumns);
  warpColumn = arith::RemUIOp::create(b, loc, warp, warpColumns);
  copiedRow = extend(shiftRight(thread, 2));
  copiedChunk = extend(bitAnd(thread, 3));

  // Which row of which of the four matrices a lane gives an address to: of the left factor rows 0-7 and 8-15, then the
  // same of the next chunk; of the right one both chunks of rows 0-7, then of 8-15.
  Value inMatrix = bitAnd(lane, 7), lowBit = bitAnd(shiftRight(lane, 3), 1), highBit = shiftRight(lane, 4);
  auto place = [&](Value warpFirst, Value rowHalf, Value chunk) {
    Value row = add(add(warpFirst, inMatrix), mul(rowHalf, i64(8)));
    Value swizzled = bitXor(chunk, bitAnd(shiftRight(row, 1), 3));
    return add(mul(row, i64(kRowBytes)), mul(swizzled, i64(kChunkBytes)));
  };
  inputLane = place(mul(warpRow, i64(16 * rowTiles)), lowBit, highBit);
  Value weights = place(mul(warpColumn, i64(16 * columnTiles)), highBit, lowBit);
  weightLane = add(weights, i64(schedule.getRows() * kRowBytes));
}

Value BlockProduct::stageOf(Value slice) {
  Value stage = arith::RemUIOp::create(b, loc, slice, i64(schedule.getStages()));
  return add(shared, mul(stage, i64(stageBytes)));
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void BlockProduct::copySlice(Value slice) {
  Value to = stageOf(slice);
  copy(operands.input, schedule.getRows(), slice, to);
  copy(operands.weight, schedule.getColumns(), slice, add(to, i64(schedule.getRows() * kRowBytes)));
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

void BlockProduct::copy(const GlobalRows &from, int64_t rows, Value slice, Value to) {
  Value element = add(mul(slice, i64(kRowBytes / elementBytes)), mul(copiedChunk, i64(kChunkBytes / elementBytes)));
  Value place = bitXor(copiedChunk, bitAnd(shiftRight(copiedRow, 1), 3));
  Value target = add(to, add(mul(copiedRow, i64(kRowBytes)), mul(place, i64(kChunkBytes))));
  scf::IfOp::create(
      b, loc, operands.aligned,
      [&](OpBuilder &, Location) {
        copyChunks(from, rows, element, target);
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &, Location) {
        copyElements(from, rows, element, target);
        scf::YieldOp::create(b, loc);
      });
}

/// Chunks beyond the matrix become zeros.
void BlockProduct::copyChunks(const GlobalRows &from, int64_t rows, Value element, Value to) {
  Value inRow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, element, operands.depth);
  for (int64_t step = 0; step < rows; step += schedule.getThreads() / 4) {
    Value row = add(add(from.first, copiedRow), i64(step));
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, from.rows);
    inside = arith::AndIOp::create(b, loc, inside, inRow);
    Value size = arith::SelectOp::create(b, loc, inside, i32(kChunkBytes), i32(0));
    Value source = add(add(from.address, mul(row, from.rowStride)), mul(element, i64(elementBytes)));
    NVVM::CpAsyncOp::create(b, loc, pointer(add(to, i64(step * kRowBytes)), kShared), pointer(source, kGlobal),
                            uint32_t(kChunkBytes), NVVM::LoadCacheModifierKind::CG, size);
  }
}

/// The same for matrices of any alignment, strides and depth.
void BlockProduct::copyElements(const GlobalRows &from, int64_t rows, Value element, Value to) {
  Type bits = b.getIntegerType(8 * elementBytes);
  auto loop = [&](int64_t end, int64_t step, llvm::function_ref<void(Value)> body) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0), last = arith::ConstantIndexOp::create(b, loc, end);
    Value by = arith::ConstantIndexOp::create(b, loc, step);
    scf::ForOp::create(b, loc, zero, last, by, ValueRange(), [&](OpBuilder &, Location, Value index, ValueRange) {
      body(arith::IndexCastOp::create(b, loc, b.getI64Type(), index));
      scf::YieldOp::create(b, loc);
    });
  };
  loop(rows, schedule.getThreads() / 4, [&](Value step) {
    Value row = add(add(from.first, copiedRow), step);
    Value rowInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, from.rows);
    loop(kChunkBytes / elementBytes, 1, [&](Value i) {
      Value column = add(element, i);
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, column, operands.depth);
      inside = arith::AndIOp::create(b, loc, inside, rowInside);
      auto loaded = scf::IfOp::create(
          b, loc, inside,
          [&](OpBuilder &, Location) {
            Value source = add(add(from.address, mul(row, from.rowStride)), mul(column, from.stride));
            Value value = LLVM::LoadOp::create(b, loc, bits, pointer(source, kGlobal));
            scf::YieldOp::create(b, loc, value);
          },
          [&](OpBuilder &, Location) {
            Value zero = arith::ConstantIntOp::create(b, loc, bits, 0);
            scf::YieldOp::create(b, loc, zero);
          });
      Value target = add(add(to, mul(step, i64(kRowBytes))), mul(i, i64(elementBytes)));
      LLVM::StoreOp::create(b, loc, loaded.getResult(0), pointer(target, kShared));
    });
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> BlockProduct::run() {
  int64_t stages = schedule.getStages();
  Value sliceElements = i64(kRowBytes / elementBytes);
  Value slices = arith::CeilDivUIOp::create(b, loc, operands.depth, sliceElements);
  for (int64_t slice = 0; slice + 1 < stages; ++slice)
    copySlice(i64(slice));
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  SmallVector<Value> initial(rowTiles * columnTiles * 8, zero);
  auto loop = scf::ForOp::create(b, loc, i64(0), slices, i64(1), initial,
                                 [&](OpBuilder &, Location, Value slice, ValueRange sums) {
                                   // This slice has arrived, and all warps are done with the one before it.
                                   NVVM::CpAsyncWaitGroupOp::create(b, loc, uint32_t(stages - 2));
                                   gpu::BarrierOp::create(b, loc);
                                   copySlice(add(slice, i64(stages - 1)));
                                   scf::YieldOp::create(b, loc, multiplySlice(slice, sums));
                                 });
  NVVM::CpAsyncWaitGroupOp::create(b, loc, 0u);
  gpu::BarrierOp::create(b, loc);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> BlockProduct::multiplySlice(Value slice, ValueRange before) {
  Values sums(before);
  Value stage = stageOf(slice), input = add(stage, inputLane), weight = add(stage, weightLane);
  for (int64_t step = 0; step < 2; ++step) {
    // Chunks 2 and 3: the places of 0 and 1 with a bit flipped.
    Value flip = i64(step * 2 * kChunkBytes);
    Value inputStep = step ? bitXor(input, flip) : input, weightStep = step ? bitXor(weight, flip) : weight;
    SmallVector<Factor> left;
    for (int64_t row = 0; row < rowTiles; ++row)
      left.push_back(loadMatrices(inputStep, row * 16 * kRowBytes));
    for (int64_t column = 0; column < columnTiles; ++column) {
      Factor right = loadMatrices(weightStep, column * 16 * kRowBytes);
      for (int64_t row = 0; row < rowTiles; ++row)
        for (int64_t half : {0, 1})
          multiply(MutableArrayRef(sums).slice(((row * columnTiles + column) * 2 + half) * 4, 4), left[row], right,
                   half);
    }
  }
  return sums;
}

BlockProduct::Factor BlockProduct::loadMatrices(Value address, int64_t offset) {
  MLIRContext *context = b.getContext();
  Type result = LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(4, b.getI32Type()));
  Value loaded =
      NVVM::LdMatrixOp::create(b, loc, result, pointer(add(address, i64(offset)), kShared), 4u, NVVM::MMALayout::row,
                               NVVM::LdStMatrixShapeAttr::get(context, 8, 8), NVVM::LdStMatrixEltType::B16);
  Factor factor;
  for (int64_t i = 0; i < 4; ++i) {
    Value value = LLVM::ExtractValueOp::create(b, loc, loaded, ArrayRef<int64_t>{i});
    // NVVM has pairs of f16 as vectors.
    if (operands.element.isF16())
      value = LLVM::BitcastOp::create(b, loc, VectorType::get(2, operands.element), value);
    factor.high.push_back(value);
  }
  if (isSplit())
    split(factor);
  return factor;
}

void BlockProduct::split(Factor &factor) {
  auto round = [&](Value value) -> Value {
    return NVVM::ConvertFloatToTF32Op::create(b, loc, b.getI32Type(), value, NVVM::FPRoundingMode::RNA);
  };
  auto asFloat = [&](Value bits) -> Value { return LLVM::BitcastOp::create(b, loc, b.getF32Type(), bits); };
  for (Value &high : factor.high) {
    Value element = asFloat(high);
    high = round(element);
    factor.low.push_back(round(arith::SubFOp::create(b, loc, element, asFloat(high))));
  }
}

void BlockProduct::multiply(MutableArrayRef<Value> sums, const Factor &left, const Factor &right, int64_t half) {
  Type result = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  NVVM::MMATypes type = isSplit()                   ? NVVM::MMATypes::tf32
                        : operands.element.isBF16() ? NVVM::MMATypes::bf16
                                                    : NVVM::MMATypes::f16;
  auto product = [&](const Values &a, const Values &c) {
    Value next = NVVM::MmaOp::create(b, loc, result, ValueRange(a), ValueRange(c).slice(2 * half, 2), ValueRange(sums),
                                     ArrayRef<int64_t>{16, 8, isSplit() ? 8 : 16}, std::nullopt, std::nullopt,
                                     std::array<NVVM::MMATypes, 2>{type, type},
                                     std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      sums[i] = LLVM::ExtractValueOp::create(b, loc, next, ArrayRef<int64_t>{i});
  };
  if (isSplit()) {
    // What is small first.
    product(left.low, right.high);
    product(left.high, right.low);
  }
  product(left.high, right.high);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Elements from one row of sums to the next: eight more than there are, so that rows start in different banks.
static int64_t sumStride(GPULinearKernelAttr schedule) { return schedule.getColumns() + 8; }

void BlockProduct::storeHalf(ArrayRef<Value> sums, int64_t half) {
  int64_t halfTiles = rowTiles / 2;
  Value row = add(mul(warpRow, i64(16 * halfTiles)), shiftRight(lane, 2));
  Value column = add(mul(warpColumn, i64(16 * columnTiles)), mul(bitAnd(lane, 3), i64(2)));
  Value first = add(shared, mul(add(mul(row, i64(sumStride(schedule))), column), i64(4)));
  auto pairType = VectorType::get(2, b.getF32Type());
  for (int64_t tile = 0; tile < halfTiles; ++tile)
    for (int64_t part = 0; part < 2 * columnTiles; ++part)
      for (int64_t pair : {0, 1}) {
        int64_t at = (((half * halfTiles + tile) * 2 * columnTiles) + part) * 4 + 2 * pair;
        int64_t offset = ((16 * tile + 8 * pair) * sumStride(schedule) + 8 * part) * 4;
        Value vector = LLVM::PoisonOp::create(b, loc, pairType);
        for (int64_t i : {0, 1})
          vector = LLVM::InsertElementOp::create(b, loc, vector, sums[at + i], i32(i));
        LLVM::StoreOp::create(b, loc, vector, pointer(add(first, i64(offset)), kShared));
      }
}

Value BlockProduct::loadSum(Value row, Value column) {
  Value offset = mul(add(mul(row, i64(sumStride(schedule))), column), i64(4));
  return LLVM::LoadOp::create(b, loc, b.getF32Type(), pointer(add(shared, offset), kShared));
}

Value BlockProduct::rowOfHalf(Value row, int64_t half) {
  // Half of each warp's rows, one row of warps after the other.
  Value halfRows = i64(8 * rowTiles);
  Value warpOf = arith::DivUIOp::create(b, loc, row, halfRows), inWarp = arith::RemUIOp::create(b, loc, row, halfRows);
  return add(add(mul(warpOf, i64(16 * rowTiles)), inWarp), i64(half * 8 * rowTiles));
}
