//===- ModuleFile.cpp - Texts as files --------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuleFile.h"
#include "attn/Target/Object/OutputFiles.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace attn;
namespace fs = llvm::sys::fs;

/// Streams, devices and pipes: nothing can be renamed to them.
static llvm::Error writeDirectly(StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code, fs::OF_None);
  if (!code) {
    write(os);
    os.flush();
    code = os.error();
    os.clear_error();
  }
  return code ? makeWriteError(path == "-" ? "standard output" : path, code) : llvm::Error::success();
}

llvm::Error attn::writeTextFile(StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  fs::file_status status;
  bool exists = !fs::status(path, status) && fs::exists(status);
  if (path == "-" || (exists && status.type() != fs::file_type::regular_file))
    return writeDirectly(path, write);
  OutputFiles files(path);
  llvm::Expected<std::string> temporary = files.write("", [&](llvm::raw_fd_ostream &os) {
    write(os);
    return llvm::Error::success();
  });
  if (!temporary)
    return files.rename(temporary.takeError());
  files.publish(*temporary, path);
  return files.rename(files.commit());
}

void attn::printModule(ModuleOp module, llvm::raw_ostream &os) {
  // Every stage's end has been verified.
  module->print(os, OpPrintingFlags().enableDebugInfo(false).assumeVerified());
  os << "\n";
}
