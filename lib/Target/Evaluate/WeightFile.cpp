//===- WeightFile.cpp - Mapped files, opened once -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mapped rather than read: hundreds of weights look at one checkpoint, in small runs where they are transposed. A page
// behind the end of a file that has become shorter would kill the process, so the handle stays open and the size is
// compared again before each block is read.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"
#include "attn/Target/Weights/Evaluate.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace attn;

static Error fileError(StringRef path, std::error_code code) {
  return makeError("cannot read the weights in '" + path + "'", code);
}

Expected<std::shared_ptr<const WeightFile>> WeightFile::open(StringRef path) {
  std::shared_ptr<WeightFile> file(new WeightFile(path));
  // A pipe would block in open already, so the kind is asked before.
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return fileError(path, code);
  if (status.type() != sys::fs::file_type::regular_file)
    return makeError("cannot read the weights in '" + path + "': it is not a regular file");
  Expected<sys::fs::file_t> handle = sys::fs::openNativeFileForRead(path);
  if (!handle)
    return fileError(path, errorToErrorCode(handle.takeError()));
  file->handle = *handle;
  if (std::error_code code = sys::fs::status(*handle, status))
    return fileError(path, code);
  file->size = status.getSize();
  if (file->size == 0)
    return file;
  std::error_code code;
  file->region =
      sys::fs::mapped_file_region(*handle, sys::fs::mapped_file_region::readonly, file->size, /*offset=*/0, code);
  if (code)
    return fileError(path, code);
  return file;
}

WeightFile::~WeightFile() {
  if (handle != sys::fs::kInvalidFile)
    sys::fs::closeFile(handle);
}

Error WeightFile::checkUnchanged() const {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(handle, status))
    return fileError(path, code);
  if (status.getSize() < size)
    return makeError(formatv("{0}: the file shrank from {1} to {2} bytes while its weights were being read; "
                             "compile again",
                             path, size, status.getSize())
                         .str());
  return Error::success();
}

Expected<std::shared_ptr<const WeightFile>> FileCache::open(StringRef path) {
  std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<const WeightFile> &entry = files[path];
  if (entry)
    return entry;
  Expected<std::shared_ptr<const WeightFile>> file = WeightFile::open(path);
  if (!file)
    return file.takeError();
  entry = *file;
  return entry;
}
