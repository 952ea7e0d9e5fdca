//===- Npz.cpp - Archives of arrays -----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .npz is a zip archive with one NAME.npy per array.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "attn/Support/Npy.h"
#include "attn/Support/Zip.h"
#include "llvm/ADT/StringSet.h"

using namespace attn;

llvm::Expected<NpyArrays> attn::readNpz(llvm::StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  llvm::Expected<std::vector<ZipMember>> members = readZip(file->bytes(), path);
  if (!members)
    return members.takeError();
  NpyArrays arrays;
  llvm::StringSet<> seen;
  for (const ZipMember &member : *members) {
    llvm::StringRef name = member.name;
    name.consume_back(".npy");
    if (!seen.insert(name).second)
      return makeError(path + ": array '" + name + "' occurs twice");
    llvm::Expected<NpyArray> array = parseNpy(member.data, (path + ":" + member.name).str());
    if (!array)
      return array.takeError();
    arrays.emplace_back(name.str(), std::move(*array));
  }
  return arrays;
}

llvm::Error attn::writeNpz(llvm::StringRef path, const NpyArrays &arrays) {
  return writeFile(path, [&](llvm::raw_fd_ostream &os) {
    ZipWriter zip(os);
    for (const auto &[name, array] : arrays) {
      std::string header = npyHeader(array.type, array.shape);
      llvm::ArrayRef<uint8_t> head(reinterpret_cast<const uint8_t *>(header.data()), header.size());
      zip.add(name + ".npy", {head, array.data});
    }
    zip.finish();
    return llvm::Error::success();
  });
}
