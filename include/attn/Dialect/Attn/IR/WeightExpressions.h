//===- WeightExpressions.h - Makes weight expressions in normal form -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights with equal values should have equal expressions: then they are stored once. These functions make an
// expression from its parts and leave out what does nothing. Their arguments must satisfy the verifiers of the
// attributes, as for AttrDef::get.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_WEIGHTEXPRESSIONS_H
#define ATTN_DIALECT_ATTN_IR_WEIGHTEXPRESSIONS_H

#include "attn/Dialect/Attn/IR/Attn.h"

namespace attn {

/// The static type of a weight expression's value; null for other attributes.
mlir::RankedTensorType getWeightType(mlir::Attribute expression);

/// The parts one after another; nested parts along the same dimension are merged, one part stands for itself.
mlir::Attribute concatWeights(int64_t axis, llvm::ArrayRef<mlir::Attribute> parts);

/// A part of `source`: of slices of slices, of one part of a concat, of consecutive rows of a file where possible.
mlir::Attribute sliceWeight(mlir::Attribute source, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes);

/// `source` under another shape; a file's slice or a reshape takes the shape itself.
mlir::Attribute reshapeWeight(mlir::Attribute source, llvm::ArrayRef<int64_t> shape);

/// `source` with its dimensions permuted; permutations compose.
mlir::Attribute transposeWeight(mlir::Attribute source, llvm::ArrayRef<int64_t> permutation);

/// `source` with elements of another type; none where they have it.
mlir::Attribute convertWeight(mlir::Attribute source, mlir::Type elementType);

/// `expression` with the functions above applied from the inside out.
mlir::Attribute normalizeWeight(mlir::Attribute expression);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_WEIGHTEXPRESSIONS_H
