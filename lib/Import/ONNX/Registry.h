//===- Registry.h - Importers of nodes by op --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_REGISTRY_H
#define ATTN_LIB_IMPORT_ONNX_REGISTRY_H

#include "Node.h"
#include "llvm/ADT/StringMap.h"

namespace attn::onnx {

/// The ops that can be imported: a file for each family in Ops/, which adds its own.
class Registry {
public:
  Registry();
  /// `import` builds ops of this name, from version `since` of the domain's operator set on. Operator sets before 13
  /// are refused as a whole, so `since` matters only for what changed later.
  void add(llvm::StringRef op, NodeImporter import, int64_t since = 1, llvm::StringRef domain = "");
  /// Null where there is none.
  NodeImporter lookup(llvm::StringRef domain, llvm::StringRef op, int64_t opset) const;

private:
  llvm::StringMap<llvm::SmallVector<std::pair<int64_t, NodeImporter>, 1>> importers;
};

void registerElementwise(Registry &registry);
void registerShapes(Registry &registry);
void registerIndexing(Registry &registry);
void registerReductions(Registry &registry);
void registerMatrixProducts(Registry &registry);
void registerNormalizations(Registry &registry);
void registerAttention(Registry &registry);
void registerSoftmax(Registry &registry);
void registerEinsum(Registry &registry);
void registerChannelNorms(Registry &registry);
void registerQuantization(Registry &registry);
void registerConvolutions(Registry &registry);
void registerPools(Registry &registry);
void registerControlFlow(Registry &registry);
void registerLoops(Registry &registry);
void registerRecurrent(Registry &registry);
void registerMicrosoft(Registry &registry);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_REGISTRY_H
