//===- Weights.cpp - The weights of a library and where they lie *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equal weights are found by BLAKE3 in two steps: only weights of one size are
// compared, first by a hash of their beginning, and only those that agree there
// are read whole. Different matrices differ early, so nearly every byte is
// produced once.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Weights/Weights.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MathExtras.h"

#include <map>

using namespace attn;
using namespace llvm;

namespace {
// How much of a weight the first comparison reads.
constexpr uint64_t beginningSize = 64 << 10;

using Hash = BLAKE3Result<32>;

Error describe(const WeightBlob &blob, Error error) {
  return createStringError("weight '" + blob.symbol + "': " + toString(std::move(error)));
}

// Finds for each blob the first one with the same contents.
class EqualityFinder {
public:
  explicit EqualityFinder(ArrayRef<WeightBlob> blobs) : blobs(blobs) {}

  Expected<std::vector<size_t>> run() {
    std::vector<size_t> first(blobs.size());
    DenseMap<uint64_t, std::vector<size_t>> bySize;
    for (auto [i, blob] : enumerate(blobs)) {
      first[i] = i;
      if (blob.bytes != 0)
        bySize[blob.bytes].push_back(i);
    }
    for (const auto &[size, members] : bySize)
      if (members.size() > 1)
        if (Error error = splitBySizeClass(members, size, first))
          return std::move(error);
    return first;
  }

private:
  Error splitBySizeClass(ArrayRef<size_t> members, uint64_t size, std::vector<size_t> &first) {
    std::map<Hash, std::vector<size_t>> byBeginning;
    for (size_t i : members) {
      Hash hash;
      if (Error error = read(blobs[i], std::min(size, beginningSize), hash))
        return error;
      byBeginning[hash].push_back(i);
    }
    for (const auto &[beginning, candidates] : byBeginning) {
      if (candidates.size() == 1)
        continue;
      std::map<Hash, size_t> seen;
      for (size_t i : candidates) {
        Hash hash = beginning;
        if (size > beginningSize)
          if (Error error = read(blobs[i], size, hash))
            return error;
        // Candidates ascend, so the first to be seen is the least.
        first[i] = seen.try_emplace(hash, i).first->second;
      }
    }
    return Error::success();
  }

  Error read(const WeightBlob &blob, uint64_t bytes, Hash &hash) {
    BLAKE3 hasher;
    for (uint64_t offset = 0; offset < bytes; offset += weightBlockSize) {
      buffer.resize(std::min(weightBlockSize, bytes - offset));
      if (Error error = blob.fill(offset, buffer))
        return describe(blob, std::move(error));
      hasher.update(StringRef(buffer.data(), buffer.size()));
    }
    hasher.final(hash);
    return Error::success();
  }

  ArrayRef<WeightBlob> blobs;
  std::vector<char> buffer;
};
} // namespace

Expected<WeightLayout> WeightLayout::plan(ArrayRef<WeightBlob> blobs) {
  WeightLayout layout;
  StringSet<> names;
  for (const WeightBlob &blob : blobs) {
    if (!names.insert(blob.symbol).second)
      return createStringError("two weights have the symbol '" + blob.symbol + "'");
    if (layout.totalBytes + blob.bytes < blob.bytes || layout.totalBytes + blob.bytes > uint64_t(1) << 62)
      return createStringError("weight '" + blob.symbol + "' of " + Twine(blob.bytes) +
                               " bytes makes the library larger than any file can be");
    layout.totalBytes += blob.bytes;
  }

  Expected<std::vector<size_t>> first = EqualityFinder(blobs).run();
  if (!first)
    return first.takeError();
  std::vector<uint64_t> offsets(blobs.size());
  for (auto [i, blob] : enumerate(blobs)) {
    if ((*first)[i] == i) {
      offsets[i] = layout.size;
      layout.pieces.push_back({&blob, offsets[i]});
      layout.size = alignTo(layout.size + blob.bytes, weightAlignment);
      layout.storedBytes += blob.bytes;
    } else {
      offsets[i] = offsets[(*first)[i]];
    }
    layout.symbols.push_back({blob.symbol, offsets[i], blob.bytes});
  }
  return layout;
}

Error WeightLayout::write(raw_fd_ostream &os, const std::function<bool()> &cancelled) const {
  uint64_t written = 0;
  std::vector<char> buffer;
  for (const Piece &piece : pieces) {
    os.write_zeros(piece.offset - written);
    for (uint64_t offset = 0; offset < piece.blob->bytes; offset += weightBlockSize) {
      if (cancelled && cancelled())
        return createStringError(std::errc::operation_canceled, "cancelled");
      buffer.resize(std::min(weightBlockSize, piece.blob->bytes - offset));
      if (Error error = piece.blob->fill(offset, buffer))
        return describe(*piece.blob, std::move(error));
      os.write(buffer.data(), buffer.size());
      if (os.has_error())
        return Error::success();
    }
    written = piece.offset + piece.blob->bytes;
  }
  os.write_zeros(size - written);
  return Error::success();
}
