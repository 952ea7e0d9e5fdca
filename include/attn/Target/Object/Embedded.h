//===- Embedded.h - Files that the compiler carries -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linking needs the runtime and the system's libraries of the target, of which
// only names and versions of symbols matter. Both are made when attn-mlir is built
// and are part of the compiler, so users need neither a C compiler nor headers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_EMBEDDED_H
#define ATTN_TARGET_OBJECT_EMBEDDED_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

namespace attn {

/// What a link for one kind of machine needs. Each is a file's contents.
struct EmbeddedFiles {
  llvm::StringRef runtime;    ///< libattn_runtime.a
  llvm::StringRef libc;       ///< libc.so.6, names and versions only
  llvm::StringRef libdl;      ///< libdl.so.2
  llvm::StringRef libm;       ///< libm.so.6
  llvm::StringRef libpthread; ///< libpthread.so.0
};

/// Fails for machines that attn-mlir was not built for, naming those that it was built for.
llvm::Expected<EmbeddedFiles> getEmbeddedFiles(const llvm::Triple &triple);

/// The text of Runtime/ABI.h.
llvm::StringRef getEmbeddedAbiHeader();

} // namespace attn

#endif // ATTN_TARGET_OBJECT_EMBEDDED_H
