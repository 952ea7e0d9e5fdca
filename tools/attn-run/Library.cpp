//===- Library.cpp - A compiled model, opened -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loader's own messages repeat the path and differ between systems, so the frequent cases are told apart first.
//
//===----------------------------------------------------------------------===//

#include "Library.h"
#include "Elements.h"
#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "attn/Support/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include <cstddef>
#include <dlfcn.h>

using namespace attn;
using namespace attn::run;
using llvm::StringRef;

/// Why the loader would touch pages that the file at `path` does not have, which ends the process; empty if it would
/// not. What is no ELF file of this machine's kind the loader itself refuses.
static std::string whyTruncated(StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return llvm::toString(file.takeError());
  StringRef text = file->text();
  using ELFT = llvm::object::ELF64LE;
  auto [kind, encoding] = llvm::object::getElfArchType(text);
  if (text.size() < sizeof(ELFT::Ehdr) || kind != llvm::ELF::ELFCLASS64 || encoding != llvm::ELF::ELFDATA2LSB)
    return "";
  llvm::Expected<llvm::object::ELFFile<ELFT>> elf = llvm::object::ELFFile<ELFT>::create(text);
  if (!elf)
    return llvm::toString(elf.takeError());
  llvm::Expected<ELFT::PhdrRange> segments = elf->program_headers();
  if (!segments)
    return llvm::toString(segments.takeError());
  for (const ELFT::Phdr &segment : *segments)
    if (segment.p_filesz > text.size() || segment.p_offset > text.size() - segment.p_filesz)
      return ("it is truncated: the file has " + llvm::Twine(text.size()) + " bytes, and a segment ends at byte " +
              llvm::Twine(llvm::SaturatingAdd<uint64_t>(segment.p_offset, segment.p_filesz)))
          .str();
  return "";
}

llvm::Expected<Library> Library::open(StringRef path) {
  auto failed = [&](const llvm::Twine &reason) { return makeError("cannot load '" + path + "': " + reason); };
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(path, status))
    return failed(code.message());
  if (status.type() == llvm::sys::fs::file_type::directory_file)
    return failed("it is a directory");
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return failed("it is not a regular file");
  if (std::string reason = whyTruncated(path); !reason.empty())
    return failed(reason);
  // A name without a slash would be searched in the system's directories.
  std::string file = path.contains('/') ? path.str() : ("./" + path).str();
  void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    StringRef reason = dlerror();
    reason.consume_front(file + ": ");
    return failed(reason);
  }
  Library library(handle);
  auto *get = reinterpret_cast<const attn_library *(*)(void)>(dlsym(handle, "attn_library_v1"));
  if (!get)
    return failed("it is no compiled model (it does not export attn_library_v1)");
  library.entries = get();
  if (!library.entries)
    return failed("attn_library_v1 returned nothing");
  if (library.entries->abi_version != ATTN_ABI_VERSION)
    return failed("it speaks ABI version " + llvm::Twine(library.entries->abi_version) + ", this attn-run version " +
                  llvm::Twine(ATTN_ABI_VERSION));
  if (library.entries->size < sizeof(attn_library))
    return failed("its table is too short, " + llvm::Twine(library.entries->size) + " bytes");
  return library;
}

Library::~Library() {
  if (handle)
    dlclose(handle);
}

llvm::Expected<uint32_t> Library::entry(StringRef name) const {
  if (entries->num_entries == 0)
    return makeError("the library has no entries");
  std::string known;
  for (uint32_t i = 0; i < entries->num_entries; ++i) {
    if (name.empty() || name == entries->entries[i].name)
      return i;
    known += (i ? ", '" : "'") + std::string(entries->entries[i].name) + "'";
  }
  return makeError("no entry '" + name + "'; there is " + known);
}

static void printTensor(llvm::raw_ostream &os, const attn_entry_desc &entry, StringRef kind,
                        const attn_tensor_desc &desc) {
  os << "  " << kind << " " << desc.name << ": " << typeName(desc) << "[";
  llvm::interleaveComma(llvm::ArrayRef(desc.shape, desc.rank), os, [&](int64_t size) {
    if (size < 0)
      os << entry.dims[-1 - size].name;
    else
      os << size;
  });
  os << "]";
  if (desc.index_begin < desc.index_end)
    os << ", values in [" << desc.index_begin << ", " << desc.index_end << ")";
  if (desc.state)
    os << ", continues " << entry.inputs[desc.state - 1].name;
  os << "\n";
}

void Library::list(llvm::raw_ostream &os) const {
  os << entries->name << " (ABI version " << entries->abi_version << ")\n";
  for (const attn_entry_desc &entry : llvm::ArrayRef(entries->entries, entries->num_entries)) {
    os << "entry " << entry.name << "\n";
    for (const attn_dim_desc &dim : dims(entry)) {
      os << "  dim " << dim.name << ": at least " << dim.min;
      if (dim.max != INT64_MAX)
        os << ", at most " << dim.max;
      os << "\n";
    }
    for (const attn_tensor_desc &desc : inputs(entry))
      printTensor(os, entry, "input", desc);
    for (const attn_tensor_desc &desc : outputs(entry))
      printTensor(os, entry, "output", desc);
  }
}

llvm::Expected<Context> Context::create(const Library &library, StringRef target, int32_t threads) {
  std::string targetText = target.str();
  attn_create_options options = {};
  // Its arrays are the CPU's.
  options.device_type = kDLCPU;
  options.size = sizeof options;
  options.target = target.empty() ? nullptr : targetText.c_str();
  options.threads = threads;
  attn_error error = {};
  attn_context *context = nullptr;
  if (attn_code code = library.table().create(&library.table(), &options, &context, &error))
    return makeError(StringRef(library.table().code_name(code)) + ": " + error.message);
  return Context(&library.table(), context);
}

Context::~Context() {
  if (context)
    library->destroy(context);
}

StringRef Context::target(uint32_t entry) const {
  const char *name = library->target(context, entry);
  return name ? name : "?";
}

llvm::Error Context::check(attn_code code) const {
  if (code == ATTN_OK)
    return llvm::Error::success();
  // The message names the entry.
  return makeError(StringRef(library->code_name(code)) + ": " + library->last_error(context)->message);
}

llvm::ArrayRef<attn_tensor_desc> run::inputs(const attn_entry_desc &entry) {
  return {entry.inputs, static_cast<size_t>(entry.num_inputs)};
}

llvm::ArrayRef<attn_tensor_desc> run::outputs(const attn_entry_desc &entry) {
  return {entry.outputs, static_cast<size_t>(entry.num_outputs)};
}

llvm::ArrayRef<attn_dim_desc> run::dims(const attn_entry_desc &entry) {
  return {entry.dims, static_cast<size_t>(entry.num_dims)};
}
