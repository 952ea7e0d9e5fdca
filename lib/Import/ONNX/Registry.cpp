//===- Registry.cpp - Importers of nodes by op ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registry.h"

using namespace attn::onnx;
using llvm::StringRef;

Registry::Registry() {
  registerElementwise(*this);
  registerShapes(*this);
  registerIndexing(*this);
  registerReductions(*this);
  registerMatrixProducts(*this);
  registerNormalizations(*this);
  registerAttention(*this);
  registerSoftmax(*this);
  registerEinsum(*this);
  registerChannelNorms(*this);
  registerQuantization(*this);
  registerConvolutions(*this);
  registerPools(*this);
  registerControlFlow(*this);
  registerLoops(*this);
  registerRecurrent(*this);
  registerMicrosoft(*this);
}

static std::string keyOf(StringRef domain, StringRef op) {
  // "ai.onnx" is the long name of the empty domain.
  return ((domain == "ai.onnx" ? "" : domain) + ":" + op).str();
}

void Registry::add(StringRef op, NodeImporter import, int64_t since, StringRef domain) {
  importers[keyOf(domain, op)].push_back({since, import});
}

NodeImporter Registry::lookup(StringRef domain, StringRef op, int64_t opset) const {
  auto found = importers.find(keyOf(domain, op));
  NodeImporter best = nullptr;
  int64_t newest = 0;
  if (found != importers.end())
    for (auto [since, import] : found->getValue())
      if (since <= opset && since > newest) {
        newest = since;
        best = import;
      }
  return best;
}
