//===- ExternalData.cpp - Weights in files beside the model -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"
#include "attn/Support/Errors.h"
#include "onnx.pb.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace attn;
using namespace attn::onnx;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;
using llvm::SmallString;
using llvm::StringRef;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// Opens the regular file that really stands at `file`, checks that nobody else has a name for it, and gives its size.
static Expected<uint64_t> inspect(StringRef file, const llvm::Twine &who) {
  // Not following the last link, and not waiting for the other side of a pipe.
  int descriptor = ::open(file.str().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    std::error_code code(errno, std::generic_category());
    if (errno == ELOOP)
      return makeError(who + "'" + file + "' is a symbolic link, which is refused; put the file itself there");
    return makeError(who + "cannot read '" + file + "'", code);
  }
  auto close = llvm::scope_exit([&] { ::close(descriptor); });
  struct stat opened, named;
  if (::fstat(descriptor, &opened) || ::lstat(file.str().c_str(), &named))
    return makeError(who + "cannot read '" + file + "'", std::error_code(errno, std::generic_category()));
  if (!S_ISREG(opened.st_mode))
    return makeError(who + "'" + file + "' is no regular file");
  if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
    return makeError(who + "'" + file + "' was replaced while it was read");
  if (opened.st_nlink != 1)
    return makeError(who + "'" + file + "' has " + llvm::Twine(uint64_t(opened.st_nlink)) +
                     " names (hard links), which is refused; copy it");
  return uint64_t(opened.st_size);
}

Expected<ExternalData> attn::onnx::resolveExternalData(const TensorProto &tensor, uint64_t bytes, StringRef modelPath) {
  std::string who = (modelPath + ": external data of tensor '" + tensor.name() + "': ").str();
  std::optional<StringRef> location;
  ExternalData data;
  data.length = bytes;
  for (const StringEntry &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    if (key == "location") {
      location = value;
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, key == "offset" ? data.offset : data.length))
        return makeError(who + key + " is '" + value.take_front(40) + "', expected a number of bytes");
    } else if (key != "checksum") {
      return makeError(who + "unknown key '" + key.take_front(40) +
                       "'; known are location, offset, length and checksum");
    }
  }
  if (!location || location->empty())
    return makeError(who + "it has no location");
  if (path::is_absolute(*location) || location->contains('\0'))
    return makeError(who + "location '" + *location + "' is not relative to the model's folder");
  for (StringRef part : llvm::make_range(path::begin(*location), path::end(*location)))
    if (part == "..")
      return makeError(who + "location '" + *location + "' leaves the model's folder");

  SmallString<128> folder = path::parent_path(modelPath);
  if (folder.empty())
    folder = ".";
  SmallString<128> file = folder;
  path::append(file, *location);
  SmallString<128> realFolder, realParent;
  if (std::error_code code = fs::real_path(folder, realFolder))
    return makeError(who + "cannot read '" + folder + "'", code);
  if (std::error_code code = fs::real_path(path::parent_path(file), realParent))
    return makeError(who + "cannot read '" + file + "'", code);
  StringRef inside = realParent;
  if (!inside.consume_front(realFolder) || !(inside.empty() || inside.front() == '/' || realFolder == "/"))
    return makeError(who + "location '" + *location + "' leaves the model's folder");

  Expected<uint64_t> size = inspect(file, who);
  if (!size)
    return size.takeError();
  if (data.length != bytes)
    return makeError(formatv("{0}length is {1} bytes, but the tensor's shape and type need {2}", who, data.length, bytes)
                         .str());
  if (data.offset > *size || data.length > *size - data.offset)
    return makeError(formatv("{0}bytes {1} to {2} lie beyond the end of '{3}', which has {4}", who, data.offset,
                             data.offset + data.length, *location, *size)
                         .str());
  data.file = file.str().str();
  return data;
}
