//===- Weights.h - The weights of a library and where they lie --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight's bytes are produced block by block on demand, so that neither the
// compiler's memory nor the linker's work grows with the model. Offsets are fixed
// first (equal contents share one place), then the section is streamed once.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_WEIGHTS_WEIGHTS_H
#define ATTN_TARGET_WEIGHTS_WEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <string>
#include <vector>

namespace attn {

/// The section's name, and the alignment of each weight in it.
constexpr llvm::StringLiteral weightsSectionName = ".attn.weights";
constexpr uint64_t weightAlignment = 64;
constexpr uint64_t weightsSectionAlignment = 4096;
/// Blocks start at multiples of this many bytes; all but a weight's last one have this size.
constexpr uint64_t weightBlockSize = 1 << 20;

/// A weight as generated code names it.
struct WeightBlob {
  std::string symbol;
  uint64_t bytes = 0;
  /// Writes bytes [offset, offset + block.size()) of the weight into `block`. Has to give the same bytes each time: the
  /// start of a weight, or all of it, is read once more where another one has the same size.
  std::function<llvm::Error(uint64_t offset, llvm::MutableArrayRef<char> block)> fill;
};

/// Where each weight lies in the section.
class WeightLayout {
public:
  struct Symbol {
    llvm::StringRef name;
    uint64_t offset;
    uint64_t bytes;
  };

  /// Finds equal weights by content and gives all of them offsets, in order. The blobs must outlive the layout. Fails
  /// if a symbol occurs twice or a blob cannot be read.
  static llvm::Expected<WeightLayout> plan(llvm::ArrayRef<WeightBlob> blobs);

  llvm::ArrayRef<Symbol> getSymbols() const { return symbols; }
  /// Bytes of the section, gaps included.
  uint64_t getSize() const { return size; }
  /// Bytes of all weights, and of those that are stored.
  uint64_t getTotalBytes() const { return totalBytes; }
  uint64_t getStoredBytes() const { return storedBytes; }

  /// Streams the section's getSize() bytes. Errors of the stream itself are the caller's to look for, but a failed
  /// stream ends the work early. `cancelled`, if given, is asked before each block.
  llvm::Error write(llvm::raw_fd_ostream &os, const std::function<bool()> &cancelled = {}) const;

private:
  struct Piece {
    const WeightBlob *blob;
    uint64_t offset;
  };
  std::vector<Symbol> symbols;
  std::vector<Piece> pieces;
  uint64_t size = 0, totalBytes = 0, storedBytes = 0;
};

} // namespace attn

#endif // ATTN_TARGET_WEIGHTS_WEIGHTS_H
