//===- ApproximateGelu.cpp - Use the tanh form of GELU everywhere -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Pass/Pass.h"

namespace example {
#define GEN_PASS_DEF_APPROXIMATEGELU
#include "Passes.h.inc"

namespace {
struct ApproximateGelu final : impl::ApproximateGeluBase<ApproximateGelu> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([](attn::GeluOp gelu) { gelu.setApproximate(true); });
  }
};
} // namespace
} // namespace example
