//===- OutputFiles.cpp - Files that appear whole or not at all --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Temporary files share the output's directory, so renaming them is atomic and a
// full or read-only disk shows before anything is replaced.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/OutputFiles.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

using namespace attn;
using namespace llvm;

Error attn::makeWriteError(StringRef path, std::error_code reason) {
  return createStringError(reason, "cannot write '" + path + "': " + reason.message());
}

OutputFiles::~OutputFiles() {
  while (!temporaries.empty())
    remove(std::string(temporaries.back()));
}

void OutputFiles::remove(StringRef temporary) {
  sys::fs::remove(temporary);
  sys::DontRemoveFileOnSignal(temporary);
  erase(temporaries, temporary.str());
}

Expected<std::string> OutputFiles::create(StringRef suffix) {
  SmallString<128> path;
  int fd = -1;
  if (std::error_code code = sys::fs::createUniqueFile(output + ".tmp-%%%%%%%%" + suffix, fd, path))
    return makeWriteError(output, code);
  sys::Process::SafelyCloseFileDescriptor(fd);
  temporaries.push_back(path.str().str());
  std::string ignored;
  sys::RemoveFileOnSignal(path, &ignored);
  return path.str().str();
}

Expected<std::string> OutputFiles::write(StringRef suffix, function_ref<Error(raw_fd_ostream &)> write) {
  Expected<std::string> path = create(suffix);
  if (!path)
    return path;
  std::error_code code;
  raw_fd_ostream os(*path, code, sys::fs::CD_OpenExisting, sys::fs::FA_Write, sys::fs::OF_None);
  if (code)
    return makeWriteError(output, code);
  Error error = write(os);
  os.close();
  code = os.error();
  os.clear_error();
  if (error)
    return std::move(error);
  if (code)
    return makeWriteError(output, code);
  return path;
}

Expected<std::string> OutputFiles::write(StringRef suffix, StringRef contents) {
  return write(suffix, [&](raw_fd_ostream &os) {
    os << contents;
    return Error::success();
  });
}

void OutputFiles::publish(StringRef temporary, StringRef finalPath) {
  published.push_back({temporary.str(), finalPath.str()});
}

Error OutputFiles::commit() {
  for (auto [i, file] : enumerate(published)) {
    std::error_code code = sys::fs::rename(file.temporary, file.finalPath);
    if (!code) {
      sys::DontRemoveFileOnSignal(file.temporary);
      erase(temporaries, file.temporary);
      continue;
    }
    for (const Published &done : ArrayRef(published).take_front(i))
      sys::fs::remove(done.finalPath);
    return makeWriteError(file.finalPath, code);
  }
  published.clear();
  return Error::success();
}

Error OutputFiles::rename(Error error) const {
  if (!error)
    return error;
  std::error_code code;
  std::string text;
  handleAllErrors(std::move(error), [&](const ErrorInfoBase &info) {
    code = info.convertToErrorCode();
    text += (text.empty() ? "" : "; ") + info.message();
  });
  for (const std::string &temporary : temporaries)
    for (size_t at; (at = text.find(temporary)) != std::string::npos;)
      text.replace(at, temporary.size(), output);
  return createStringError(code, text);
}
