//===- Bufferize.cpp - Tensors become buffers -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"

namespace attn {
#define GEN_PASS_DEF_BUFFERIZE
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Any strides but the last, which is 1.
MemRefType stridedRows(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  auto layout = StridedLayoutAttr::get(type.getContext(), /*offset=*/0, strides);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

struct Bufferize final : attn::impl::BufferizeBase<Bufferize> {
  using Base::Base;

  void runOnOperation() override {
    // A converter sees types only, so arguments of one type get one layout.
    llvm::DenseSet<std::pair<Operation *, Type>> strided;
    for (func::FuncOp entry : getOperation().getOps<func::FuncOp>())
      for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg)
        if (auto input = entry.getArgAttrOfType<IntegerAttr>(arg, kStateAttr))
          for (Type type : {entry.getArgumentTypes()[arg], entry.getArgumentTypes()[input.getInt()]})
            if (auto tensor = llvm::dyn_cast<RankedTensorType>(type); tensor && tensor.getRank() > 1)
              strided.insert({entry, type});

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    auto dense = options.functionArgTypeConverterFn;
    options.functionArgTypeConverterFn =
        [&](bufferization::TensorLikeType type, Attribute space, func::FuncOp function,
            const bufferization::BufferizationOptions &all) -> bufferization::BufferLikeType {
      if (strided.contains({function, type}))
        return llvm::cast<bufferization::BufferLikeType>(stridedRows(llvm::cast<RankedTensorType>(Type(type))));
      return dense(type, space, function, all);
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotModuleBufferize(getOperation(), options, state)))
      signalPassFailure();
  }
};

} // namespace
