//===- Importer.h - MLIR text -----------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_MLIR_IMPORTER_H
#define ATTN_IMPORT_MLIR_IMPORTER_H

#include "attn/Import/Importer.h"

namespace attn {

/// Files of the name *.mlir, of dialects that the context knows; bytecode is refused. Weights' files with a relative
/// path are looked for beside the MLIR file, then in the working directory. Entries are completed by `annotateEntries`.
std::unique_ptr<Importer> createMLIRImporter();

} // namespace attn

#endif // ATTN_IMPORT_MLIR_IMPORTER_H
