//===- Symbols.h - What the sizes of one entry are made of ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The symbols of one entry: which of them turned out to be equal, or computed from others, and what the entry demands
// of its callers. The library tests the demands when it is called (`attn.dims`), so whatever is built may rely on them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_SYMBOLS_H
#define ATTN_LIB_IMPORT_ONNX_SYMBOLS_H

#include "Size.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include <limits>
#include <string>
#include <vector>

namespace attn::onnx {

/// No upper bound.
constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

class Symbols {
public:
  /// A dimension of an input. Dimensions of one name are one symbol.
  Symbol named(llvm::StringRef name, mlir::Value value);
  /// What has no name: an index value that is never negative.
  Symbol derived(mlir::Value value);
  /// a / b rounded down, of sizes that are not negative; where b is 0, anything. None where the library can't compute
  /// it from its inputs' shapes, or b is no product.
  std::optional<Size> quotient(mlir::OpBuilder &builder, const Size &a, const Size &b);

  /// With equal symbols written alike.
  Size canonical(const Size &size) const;
  bool equal(const Size &a, const Size &b) const { return canonical(a) == canonical(b); }
  /// True for a size that the library can compute from its inputs' shapes.
  bool isComputable(const Size &size) const;
  /// True where no symbol of the size is computed inside of `region`.
  bool isKnownOutside(const Size &size, mlir::Region &region) const;
  /// True for a quotient of which nothing says that it isn't 1.
  bool mayBeOne(const Size &size) const;
  /// The largest number that the size is known not to be below; none where it isn't known.
  std::optional<int64_t> leastOf(const Size &size) const;

  //===--- Demands. Each is false, or none, where the caller can't be asked for it. ---===//

  /// Makes two sizes equal from now on: both are computed from named dimensions, and one can be told from the others.
  bool unify(const Size &a, const Size &b);
  /// Makes a symbol without a name equal to a size from now on. It is for the caller to see that it is.
  bool define(Symbol derived, const Size &size);
  /// a / b, where a is a multiple of b from now on.
  std::optional<Size> exactQuotient(mlir::OpBuilder &builder, const Size &a, const Size &b);
  /// The size lies in [least, most].
  bool limit(const Size &size, int64_t least, int64_t most = kUnlimited);

  /// What the library has to know: for each dimension that is computed or limited its name and a #attn.dim. `used` are
  /// the sizes of the entry's inputs and outputs.
  mlir::DictionaryAttr describe(mlir::MLIRContext *context, llvm::ArrayRef<Size> used) const;
  /// The name that `describe` gives to a size that is no number.
  std::string nameOf(const Size &size) const;
  /// The name, empty for a derived one.
  llvm::StringRef nameOf(Symbol symbol) const { return symbols[find(symbol)].name; }

  /// Where the symbol's value is computed; null for an argument of a block.
  mlir::Operation *definingOp(Symbol symbol) const { return symbols[find(symbol)].value.getDefiningOp(); }

  /// `size` as an index value or attribute; ops go where `builder` stands.
  mlir::OpFoldResult materialize(mlir::OpBuilder &builder, mlir::Location loc, const Size &size) const;
  /// For messages: "2 * batch + 1".
  std::string toString(const Size &size) const;
  std::string toString(llvm::ArrayRef<Size> shape) const;

private:
  struct Quotient {
    Size dividend, divisor;
    bool isExact = false;
  };
  struct Info {
    std::string name;
    mlir::Value value;
    Symbol parent;
    /// What the library computes a named dimension as, and compares it with.
    std::optional<Size> definition;
    /// What follows from a demand that is tested elsewhere.
    std::optional<Size> consequence;
    std::optional<Quotient> quotient;
    int64_t least = 0;
    int64_t most = kUnlimited;
  };
  struct Condition {
    Size size;
    int64_t least, most;
  };
  class Description;

  Symbol find(Symbol symbol) const;
  Symbol quotientSymbol(mlir::OpBuilder &builder, const Size &a, const Size &b);
  /// Equal symbols written alike, and definitions; quotients stay as they are.
  Size withoutConsequences(const Size &size) const;
  /// The polynomial as it stands.
  std::string spell(const Size &size) const;
  /// The same size with products by exact quotients written as what was divided.
  Size shortened(const Size &size) const;
  /// Does the symbol's value depend on the other's?
  bool dependsOn(Symbol symbol, Symbol other) const;
  bool dependsOn(const Size &size, Symbol other) const;
  /// A symbol that is what it must be for `zero` to be 0, and that size.
  std::optional<std::pair<Symbol, Size>> solve(const Size &zero) const;

  std::vector<Info> symbols;
  std::vector<Condition> conditions;
};

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_SYMBOLS_H
