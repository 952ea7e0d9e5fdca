//===- Symbols.cpp - What the sizes of one entry are made of ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Symbols.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

Symbol Symbols::named(StringRef name, Value value) {
  for (auto [i, info] : llvm::enumerate(symbols))
    if (info.name == name)
      return find(i);
  Info info;
  info.name = name.str();
  info.value = value;
  info.parent = symbols.size();
  symbols.push_back(std::move(info));
  return symbols.size() - 1;
}

Symbol Symbols::derived(Value value) {
  Info info;
  info.value = value;
  info.parent = symbols.size();
  symbols.push_back(std::move(info));
  return symbols.size() - 1;
}

Symbol Symbols::find(Symbol symbol) const {
  while (symbols[symbol].parent != symbol)
    symbol = symbols[symbol].parent;
  return symbol;
}

//===----------------------------------------------------------------------===//
// Normal forms
//===----------------------------------------------------------------------===//

Size Symbols::canonical(const Size &size) const {
  return size.mapped([&](Symbol symbol) {
    const Info &info = symbols[find(symbol)];
    if (info.definition)
      return canonical(*info.definition);
    return info.consequence ? canonical(*info.consequence) : Size::of(find(symbol));
  });
}

Size Symbols::withoutConsequences(const Size &size) const {
  return size.mapped([&](Symbol symbol) {
    const Info &info = symbols[find(symbol)];
    return info.definition ? withoutConsequences(*info.definition) : Size::of(find(symbol));
  });
}

Size Symbols::shortened(const Size &size) const {
  Size result = canonical(size);
  // A quotient of a quotient came after it.
  for (Symbol symbol = symbols.size(); symbol-- > 0;) {
    const std::optional<Quotient> &quotient = symbols[symbol].quotient;
    if (!quotient || !quotient->isExact || find(symbol) != symbol || !result.contains(symbol))
      continue;
    Size dividend = withoutConsequences(quotient->dividend);
    Size product = canonical(quotient->divisor) * Size::of(symbol), shorter;
    if (dividend.getTerms().size() != 1)
      continue;
    for (const Size::Term &term : result.getTerms()) {
      Size whole(term.coefficient);
      for (Symbol factor : term.symbols)
        whole = whole * Size::of(factor);
      std::optional<Size> rest = whole.dividedBy(product);
      shorter = shorter + (rest ? *rest * dividend : whole);
    }
    result = shorter;
  }
  return result;
}

bool Symbols::isComputable(const Size &size) const {
  Size normal = canonical(size);
  return normal.isValid() && llvm::all_of(normal.getTerms(), [&](const Size::Term &term) {
           return llvm::all_of(term.symbols, [&](Symbol symbol) { return !symbols[symbol].name.empty(); });
         });
}

bool Symbols::isKnownOutside(const Size &size, Region &region) const {
  Size shorter = shortened(size);
  return llvm::all_of(shorter.getTerms(), [&](const Size::Term &term) {
    return llvm::none_of(term.symbols, [&](Symbol symbol) {
      Value value = symbols[symbol].value;
      return region.isAncestor(value.getParentRegion());
    });
  });
}

bool Symbols::mayBeOne(const Size &size) const {
  std::optional<Symbol> symbol = canonical(size).getSymbol();
  return symbol && symbols[*symbol].quotient && symbols[*symbol].least <= 1 && symbols[*symbol].most >= 1;
}

