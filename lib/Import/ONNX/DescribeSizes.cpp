//===- DescribeSizes.cpp - What a library has to know of its sizes *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Symbols.h"
#include "attn/Dialect/Attn/IR/Attn.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// Collects the descriptions of dimensions.
class Symbols::Description {
public:
  Description(const Symbols &symbols, MLIRContext *context) : symbols(symbols), builder(context) {}

  void add(const Size &size) {
    if (std::optional<Symbol> symbol = size.getSymbol())
      return addSymbol(symbols.find(*symbol));
    Size terms = symbols.shortened(size);
    if (std::optional<Symbol> symbol = terms.getSymbol())
      return addSymbol(*symbol);
    if (!terms.getConstant())
      set(symbols.toString(size), termsOf(terms), {}, false, 0, kUnlimited);
  }

  void addSymbol(Symbol symbol) {
    const Info &info = symbols.symbols[symbol];
    if (info.definition && symbols.canonical(*info.definition).getConstant())
      return; // a static size
    ArrayAttr terms, divisor;
    if (info.definition) {
      terms = termsOf(symbols.shortened(*info.definition));
    } else if (info.quotient) {
      terms = termsOf(symbols.withoutConsequences(info.quotient->dividend));
      divisor = llvm::cast<ArrayAttr>(termsOf(symbols.withoutConsequences(info.quotient->divisor))[0]);
    }
    if (terms || info.least > 0 || info.most != kUnlimited)
      set(info.name, terms, divisor, divisor && info.quotient->isExact, info.least, info.most);
  }

  void addCondition(const Condition &condition) {
    Size size = symbols.withoutConsequences(condition.size);
    set(symbols.spell(size), termsOf(size), {}, false, condition.least, condition.most);
  }

  DictionaryAttr get() { return dims.getDictionary(builder.getContext()); }

private:
  void set(StringRef name, ArrayAttr terms, ArrayAttr divisor, bool isExact, int64_t least, int64_t most) {
    if (auto known = llvm::dyn_cast_or_null<DimAttr>(dims.get(name))) {
      least = std::max(least, known.getMin());
      most = std::min(most, known.getMax());
    }
    dims.set(name, DimAttr::get(builder.getContext(), terms, divisor, isExact, least, most));
  }

  /// The terms, of which all symbols are described.
  ArrayAttr termsOf(const Size &size) {
    SmallVector<Attribute> terms;
    for (const Size::Term &term : size.getTerms()) {
      SmallVector<Attribute> parts{builder.getI64IntegerAttr(term.coefficient)};
      for (Symbol factor : term.symbols) {
        addSymbol(factor);
        parts.push_back(builder.getStringAttr(symbols.symbols[factor].name));
      }
      terms.push_back(builder.getArrayAttr(parts));
    }
    return builder.getArrayAttr(terms);
  }

  const Symbols &symbols;
  Builder builder;
  NamedAttrList dims;
};

DictionaryAttr Symbols::describe(MLIRContext *context, ArrayRef<Size> used) const {
  Description description(*this, context);
  for (const Size &size : used)
    description.add(size);
  for (auto [i, info] : llvm::enumerate(symbols))
    if (find(i) == i && !info.name.empty() &&
        ((info.quotient && info.quotient->isExact) || info.definition || info.least > 0 || info.most != kUnlimited))
      description.addSymbol(i);
  for (const Condition &condition : conditions)
    description.addCondition(condition);
  return description.get();
}
