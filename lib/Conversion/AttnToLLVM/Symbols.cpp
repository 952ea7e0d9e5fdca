//===- Symbols.cpp - Names of symbols in the object file -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Symbols.h"

using namespace llvm;

std::string attn::runSymbol(StringRef prefix, StringRef entry, StringRef target) {
  return (prefix + "." + entry + "." + target + ".run").str();
}
std::string attn::workspaceSymbol(StringRef prefix, StringRef entry, StringRef target) {
  return (prefix + "." + entry + "." + target + ".workspace").str();
}
std::string attn::gpuCodeSymbol(StringRef prefix, StringRef target) { return (prefix + "." + target + ".gpu").str(); }
std::string attn::weightSymbol(StringRef prefix, StringRef weight) { return (prefix + ".weight." + weight).str(); }
