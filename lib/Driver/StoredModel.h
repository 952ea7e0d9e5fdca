//===- StoredModel.h - A model's tables as an attribute ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Once functions are lowered, nothing says any more what an entry's tensors are called and how they are shaped. So that
// a dump of that stage can be compiled, the tables stand in the module beside the code.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_STOREDMODEL_H
#define ATTN_LIB_DRIVER_STOREDMODEL_H

#include "attn/Target/ModelInfo.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Writes `model` to the attribute `attn.library` of `module`.
void storeModel(mlir::ModuleOp module, const ModelInfo &model);

/// True where `module` has that attribute.
bool hasStoredModel(mlir::ModuleOp module);

/// Reads it back; an error at the module where it is missing or does not say what `storeModel` writes.
mlir::FailureOr<ModelInfo> loadModel(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_LIB_DRIVER_STOREDMODEL_H
