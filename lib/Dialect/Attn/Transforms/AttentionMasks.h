//===- AttentionMasks.h - Biases of scores that are masks -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mask reaches the scores as a tensor of 0 and a very negative number, or as a choice between scores and such a
// number. Here that is taken apart into conditions, and conditions into what computes them: comparisons of indices, as
// of a causal mask, become code, and what is left are tensors of bools and integers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DIALECT_ATTN_TRANSFORMS_ATTENTIONMASKS_H
#define ATTN_LIB_DIALECT_ATTN_TRANSFORMS_ATTENTIONMASKS_H

#include "Expressions.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "llvm/ADT/DenseMap.h"

namespace attn {

/// One of the conditions all of which hold for a key that counts: the element, an integer, is not 0, or it is
/// (`inverted`). The map is from the dimensions of the scores.
struct MaskTerm {
  ElementOperand element;
  bool inverted;
  /// What a row without keys yields.
  EmptyRow empty;
};

/// The conditions of a bias that is 0 for keys that count and very negative for others; empty where it is something
/// else.
llvm::SmallVector<MaskTerm> matchMask(const ElementOperand &bias);

/// Scores that keep their value where a key counts, and are replaced by a very negative number where it doesn't.
struct MaskedScores {
  mlir::Value scores;
  llvm::SmallVector<MaskTerm> masks;
};
std::optional<MaskedScores> matchMaskedScores(mlir::Value scores);

/// The code that computes an element from indices and from elements of other tensors.
class ElementCode {
public:
  /// Takes down what `element` is computed from. False where it is read in a way that attention's maps can't say.
  bool add(const ElementOperand &element);
  /// What the code reads, each once: tensors with a map from the dimensions of the scores, and scalars.
  llvm::ArrayRef<ElementOperand> getLeaves() const { return leaves; }
  /// The element: `indices` are those of the scores, `values` those of the leaves.
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc, const ElementOperand &element, mlir::ValueRange indices,
                   mlir::ValueRange values);

private:
  std::optional<unsigned> find(mlir::Value tensor, mlir::AffineMap map) const;
  llvm::SmallVector<ElementOperand> leaves;
};

} // namespace attn

#endif // ATTN_LIB_DIALECT_ATTN_TRANSFORMS_ATTENTIONMASKS_H
