//===- Embedded.cpp - Files that the compiler carries -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The symbols are defined by an object that CMake makes, see CMakeLists.txt; it
// also says for which architectures there are files.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Embedded.h"

using namespace attn;
using namespace llvm;

#define ATTN_DECLARE(symbol) extern "C" const char symbol##_begin[], symbol##_end[];
#define ATTN_CONTENTS(symbol) StringRef(symbol##_begin, symbol##_end - symbol##_begin)
#define ATTN_DECLARE_ARCH(arch)                                                                                        \
  ATTN_DECLARE(attn_embedded_##arch##_runtime)                                                                         \
  ATTN_DECLARE(attn_embedded_##arch##_libc)                                                                            \
  ATTN_DECLARE(attn_embedded_##arch##_libdl)                                                                           \
  ATTN_DECLARE(attn_embedded_##arch##_libm)                                                                            \
  ATTN_DECLARE(attn_embedded_##arch##_libpthread)
#define ATTN_FILES(arch)                                                                                               \
  EmbeddedFiles {                                                                                                      \
    ATTN_CONTENTS(attn_embedded_##arch##_runtime), ATTN_CONTENTS(attn_embedded_##arch##_libc),                         \
        ATTN_CONTENTS(attn_embedded_##arch##_libdl), ATTN_CONTENTS(attn_embedded_##arch##_libm),                       \
        ATTN_CONTENTS(attn_embedded_##arch##_libpthread)                                                               \
  }

ATTN_DECLARE(attn_embedded_abi)
#ifdef ATTN_EMBEDDED_x86_64
ATTN_DECLARE_ARCH(x86_64)
#endif
#ifdef ATTN_EMBEDDED_aarch64
ATTN_DECLARE_ARCH(aarch64)
#endif

Expected<EmbeddedFiles> attn::getEmbeddedFiles(const Triple &triple) {
  std::string known;
#ifdef ATTN_EMBEDDED_x86_64
  known += " x86_64-unknown-linux-gnu";
  if (triple.isOSLinux() && triple.getArch() == Triple::x86_64)
    return ATTN_FILES(x86_64);
#endif
#ifdef ATTN_EMBEDDED_aarch64
  known += " aarch64-unknown-linux-gnu";
  if (triple.isOSLinux() && triple.getArch() == Triple::aarch64)
    return ATTN_FILES(aarch64);
#endif
  return createStringError("this attnc has no runtime for '" + triple.str() + "' (it has one for:" + known +
                           "); --emit=object needs none");
}

StringRef attn::getEmbeddedAbiHeader() { return ATTN_CONTENTS(attn_embedded_abi); }
