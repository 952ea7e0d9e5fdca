//===- ElfObject.cpp - Weights as an ELF section ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A writer for one kind of object (headers, the weights, a symbol table), and the
// patch that gives a linked file its weights. Everything is little-endian ELF64.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Weights/ElfObject.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

using namespace attn;
using namespace llvm;
using ELFT = object::ELF64LE;

namespace {
enum SectionIndex { NullSection, WeightsSection, StackNote, SymbolTable, StringTable, SectionNames, NumSections };

// Strings of an ELF string table, the empty one first.
class Strings {
public:
  uint32_t add(StringRef text) {
    uint32_t offset = data.size();
    data.append(text.begin(), text.end());
    data.push_back(0);
    return offset;
  }
  std::string data = std::string(1, '\0');
};

template <typename T>
void writeStruct(raw_ostream &os, const T &value) {
  os.write(reinterpret_cast<const char *>(&value), sizeof(T));
}

Error failSize(const Twine &path, const Twine &reason) {
  return createStringError("cannot place the weights in '" + path + "': " + reason);
}
} // namespace

static ELFT::Ehdr makeFileHeader(uint16_t machine, uint64_t sectionHeaders) {
  ELFT::Ehdr header;
  std::memset(&header, 0, sizeof(header));
  std::memcpy(header.e_ident, ELF::ElfMagic, 4);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine = machine;
  header.e_version = ELF::EV_CURRENT;
  header.e_shoff = sectionHeaders;
  header.e_ehsize = sizeof(ELFT::Ehdr);
  header.e_shentsize = sizeof(ELFT::Shdr);
  header.e_shnum = NumSections;
  header.e_shstrndx = SectionNames;
  return header;
}

Error attn::writeWeightObject(raw_fd_ostream &os, const WeightLayout &layout, const WeightObjectOptions &options) {
  bool isX86 = options.arch == Triple::x86_64;
  if (!isX86 && options.arch != Triple::aarch64)
    return createStringError("weights can be written for x86-64 and AArch64 only, not for " +
                             Triple::getArchTypeName(options.arch));

  Strings symbolNames;
  std::vector<ELFT::Sym> symbols(1);
  std::memset(symbols.data(), 0, sizeof(ELFT::Sym));
  for (const WeightLayout::Symbol &entry : layout.getSymbols()) {
    ELFT::Sym &symbol = symbols.emplace_back();
    std::memset(&symbol, 0, sizeof(symbol));
    symbol.st_name = symbolNames.add(entry.name);
    symbol.setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
    symbol.st_other = ELF::STV_HIDDEN;
    symbol.st_shndx = WeightsSection;
    symbol.st_value = entry.offset;
    symbol.st_size = entry.bytes;
  }

  Strings names;
  ELFT::Shdr sections[NumSections];
  std::memset(sections, 0, sizeof(sections));
  auto describe = [&](SectionIndex index, StringRef name, uint32_t type, uint64_t align) -> ELFT::Shdr & {
    sections[index].sh_name = names.add(name);
    sections[index].sh_type = type;
    sections[index].sh_addralign = align;
    return sections[index];
  };
  uint64_t offset = weightsSectionAlignment;
  auto place = [&](ELFT::Shdr &section, uint64_t size) {
    section.sh_offset = offset;
    section.sh_size = size;
    offset = alignTo(offset + size, 8);
  };

  ELFT::Shdr &weights = describe(WeightsSection, weightsSectionName,
                                 options.contents ? ELF::SHT_PROGBITS : ELF::SHT_NOBITS, weightsSectionAlignment);
  weights.sh_flags = ELF::SHF_ALLOC | (options.large && isX86 ? uint64_t(ELF::SHF_X86_64_LARGE) : 0);
  place(weights, options.contents ? layout.getSize() : 0);
  weights.sh_size = layout.getSize();
  // Says that the stack need not be executable; linkers assume the worst of objects without.
  place(describe(StackNote, ".note.GNU-stack", ELF::SHT_PROGBITS, 1), 0);
  ELFT::Shdr &table = describe(SymbolTable, ".symtab", ELF::SHT_SYMTAB, 8);
  table.sh_link = StringTable;
  table.sh_info = 1; // the first symbol that is not local
  table.sh_entsize = sizeof(ELFT::Sym);
  place(table, symbols.size() * sizeof(ELFT::Sym));
  place(describe(StringTable, ".strtab", ELF::SHT_STRTAB, 1), symbolNames.data.size());
  ELFT::Shdr &nameTable = describe(SectionNames, ".shstrtab", ELF::SHT_STRTAB, 1);
  place(nameTable, names.data.size());

  uint64_t start = os.tell();
  auto padTo = [&](uint64_t position) { os.write_zeros(position - (os.tell() - start)); };
  writeStruct(os, makeFileHeader(isX86 ? ELF::EM_X86_64 : ELF::EM_AARCH64, offset));
  padTo(weights.sh_offset);
  if (options.contents)
    if (Error error = layout.write(os, options.cancelled))
      return error;
  if (os.has_error())
    return Error::success();
  padTo(table.sh_offset);
  for (const ELFT::Sym &symbol : symbols)
    writeStruct(os, symbol);
  padTo(sections[StringTable].sh_offset);
  os << symbolNames.data;
  padTo(nameTable.sh_offset);
  os << names.data;
  padTo(offset);
  for (const ELFT::Shdr &section : sections)
    writeStruct(os, section);
  return Error::success();
}