std::optional<int64_t> Symbols::leastOf(const Size &size) const {
  Size normal = canonical(size);
  if (!normal.isValid())
    return std::nullopt;
  std::optional<int64_t> least = 0;
  for (const Size::Term &term : normal.getTerms()) {
    int64_t extreme = term.coefficient;
    bool isKnown = true;
    for (Symbol symbol : term.symbols) {
      int64_t factor = term.coefficient > 0 ? symbols[symbol].least : symbols[symbol].most;
      isKnown &= factor != kUnlimited && !llvm::MulOverflow(extreme, factor, extreme);
    }
    if (!isKnown || llvm::AddOverflow(*least, extreme, *least)) {
      least = std::nullopt;
      break;
    }
  }
  auto raise = [&](int64_t bound) { least = std::max(least.value_or(bound), bound); };
  for (const Condition &condition : conditions) {
    Size other = canonical(condition.size);
    if (std::optional<int64_t> more = (normal - other).getConstant())
      raise(condition.least + *more);
    if (std::optional<int64_t> sum = (normal + other).getConstant(); sum && condition.most != kUnlimited)
      raise(*sum - condition.most);
  }
  return least;
}

bool Symbols::dependsOn(const Size &size, Symbol other) const {
  return llvm::any_of(size.getTerms(), [&](const Size::Term &term) {
    return llvm::any_of(term.symbols, [&](Symbol symbol) { return dependsOn(symbol, other); });
  });
}

bool Symbols::dependsOn(Symbol symbol, Symbol other) const {
  const Info &info = symbols[find(symbol)];
  return find(symbol) == other || (info.definition && dependsOn(*info.definition, other)) ||
         (info.quotient && (dependsOn(info.quotient->dividend, other) || dependsOn(info.quotient->divisor, other)));
}

//===----------------------------------------------------------------------===//
// Quotients
//===----------------------------------------------------------------------===//

Symbol Symbols::quotientSymbol(OpBuilder &builder, const Size &a, const Size &b) {
  for (auto [i, info] : llvm::enumerate(symbols))
    if (info.quotient && equal(info.quotient->dividend, a) && equal(info.quotient->divisor, b))
      return find(i);
  // It stands where the dimensions are read, so that everything behind can use it.
  OpBuilder::InsertionGuard guard(builder);
  auto last = llvm::find_if(llvm::reverse(symbols), [](const Info &info) { return !info.name.empty(); });
  Operation *before = last->value.getDefiningOp();
  builder.setInsertionPointAfter(before);
  auto value = [&](const Size &size) {
    return getValueOrCreateConstantIndexOp(builder, before->getLoc(), materialize(builder, before->getLoc(), size));
  };
  Value divisor = value(b);
  // The library refuses to divide by 0; until then it must not trap.
  if (leastOf(b).value_or(0) < 1)
    divisor = arith::MaxSIOp::create(builder, before->getLoc(), divisor,
                                     arith::ConstantIndexOp::create(builder, before->getLoc(), 1));
  auto enclosed = [&](const Size &size) {
    std::string text = toString(size);
    bool isOne = shortened(size).getSymbol() || size.getConstant();
    return isOne ? text : "(" + text + ")";
  };
  std::string name = enclosed(a) + " / " + enclosed(b);
  Info info;
  info.name = name;
  info.value = arith::DivUIOp::create(builder, before->getLoc(), value(a), divisor);
  info.parent = symbols.size();
  info.quotient = Quotient{withoutConsequences(a), withoutConsequences(b)};
  symbols.push_back(std::move(info));
  return symbols.size() - 1;
}

std::optional<Size> Symbols::quotient(OpBuilder &builder, const Size &a, const Size &b) {
  Size dividend = canonical(a), divisor = canonical(b);
  if (std::optional<Size> exact = dividend.dividedBy(divisor))
    return exact;
  if (!isComputable(a) || !isComputable(b) || divisor.getTerms().size() != 1 || divisor.getTerms()[0].coefficient < 1 ||
      leastOf(dividend).value_or(-1) < 0 || dividend.getConstant())
    return std::nullopt;
  return Size::of(quotientSymbol(builder, dividend, divisor));
}

