//===- RecurrentActivations.h - Activations of RNN, GRU, LSTM ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATIONS_H
#define ATTN_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATIONS_H

#include "Elementwise.h"

namespace attn::onnx {

struct Activation {
  std::string name; // in lower case
  double alpha, beta;

  mlir::Value operator()(const Scalars &s, mlir::Value x) const;
};

/// The activations of all directions. `defaults` are those of one where the model gives none.
mlir::FailureOr<llvm::SmallVector<Activation>> readActivations(Node &node, llvm::ArrayRef<llvm::StringRef> defaults,
                                                               int64_t directions);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATIONS_H
