//===- Zip.h - Members of a zip archive -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Just as much of the format as .npz files need: members that are stored or deflated, with zip64 sizes; written ones
// are stored. The archive's directory is the truth about its members; all offsets and sizes are checked against the
// file.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_ZIP_H
#define ATTN_SUPPORT_ZIP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <string>
#include <vector>

namespace attn {

/// A member; `data` points into the archive, or to `inflated` where the archive holds it compressed.
struct ZipMember {
  std::string name;
  llvm::ArrayRef<uint8_t> data;
  std::unique_ptr<uint8_t[]> inflated;
};

/// The members of an archive in its directory's order; `name` stands in errors. Encrypted members, members compressed
/// otherwise than with deflate, wrong sizes or checksums and offsets outside the archive are errors. No memory is taken
/// for a size that the compressed bytes cannot have.
llvm::Expected<std::vector<ZipMember>> readZip(llvm::ArrayRef<uint8_t> archive, llvm::StringRef name);

/// Writes an archive of stored members. The same members always give the same bytes (no times are recorded).
class ZipWriter {
public:
  explicit ZipWriter(llvm::raw_ostream &os) : os(os) {}
  /// Appends a member whose bytes are the given pieces one after another.
  void add(llvm::StringRef name, llvm::ArrayRef<llvm::ArrayRef<uint8_t>> pieces);
  /// Writes the directory. Call once, last.
  void finish();

private:
  struct Record {
    std::string name;
    uint32_t crc;
    uint64_t size, offset;
  };
  void number(uint64_t value, unsigned bytes);

  llvm::raw_ostream &os;
  uint64_t position = 0;
  std::vector<Record> records;
};

} // namespace attn

#endif // ATTN_SUPPORT_ZIP_H
