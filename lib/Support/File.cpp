//===- File.cpp - Mapped inputs and atomic outputs --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The temporary file is a neighbour of its target, since a rename is atomic only within one file system.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/File.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/ScopeExit.h"

using namespace attn;
namespace fs = llvm::sys::fs;

llvm::Expected<MappedFile> MappedFile::open(llvm::StringRef path) {
  auto failed = [&](std::error_code code) { return makeError("cannot read '" + path + "'", code); };
  // Looked at before it is opened: opening a pipe waits for somebody who writes into it.
  fs::file_status status;
  if (std::error_code code = fs::status(path, status))
    return failed(code);
  if (status.type() == fs::file_type::fifo_file)
    return makeError("cannot read '" + path + "': it is a pipe, which cannot be mapped");
  llvm::Expected<fs::file_t> fd = fs::openNativeFileForRead(path);
  if (!fd)
    return failed(llvm::errorToErrorCode(fd.takeError()));
  llvm::scope_exit close([&] { (void)fs::closeFile(*fd); });

  if (std::error_code code = fs::status(*fd, status))
    return failed(code);
  if (status.type() == fs::file_type::directory_file)
    return makeError("cannot read '" + path + "': it is a directory");
  if (status.type() != fs::file_type::regular_file)
    return makeError("cannot read '" + path + "': it is not a regular file, which mapping needs");

  MappedFile file;
  file.name = path.str();
  file.size = status.getSize();
  if (file.size == 0)
    return file;
  std::error_code code;
  file.region = fs::mapped_file_region(*fd, fs::mapped_file_region::readonly, file.size, 0, code);
  if (code)
    return failed(code);
  return file;
}

llvm::Expected<std::unique_ptr<OutputFile>> OutputFile::create(llvm::StringRef path, unsigned mode) {
  std::unique_ptr<OutputFile> file(new OutputFile);
  file->name = path.str();
  fs::file_status status;
  bool exists = !fs::status(path, status) && status.type() != fs::file_type::file_not_found;
  if (exists && status.type() == fs::file_type::directory_file)
    return makeError("cannot write '" + path + "': it is a directory");
  if (exists && status.type() != fs::file_type::regular_file) {
    std::error_code code;
    file->stream = std::make_unique<llvm::raw_fd_ostream>(path, code, fs::CD_OpenExisting, fs::FA_Write, fs::OF_None);
    if (code) {
      file->stream->clear_error();
      return makeError("cannot write '" + path + "'", code);
    }
    return file;
  }
  // A rename would replace a file that its owner made read-only.
  if (exists && fs::access(path, fs::AccessMode::Write))
    return makeError("cannot write '" + path + "'", std::make_error_code(std::errc::permission_denied));
  llvm::Expected<fs::TempFile> temporary = fs::TempFile::create(path + ".tmp-%%%%%%%%", mode);
  if (!temporary)
    return makeError("cannot write '" + path + "'", llvm::errorToErrorCode(temporary.takeError()));
  file->temporary.emplace(std::move(*temporary));
  file->stream = std::make_unique<llvm::raw_fd_ostream>(file->temporary->FD, /*shouldClose=*/false);
  return file;
}

OutputFile::~OutputFile() {
  // An error that nobody asked for must not end the process in the stream's destructor.
  if (stream) {
    stream->flush();
    stream->clear_error();
    stream.reset();
  }
  if (temporary)
    llvm::consumeError(temporary->discard());
}

llvm::Error OutputFile::commit() {
  stream->flush();
  std::error_code code = stream->error();
  stream->clear_error();
  if (!temporary && !code) {
    stream->close();
    code = stream->error();
    stream->clear_error();
  }
  if (code)
    return makeError("cannot write '" + name + "'", code);
  if (!temporary)
    return llvm::Error::success();
  stream.reset();
  llvm::Error error = temporary->keep(name);
  temporary.reset();
  if (error)
    return makeError("cannot write '" + name + "'", llvm::errorToErrorCode(std::move(error)));
  return llvm::Error::success();
}

llvm::Error attn::writeFile(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::raw_fd_ostream &)> write,
                            unsigned mode) {
  auto file = OutputFile::create(path, mode);
  if (!file)
    return file.takeError();
  if (llvm::Error error = write((*file)->os()))
    return error;
  return (*file)->commit();
}

llvm::Error attn::writeFile(llvm::StringRef path, llvm::StringRef contents, unsigned mode) {
  return writeFile(
      path,
      [&](llvm::raw_fd_ostream &os) {
        os << contents;
        return llvm::Error::success();
      },
      mode);
}
