//===- Compare.h - Outputs against a reference ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Differences are taken in float64. Values that are not finite are equal only to themselves.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_COMPARE_H
#define ATTN_TOOLS_RUN_COMPARE_H

#include "Tensors.h"

namespace attn::run {

/// How far two arrays of one shape are apart.
struct Difference {
  double largest = 0; ///< Largest |got - want|; infinite where only one of them is finite or a number.
  int64_t where = -1; ///< Row-major index of the largest difference.
  double cosine = 1;  ///< Of the arrays as vectors; 1 if both are zero.
};

/// Of two arrays that stand for a tensor.
Difference compare(const attn_tensor_desc &desc, const NpyArray &got, const NpyArray &want);

/// The arrays of the reference file, by the names that inputs and outputs of `entry` have (a file may use the names
/// with '_' for what file names cannot hold). Arrays with other names are an error, and so is a file without outputs.
llvm::Expected<std::map<std::string, NpyArray>> readReference(llvm::StringRef path, const attn_entry_desc &entry);

/// Prints a line per output that the reference has. The error, if any, names the worst output.
llvm::Error checkOutputs(llvm::raw_ostream &os, const attn_entry_desc &entry, const TensorList &outputs,
                         const std::map<std::string, NpyArray> &reference, double tolerance);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_COMPARE_H
