//===- LowerFunctions.cpp - Functions of numbers in kernels -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM has no library of functions for GPUs: what PTX has an instruction for is an intrinsic; exp, log, tanh and erf of
// f32 have become polynomials before; for the others there is no code.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_LOWERFUNCTIONS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The intrinsic that NVPTX has an instruction, or a few, for; empty: there is none.
static StringRef intrinsicOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](math::SqrtOp) { return "llvm.sqrt"; })
      .Case([](math::AbsFOp) { return "llvm.fabs"; })
      .Case([](math::CeilOp) { return "llvm.ceil"; })
      .Case([](math::FloorOp) { return "llvm.floor"; })
      .Case([](math::TruncOp) { return "llvm.trunc"; })
      .Case([](math::RoundOp) { return "llvm.round"; })
      .Case([](math::RoundEvenOp) { return "llvm.roundeven"; })
      .Case([](math::CopySignOp) { return "llvm.copysign"; })
      .Case([](math::FmaOp) { return "llvm.fma"; })
      .Case([](arith::MaxNumFOp) { return "llvm.maxnum"; })
      .Case([](arith::MinNumFOp) { return "llvm.minnum"; })
      .Default([](Operation *) { return ""; });
}

/// What a conversion would make a call of; not what becomes integer or comparison instructions.
static bool isFunction(Operation *op) {
  if (isa<arith::MaxNumFOp, arith::MinNumFOp, arith::RemFOp>(op))
    return true;
  return isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
         !isa<math::AbsIOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp, math::IsNaNOp,
              math::IsInfOp, math::IsFiniteOp, math::IsNormalOp>(op);
}

namespace {

struct LowerFunctions final : attn::impl::LowerFunctionsBase<LowerFunctions> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([](Operation *op) {
      if (!isFunction(op))
        return WalkResult::advance();
      StringRef intrinsic = intrinsicOf(op);
      Type type = op->getResult(0).getType();
      if (intrinsic.empty() || !(type.isF32() || type.isF64())) {
        op->emitError() << "'" << op->getName() << "' of " << type
                        << " has no code for GPU targets; compile the model for a CPU target";
        return WalkResult::interrupt();
      }
      OpBuilder b(op);
      auto call = LLVM::CallIntrinsicOp::create(b, op->getLoc(), type, b.getStringAttr(intrinsic), op->getOperands());
      op->getResult(0).replaceAllUsesWith(call.getResult(0));
      op->erase();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
