//===- LaunchLinears.cpp - attn.linear on tensor cores ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of the launch becomes a kernel when launches are outlined, so what kernels know of sizes are the constants
// among them, and equal ones are one.
//
//===----------------------------------------------------------------------===//

#include "BlockProduct.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Codegen/Schedule/RegionWidener.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {
#define GEN_PASS_DEF_LAUNCHLINEARS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Makes the launch of one op.
class LinearLaunch {
public:
  LinearLaunch(LinearOp op, GPULinearKernelAttr schedule)
      : op(op), schedule(schedule), b(op), loc(op.getLoc()),
        element(cast<MemRefType>(op.getInput().getType()).getElementType()) {}

  void run() {
    RegionWidener(op.getContext(), b.getF32Type()).run(op.getEpilogue(), argumentTypes());
    rows = extent(op.getInput(), 0);
    columns = extent(op.getWeight(), 0);
    operands.depth = extent(op.getInput(), 1);
    operands.element = element;
    operands.input = rowsOf(op.getInput(), rows);
    operands.weight = rowsOf(op.getWeight(), columns);
    Value misaligned = findMisaligned();

    Value one = index(1);
    columnBlocks = ceilDivide(columns, schedule.getColumns());
    Value blocks = mul(ceilDivide(rows, schedule.getRows()), columnBlocks);
    auto launch = gpu::LaunchOp::create(b, loc, toIndex(blocks), one, one, index(schedule.getThreads()), one, one);
    // Of vectors, so that it is aligned to chunks.
    auto chunk = VectorType::get(4, b.getF32Type());
    auto memory = MemRefType::get({BlockProduct::getSharedBytes(schedule) / 16}, chunk, MemRefLayoutAttrInterface(),
                                  gpu::AddressSpaceAttr::get(op.getContext(), gpu::AddressSpace::Workgroup));
    Value shared = launch.addWorkgroupAttribution(memory, loc);

    b.setInsertionPointToStart(&launch.getBody().front());
    operands.aligned = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, misaligned, i64(0));
    Value sharedAddress = toInteger(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, shared));
    emitBlock(sharedAddress, toInteger(launch.getBlockIds().x), toInteger(launch.getThreadIds().x));
    gpu::TerminatorOp::create(b, loc);
    op.erase();
  }

