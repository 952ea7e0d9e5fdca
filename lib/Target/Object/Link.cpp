//===- Link.cpp - Objects become one file -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lld, objcopy and ar as library calls. lld may refuse to run again after a crash
// of its own; that state is the process's, like lld's.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Link.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace attn;
using namespace llvm;

// Makes one sentence of what the linker printed.
static std::string summarize(StringRef output) {
  std::string result;
  SmallVector<StringRef> lines;
  output.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    line.consume_front("ld.lld: ");
    if (line.starts_with("warning: "))
      continue;
    bool isDetail = line.consume_front(">>> ");
    line.consume_front("error: ");
    if (!result.empty())
      result += isDetail ? ", " : "; ";
    result += line.trim();
  }
  return result;
}

static Error runLinker(ArrayRef<std::string> arguments) {
  static std::mutex mutex;
  static bool broken = false;
  std::lock_guard<std::mutex> lock(mutex);
  if (broken)
    return createStringError("cannot link: the linker crashed before in this process");

  SmallVector<const char *> pointers = {"ld.lld"};
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string out, err;
  raw_string_ostream outStream(out), errStream(err);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(pointers, outStream, errStream, drivers);
  broken = !result.canRunAgain;
  if (result.retCode == 0)
    return Error::success();
  std::string summary = summarize(err);
  return createStringError("cannot link: " + (summary.empty() ? "the linker gave no reason" : summary));
}

Error attn::linkShared(const SharedLinkOptions &options) {
  std::vector<std::string> arguments = {
      "-shared", "-soname=" + options.soname, "-o", options.output, "--gc-sections", "--exclude-libs=ALL",
      "--no-undefined", "--as-needed", "--hash-style=both", "--build-id=none", "-znow", "-zrelro", "-znoexecstack",
      "-zlrodata-after-bss",
      // One object and a few archive members: threads cost more than they bring, and would outlive the link.
      "--threads=1", "--version-script=" + options.versionScript};
  append_range(arguments, options.objects);
  append_range(arguments, options.libraries);
  return runLinker(arguments);
}

Error attn::linkRelocatable(ArrayRef<std::string> objects, StringRef output) {
  std::vector<std::string> arguments = {"-r", "-o", output.str(), "--build-id=none", "--threads=1"};
  append_range(arguments, objects);
  return runLinker(arguments);
}

static Expected<std::unique_ptr<MemoryBuffer>> readFile(StringRef path, bool isVolatile) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false, isVolatile);
  if (!buffer)
    return createStringError(buffer.getError(), "cannot read '" + path + "': " + buffer.getError().message());
  return std::move(*buffer);
}

static Error writeFile(StringRef path, function_ref<Error(raw_fd_ostream &)> write) {
  std::error_code code;
  raw_fd_ostream os(path, code, sys::fs::CD_CreateAlways, sys::fs::FA_Write, sys::fs::OF_None);
  if (code)
    return createStringError(code, "cannot write '" + path + "': " + code.message());
  Error error = write(os);
  os.close();
  code = os.error();
  os.clear_error();
  if (error)
    return error;
  if (code)
    return createStringError(code, "cannot write '" + path + "': " + code.message());
  return Error::success();
}

Error attn::localizeHiddenSymbols(StringRef path) {
  // Volatile: read into memory, since the file is overwritten below.
  Expected<std::unique_ptr<MemoryBuffer>> buffer = readFile(path, /*isVolatile=*/true);
  if (!buffer)
    return buffer.takeError();
  Expected<std::unique_ptr<object::ObjectFile>> object = object::ObjectFile::createELFObjectFile(**buffer);
  if (!object)
    return object.takeError();
  objcopy::ConfigManager config;
  config.ELF.LocalizeHidden = true;
  SmallVector<char, 0> result;
  raw_svector_ostream os(result);
  if (Error error = objcopy::executeObjcopyOnBinary(config, **object, os))
    return error;
  return writeFile(path, [&](raw_fd_ostream &file) {
    file.write(result.data(), result.size());
    return Error::success();
  });
}

Error attn::writeStaticLibrary(StringRef objectPath, StringRef memberName, StringRef runtimeArchive, StringRef output) {
  Expected<std::unique_ptr<MemoryBuffer>> buffer = readFile(objectPath, /*isVolatile=*/false);
  if (!buffer)
    return buffer.takeError();
  std::vector<NewArchiveMember> members;
  members.emplace_back(MemoryBufferRef((*buffer)->getBuffer(), memberName));

  Expected<std::unique_ptr<object::Archive>> runtime =
      object::Archive::create(MemoryBufferRef(runtimeArchive, "libattn_runtime.a"));
  if (!runtime)
    return runtime.takeError();
  Error error = Error::success();
  for (const object::Archive::Child &child : (*runtime)->children(error)) {
    Expected<NewArchiveMember> member = NewArchiveMember::getOldMember(child, /*Deterministic=*/true);
    if (!member) {
      consumeError(std::move(error));
      return member.takeError();
    }
    members.push_back(std::move(*member));
  }
  if (error)
    return error;
  return writeFile(output, [&](raw_fd_ostream &os) {
    return writeArchiveToStream(os, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                                /*Deterministic=*/true, /*Thin=*/false);
  });
}
