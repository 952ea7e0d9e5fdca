//===- Prepare.h - Code modules before optimization -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What only emission knows: which functions the tables call (all others become
// internal, so that LLVM may inline and drop them), which globals are weights,
// and that runtime and weights are in the same file, so they need no GOT or PLT.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_PREPARE_H
#define ATTN_TARGET_OBJECT_PREPARE_H

#include "attn/Target/ModelInfo.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"

namespace attn {

struct PrepareOptions {
  /// Functions to keep, hidden.
  const llvm::StringSet<> *entryPoints = nullptr;
  /// Symbols of the weights.
  const llvm::StringSet<> *weights = nullptr;
  /// Weights may lie more than 2 GiB away.
  bool farWeights = false;
};

/// Works on a module whose data layout is set. Names without version of runtime functions (attn_rt_X) become those of
/// this version (attn_rt_v1_X).
void prepareModule(llvm::Module &module, const PrepareOptions &options);

/// Fails if a variant's symbol is defined in no module or in several, or has another type than the tables say.
llvm::Error checkEntryPoints(const ModelInfo &model, llvm::ArrayRef<llvm::Module *> modules);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_PREPARE_H