private:
  /// What the epilogue computes on is f32; extras come as they are.
  SmallVector<Type> argumentTypes() {
    SmallVector<Type> types = {b.getF32Type()};
    for (Value extra : op.getExtras())
      types.push_back(cast<MemRefType>(extra.getType()).getElementType());
    return types;
  }

  GlobalRows rowsOf(Value operand, Value count) {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, operand);
    Value bytes = i64(element.getIntOrFloatBitWidth() / 8);
    Value base = toInteger(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, operand));
    GlobalRows result;
    result.address = add(base, mul(toInteger(metadata.getOffset()), bytes));
    result.rowStride = mul(toInteger(metadata.getStrides()[0]), bytes);
    result.stride = mul(toInteger(metadata.getStrides()[1]), bytes);
    result.rows = count;
    return result;
  }

  /// Not 0 where a chunk of 16 bytes may be unaligned, apart, or only in part in a row.
  Value findMisaligned() {
    Value bytes = i64(element.getIntOrFloatBitWidth() / 8), bits = mul(operands.depth, bytes);
    for (const GlobalRows &rows : {operands.input, operands.weight})
      for (Value value : {rows.address, rows.rowStride})
        bits = arith::OrIOp::create(b, loc, bits, value);
    bits = arith::AndIOp::create(b, loc, bits, i64(15));
    for (const GlobalRows &rows : {operands.input, operands.weight})
      bits = arith::OrIOp::create(b, loc, bits, arith::XOrIOp::create(b, loc, rows.stride, bytes));
    return bits;
  }

  void emitBlock(Value shared, Value block, Value thread) {
    Value blockRow = arith::DivUIOp::create(b, loc, block, columnBlocks);
    Value blockColumn = arith::RemUIOp::create(b, loc, block, columnBlocks);
    operands.input.first = mul(blockRow, i64(schedule.getRows()));
    operands.weight.first = mul(blockColumn, i64(schedule.getColumns()));
    Value thread32 = arith::TruncIOp::create(b, loc, b.getI32Type(), thread);
    BlockProduct product(b, loc, schedule, operands, shared, thread32);
    SmallVector<Value> sums = product.run();
    for (int64_t half : {0, 1}) {
      if (half)
        gpu::BarrierOp::create(b, loc);
      product.storeHalf(sums, half);
      gpu::BarrierOp::create(b, loc);
      emitHalf(product, thread, half);
    }
  }

  /// Neighbouring threads take neighbouring columns.
  void emitHalf(BlockProduct &product, Value thread, int64_t half) {
    Value width = i64(schedule.getColumns());
    Value end = i64(schedule.getRows() / 2 * schedule.getColumns()), step = i64(schedule.getThreads());
    scf::ForOp::create(b, loc, thread, end, step, ValueRange(), [&](OpBuilder &, Location, Value number, ValueRange) {
      Value halfRow = arith::DivUIOp::create(b, loc, number, width);
      Value blockColumn = arith::RemUIOp::create(b, loc, number, width);
      Value row = add(operands.input.first, product.rowOfHalf(halfRow, half));
      Value column = add(operands.weight.first, blockColumn);
      Value inside = arith::AndIOp::create(b, loc, arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, rows),
                                           arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, column, columns));
      scf::IfOp::create(b, loc, inside, [&](OpBuilder &, Location) {
        emitElement(product.loadSum(halfRow, blockColumn), {toIndex(row), toIndex(column)});
        scf::YieldOp::create(b, loc);
      });
      scf::YieldOp::create(b, loc);
    });
  }

  void emitElement(Value sum, ArrayRef<Value> place) {
    Block &epilogue = op.getEpilogue().front();
    IRMapping mapping;
    mapping.map(epilogue.getArgument(0), sum);
    for (auto [extra, map, argument] : llvm::zip(op.getExtras(), op.getExtraMaps().getAsValueRange<AffineMapAttr>(),
                                                 epilogue.getArguments().drop_front())) {
      SmallVector<Value> indices;
      for (AffineExpr expr : map.getResults()) {
        auto dim = dyn_cast<AffineDimExpr>(expr);
        indices.push_back(dim ? place[dim.getPosition()] : index(0));
      }
      mapping.map(argument, memref::LoadOp::create(b, loc, extra, indices).getResult());
    }
    for (Operation &code : epilogue.without_terminator())
      b.clone(code, mapping);
    Value value = mapping.lookupOrDefault(epilogue.getTerminator()->getOperand(0));
    Type stored = cast<MemRefType>(op.getInit().getType()).getElementType();
    if (value.getType() != stored)
      value = arith::TruncFOp::create(b, loc, stored, value);
    memref::StoreOp::create(b, loc, value, op.getInit(), place);
  }

  Value extent(Value operand, int64_t dim) { return toInteger(memref::DimOp::create(b, loc, operand, dim)); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value i64(int64_t value) { return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value); }
  Value toInteger(Value index) { return arith::IndexCastOp::create(b, loc, b.getI64Type(), index); }
  Value toIndex(Value integer) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer); }
  Value add(Value a, Value c) { return arith::AddIOp::create(b, loc, a, c); }
  Value mul(Value a, Value c) { return arith::MulIOp::create(b, loc, a, c); }
  Value ceilDivide(Value a, int64_t c) { return arith::CeilDivUIOp::create(b, loc, a, i64(c)); }

  LinearOp op;
  GPULinearKernelAttr schedule;
  OpBuilder b;
  Location loc;
  Type element;
  BlockOperands operands;
  Value rows, columns, columnBlocks;
};

struct LaunchLinears final : attn::impl::LaunchLinearsBase<LaunchLinears> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<std::pair<LinearOp, GPULinearKernelAttr>> ops;
    getOperation().walk([&](LinearOp op) {
      auto schedule = op.getScheduleAttr();
      if (auto kernel = schedule ? dyn_cast<GPULinearKernelAttr>(schedule.getKernel()) : GPULinearKernelAttr())
        ops.emplace_back(op, kernel);
    });
    for (auto [op, kernel] : ops) {
      if (op->getNumResults() > 0) {
        op.emitError() << "only a linear layer on buffers can be launched";
        return signalPassFailure();
      }
      LinearLaunch(op, kernel).run();
      ++numLaunches;
    }
  }
};

} // namespace
