//===- Link.h - Objects become one file -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lld in process. It keeps global state, so one link runs at a time in a process;
// what it would print is returned as an error.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_LINK_H
#define ATTN_TARGET_OBJECT_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <string>

namespace attn {

struct SharedLinkOptions {
  std::vector<std::string> objects;   ///< paths, in order; archives come after them
  std::vector<std::string> libraries; ///< archives and shared libraries; the latter are kept only if needed
  std::string soname;
  std::string versionScript; ///< path; says what is exported
  std::string output;        ///< path
};

/// Links a shared library: all symbols resolved, bound at load, unused sections dropped, no build id. Identical inputs
/// give identical bytes whatever the paths are.
llvm::Error linkShared(const SharedLinkOptions &options);

/// Merges objects into one relocatable object, keeping their symbols.
llvm::Error linkRelocatable(llvm::ArrayRef<std::string> objects, llvm::StringRef output);

/// Makes hidden symbols that the object at `path` defines local to it, in place, so that several models can be linked
/// into one program whatever their symbols are.
llvm::Error localizeHiddenSymbols(llvm::StringRef path);

/// Writes a static library of the object at `objectPath`, as member `memberName`, and the members of `runtimeArchive`
/// (a file's contents) to `output`. No times or owners are recorded.
llvm::Error writeStaticLibrary(llvm::StringRef objectPath, llvm::StringRef memberName, llvm::StringRef runtimeArchive,
                               llvm::StringRef output);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_LINK_H
