//===- Slices.h - Parts of tensors at run time ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What slicing ops of `tensor` and the end of an `scf.forall` share.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_SLICES_H
#define ATTN_REFERENCE_SLICES_H

#include "Machine.h"

namespace attn::reference {

/// A strided part of a tensor.
struct Slice {
  llvm::SmallVector<int64_t> offsets, sizes, strides;
};

/// The slice that `op`, an op with mixed offsets, sizes and strides, means now.
template <typename OpTy>
Slice sliceOf(Machine &machine, OpTy op) {
  return {machine.indices(op.getMixedOffsets()), machine.indices(op.getMixedSizes()),
          machine.indices(op.getMixedStrides())};
}

/// An error where `slice` leaves `tensor`.
llvm::Error checkSlice(mlir::Operation *op, const Tensor &tensor, const Slice &slice);

/// The position in `tensor` of element `index` of `slice`.
int64_t offsetInSlice(const Tensor &tensor, const Slice &slice, llvm::ArrayRef<int64_t> index);

/// Writes `source`, whose unit dimensions may be dropped, to `slice` of `target`.
llvm::Error insert(mlir::Operation *op, Tensor &target, const Tensor &source, const Slice &slice);

} // namespace attn::reference

#endif // ATTN_REFERENCE_SLICES_H
