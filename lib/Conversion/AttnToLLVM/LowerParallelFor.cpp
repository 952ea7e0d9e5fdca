//===- LowerParallelFor.cpp - Calls of the runtime for parallel loops -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Frames.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace attn;

Value attn::loadAt(OpBuilder &b, Location loc, Type type, Value pointer, int64_t offset) {
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  Value at = LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), pointer, ArrayRef<LLVM::GEPArg>{int32_t(offset)});
  return LLVM::LoadOp::create(b, loc, type, at);
}

static Value castTo(OpBuilder &b, Location loc, Type type, Value value) {
  if (value.getType() == type)
    return value;
  return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0);
}

/// The runtime's function, declared once a module.
static func::FuncOp runtimeFunction(OpBuilder &b, Location loc, SymbolTable &symbols) {
  constexpr StringLiteral name = "attn_rt_v1_parallel_for";
  if (auto found = symbols.lookup<func::FuncOp>(name))
    return found;
  Type ptr = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  OpBuilder outside(b.getContext());
  auto function = func::FuncOp::create(outside, loc, name, b.getFunctionType({ptr, ptr, ptr, i64, i64}, {}));
  function.setPrivate();
  symbols.insert(function);
  return function;
}

/// `thunk(frame, begin, end, worker)`: loads what the frame holds and calls the task.
static func::FuncOp createThunk(ParallelForOp op, LLVM::LLVMStructType frame, SymbolTable &symbols) {
  Location loc = op.getLoc();
  OpBuilder b(op.getContext());
  Type ptr = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  auto thunk = func::FuncOp::create(b, loc, (op.getTask() + ".thunk").str(),
                                    b.getFunctionType({ptr, i64, i64, b.getI32Type()}, {}));
  thunk.setPrivate();
  symbols.insert(thunk);
  Block *block = thunk.addEntryBlock();
  b.setInsertionPointToStart(block);
  SmallVector<Value> arguments;
  for (unsigned i = 1; i < 4; ++i)
    arguments.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), block->getArgument(i)));
  for (auto [i, capture] : llvm::enumerate(op.getCaptures())) {
    Value at = LLVM::GEPOp::create(b, loc, ptr, frame, block->getArgument(0), ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
    Value field = LLVM::LoadOp::create(b, loc, frame.getBody()[i], at);
    arguments.push_back(castTo(b, loc, capture.getType(), field));
  }
  func::CallOp::create(b, loc, op.getTask(), TypeRange(), arguments);
  func::ReturnOp::create(b, loc);
  return thunk;
}

LogicalResult attn::lowerParallelFor(ParallelForOp op, Value call, const LLVMTypeConverter &types,
                                     SymbolTable &symbols) {
  Location loc = op.getLoc();
  OpBuilder b(op);
  SmallVector<Type> fields;
  for (Value capture : op.getCaptures()) {
    Type field = types.convertType(capture.getType());
    if (!field)
      return op.emitError("a task captures a value of type ") << capture.getType();
    fields.push_back(field);
  }
  auto frame = LLVM::LLVMStructType::getLiteral(op.getContext(), fields);
  Type ptr = LLVM::LLVMPointerType::get(op.getContext());
  func::FuncOp runtime = runtimeFunction(b, loc, symbols);
  func::FuncOp thunk = createThunk(op, frame, symbols);

  // The frame is allocated once a call of the entry, also where the loop stands in another one.
  auto entry = op->getParentOfType<func::FuncOp>();
  OpBuilder start = OpBuilder::atBlockBegin(&entry.getBody().front());
  Value one = LLVM::ConstantOp::create(start, loc, b.getI64Type(), b.getI64IntegerAttr(1));
  Value memory = LLVM::AllocaOp::create(start, loc, ptr, frame, one, /*alignment=*/64);
  for (auto [i, capture] : llvm::enumerate(op.getCaptures())) {
    Value at = LLVM::GEPOp::create(b, loc, ptr, frame, memory, ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
    LLVM::StoreOp::create(b, loc, castTo(b, loc, fields[i], capture), at);
  }
  Value function = func::ConstantOp::create(b, loc, thunk.getFunctionType(), thunk.getName());
  Value count = arith::IndexCastOp::create(b, loc, b.getI64Type(), op.getCount());
  Value grain = arith::ConstantIntOp::create(b, loc, b.getI64Type(), 1);
  func::CallOp::create(b, loc, runtime, ValueRange{call, castTo(b, loc, ptr, function), memory, count, grain});
  op.erase();
  return success();
}
