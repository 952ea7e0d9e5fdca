//===- Library.h - A compiled model, opened ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything goes through the table that attn_library_v1 returns; nothing is linked.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_LIBRARY_H
#define ATTN_TOOLS_RUN_LIBRARY_H

#include "attn/Runtime/ABI.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace attn::run {

/// A shared library and its table. Unloaded with the object.
class Library {
public:
  /// Fails where the file cannot be loaded, is no compiled model, or speaks another ABI version.
  static llvm::Expected<Library> open(llvm::StringRef path);
  Library(Library &&other) : handle(other.handle), entries(other.entries) { other.handle = nullptr; }
  ~Library();

  const attn_library &table() const { return *entries; }
  /// The number of the entry with this name (empty: the first); the error lists the names there are.
  llvm::Expected<uint32_t> entry(llvm::StringRef name) const;
  /// Prints names, shapes, dtypes and bounds of all entries.
  void list(llvm::raw_ostream &os) const;

private:
  Library(void *handle) : handle(handle) {}
  void *handle;
  const attn_library *entries = nullptr;
};

/// A context on a library.
class Context {
public:
  static llvm::Expected<Context> create(const Library &library, llvm::StringRef target, int32_t threads);
  Context(Context &&other) : library(other.library), context(other.context) { other.context = nullptr; }
  ~Context();

  attn_context *get() const { return context; }
  llvm::StringRef target(uint32_t entry) const;
  /// Success for code 0, else the context's message.
  llvm::Error check(attn_code code) const;

private:
  Context(const attn_library *library, attn_context *context) : library(library), context(context) {}
  const attn_library *library;
  attn_context *context;
};

llvm::ArrayRef<attn_tensor_desc> inputs(const attn_entry_desc &entry);
llvm::ArrayRef<attn_tensor_desc> outputs(const attn_entry_desc &entry);
llvm::ArrayRef<attn_dim_desc> dims(const attn_entry_desc &entry);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_LIBRARY_H
