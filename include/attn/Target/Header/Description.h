//===- Description.h - The JSON description of a model ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PREFIX.json says to tools what PREFIX.h says to C programs, and how large the
// parts are.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_HEADER_DESCRIPTION_H
#define ATTN_TARGET_HEADER_DESCRIPTION_H

#include "attn/Target/ModelInfo.h"

#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Sizes in bytes.
struct DescriptionSizes {
  uint64_t weights = 0;       ///< all weights
  uint64_t storedWeights = 0; ///< equal ones counted once
  uint64_t file = 0;          ///< the output
};

/// Writes PREFIX.json. A dim's max is null if it has none; a shape is an array of numbers and dim names.
void writeDescription(llvm::raw_ostream &os, const ModelInfo &model, const DescriptionSizes &sizes);

} // namespace attn

#endif // ATTN_TARGET_HEADER_DESCRIPTION_H
