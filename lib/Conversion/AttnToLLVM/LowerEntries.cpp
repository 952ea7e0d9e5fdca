//===- LowerEntries.cpp - Give entries the calling convention of the runtime -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Frames.h"
#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Conversion/AttnToLLVM/Symbols.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_LOWERENTRIES
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

class EntryLowering {
public:
  EntryLowering(func::FuncOp entry, const LLVMTypeConverter &types, SymbolTable &symbols, StringRef prefix,
                StringRef target)
      : entry(entry), types(types), symbols(symbols), prefix(prefix), target(target), signature(entry),
        b(entry.getContext()), loc(entry.getLoc()) {}

  LogicalResult run() {
    Type ptr = LLVM::LLVMPointerType::get(entry.getContext());
    unsigned callPosition = entry.getNumArguments();
    (void)entry.insertArgument(callPosition, ptr, {}, loc);
    Value call = entry.getArgument(callPosition);
    if (failed(lowerCallOps(call)) || failed(createRun()))
      return failure();
    createWorkspace();
    entry.setPrivate();
    return success();
  }

private:
  Value asIndex(Value i64) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), i64); }

  LogicalResult lowerCallOps(Value call) {
    entry.walk([&](NumWorkersOp op) {
      b.setInsertionPoint(op);
      op.getResult().replaceAllUsesWith(asIndex(loadAt(b, op.getLoc(), b.getI64Type(), call, CallField::Threads)));
      op.erase();
    });
    entry.walk([&](CheckOp op) { op.getCallMutable().assign(call); });
    SmallVector<ParallelForOp> loops;
    entry.walk([&](ParallelForOp loop) { loops.push_back(loop); });
    for (ParallelForOp loop : loops) {
      giveCallToChecks(loop, call);
      if (failed(lowerParallelFor(loop, call, types, symbols)))
        return failure();
    }
    return success();
  }

  /// A task whose checks may fail captures the call.
  void giveCallToChecks(ParallelForOp loop, Value call) {
    auto task = symbols.lookup<func::FuncOp>(loop.getTask());
    SmallVector<CheckOp> checks;
    task.walk([&](CheckOp op) { checks.push_back(op); });
    if (checks.empty())
      return;
    unsigned position = task.getNumArguments();
    (void)task.insertArgument(position, call.getType(), {}, loop.getLoc());
    loop.getCapturesMutable().append(call);
    for (CheckOp op : checks)
      op.getCallMutable().assign(task.getArgument(position));
  }

  /// A memref of `type` at `pointer`; sizes from the call's dims. Row-major and dense where no `strides` are given.
  FailureOr<Value> buildMemRef(MemRefType type, unsigned arg, Value pointer, ArrayRef<Value> dims,
                               ArrayRef<Value> strides) {
    auto descriptor = MemRefDescriptor::poison(b, loc, types.convertType(type));
    descriptor.setAllocatedPtr(b, loc, pointer);
    descriptor.setAlignedPtr(b, loc, pointer);
    descriptor.setConstantOffset(b, loc, 0);
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(value));
    };
    Value stride = constant(1);
    for (int64_t i = type.getRank() - 1; i >= 0; --i) {
      Value size;
      if (type.isDynamicDim(i)) {
        std::optional<unsigned> dim = signature.getDim(arg, i);
        if (!dim)
          return entry.emitError() << "argument " << arg << " has a dynamic dimension without a symbol in '"
                                   << kShapeAttr << "'";
        size = dims[*dim];
      } else {
        size = constant(type.getDimSize(i));
      }
      descriptor.setSize(b, loc, i, size);
      descriptor.setStride(b, loc, i, strides.empty() ? stride : strides[i]);
      stride = LLVM::MulOp::create(b, loc, stride, size);
    }
    return UnrealizedConversionCastOp::create(b, loc, TypeRange{type}, ValueRange{descriptor}).getResult(0);
  }

  LogicalResult createRun() {
    Type ptr = LLVM::LLVMPointerType::get(entry.getContext()), i64 = b.getI64Type();
    b.clearInsertionPoint();
    auto run = func::FuncOp::create(b, loc, runSymbol(prefix, entry.getName(), target),
                                    b.getFunctionType(ptr, b.getI32Type()));
    symbols.insert(run);
    Block *block = run.addEntryBlock();
    b.setInsertionPointToStart(block);
    Value call = block->getArgument(0);
    Value dimsPointer = loadAt(b, loc, ptr, call, CallField::Dims);
    SmallVector<Value> dims;
    for (unsigned i = 0; i < signature.getDims().size(); ++i)
      dims.push_back(loadAt(b, loc, i64, dimsPointer, 8 * i));
    Value inputs = loadAt(b, loc, ptr, call, CallField::Inputs),
          outputs = loadAt(b, loc, ptr, call, CallField::Outputs);
    Value stridesPointer = loadAt(b, loc, ptr, call, CallField::Strides);
    unsigned numInputs = 0, numOutputs = 0, numStrides = 0;
    SmallVector<Value> arguments;
    for (auto [arg, type] : llvm::enumerate(entry.getArgumentTypes())) {
      auto memref = llvm::dyn_cast<MemRefType>(type);
      if (!memref) {
        arguments.push_back(call);
      } else if (entry.getArgAttr(arg, kWorkspaceAttr)) {
        arguments.push_back(buildWorkspace(memref, loadAt(b, loc, ptr, call, CallField::Workspace)));
      } else {
        bool isOutput = bool(entry.getArgAttr(arg, kOutputAttr));
        Value pointer = loadAt(b, loc, ptr, isOutput ? outputs : inputs, 8 * (isOutput ? numOutputs++ : numInputs++));
        SmallVector<Value> strides;
        for (int64_t i = 0; isStrided(memref) && i < memref.getRank(); ++i)
          strides.push_back(loadAt(b, loc, i64, stridesPointer, 8 * numStrides++));
        FailureOr<Value> value = buildMemRef(memref, arg, pointer, dims, strides);
        if (failed(value))
          return failure();
        arguments.push_back(*value);
      }
    }
    func::CallOp::create(b, loc, entry, arguments);
    Value ok = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 0);
    func::ReturnOp::create(b, loc, ok);
    return success();
  }

  /// The workspace is as large as the caller was told.
  Value buildWorkspace(MemRefType type, Value pointer) {
    auto descriptor = MemRefDescriptor::poison(b, loc, types.convertType(type));
    descriptor.setAllocatedPtr(b, loc, pointer);
    descriptor.setAlignedPtr(b, loc, pointer);
    descriptor.setConstantOffset(b, loc, 0);
    descriptor.setConstantSize(b, loc, 0, std::numeric_limits<int64_t>::max());
    descriptor.setConstantStride(b, loc, 0, 1);
    return UnrealizedConversionCastOp::create(b, loc, TypeRange{type}, ValueRange{descriptor}).getResult(0);
  }

  void createWorkspace() {
    auto size = symbols.lookup<func::FuncOp>(workspaceFunctionName(entry.getName()));
    Type ptr = LLVM::LLVMPointerType::get(entry.getContext()), i64 = b.getI64Type();
    b.clearInsertionPoint();
    auto function = func::FuncOp::create(b, loc, workspaceSymbol(prefix, entry.getName(), target),
                                         b.getFunctionType({ptr, i64}, i64));
    symbols.insert(function);
    Block *block = function.addEntryBlock();
    b.setInsertionPointToStart(block);
    SmallVector<Value> arguments;
    for (unsigned i = 0; i < signature.getDims().size(); ++i)
      arguments.push_back(asIndex(loadAt(b, loc, i64, block->getArgument(0), 8 * i)));
    arguments.push_back(asIndex(block->getArgument(1)));
    func::ReturnOp::create(b, loc, func::CallOp::create(b, loc, size, arguments).getResults());
  }

  func::FuncOp entry;
  const LLVMTypeConverter &types;
  SymbolTable &symbols;
  StringRef prefix, target;
  EntrySignature signature;
  OpBuilder b;
  Location loc;
};

struct LowerEntries final : attn::impl::LowerEntriesBase<LowerEntries> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target) {
      module.emitError() << "the module has no '" << kTargetAttr << "'";
      return signalPassFailure();
    }
    LLVMTypeConverter types(&getContext());
    SymbolTable symbols(module);
    SmallVector<func::FuncOp> entries;
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal())
        entries.push_back(function);
    for (func::FuncOp entry : entries)
      if (failed(EntryLowering(entry, types, symbols, prefix, target.getName()).run()))
        return signalPassFailure();
  }
};

} // namespace
