//===- ElfObject.h - Weights as an ELF section ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linking copies every byte it sees. So the linker is shown the weights section
// as one without contents (like .bss, but read-only), with all symbols in their
// places; the contents are appended to the linked file afterwards and its headers
// say so. Gigabytes then cost one sequential write and no memory.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_WEIGHTS_ELFOBJECT_H
#define ATTN_TARGET_WEIGHTS_ELFOBJECT_H

#include "attn/Target/Weights/Weights.h"

#include "llvm/TargetParser/Triple.h"

namespace attn {

struct WeightObjectOptions {
  llvm::Triple::ArchType arch = llvm::Triple::x86_64;
  /// Mark the section as large (x86-64 only): with `-z lrodata-after-bss` it then is a segment of its own behind all
  /// others, which is where contents can be appended, and relocations of small-model code never cross it.
  bool large = false;
  /// Write the bytes, too; otherwise the section is NOBITS and appendWeights has to follow.
  bool contents = false;
  std::function<bool()> cancelled;
};

/// Writes a relocatable object that defines each of the layout's symbols, global and hidden. Fails for an architecture
/// other than x86-64 and AArch64, and where the weights cannot be read; see WeightLayout::write for stream errors.
llvm::Error writeWeightObject(llvm::raw_fd_ostream &os, const WeightLayout &layout, const WeightObjectOptions &options);

/// Appends the contents to a linked file (shared library or relocatable object) whose weights section is NOBITS, and
/// makes the section and, in a shared library, its segment say where they are. The segment has to hold nothing else.
llvm::Error appendWeights(llvm::StringRef path, const WeightLayout &layout,
                          const std::function<bool()> &cancelled = {});

} // namespace attn

#endif // ATTN_TARGET_WEIGHTS_ELFOBJECT_H
