//===- Tensors.h - Inputs from files or made up, outputs to fill --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An array of the right type for each tensor of an entry, and the DLTensors that point to them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_TENSORS_H
#define ATTN_TOOLS_RUN_TENSORS_H

#include "Library.h"
#include "Options.h"
#include "attn/Support/Npy.h"
#include <map>
#include <vector>

namespace attn::run {

/// Arrays with the DLTensors that describe them.
class TensorList {
public:
  void add(NpyArray array, const attn_tensor_desc &desc);
  const std::vector<NpyArray> &arrays() const { return values; }
  /// Pointers to the tensors; valid until the next add. Elements of less than 8 bits are packed for it.
  llvm::ArrayRef<DLTensor *> tensors();
  /// Brings what a run has written to packed tensors to the arrays.
  void unpack();

private:
  void pack();
  std::vector<NpyArray> values;
  std::vector<std::vector<uint8_t>> packed; ///< empty but for elements of less than 8 bits
  std::vector<DLDataType> types;
  std::vector<DLTensor> descriptions;
  std::vector<DLTensor *> pointers;
};

/// The sizes of an entry's symbolic dimensions by their number; what is not yet known is -1.
using DimSizes = llvm::SmallVector<int64_t>;

/// An array for each input of `entry`: from `given` (arrays by name), from --input, or made up. Arrays of the wrong
/// rank, shape or dtype are passed on, so that the library's own check speaks; names that the entry does not have are
/// errors here. `sizes` gets the dimensions' values.
llvm::Expected<TensorList> makeInputs(const attn_entry_desc &entry, const Options &options,
                                      const std::map<std::string, NpyArray> &given, DimSizes &sizes);

/// Zeroed arrays of the shapes that the library says the outputs have.
llvm::Expected<TensorList> makeOutputs(const Library &library, const Context &context, uint32_t entry,
                                       TensorList &inputs);

/// "batch=8 sequence=128"
std::string dimString(const attn_entry_desc &entry, const DimSizes &sizes);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_TENSORS_H
