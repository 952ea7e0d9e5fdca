//===- Metadata.h - A model's tables as LLVM constants ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's attn_library and everything it points to are constants: nothing
// runs when a library is loaded, and the tables are read-only after relocation.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_METADATA_H
#define ATTN_TARGET_OBJECT_METADATA_H

#include "attn/Target/ModelInfo.h"

#include "llvm/IR/Module.h"

#include <memory>

namespace attn {

/// The name of the function that every model exports: PREFIX_library.
std::string getLibraryFunctionName(const ModelInfo &model);

/// The function that shared libraries export besides, for programs that know no prefix.
constexpr llvm::StringLiteral sharedLibraryFunctionName = "attn_library_v1";

/// A module with the tables and PREFIX_library(), for a 64-bit target; with `exportGeneric` attn_library_v1() as well.
/// It refers to the variants' symbols and the runtime's functions, all hidden.
std::unique_ptr<llvm::Module> buildMetadata(llvm::LLVMContext &context, const ModelInfo &model, bool exportGeneric);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_METADATA_H
