//===- VerifyDevice.cpp - Kernels call nothing outside of their module --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A call into NVIDIA's library of functions would compile only where a CUDA toolkit is installed.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYDEVICE
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct VerifyDevice final : attn::impl::VerifyDeviceBase<VerifyDevice> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    WalkResult result = getOperation().walk([&](LLVM::CallOp call) {
      auto callee = symbols.lookup<LLVM::LLVMFuncOp>(call.getCallee().value_or(""));
      if (callee && !callee.isExternal())
        return WalkResult::advance();
      call.emitError() << "'" << call.getCallee().value_or("a function")
                       << "' has no code for GPU targets; compile the model for a CPU target";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
