//===- Fold.h - What is known of small tensors ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exported models compute shapes with ordinary nodes. Here those nodes are computed on sizes, and small constants on
// their values, so that nothing of it is left at run time.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_FOLD_H
#define ATTN_LIB_IMPORT_ONNX_FOLD_H

#include "Build.h"

namespace attn::onnx {

/// Tensors of more elements are not computed while importing.
constexpr int64_t kMostKnown = 256;

//===--- Order of sizes. ---===//

/// True where `size` is at least `bound` whatever its symbols are.
bool isAtLeast(const Symbols &symbols, const Size &size, int64_t bound);
bool isAtMost(const Symbols &symbols, const Size &size, int64_t bound);
/// Where neither is known to be the larger and both are not negative, a size that is computed at run time.
std::optional<Size> minimum(Node &node, const Size &a, const Size &b);
std::optional<Size> maximum(Node &node, const Size &a, const Size &b);
/// max(size, 0), computed at run time where nothing is known of the sign.
Size notNegative(Node &node, const Size &size);
/// The quotient toward 0, and the remainder, of sizes that are not negative or of numbers.
std::optional<Size> quotient(Node &node, const Size &a, const Size &b);

/// 1 where the condition, an i1, holds, else 0.
Size truth(Node &node, mlir::Value condition);
/// `condition` is 1 ? a : b; none where one of them may be negative.
std::optional<Size> choose(Node &node, const Size &condition, const Size &a, const Size &b);

/// True where a tensor of the type can hold `size`; a size that isn't known fits in 32 bits or more.
bool fits(const Size &size, DataType type);

using SizeFunction = llvm::function_ref<std::optional<Size>(llvm::ArrayRef<Size>)>;

/// An elementwise function of known integers and bools, broadcast; none where an element can't be said.
std::optional<Tensor> foldElements(Node &node, llvm::ArrayRef<Tensor> inputs, DataType result, SizeFunction function);
/// An elementwise function of small constants. The body gets what `elementwise` gives it.
std::optional<Tensor> foldConstants(Node &node, llvm::ArrayRef<Tensor> inputs, DataType result, ScalarBody body);

/// The constant whose elements are these. Integers are known from then on.
Tensor constantTensor(Node &node, mlir::DenseElementsAttr dense, DataType type);
/// The elements of a small constant or of known numbers; null where it is none.
mlir::DenseElementsAttr denseOf(Node &node, const Tensor &tensor, int64_t most = kMostKnown);
/// The elements of integers or bools as sizes; those of uint64 that don't fit are invalid.
llvm::SmallVector<Size> elementsOf(mlir::DenseElementsAttr dense, DataType type);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_FOLD_H
