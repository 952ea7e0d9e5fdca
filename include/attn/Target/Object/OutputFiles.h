//===- OutputFiles.h - Files that appear whole or not at all ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything is written under temporary names beside the output and renamed when
// all of it is complete. What is left when the object dies (an error, an early
// return) or when a signal ends the process is removed.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_OUTPUTFILES_H
#define ATTN_TARGET_OBJECT_OUTPUTFILES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace attn {

class OutputFiles {
public:
  /// Temporary files lie beside `output`.
  explicit OutputFiles(llvm::StringRef output) : output(output) {}
  ~OutputFiles();
  OutputFiles(const OutputFiles &) = delete;
  OutputFiles &operator=(const OutputFiles &) = delete;

  /// Makes an empty temporary file whose name ends in `suffix` and returns its path.
  llvm::Expected<std::string> create(llvm::StringRef suffix);

  /// Makes a temporary file and lets `write` fill it; a full disk and the like are errors.
  llvm::Expected<std::string> write(llvm::StringRef suffix,
                                    llvm::function_ref<llvm::Error(llvm::raw_fd_ostream &)> write);
  llvm::Expected<std::string> write(llvm::StringRef suffix, llvm::StringRef contents);

  /// Says that the temporary file is to become `finalPath`.
  void publish(llvm::StringRef temporary, llvm::StringRef finalPath);

  /// Renames the published files. If that fails for one, those renamed before are removed.
  llvm::Error commit();

  /// The error with the output's name in place of temporary names, which mean nothing to people.
  llvm::Error rename(llvm::Error error) const;

private:
  struct Published {
    std::string temporary, finalPath;
  };
  void remove(llvm::StringRef temporary);

  std::string output;
  std::vector<std::string> temporaries;
  std::vector<Published> published;
};

/// "cannot write 'PATH': REASON".
llvm::Error makeWriteError(llvm::StringRef path, std::error_code reason);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_OUTPUTFILES_H
