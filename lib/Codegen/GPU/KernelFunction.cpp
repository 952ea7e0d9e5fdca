//===- KernelFunction.cpp - The function of a GPU kernel and its arguments --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

/// All dynamic shared memory. LLVM's external array and not gpu.dynamic_shared_memory, which becomes one byte aligned
/// to 16 where a function also has static shared memory; the swizzle of tiles needs 1024.
static constexpr StringLiteral kSharedMemory = "attn_shared_memory";

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

static bool isTensorMap(GPUArgumentKind kind) {
  return llvm::is_contained(
      {GPUArgumentKind::QueryMap, GPUArgumentKind::KeyMap, GPUArgumentKind::ValueMap, GPUArgumentKind::OutputMap},
      kind);
}

static bool isStrides(GPUArgumentKind kind) {
  return llvm::is_contained({GPUArgumentKind::QueryStrides, GPUArgumentKind::KeyStrides, GPUArgumentKind::ValueStrides,
                             GPUArgumentKind::OutputStrides},
                            kind);
}

/// The types of the function's arguments that `kind` stands for.
static SmallVector<Type> typesOf(GPUArgumentKind kind, OpBuilder &builder) {
  MLIRContext *context = builder.getContext();
  if (isTensorMap(kind))
    return {LLVM::LLVMPointerType::get(context)};
  if (isStrides(kind))
    return SmallVector<Type>(3, builder.getI64Type());
  switch (kind) {
  case GPUArgumentKind::Query:
  case GPUArgumentKind::Key:
  case GPUArgumentKind::Value:
  case GPUArgumentKind::Output:
  case GPUArgumentKind::LogSumExp:
  case GPUArgumentKind::TileCounter:
    return {LLVM::LLVMPointerType::get(context, ThreadEmitter::Global)};
  case GPUArgumentKind::Scale:
    return {builder.getF32Type()};
  default:
    return {builder.getI32Type()};
  }
}

/// A tensor map is passed by value and read where the launch put it: 128 bytes, which the TMA unit wants aligned to 64.
static DictionaryAttr tensorMapAttributes(OpBuilder &builder) {
  Type bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 128);
  return builder.getDictionaryAttr({builder.getNamedAttr("llvm.byval", TypeAttr::get(bytes)),
                                    builder.getNamedAttr("llvm.align", builder.getI64IntegerAttr(64)),
                                    builder.getNamedAttr("nvvm.grid_constant", builder.getUnitAttr())});
}

LLVM::LLVMFuncOp KernelFunction::create(gpu::GPUModuleOp module, Location loc, StringRef name, GPULaunchAttr launch) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  if (!module.lookupSymbol(kSharedMemory))
    LLVM::GlobalOp::create(builder, loc, LLVM::LLVMArrayType::get(builder.getI8Type(), 0), /*isConstant=*/false,
                           LLVM::Linkage::External, kSharedMemory, Attribute(), /*alignment=*/1024,
                           ThreadEmitter::Shared);

  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  for (GPUArgumentAttr argument : launch.getArguments())
    for (Type type : typesOf(argument.getKind(), builder)) {
      types.push_back(type);
      attributes.push_back(isTensorMap(argument.getKind()) ? tensorMapAttributes(builder)
                                                           : builder.getDictionaryAttr({}));
    }
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()), types);
  auto function = LLVM::LLVMFuncOp::create(builder, loc, name, type);
  function.setArgAttrsAttr(builder.getArrayAttr(SmallVector<Attribute>(attributes.begin(), attributes.end())));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  // The exact number of threads: without it registers cannot move between warps (setmaxnreg is ignored).
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                    builder.getDenseI32ArrayAttr({int32_t(launch.getThreads()), 1, 1}));
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), builder.getI32IntegerAttr(1));
  function->setAttr(kGPULaunchAttr, launch);
  return function;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

KernelFunction::KernelFunction(OpBuilder &builder, LLVM::LLVMFuncOp function, GPULaunchAttr launch)
    : function(function), launch(launch), emit(builder, function) {
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  sharedBase = emit.create<LLVM::AddressOfOp>(emit.pointer(ThreadEmitter::Shared), kSharedMemory);
}

Value KernelFunction::argument(GPUArgumentKind kind, unsigned part) {
  unsigned index = 0;
  for (GPUArgumentAttr argument : launch.getArguments()) {
    if (argument.getKind() == kind)
      return function.getArgument(index + part);
    index += isStrides(argument.getKind()) ? 3 : 1;
  }
  return {};
}

Value KernelFunction::sharedAddress(int64_t offset) {
  return emit.add(emit.create<LLVM::PtrToIntOp>(emit.i32(), sharedBase), offset);
}

Value KernelFunction::threadIndex() { return emit.create<NVVM::ThreadIdXOp>(emit.i32()); }
Value KernelFunction::blockIndex() { return emit.create<NVVM::BlockIdXOp>(emit.i32()); }
Value KernelFunction::blockCount() { return emit.create<NVVM::GridDimXOp>(emit.i32()); }
