//===- Size.cpp - Sizes of tensors as polynomials ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Size.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn::onnx;

Size::Size(int64_t constant) { add({}, constant); }

Size Size::of(Symbol symbol) {
  Size size;
  size.add({symbol}, 1);
  return size;
}

Size Size::invalid() {
  Size size;
  size.valid = false;
  return size;
}

std::optional<int64_t> Size::getConstant() const {
  if (!valid || terms.size() > 1 || (terms.size() == 1 && !terms.front().symbols.empty()))
    return std::nullopt;
  return terms.empty() ? 0 : terms.front().coefficient;
}

std::optional<Symbol> Size::getSymbol() const {
  if (!valid || terms.size() != 1 || terms.front().coefficient != 1 || terms.front().symbols.size() != 1)
    return std::nullopt;
  return terms.front().symbols.front();
}

void Size::add(ArrayRef<Symbol> symbols, int64_t coefficient) {
  auto less = [](const Term &term, ArrayRef<Symbol> key) {
    return std::lexicographical_compare(term.symbols.begin(), term.symbols.end(), key.begin(), key.end());
  };
  auto *at = llvm::lower_bound(terms, symbols, less);
  if (at == terms.end() || ArrayRef<Symbol>(at->symbols) != symbols) {
    if (coefficient != 0)
      terms.insert(at, Term{llvm::SmallVector<Symbol, 0>(symbols), coefficient});
    return;
  }
  if (llvm::AddOverflow(at->coefficient, coefficient, at->coefficient))
    valid = false;
  if (at->coefficient == 0)
    terms.erase(at);
}

Size Size::operator+(const Size &other) const {
  Size sum = *this;
  sum.valid &= other.valid;
  for (const Term &term : other.terms)
    sum.add(term.symbols, term.coefficient);
  return sum;
}

Size Size::operator-(const Size &other) const { return *this + other * Size(-1); }

Size Size::operator*(const Size &other) const {
  Size product;
  product.valid = valid && other.valid;
  for (const Term &a : terms)
    for (const Term &b : other.terms) {
      llvm::SmallVector<Symbol, 0> symbols(a.symbols);
      symbols.append(b.symbols.begin(), b.symbols.end());
      llvm::sort(symbols);
      int64_t coefficient = 0;
      if (llvm::MulOverflow(a.coefficient, b.coefficient, coefficient))
        product.valid = false;
      product.add(symbols, coefficient);
    }
  return product;
}

std::optional<Size> Size::dividedBy(const Size &divisor) const {
  if (!valid || !divisor.valid || divisor.terms.size() != 1)
    return std::nullopt;
  const Term &by = divisor.terms.front();
  Size quotient;
  for (const Term &term : terms) {
    if (term.coefficient % by.coefficient != 0 ||
        !std::includes(term.symbols.begin(), term.symbols.end(), by.symbols.begin(), by.symbols.end()))
      return std::nullopt;
    llvm::SmallVector<Symbol, 0> rest;
    std::set_difference(term.symbols.begin(), term.symbols.end(), by.symbols.begin(), by.symbols.end(),
                        std::back_inserter(rest));
    quotient.add(rest, term.coefficient / by.coefficient);
  }
  return quotient;
}

Size Size::mapped(llvm::function_ref<Size(Symbol)> replacement) const {
  Size result;
  result.valid = valid;
  for (const Term &term : terms) {
    Size product(term.coefficient);
    for (Symbol symbol : term.symbols)
      product = product * replacement(symbol);
    result = result + product;
  }
  return result;
}

