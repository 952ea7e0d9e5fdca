//===- LowerLaunches.cpp - Launches, weights and constants of a GPU's host code --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host and runtime share one table, `attn_gpu_code` of Runtime/Model.h: kernels and constants are numbers in it.
//
//===----------------------------------------------------------------------===//

#include "Frames.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Conversion/AttnToLLVM/Symbols.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace attn {
#define GEN_PASS_DEF_LOWERLAUNCHES
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Builds constant globals field by field.
class TableBuilder {
public:
  TableBuilder(ModuleOp module, SymbolTable &symbols, StringRef prefix)
      : module(module), symbols(symbols), prefix(prefix), loc(module.getLoc()), b(module.getContext()),
        ptr(LLVM::LLVMPointerType::get(module.getContext())) {}

  /// A field: an integer of `bits`, or the address of a symbol (of none: null).
  struct Field {
    unsigned bits = 0;
    int64_t value = 0;
    std::string symbol;
  };
  static Field i32(int64_t value) { return {32, value, {}}; }
  static Field i64(int64_t value) { return {64, value, {}}; }
  static Field address(StringRef symbol) { return {0, 0, symbol.str()}; }

  /// Structs of equal field types, one after the other.
  LLVM::GlobalOp table(StringRef name, ArrayRef<SmallVector<Field>> rows) {
    SmallVector<Type> types;
    for (const Field &field : rows.front())
      types.push_back(field.bits ? Type(b.getIntegerType(field.bits)) : Type(ptr));
    auto row = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
    auto type = LLVM::LLVMArrayType::get(row, rows.size());
    LLVM::GlobalOp global = create(type, name, Attribute());
    b.createBlock(&global.getInitializerRegion());
    Value value = LLVM::UndefOp::create(b, loc, type);
    for (auto [i, fields] : llvm::enumerate(rows))
      for (auto [k, field] : llvm::enumerate(fields))
        value = LLVM::InsertValueOp::create(b, loc, value, emit(field), ArrayRef<int64_t>{int64_t(i), int64_t(k)});
    LLVM::ReturnOp::create(b, loc, value);
    return global;
  }

  /// Bytes, a zero after them.
  LLVM::GlobalOp text(StringRef name, StringRef contents) {
    std::string bytes = contents.str() + '\0';
    return create(LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()), name, b.getStringAttr(bytes));
  }

  /// The global of a constant of a model.
  LLVM::GlobalOp constant(memref::GlobalOp global) {
    auto type = global.getType();
    Type array = type.getElementType();
    Attribute value = *global.getInitialValue();
    if (type.getRank() == 0)
      value = cast<DenseElementsAttr>(value).getSplatValue<Attribute>();
    for (int64_t size : llvm::reverse(type.getShape()))
      array = LLVM::LLVMArrayType::get(array, size);
    return create(array, global.getName(), value);
  }

  std::string symbolOf(StringRef name) const { return (prefix + ".gpu." + name).str(); }

private:
  LLVM::GlobalOp create(Type type, StringRef name, Attribute value) {
    b.setInsertionPointToStart(module.getBody());
    auto global = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, symbolOf(name),
                                         value, /*alignment=*/64);
    symbols.insert(global);
    return global;
  }

  Value emit(const Field &field) {
    if (field.bits)
      return LLVM::ConstantOp::create(b, loc, b.getIntegerType(field.bits),
                                      b.getIntegerAttr(b.getIntegerType(field.bits), field.value));
    if (field.symbol.empty())
      return LLVM::ZeroOp::create(b, loc, ptr);
    return LLVM::AddressOfOp::create(b, loc, ptr, field.symbol);
  }

  ModuleOp module;
  SymbolTable &symbols;
  StringRef prefix;
  Location loc;
  OpBuilder b;
  Type ptr;
};

struct LowerLaunches final : attn::impl::LowerLaunchesBase<LowerLaunches> {
  using Base::Base;
  using Field = TableBuilder::Field;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // One pass object runs once for each target.
    kernels.clear();
    constants.clear();
    const Target *target = lookupTarget(module->getAttrOfType<TargetAttr>(kTargetAttr).getName());
    LLVMTypeConverter types(&getContext());
    SymbolTable symbols(module);
    TableBuilder tables(module, symbols, prefix);
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      if (failed(lowerFunction(function, types, symbols)))
        return signalPassFailure();
    if (failed(createTables(module, *target, symbols, tables)))
      return signalPassFailure();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }

