//===- Size.h - Sizes of tensors as polynomials -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A size of a tensor is an integer polynomial in symbols: the named dimensions of the inputs, and what can't be said in
// terms of these (quotients, maxima). Polynomials have a normal form, so that "is the same size" is a comparison, and
// that is what reshapes, broadcasts and products are decided by.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_SIZE_H
#define ATTN_LIB_IMPORT_ONNX_SIZE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>
#include <vector>

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
  /// The quotient where `divisor` is a product that divides every term. Assumes that symbols are not 0.
  std::optional<Size> dividedBy(const Size &divisor) const;
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

/// The product of all sizes.
Size productOf(llvm::ArrayRef<Size> sizes);

/// The symbols of one entry: their names, values and which of them turned out to be equal.
class Symbols {
public:
  /// A dimension of an input. Dimensions of one name are one symbol.
  Symbol named(llvm::StringRef name, mlir::Value value);
  /// What has no name: an index value that is never negative.
  Symbol derived(mlir::Value value);

  /// With equal symbols written alike.
  Size canonical(const Size &size) const;
  bool equal(const Size &a, const Size &b) const { return canonical(a) == canonical(b); }
  /// Makes two sizes equal from now on where that can be demanded of the caller: both are computed from named dimensions
  /// only, and one of them is a dimension of its own, which is from now on what the other is. False where it can't.
  bool unify(const Size &a, const Size &b);
  /// Demands of the caller that a dimension is at most `most`. False where `size` is no named dimension.
  bool limit(const Size &size, int64_t most);
  /// Names of the dimensions that were limited.
  llvm::SmallVector<std::pair<llvm::StringRef, int64_t>> getLimits() const;
  /// True for a size that the library can compute from its inputs' shapes.
  bool isComputable(const Size &size) const;

  /// `size` as an index value or attribute; ops go where `builder` stands.
  mlir::OpFoldResult materialize(mlir::OpBuilder &builder, mlir::Location loc, const Size &size) const;
  /// For messages: "2 * batch + 1".
  std::string toString(const Size &size) const;
  std::string toString(llvm::ArrayRef<Size> shape) const;
  /// The name, empty for a derived one.
  llvm::StringRef nameOf(Symbol symbol) const { return symbols[find(symbol)].name; }
  /// What a named dimension turned out to be computed as.
  std::optional<Size> definitionOf(Symbol symbol) const;

private:
  Symbol find(Symbol symbol) const;
  struct Info {
    std::string name;
    mlir::Value value;
    Symbol parent;
    std::optional<Size> definition;
    int64_t most = std::numeric_limits<int64_t>::max();
  };
  std::vector<Info> symbols;
};

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_SIZE_H