std::optional<Size> Symbols::exactQuotient(OpBuilder &builder, const Size &a, const Size &b) {
  Size dividend = canonical(a), divisor = canonical(b);
  if (std::optional<Size> exact = dividend.dividedBy(divisor))
    return exact;
  if (!isComputable(a) || !isComputable(b) || divisor.getTerms().size() != 1 || divisor.getTerms()[0].coefficient < 1)
    return std::nullopt;
  Size common = commonFactor({dividend, divisor});
  dividend = *dividend.dividedBy(common);
  divisor = *divisor.dividedBy(common);
  ArrayRef<Size::Term> terms = dividend.getTerms();
  if (terms.size() == 1 && terms[0].coefficient != 1 && divisor.getConstant()) {
    // The number in the divisor has no factor in common with the coefficient, so it divides the symbols.
    std::optional<Size> part = exactQuotient(builder, *dividend.dividedBy(Size(terms[0].coefficient)), divisor);
    return part ? std::optional(*part * Size(terms[0].coefficient)) : std::nullopt;
  }
  if (dividend.getConstant() || !solve(dividend))
    return std::nullopt;
  Symbol symbol = quotientSymbol(builder, dividend, divisor);
  std::optional<std::pair<Symbol, Size>> solution = solve(dividend - divisor * Size::of(symbol));
  if (!solution)
    return std::nullopt;
  symbols[symbol].quotient->isExact = true;
  symbols[solution->first].consequence = solution->second;
  return Size::of(symbol);
}

//===----------------------------------------------------------------------===//
// Demands
//===----------------------------------------------------------------------===//

std::optional<std::pair<Symbol, Size>> Symbols::solve(const Size &zero) const {
  for (const Size::Term &term : zero.getTerms()) {
    if (term.symbols.size() != 1 || (term.coefficient != 1 && term.coefficient != -1))
      continue;
    Symbol symbol = term.symbols.front();
    if (symbols[symbol].name.empty())
      continue;
    Size rest = zero * Size(-term.coefficient) + Size::of(symbol);
    if (rest.isValid() && !rest.contains(symbol))
      return std::pair(symbol, rest);
  }
  return std::nullopt;
}

bool Symbols::unify(const Size &a, const Size &b) {
  if (equal(a, b))
    return true;
  if (!isComputable(a) || !isComputable(b))
    return false;
  Size left = canonical(a), right = canonical(b);
  auto isFree = [&](std::optional<Symbol> symbol) { return symbol && !symbols[*symbol].quotient; };
  // One of two dimensions of inputs gets the other's name.
  std::optional<Symbol> x = shortened(a).getSymbol(), y = shortened(b).getSymbol();
  if (isFree(x) && isFree(y)) {
    Symbol kept = std::min(*x, *y), merged = std::max(*x, *y);
    if (symbols[merged].consequence)
      std::swap(kept, merged);
    if (!symbols[merged].consequence && !dependsOn(canonical(Size::of(kept)), merged)) {
      symbols[merged].parent = kept;
      symbols[kept].least = std::max(symbols[kept].least, symbols[merged].least);
      symbols[kept].most = std::min(symbols[kept].most, symbols[merged].most);
      return true;
    }
  }
  x = left.getSymbol();
  y = right.getSymbol();
  if (std::optional<int64_t> number = y ? left.getConstant() : x ? right.getConstant() : std::nullopt) {
    Symbol symbol = x ? *x : *y;
    if (*number < symbols[symbol].least || *number > symbols[symbol].most)
      return false;
    symbols[symbol].least = symbols[symbol].most = *number;
    (symbols[symbol].quotient ? symbols[symbol].consequence : symbols[symbol].definition) = Size(*number);
    return true;
  }
  for (auto [symbol, formula] : {std::pair(x, right), std::pair(y, left)})
    if (isFree(symbol) && !dependsOn(formula, *symbol)) {
      symbols[*symbol].definition = formula;
      return true;
    }
  Size zero = left - right;
  // A quotient times its divisor is the dividend: then nothing is left over.
  for (auto [i, info] : llvm::enumerate(symbols)) {
    if (!info.quotient || info.quotient->isExact)
      continue;
    Size dividend = canonical(info.quotient->dividend), divisor = canonical(info.quotient->divisor);
    Size rest = dividend - divisor * Size::of(i);
    std::optional<std::pair<Symbol, Size>> solution =
        zero == rest || zero == rest * Size(-1) ? solve(rest) : std::nullopt;
    if (!solution)
      continue;
    info.quotient->isExact = true;
    symbols[solution->first].consequence = solution->second;
    return true;
  }
  std::optional<std::pair<Symbol, Size>> solution = solve(zero);
  if (!solution)
    return false;
  auto [symbol, formula] = *solution;
  if (isFree(symbol) && !dependsOn(formula, symbol)) {
    symbols[symbol].definition = formula;
  } else {
    conditions.push_back({withoutConsequences(a - b), 0, 0});
    symbols[symbol].consequence = formula;
  }
  return true;
}

