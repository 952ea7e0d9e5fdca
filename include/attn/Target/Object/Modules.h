//===- Modules.h - Several code modules at once -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library has one module per target. They are compiled side by side, or merged
// into one where the output is text.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_MODULES_H
#define ATTN_TARGET_OBJECT_MODULES_H

#include "attn/Target/Emit.h"

namespace attn {

using CodeBuffer = llvm::SmallVector<char, 0>;

/// Optimizes the modules, and with `makeObjects` generates an object for each (else the buffers are empty). Modules
/// that share a context go one after another. The first error, in the modules' order, is returned.
llvm::Expected<std::vector<CodeBuffer>> compileModules(llvm::MutableArrayRef<CodeModule> modules,
                                                       const EmitOptions &options, bool makeObjects);

/// Links copies of the modules into one in `context`. Internal names that collide are changed.
llvm::Expected<std::unique_ptr<llvm::Module>> mergeModules(llvm::LLVMContext &context,
                                                           llvm::ArrayRef<const llvm::Module *> modules);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_MODULES_H