private:
  LogicalResult lowerFunction(func::FuncOp function, const LLVMTypeConverter &types, SymbolTable &symbols) {
    Value call;
    for (BlockArgument argument : function.getArguments())
      if (isa<LLVM::LLVMPointerType>(argument.getType()))
        call = argument;
    WalkResult result = function.walk([&](Operation *op) {
      if (isa<gpu::LaunchFuncOp, GetWeightOp, memref::GetGlobalOp, RunFlagOp>(op) && !call) {
        op->emitOpError("stands outside of an entry");
        return WalkResult::interrupt();
      }
      if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
        return WalkResult(lowerLaunch(launch, call, types, symbols));
      if (auto get = dyn_cast<GetWeightOp>(op))
        replaceByConstant(get, weightSymbol(prefix, get.getName()), call, types);
      else if (auto get = dyn_cast<memref::GetGlobalOp>(op))
        replaceByConstant(get, get.getName(), call, types);
      else if (auto flag = dyn_cast<RunFlagOp>(op))
        replaceByPointer(flag, loadField(flag, call, CallField::GpuFlag), types);
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  static Value loadField(Operation *op, Value call, CallField field) {
    OpBuilder b(op);
    return loadAt(b, op->getLoc(), LLVM::LLVMPointerType::get(op->getContext()), call, field);
  }

  static void replaceByPointer(Operation *op, Value pointer, const LLVMTypeConverter &types) {
    OpBuilder b(op);
    auto type = cast<MemRefType>(op->getResult(0).getType());
    Value descriptor = MemRefDescriptor::fromStaticShape(b, op->getLoc(), types, type, pointer);
    Value memref = UnrealizedConversionCastOp::create(b, op->getLoc(), TypeRange{type}, descriptor).getResult(0);
    op->getResult(0).replaceAllUsesWith(memref);
    op->erase();
  }

  /// The device's copy of the constant `symbol`.
  void replaceByConstant(Operation *op, StringRef symbol, Value call, const LLVMTypeConverter &types) {
    auto type = cast<MemRefType>(op->getResult(0).getType());
    int64_t bytes = type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    size_t number = constants
                        .try_emplace(StringAttr::get(&getContext(), symbol),
                                     Constant{constants.size(), bytes, isa<GetWeightOp>(op)})
                        .first->second.number;
    OpBuilder b(op);
    Type ptr = LLVM::LLVMPointerType::get(op->getContext());
    Value table = loadField(op, call, CallField::GpuConstants);
    replaceByPointer(op, loadAt(b, op->getLoc(), ptr, table, 8 * number), types);
  }

  /// Stores the arguments on the stack and calls the runtime with pointers to them.
  LogicalResult lowerLaunch(gpu::LaunchFuncOp op, Value call, const LLVMTypeConverter &types, SymbolTable &symbols) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    Type ptr = LLVM::LLVMPointerType::get(op.getContext()), i64 = b.getI64Type(), i32 = b.getI32Type();
    SmallVector<Value> values;
    for (Value operand : op.getKernelOperands()) {
      Type converted = types.convertType(operand.getType());
      if (!converted)
        return op.emitError("a kernel has an argument of type ") << operand.getType();
      Value value = operand;
      if (converted != operand.getType())
        value = UnrealizedConversionCastOp::create(b, loc, converted, operand).getResult(0);
      if (auto memref = dyn_cast<MemRefType>(operand.getType()))
        MemRefDescriptor::unpack(b, loc, value, memref, values);
      else
        values.push_back(value);
    }
    SmallVector<Type> fields = llvm::to_vector(ValueRange(values).getTypes());
    auto frame = LLVM::LLVMStructType::getLiteral(op.getContext(), fields);
    auto pointers = LLVM::LLVMArrayType::get(ptr, std::max<size_t>(fields.size(), 1));
    OpBuilder start = OpBuilder::atBlockBegin(&op->getParentOfType<func::FuncOp>().getBody().front());
    Value one = LLVM::ConstantOp::create(start, loc, i64, start.getI64IntegerAttr(1));
    Value memory = LLVM::AllocaOp::create(start, loc, ptr, frame, one, /*alignment=*/8);
    Value arguments = LLVM::AllocaOp::create(start, loc, ptr, pointers, one, /*alignment=*/8);
    for (auto [i, value] : llvm::enumerate(values)) {
      Value at = LLVM::GEPOp::create(b, loc, ptr, frame, memory, ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      LLVM::StoreOp::create(b, loc, value, at);
      Value slot = LLVM::GEPOp::create(b, loc, ptr, pointers, arguments, ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      LLVM::StoreOp::create(b, loc, at, slot);
    }
    Kernel &kernel = kernels.try_emplace(op.getKernelName(), Kernel{kernels.size(), 0}).first->second;
    if (Value shared = op.getDynamicSharedMemorySize()) {
      std::optional<int64_t> bytes = getConstantIntValue(shared);
      if (!bytes)
        return op.emitError("the size of dynamic shared memory is no constant");
      kernel.sharedBytes = std::max(kernel.sharedBytes, *bytes);
    }
    auto constant = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, i32, value); };
    Value blocks = arith::IndexCastOp::create(b, loc, i64, op.getGridSizeX());
    Value threads = arith::IndexCastOp::create(b, loc, i32, op.getBlockSizeX());
    func::CallOp::create(b, loc, launchFunction(op, symbols),
                         ValueRange{call, constant(kernel.number), blocks, threads, arguments});
    op.erase();
    return success();
  }

  /// The runtime's function, declared once a module.
  static func::FuncOp launchFunction(Operation *op, SymbolTable &symbols) {
    constexpr StringLiteral name = "attn_rt_v1_launch";
    if (auto found = symbols.lookup<func::FuncOp>(name))
      return found;
    OpBuilder b(op->getContext());
    Type ptr = LLVM::LLVMPointerType::get(op->getContext()), i64 = b.getI64Type(), i32 = b.getI32Type();
    auto function = func::FuncOp::create(b, op->getLoc(), name, b.getFunctionType({ptr, i32, i64, i32, ptr}, {}));
    function.setPrivate();
    symbols.insert(function);
    return function;
  }

  LogicalResult createTables(ModuleOp module, const Target &target, SymbolTable &symbols, TableBuilder &tables) {
    std::string image;
    for (auto binary : llvm::make_early_inc_range(module.getOps<gpu::BinaryOp>())) {
      if (!image.empty() || binary.getObjects().size() != 1)
        return binary.emitError("the kernels of a target are one image");
      auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
      image = tables.text("image", object.getObject().getValue()).getName().str();
      binary.erase();
    }
    SmallVector<SmallVector<Field>> kernelRows, constantRows;
    for (auto &[name, kernel] : kernels)
      kernelRows.push_back(
          {tables.address(tables.text("name." + name.str(), name).getName()), tables.i64(kernel.sharedBytes)});
    for (auto &[symbol, constant] : constants) {
      std::string name = constant.isWeight ? declareWeight(module, symbols, symbol, constant.bytes)
                                           : tables.constant(symbols.lookup<memref::GlobalOp>(symbol)).getName().str();
      constantRows.push_back({tables.address(name), tables.i64(constant.bytes)});
    }
    for (auto global : llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
      symbols.erase(global);
    auto address = [&](StringRef name, ArrayRef<SmallVector<Field>> rows) {
      return tables.address(rows.empty() ? StringRef() : tables.table(name, rows).getName());
    };
    Field kernelTable = address("kernels", kernelRows), constantTable = address("constants", constantRows);
    declareRuntime(module, symbols);
    LLVM::GlobalOp code =
        tables.table("code", {{tables.i32(target.computeCapability), tables.i32(target.exactCapability),
                               tables.address(image), kernelTable, tables.i64(kernels.size()), constantTable,
                               tables.i64(constants.size()), tables.address(kRuntime)}});
    SymbolTable::setSymbolVisibility(code, SymbolTable::Visibility::Public);
    symbols.remove(code);
    code.setName(gpuCodeSymbol(prefix, target.name));
    code.setLinkage(LLVM::Linkage::External);
    symbols.insert(code);
    return success();
  }

  std::string declareWeight(ModuleOp module, SymbolTable &symbols, StringRef symbol, int64_t bytes) {
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes);
    auto global = LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::External, symbol,
                                         Attribute(), /*alignment=*/64);
    global.setVisibility_(LLVM::Visibility::Hidden);
    symbols.insert(global);
    return symbol.str();
  }

  /// The runtime's functions for GPUs: what names them brings them into the library.
  static void declareRuntime(ModuleOp module, SymbolTable &symbols) {
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto global = LLVM::GlobalOp::create(b, module.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 1),
                                         /*isConstant=*/true, LLVM::Linkage::External, kRuntime, Attribute());
    global.setVisibility_(LLVM::Visibility::Hidden);
    symbols.insert(global);
  }

  static constexpr StringLiteral kRuntime = "attn_rt_v1_gpu";

  struct Constant {
    size_t number;
    int64_t bytes;
    bool isWeight;
  };
  struct Kernel {
    size_t number;
    int64_t sharedBytes;
  };
  llvm::MapVector<StringAttr, Kernel> kernels;
  llvm::MapVector<StringAttr, Constant> constants;
};

} // namespace
