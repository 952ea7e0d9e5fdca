//===- Size.cpp - Sizes of tensors as polynomials ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Size.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

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

/// The quotient of two products.
static std::optional<Size> divideTerm(const Size::Term &term, const Size::Term &by) {
  // The least number has no negative.
  if (by.coefficient == -1 && term.coefficient == std::numeric_limits<int64_t>::min())
    return std::nullopt;
  if (term.coefficient % by.coefficient != 0 ||
      !std::includes(term.symbols.begin(), term.symbols.end(), by.symbols.begin(), by.symbols.end()))
    return std::nullopt;
  llvm::SmallVector<Symbol, 0> rest;
  std::set_difference(term.symbols.begin(), term.symbols.end(), by.symbols.begin(), by.symbols.end(),
                      std::back_inserter(rest));
  Size quotient(term.coefficient / by.coefficient);
  for (Symbol symbol : rest)
    quotient = quotient * Size::of(symbol);
  return quotient;
}

/// The term of the highest degree, of several the last: products keep this order, as division needs it.
static const Size::Term &leadingTerm(const Size &size) {
  return *std::max_element(size.getTerms().begin(), size.getTerms().end(), [](const auto &a, const auto &b) {
    return a.symbols.size() != b.symbols.size() ? a.symbols.size() < b.symbols.size() : a.symbols < b.symbols;
  });
}

std::optional<Size> Size::dividedBy(const Size &divisor) const {
  if (!valid || !divisor.valid || divisor.terms.empty())
    return std::nullopt;
  Size rest = *this, quotient;
  // Each step takes away the leading term; no polynomial that means something has many.
  for (int step = 0; !rest.terms.empty(); ++step) {
    std::optional<Size> part = divideTerm(leadingTerm(rest), leadingTerm(divisor));
    if (!part || step == 64)
      return std::nullopt;
    quotient = quotient + *part;
    rest = rest - *part * divisor;
    if (!rest.valid)
      return std::nullopt;
  }
  return quotient;
}

bool Size::contains(Symbol symbol) const {
  return llvm::any_of(terms, [&](const Term &term) { return llvm::is_contained(term.symbols, symbol); });
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

/// The largest number that divides both, or half of it where that has no sign bit to spare.
static int64_t commonDivisor(int64_t a, int64_t b) {
  uint64_t divisor = std::gcd(llvm::AbsoluteValue(a), llvm::AbsoluteValue(b));
  return divisor >> 63 ? int64_t(divisor >> 1) : int64_t(divisor);
}

Size attn::onnx::commonFactor(ArrayRef<Size> sizes) {
  std::optional<llvm::SmallVector<Symbol, 0>> common;
  int64_t coefficient = 0;
  for (const Size &size : sizes)
    for (const Size::Term &term : size.getTerms()) {
      llvm::SmallVector<Symbol, 0> shared;
      if (common)
        std::set_intersection(common->begin(), common->end(), term.symbols.begin(), term.symbols.end(),
                              std::back_inserter(shared));
      common = common ? std::move(shared) : term.symbols;
      coefficient = commonDivisor(coefficient, term.coefficient);
    }
  Size factor(coefficient);
  for (Symbol symbol : common.value_or(llvm::SmallVector<Symbol, 0>()))
    factor = factor * Size::of(symbol);
  return factor;
}

Size attn::onnx::productOf(ArrayRef<Size> sizes) {
  Size product(1);
  for (const Size &size : sizes)
    product = product * size;
  return product;
}
