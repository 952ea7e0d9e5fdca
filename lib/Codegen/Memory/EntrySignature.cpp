//===- EntrySignature.cpp - Symbolic dimensions of an entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"

using namespace mlir;
using namespace attn;

/// The symbol of dimension `dim` of argument `arg`, empty where there is none.
static StringRef symbolOf(func::FuncOp entry, unsigned arg, int64_t dim) {
  auto shape = entry.getArgAttrOfType<ArrayAttr>(arg, kShapeAttr);
  if (!shape || dim < 0 || dim >= int64_t(shape.size()))
    return {};
  auto symbol = llvm::dyn_cast<StringAttr>(shape[dim]);
  return symbol ? symbol.getValue() : StringRef();
}

EntrySignature::EntrySignature(func::FuncOp entry) : entry(entry) {
  for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg) {
    auto type = llvm::dyn_cast<ShapedType>(entry.getArgumentTypes()[arg]);
    for (int64_t dim = 0; type && type.hasRank() && dim < type.getRank(); ++dim) {
      StringRef symbol = symbolOf(entry, arg, dim);
      if (!symbol.empty() && !llvm::is_contained(dims, symbol))
        dims.push_back(symbol.str());
    }
  }
}

std::optional<unsigned> EntrySignature::getDim(unsigned arg, int64_t dim) const {
  StringRef symbol = symbolOf(entry, arg, dim);
  const auto *it = llvm::find(dims, symbol);
  if (symbol.empty() || it == dims.end())
    return std::nullopt;
  return it - dims.begin();
}

std::string attn::workspaceFunctionName(StringRef entry) { return (entry + ".workspace").str(); }
