//===- BuildKernels.cpp - Build the GPU kernels that ops are scheduled for --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops stay where they are and refer to their kernels: how a kernel is launched is the host's business.
//
//===----------------------------------------------------------------------===//

#include "KernelModule.h"
#include "attn/Codegen/GPU/AttentionKernel.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Codegen/Schedule/GPUSupport.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"

namespace attn {
#define GEN_PASS_DEF_BUILDKERNELS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// From op to kernel
//===----------------------------------------------------------------------===//

/// The kernel of an op that is scheduled for `schedule`, or an error that says what the kernel cannot do.
static FailureOr<AttentionKernelSpec> specify(AttentionOp op, GPUAttentionKernelAttr schedule) {
  if (std::string why = whyNotOnTensorCores(op); !why.empty())
    return op.emitError(why);
  int64_t headSize = op.getStaticExtent(AttentionOp::QueryChannel);
  bool fits =
      schedule.isWgmma() ? headSize <= schedule.getHeadSize() && headSize % 8 == 0 : headSize == schedule.getHeadSize();
  if (!fits)
    return op.emitError() << "a head size of " << headSize << " does not fit the kernel's, " << schedule.getHeadSize();
  return AttentionKernelSpec{schedule, getElementTypeOrSelf(op.getQuery().getType()), !op.getMask().empty(),
                             static_cast<bool>(op.getLogSumExp())};
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct BuildKernels final : attn::impl::BuildKernelsBase<BuildKernels> {
  using Base::Base;

  void runOnOperation() override {
    // One pass object runs once for each target.
    kernels.clear();
    WalkResult result = getOperation().walk([&](AttentionOp op) {
      auto schedule = op.getScheduleAttr();
      auto kernel = schedule ? dyn_cast<GPUAttentionKernelAttr>(schedule.getKernel()) : GPUAttentionKernelAttr();
      if (!kernel)
        return WalkResult::advance();
      FailureOr<AttentionKernelSpec> spec = specify(op, kernel);
      if (failed(spec))
        return WalkResult::interrupt();
      op->setAttr(kGPUKernelAttr, getOrBuild(op, *spec));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// A reference to the kernel of `spec`.
  SymbolRefAttr getOrBuild(AttentionOp op, const AttentionKernelSpec &spec) {
    ++numOps;
    gpu::GPUModuleOp module = getOrCreateKernelModule(op->getParentOfType<ModuleOp>(), spec.schedule.getChip());
    auto reference = [&](StringRef name) {
      return SymbolRefAttr::get(module.getNameAttr(), FlatSymbolRefAttr::get(&getContext(), name));
    };
    for (const auto &[place, built, name] : kernels)
      if (place == module && built == spec)
        return reference(name);
    ++numKernels;
    std::string base = getKernelName(spec), name = base;
    for (unsigned i = 1; module.lookupSymbol(name); ++i)
      name = base + "_" + std::to_string(i);
    buildAttentionKernel(module, op.getLoc(), name, spec);
    kernels.push_back({module, spec, name});
    return reference(name);
  }

  struct Kernel {
    gpu::GPUModuleOp module;
    AttentionKernelSpec spec;
    std::string name;
  };
  SmallVector<Kernel> kernels;
};

} // namespace
