//===- File.h - Mapped inputs and atomic outputs ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are far larger than what the compiler should hold, so input files are mapped and read where they lie. Output
// files appear under their name only when they are complete: whatever goes wrong before, no half-written file stays.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_FILE_H
#define ATTN_SUPPORT_FILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <optional>
#include <string>

namespace attn {

/// A regular file mapped read-only. Movable; the bytes stay where they are until the last owner goes.
class MappedFile {
public:
  /// Maps the file at `path`. Fails, naming the path, where it is missing, unreadable, or not a regular file.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);

  llvm::ArrayRef<uint8_t> bytes() const { return {reinterpret_cast<const uint8_t *>(region.const_data()), size}; }
  llvm::StringRef text() const { return {region.const_data(), size}; }
  llvm::StringRef path() const { return name; }

  MappedFile(MappedFile &&) = default;
  MappedFile &operator=(MappedFile &&) = default;

private:
  MappedFile() = default;
  std::string name;
  size_t size = 0; // 0: nothing is mapped
  llvm::sys::fs::mapped_file_region region;
};

/// A file being written: a temporary file in the same directory until `commit` gives it its name. It is removed by the
/// destructor and by fatal signals. A path that exists and is no regular file (a pipe, /dev/stdout) is written
/// directly.
class OutputFile {
public:
  /// `mode` are the permissions before the umask: 0666, or 0777 for what can be loaded or executed.
  static llvm::Expected<std::unique_ptr<OutputFile>> create(llvm::StringRef path, unsigned mode = 0666);
  ~OutputFile();

  /// Buffered; also seekable while the file is a regular one.
  llvm::raw_fd_ostream &os() { return *stream; }

  /// Flushes, reports any write error so far (a full disk, for example), and renames. Call once.
  llvm::Error commit();

  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

private:
  OutputFile() = default;
  std::string name;
  std::optional<llvm::sys::fs::TempFile> temporary;
  std::unique_ptr<llvm::raw_fd_ostream> stream;
};

/// Creates the file at `path` from what `write` puts into the stream. If that fails, nothing changes at `path`.
llvm::Error writeFile(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::raw_fd_ostream &)> write,
                      unsigned mode = 0666);

/// The same for bytes at hand.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents, unsigned mode = 0666);

} // namespace attn

#endif // ATTN_SUPPORT_FILE_H
