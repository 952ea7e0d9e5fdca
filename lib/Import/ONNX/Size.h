//===- Size.h - Sizes of tensors as polynomials -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A size of a tensor is an integer polynomial in symbols (Symbols.h): the named dimensions of the inputs, their
// quotients, and what can't be said in terms of these (maxima, choices). Polynomials have a normal form, so that "is
// the same size" is a comparison, and that is what reshapes, broadcasts and products are decided by.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_SIZE_H
#define ATTN_LIB_IMPORT_ONNX_SIZE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace attn::onnx {

using Symbol = unsigned;

/// A sum of products of symbols with coefficients. Arithmetic that overflows gives a size that is `invalid()`, as does
/// all that is computed from it.
class Size {
public:
  Size() = default; // 0
  Size(int64_t constant);
  static Size of(Symbol symbol);
  static Size invalid();

  bool isValid() const { return valid; }
  std::optional<int64_t> getConstant() const;
  bool isConstant(int64_t value) const { return getConstant() == std::optional<int64_t>(value); }
  /// The symbol, where it is nothing but one.
  std::optional<Symbol> getSymbol() const;

  Size operator+(const Size &other) const;
  Size operator-(const Size &other) const;
  Size operator*(const Size &other) const;
  /// The quotient where there is one without a rest. Assumes that the divisor is not 0.
  std::optional<Size> dividedBy(const Size &divisor) const;
  bool contains(Symbol symbol) const;
  bool operator==(const Size &other) const { return valid && other.valid && terms == other.terms; }
  bool operator!=(const Size &other) const { return !(*this == other); }

  /// The polynomial with each symbol replaced.
  Size mapped(llvm::function_ref<Size(Symbol)> replacement) const;

  struct Term {
    llvm::SmallVector<Symbol, 0> symbols; // sorted; one as often as its power
    int64_t coefficient;                  // not 0
    bool operator==(const Term &o) const { return symbols == o.symbols && coefficient == o.coefficient; }
  };
  llvm::ArrayRef<Term> getTerms() const { return terms; }

private:
  void add(llvm::ArrayRef<Symbol> symbols, int64_t coefficient);
  llvm::SmallVector<Term, 0> terms; // sorted by symbols
  bool valid = true;
};

using Shape = llvm::SmallVector<Size, 0>;

/// The largest product with a positive coefficient that divides every term of the sizes, where int64_t can say it; 0
/// where there are none.
Size commonFactor(llvm::ArrayRef<Size> sizes);
/// The product of all sizes.
Size productOf(llvm::ArrayRef<Size> sizes);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_SIZE_H