Size attn::onnx::productOf(ArrayRef<Size> sizes) {
  Size product(1);
  for (const Size &size : sizes)
    product = product * size;
  return product;
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

Symbol Symbols::named(StringRef name, Value value) {
  for (auto [i, info] : llvm::enumerate(symbols))
    if (info.name == name)
      return find(i);
  symbols.push_back({name.str(), value, Symbol(symbols.size()), std::nullopt});
  return symbols.size() - 1;
}

Symbol Symbols::derived(Value value) {
  symbols.push_back({"", value, Symbol(symbols.size()), std::nullopt});
  return symbols.size() - 1;
}

Symbol Symbols::find(Symbol symbol) const {
  while (symbols[symbol].parent != symbol)
    symbol = symbols[symbol].parent;
  return symbol;
}

Size Symbols::canonical(const Size &size) const {
  return size.mapped([&](Symbol symbol) {
    const Info &info = symbols[find(symbol)];
    return info.definition ? canonical(*info.definition) : Size::of(find(symbol));
  });
}

std::optional<Size> Symbols::definitionOf(Symbol symbol) const {
  const Info &info = symbols[find(symbol)];
  return info.definition ? std::optional(canonical(*info.definition)) : std::nullopt;
}

bool Symbols::isComputable(const Size &size) const {
  Size normal = canonical(size);
  return normal.isValid() && llvm::all_of(normal.getTerms(), [&](const Size::Term &term) {
           return llvm::all_of(term.symbols, [&](Symbol symbol) { return !symbols[symbol].name.empty(); });
         });
}

bool Symbols::unify(const Size &a, const Size &b) {
  if (equal(a, b))
    return true;
  if (!isComputable(a) || !isComputable(b))
    return false;
  Size left = canonical(a), right = canonical(b);
  std::optional<Symbol> x = left.getSymbol(), y = right.getSymbol();
  if (x && y) {
    symbols[std::max(*x, *y)].parent = std::min(*x, *y);
    return true;
  }
  // A number would make the tensors' types static, which they are not.
  if (left.getConstant() || right.getConstant() || (!x && !y))
    return false;
  const Size &formula = x ? right : left;
  Symbol symbol = x ? *x : *y;
  if (llvm::any_of(formula.getTerms(),
                   [&](const Size::Term &term) { return llvm::is_contained(term.symbols, symbol); }))
    return false;
  symbols[symbol].definition = formula;
  return true;
}

bool Symbols::limit(const Size &size, int64_t most) {
  std::optional<Symbol> symbol = size.getSymbol();
  if (!symbol || nameOf(*symbol).empty())
    return false;
  symbols[*symbol].most = std::min(symbols[*symbol].most, most);
  return true;
}

llvm::SmallVector<std::pair<StringRef, int64_t>> Symbols::getLimits() const {
  llvm::SmallVector<std::pair<StringRef, int64_t>> limits;
  for (auto [i, info] : llvm::enumerate(symbols))
    if (info.most != std::numeric_limits<int64_t>::max())
      limits.emplace_back(nameOf(i), info.most);
  return limits;
}

OpFoldResult Symbols::materialize(OpBuilder &builder, Location loc, const Size &size) const {
  if (!size.isValid()) // an error is on its way
    return builder.getIndexAttr(0);
  if (std::optional<int64_t> constant = size.getConstant())
    return builder.getIndexAttr(*constant);
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  Value sum;
  Size normal = canonical(size);
  for (const Size::Term &term : normal.getTerms()) {
    Value product;
    for (Symbol symbol : term.symbols) {
      Value value = symbols[symbol].value;
      product = product ? arith::MulIOp::create(builder, loc, product, value).getResult() : value;
    }
    if (!product)
      product = index(term.coefficient);
    else if (term.coefficient != 1)
      product = arith::MulIOp::create(builder, loc, product, index(term.coefficient));
    sum = sum ? arith::AddIOp::create(builder, loc, sum, product).getResult() : product;
  }
  return sum;
}

std::string Symbols::toString(const Size &size) const {
  if (!size.isValid())
    return "(overflow)";
  if (std::optional<int64_t> constant = size.getConstant())
    return std::to_string(*constant);
  std::string text;
  Size normal = canonical(size);
  for (const Size::Term &term : llvm::reverse(normal.getTerms())) {
    std::string product = term.coefficient == 1 && !term.symbols.empty() ? "" : std::to_string(term.coefficient);
    for (Symbol symbol : term.symbols) {
      StringRef name = symbols[symbol].name;
      product += (product.empty() ? "" : " * ") + (name.empty() ? std::string("?") : name.str());
    }
    text += (text.empty() ? "" : " + ") + product;
  }
  return text;
}

std::string Symbols::toString(ArrayRef<Size> shape) const {
  std::string text = "[";
  for (auto [i, size] : llvm::enumerate(shape))
    text += (i ? ", " : "") + toString(size);
  return text + "]";
}