bool Symbols::define(Symbol derived, const Size &size) {
  Info &info = symbols[find(derived)];
  if (!info.name.empty() || info.consequence || canonical(size).contains(find(derived)))
    return false;
  info.consequence = size;
  return true;
}

bool Symbols::limit(const Size &size, int64_t least, int64_t most) {
  if (!isComputable(size))
    return false;
  Size normal = canonical(size);
  if (std::optional<int64_t> constant = normal.getConstant())
    return *constant >= least && *constant <= most;
  if (std::optional<Symbol> symbol = normal.getSymbol()) {
    symbols[*symbol].least = std::max(symbols[*symbol].least, least);
    symbols[*symbol].most = std::min(symbols[*symbol].most, most);
  } else {
    conditions.push_back({withoutConsequences(size), least, most});
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Values and texts
//===----------------------------------------------------------------------===//

OpFoldResult Symbols::materialize(OpBuilder &builder, Location loc, const Size &size) const {
  if (!size.isValid()) // an error is on its way
    return builder.getIndexAttr(0);
  if (std::optional<int64_t> constant = size.getConstant())
    return builder.getIndexAttr(*constant);
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  Size shorter = shortened(size);
  if (std::optional<int64_t> constant = shorter.getConstant())
    return index(*constant);
  Value sum;
  for (const Size::Term &term : shorter.getTerms()) {
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

std::string Symbols::spell(const Size &size) const {
  if (!size.isValid())
    return "(overflow)";
  if (std::optional<int64_t> constant = size.getConstant())
    return std::to_string(*constant);
  std::string text;
  for (const Size::Term &term : llvm::reverse(size.getTerms())) {
    // "a - 2 * b", but "-1 * a" at the beginning.
    bool isMinus = term.coefficient < 0 && !text.empty() && term.coefficient != std::numeric_limits<int64_t>::min();
    int64_t coefficient = isMinus ? -term.coefficient : term.coefficient;
    std::string product = coefficient == 1 && !term.symbols.empty() ? "" : std::to_string(coefficient);
    for (Symbol symbol : term.symbols) {
      const Info &info = symbols[symbol];
      bool isAlone = coefficient == 1 && term.symbols.size() == 1;
      std::string name = info.name.empty() ? "?" : info.quotient && !isAlone ? "(" + info.name + ")" : info.name;
      product += (product.empty() ? "" : " * ") + name;
    }
    text += (text.empty() ? "" : isMinus ? " - " : " + ") + product;
  }
  return text;
}

std::string Symbols::nameOf(const Size &size) const {
  std::optional<Symbol> symbol = size.getSymbol();
  return symbol ? nameOf(*symbol).str() : toString(size);
}

std::string Symbols::toString(const Size &size) const { return spell(shortened(size)); }

std::string Symbols::toString(ArrayRef<Size> shape) const {
  std::string text = "[";
  for (auto [i, size] : llvm::enumerate(shape))
    text += (i ? ", " : "") + toString(size);
  return text + "]";
}
