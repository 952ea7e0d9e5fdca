//===- Ramp.h - Integers that are linear in their index ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exporters make masks and positions from ranges: they add and scale them, compare them with each other and with
// constants, and use them as indices. What is known of such integers beside their values decides comparisons, and turns
// gathers into slices and reshapes.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_RAMP_H
#define ATTN_LIB_IMPORT_ONNX_RAMP_H

#include "Symbols.h"
#include "Types.h"

namespace attn::onnx {

class Node;
struct Tensor;

/// The element at index i is start + sum of steps[d] * i[d]. Bools are 0 and 1.
struct Ramp {
  Size start;
  llvm::SmallVector<Size, 0> steps; // one a dimension

  /// True where all elements are `start`.
  bool isUniform() const {
    return llvm::all_of(steps, [](const Size &step) { return step.isConstant(0); });
  }
};

/// True for types in which sizes are far from where they would wrap around.
bool canBeRamp(DataType type);
/// True where the numbers that a ramp is made of are numbers of the type.
bool fits(const Ramp &ramp, DataType type);
/// What is known of a tensor's integers; small constants are looked through for it.
std::optional<Ramp> rampOf(Node &node, const Tensor &tensor);
/// The tensor of these integers.
Tensor rampTensor(Node &node, DataType type, llvm::ArrayRef<Size> shape, Ramp ramp);

//===--- The ramps of rearranged tensors; none where they aren't ramps. ---===//

/// As NumPy's broadcast_to.
Ramp broadcastRamp(const Ramp &ramp, llvm::ArrayRef<Size> from, llvm::ArrayRef<Size> to);
/// The same elements in row-major order, where dimensions of size 1 come and go only, or all elements are equal.
std::optional<Ramp> reshapeRamp(const Symbols &symbols, const Ramp &ramp, llvm::ArrayRef<Size> from,
                                llvm::ArrayRef<Size> to);
/// begin, begin + step, ... along one dimension.
Ramp sliceRamp(const Ramp &ramp, int64_t axis, const Size &begin, int64_t step = 1);

//===--- Arithmetic ---===//

enum class RampFunction { Add, Sub, Mul };

/// A sum, difference or product of ramps, broadcast; none where it is no ramp.
std::optional<Tensor> combineRamps(Node &node, llvm::ArrayRef<Tensor> inputs, RampFunction function);
/// An elementwise function of tensors each of which is the same integer everywhere, as foldElements() takes it.
std::optional<Tensor> foldUniform(Node &node, llvm::ArrayRef<Tensor> inputs, DataType result,
                                  llvm::function_ref<std::optional<Size>(llvm::ArrayRef<Size>)> function);
/// Whether a < b, where that is so for all elements or for none. An empty tensor's elements may be said to be anything.
std::optional<bool> isRampLess(Node &node, const Tensor &a, const Tensor &b);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_RAMP_H
