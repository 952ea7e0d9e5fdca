//===- KernelPattern.h - What the kernels' patterns share -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_KERNELPATTERN_H
#define ATTN_LIB_CODEGEN_CPU_KERNELPATTERN_H

#include "attn/Codegen/CPU/Patterns.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace attn {

/// True for ops of the stage: on memrefs, with a kernel attribute.
inline bool hasKernel(mlir::Operation *op) {
  auto kernelOp = llvm::dyn_cast<KernelOpInterface>(op);
  return kernelOp && kernelOp.getKernelAttribute() && op->getNumResults() == 0;
}

/// Why the operands of a kernel op are not what kernels read and write, empty where they are: indices, and memrefs
/// whose last dimension is contiguous and, but for tables of indices and masks, of f32.
std::string whyNoKernelOperands(mlir::Operation *op);

/// Matches ops that are ready to be expanded and have a kernel.
template <typename OpTy>
struct KernelPattern : mlir::OpRewritePattern<OpTy> {
  using mlir::OpRewritePattern<OpTy>::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(OpTy op, mlir::PatternRewriter &rewriter) const final {
    if (!hasKernel(op))
      return rewriter.notifyMatchFailure(op, "not on memrefs or without a kernel attribute");
    if (std::string why = whyNoKernel(op); !why.empty())
      return rewriter.notifyMatchFailure(op, why);
    emit(op, rewriter);
    rewriter.eraseOp(op);
    return mlir::success();
  }
  /// Emits the kernel before `op`.
  virtual void emit(OpTy op, mlir::PatternRewriter &rewriter) const = 0;
};

/// Expands what `patterns` match below `root`, and says of each op of types `OpTys` that is left why.
template <typename... OpTys>
mlir::LogicalResult expandKernels(mlir::Operation *root, mlir::RewritePatternSet &&patterns) {
  mlir::walkAndApplyPatterns(root, std::move(patterns));
  bool failed = false;
  auto check = [&](auto op) {
    if (!hasKernel(op))
      return;
    op.emitError("no kernel for '") << op->getName() << "': " << whyNoKernel(op);
    failed = true;
  };
  (root->walk([&](OpTys op) { check(op); }), ...);
  return mlir::failure(failed);
}

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_KERNELPATTERN_H