// Sets section and segment to lie at `contents` in the file. `image` is a private, writable copy of the file's bytes.
static Error patchHeaders(StringRef path, MutableArrayRef<char> image, uint64_t size, uint64_t contents) {
  Expected<object::ELFFile<ELFT>> file = object::ELFFile<ELFT>::create(StringRef(image.data(), image.size()));
  if (!file)
    return failSize(path, toString(file.takeError()));
  Expected<ELFT::ShdrRange> sections = file->sections();
  if (!sections)
    return failSize(path, toString(sections.takeError()));
  ELFT::Shdr *weights = nullptr;
  for (const ELFT::Shdr &section : *sections) {
    Expected<StringRef> name = file->getSectionName(section);
    if (!name)
      return failSize(path, toString(name.takeError()));
    if (*name == weightsSectionName)
      weights = const_cast<ELFT::Shdr *>(&section); // a view of `image`
  }
  if (!weights || weights->sh_type != ELF::SHT_NOBITS || weights->sh_size != size)
    return failSize(path, "it has no section '" + weightsSectionName + "' of " + Twine(size) + " bytes to fill");
  weights->sh_type = ELF::SHT_PROGBITS;
  weights->sh_offset = contents;
  if (file->getHeader().e_type == ELF::ET_REL)
    return Error::success();

  Expected<ELFT::PhdrRange> segments = file->program_headers();
  if (!segments)
    return failSize(path, toString(segments.takeError()));
  for (const ELFT::Phdr &segment : *segments) {
    if (segment.p_type != ELF::PT_LOAD || segment.p_vaddr != weights->sh_addr)
      continue;
    if (segment.p_filesz != 0 || segment.p_memsz != size || segment.p_vaddr % segment.p_align != 0)
      return failSize(path, "their segment holds other things");
    auto &patched = const_cast<ELFT::Phdr &>(segment);
    patched.p_offset = contents;
    patched.p_filesz = size;
    return Error::success();
  }
  return failSize(path, "they have no segment of their own");
}

Error attn::appendWeights(StringRef path, const WeightLayout &layout, const std::function<bool()> &cancelled) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false, /*IsVolatile=*/true);
  if (!buffer)
    return failSize(path, buffer.getError().message());
  std::vector<char> image((*buffer)->getBuffer().begin(), (*buffer)->getBuffer().end());
  buffer->reset();

  // Pages of all sizes that processors use are loadable from here.
  uint64_t contents = alignTo(image.size(), weightsSectionAlignment);
  if (Error error = patchHeaders(path, image, layout.getSize(), contents))
    return error;
  std::error_code code;
  raw_fd_ostream os(path, code, sys::fs::CD_OpenExisting, sys::fs::FA_Write, sys::fs::OF_None);
  if (code)
    return failSize(path, code.message());
  os.write(image.data(), image.size());
  os.write_zeros(contents - image.size());
  Error error = layout.write(os, cancelled);
  os.close();
  code = os.error();
  os.clear_error();
  if (error)
    return error;
  return code ? failSize(path, code.message()) : Error::success();
}
