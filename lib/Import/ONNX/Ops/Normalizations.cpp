//===- Normalizations.cpp - Norms and softmax --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Registry.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

void attn::onnx::registerNormalizations(Registry &registry) {}
