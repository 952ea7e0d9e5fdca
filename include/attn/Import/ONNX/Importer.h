//===- Importer.h - ONNX models ---------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_ONNX_IMPORTER_H
#define ATTN_IMPORT_ONNX_IMPORTER_H

#include "attn/Import/Importer.h"

namespace attn {

/// Files of the name *.onnx: operator sets from 13 on, weights in the file or beside it. The entry takes the graph's
/// inputs that no initializer gives a value to; dimensions with a name may have any size at run time.
std::unique_ptr<Importer> createONNXImporter();

} // namespace attn

#endif // ATTN_IMPORT_ONNX_IMPORTER_H
