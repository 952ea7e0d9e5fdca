//===- ModelFile.h - An ONNX file without its weights -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's file is mostly weights, which the compiler reads where they lie when the library is written. So the reader
// copies the file without the bytes of large tensors, says where these stand, and lets protobuf parse the small rest.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_MODELFILE_H
#define ATTN_LIB_IMPORT_ONNX_MODELFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace attn::onnx {

class ModelProto;
class TensorProto;

/// A parsed file. Tensors whose `raw_data` was cut out have `attn_offset` and `attn_length` instead.
struct ModelFile {
  ModelFile();
  ~ModelFile();
  std::string path;
  std::unique_ptr<ModelProto> model;
};

/// Reads the file at `path`. Errors name the file and the byte where it is cut off or no ONNX model.
llvm::Expected<std::unique_ptr<ModelFile>> readModelFile(llvm::StringRef path);

/// Where the bytes of a tensor with external data lie.
struct ExternalData {
  std::string file;
  uint64_t offset = 0, length = 0;
};

/// Resolves the external data of `tensor`, of `bytes` bytes, in the model at `modelPath`.
///
/// The model's author is not trusted: the location must be relative and stay inside the model's folder also when
/// symbolic links are followed; the file must be a regular one that is no symbolic link and has no other name (a hard
/// link could be to any file of the user's), and it must be the file that was looked at; offset and length must lie in
/// it. Keys other than location, offset, length and checksum are refused. (ONNX: docs/ExternalDataSecurity.md.)
llvm::Expected<ExternalData> resolveExternalData(const TensorProto &tensor, uint64_t bytes, llvm::StringRef modelPath);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_MODELFILE_H
