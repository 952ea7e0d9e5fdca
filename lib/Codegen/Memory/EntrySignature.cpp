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

bool attn::isStrided(Type type) {
  auto memref = llvm::dyn_cast<MemRefType>(type);
  return memref && !memref.getLayout().isIdentity();
}

EntrySignature::EntrySignature(func::FuncOp entry) : entry(entry) {
  for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg) {
    auto type = llvm::dyn_cast<ShapedType>(entry.getArgumentTypes()[arg]);
    for (int64_t dim = 0; type && type.hasRank() && dim < type.getRank(); ++dim)
      add(symbolOf(entry, arg, dim));
  }
  if (auto all = entry->getAttrOfType<DictionaryAttr>(kDimsAttr))
    for (NamedAttribute dim : all)
      add(dim.getName());
}

void EntrySignature::add(StringRef symbol) {
  if (symbol.empty() || llvm::is_contained(dims, symbol) || !visiting.insert(symbol).second)
    return;
  auto addFactors = [&](ArrayAttr term) {
    for (Attribute factor : term.getValue().drop_front())
      add(llvm::cast<StringAttr>(factor).getValue());
  };
  if (DimAttr known = attn::getDim(entry, symbol)) {
    for (Attribute term : known.getTerms() ? known.getTerms().getValue() : ArrayRef<Attribute>())
      addFactors(llvm::cast<ArrayAttr>(term));
    if (known.getDivisor())
      addFactors(known.getDivisor());
  }
  dims.push_back(symbol.str());
}

std::optional<unsigned> EntrySignature::getDim(unsigned arg, int64_t dim) const {
  StringRef symbol = symbolOf(entry, arg, dim);
  const auto *it = llvm::find(dims, symbol);
  if (symbol.empty() || it == dims.end())
    return std::nullopt;
  return it - dims.begin();
}

std::string attn::workspaceFunctionName(StringRef entry) { return (entry + ".workspace").str(); }
