//===- Safetensors.h - Where a checkpoint's tensors stand -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A safetensors file is eight bytes with the little-endian size of a JSON header, the header, and the tensors' bytes
// without gaps. Only the header is read; the tensors become slices of the file.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_HUGGINGFACE_SAFETENSORS_H
#define ATTN_IMPORT_HUGGINGFACE_SAFETENSORS_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace attn {

/// A tensor in a file.
struct StoredTensor {
  std::string file;
  /// The format's name of the element type, such as "F32" or "BF16".
  std::string dtype;
  llvm::SmallVector<int64_t> shape;
  /// Of the first byte, from the beginning of the file.
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// The tensors of one .safetensors file, or of a directory's sharded checkpoint.
class Checkpoint {
public:
  /// Reads the header of the file at `path`. Fails, naming file and tensor, where the header is truncated, larger than
  /// 100 MB or no JSON object, where a tensor's type is unknown or its size overflows or doesn't match its bytes, and
  /// where the tensors' bytes overlap, leave a gap or don't end with the file.
  static llvm::Expected<Checkpoint> openFile(llvm::StringRef path);

  /// Reads `model.safetensors` in `directory`, or the shards that `model.safetensors.index.json` lists; these must be
  /// plain file names, exist and hold what the index says.
  static llvm::Expected<Checkpoint> openDirectory(llvm::StringRef directory);

  /// The tensor `name`, or null.
  const StoredTensor *find(llvm::StringRef name) const;
  /// Whether the name of some tensor begins with `prefix`.
  bool hasPrefix(llvm::StringRef prefix) const;
  size_t size() const { return tensors.size(); }
  /// The file or index the tensors were listed in, for messages.
  llvm::StringRef getSource() const { return source; }
  /// All names, sorted.
  std::vector<llvm::StringRef> names() const;

private:
  std::string source;
  llvm::StringMap<StoredTensor> tensors;
};

} // namespace attn

#endif // ATTN_IMPORT_HUGGINGFACE_SAFETENSORS_H
