//===- LowerWeights.cpp - Address weights as external symbols -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Conversion/AttnToLLVM/Symbols.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_LOWERWEIGHTS
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct LowerWeights final : attn::impl::LowerWeightsBase<LowerWeights> {
  using Base::Base;

  void runOnOperation() override {
    LLVMTypeConverter types(&getContext());
    SymbolTable symbols(getOperation());
    getOperation().walk([&](GetWeightOp get) {
      OpBuilder b(get);
      auto type = llvm::cast<MemRefType>(get.getResult().getType());
      LLVM::GlobalOp global = globalFor(symbols, get, type);
      Value pointer = LLVM::AddressOfOp::create(b, get.getLoc(), global);
      Value descriptor = MemRefDescriptor::fromStaticShape(b, get.getLoc(), types, type, pointer);
      Value memref = UnrealizedConversionCastOp::create(b, get.getLoc(), TypeRange{type}, descriptor).getResult(0);
      get.getResult().replaceAllUsesWith(memref);
      get.erase();
    });
  }

  LLVM::GlobalOp globalFor(SymbolTable &symbols, GetWeightOp get, MemRefType type) {
    std::string name = weightSymbol(prefix, get.getName());
    if (auto found = symbols.lookup<LLVM::GlobalOp>(name))
      return found;
    OpBuilder b(get.getContext());
    auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(),
                                          type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    auto global = LLVM::GlobalOp::create(b, get.getLoc(), bytes, /*isConstant=*/true, LLVM::Linkage::External, name,
                                         Attribute(), /*alignment=*/64);
    global.setVisibility_(LLVM::Visibility::Hidden);
    symbols.insert(global, getOperation().getBody()->begin());
    return global;
  }
};

} // namespace
