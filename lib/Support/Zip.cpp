//===- Zip.cpp - Members of a zip archive -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes are always written in zip64 fields, as NumPy does, so that there is one form for small and large members. The
// directory's end record needs its own zip64 twin only from 65535 members or 4 GiB on.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Zip.h"
#include "attn/Support/Errors.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <limits>
#include <new>
#include <zlib.h>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

static constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
static constexpr uint32_t kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
static constexpr uint32_t kIn64 = 0xffffffff;         // the real value is in a zip64 field
static constexpr unsigned kStored = 0, kDeflated = 8; // methods
static constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20;

/// Whether `packed`, raw deflate, is whole and gives exactly the `size` bytes that `to` has room for.
static bool inflate(ArrayRef<uint8_t> packed, uint8_t *to, uint64_t size) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  stream.next_in = const_cast<uint8_t *>(packed.data());
  stream.next_out = to;
  // zlib counts in 32 bits.
  constexpr uint64_t piece = std::numeric_limits<uInt>::max();
  uint64_t unread = packed.size(), unwritten = size;
  int code = Z_OK;
  do {
    stream.avail_in = std::min(unread, piece);
    stream.avail_out = std::min(unwritten, piece);
    unread -= stream.avail_in;
    unwritten -= stream.avail_out;
    code = ::inflate(&stream, Z_NO_FLUSH);
    unread += stream.avail_in;
    unwritten += stream.avail_out;
  } while (code == Z_OK);
  inflateEnd(&stream);
  return code == Z_STREAM_END && unread == 0 && unwritten == 0;
}

namespace {
class Reader {
public:
  Reader(ArrayRef<uint8_t> archive, StringRef name) : archive(archive), name(name) {}

  llvm::Expected<std::vector<ZipMember>> run() {
    uint64_t count, position;
    if (!findDirectory(count, position))
      return makeError(name + ": not a zip archive, or truncated");
    std::vector<ZipMember> members;
    for (uint64_t i = 0; i < count; ++i) {
      if (!holds(position, kCentralBytes) || read32le(at(position)) != kCentral)
        return damaged();
      ZipMember member;
      if (llvm::Error error = read(position, member))
        return std::move(error);
      members.push_back(std::move(member));
    }
    return members;
  }

private:
  const uint8_t *at(uint64_t offset) const { return archive.data() + offset; }
  bool holds(uint64_t offset, uint64_t bytes) const {
    return offset <= archive.size() && bytes <= archive.size() - offset;
  }
  llvm::Error damaged() const { return makeError(name + ": damaged zip archive"); }

  bool findDirectory(uint64_t &count, uint64_t &position) const {
    if (archive.size() < kEndBytes)
      return false;
    // The end record is last, before a comment of at most 64 KiB.
    uint64_t last = archive.size() - kEndBytes, first = last > 0xffff ? last - 0xffff : 0, end = last;
    while (read32le(at(end)) != kEnd) {
      if (end == first)
        return false;
      --end;
    }
    count = read16le(at(end) + 10);
    position = read32le(at(end) + 16);
    if (count != 0xffff && position != kIn64)
      return true;
    if (end < kLocatorBytes || read32le(at(end - kLocatorBytes)) != kEnd64Locator)
      return true;
    uint64_t end64 = read64le(at(end - kLocatorBytes) + 8);
    if (!holds(end64, kEnd64Bytes) || read32le(at(end64)) != kEnd64)
      return false;
    count = read64le(at(end64) + 32);
    position = read64le(at(end64) + 48);
    return true;
  }

  /// Reads the directory's record at `position` and moves behind it.
  llvm::Error read(uint64_t &position, ZipMember &member) {
    const uint8_t *record = at(position);
    unsigned flags = read16le(record + 8), method = read16le(record + 10);
    uint32_t crc = read32le(record + 16);
    uint64_t packed = read32le(record + 20), size = read32le(record + 24), offset = read32le(record + 42);
    uint64_t nameBytes = read16le(record + 28), extraBytes = read16le(record + 30),
             commentBytes = read16le(record + 32);
    if (!holds(position, kCentralBytes + nameBytes + extraBytes + commentBytes))
      return damaged();
    member.name.assign(reinterpret_cast<const char *>(record) + kCentralBytes, nameBytes);
    if (!readZip64(archive.slice(position + kCentralBytes + nameBytes, extraBytes), size, packed, offset))
      return damaged();
    position += kCentralBytes + nameBytes + extraBytes + commentBytes;

    if (flags & 1)
      return makeError(name + ": member '" + member.name + "' is encrypted");
    if (method != kStored && method != kDeflated)
      return makeError(name + ": member '" + member.name + "' is compressed with method " + llvm::Twine(method) +
                       "; write it with numpy.savez or savez_compressed");
    if (!holds(offset, kLocalBytes) || read32le(at(offset)) != kLocal)
      return damaged();
    uint64_t skip = kLocalBytes + read16le(at(offset) + 26) + read16le(at(offset) + 28);
    if (!holds(offset, skip) || !holds(offset + skip, packed))
      return damaged();
    member.data = archive.slice(offset + skip, packed);
    if (llvm::Error error = method == kStored ? checkStored(member, size) : unpack(member, size))
      return error;
    if (llvm::crc32(member.data) != crc)
      return makeError(name + ": member '" + member.name + "' has a wrong checksum");
    return llvm::Error::success();
  }

  llvm::Error checkStored(const ZipMember &member, uint64_t size) const {
    return member.data.size() == size ? llvm::Error::success() : damaged();
  }

  /// Replaces the member's compressed bytes by the `size` bytes that they stand for.
  llvm::Error unpack(ZipMember &member, uint64_t size) {
    // Deflate's shortest code stands for 258 bytes in two bits, so a larger size is a lie. Members that share bytes
    // would add up to any size.
    constexpr uint64_t kBestRatio = 1032;
    packedBytes += member.data.size();
    if (size / kBestRatio > member.data.size() || packedBytes > archive.size())
      return damaged();
    member.inflated.reset(new (std::nothrow) uint8_t[size]);
    if (!member.inflated)
      return makeError(name + ": member '" + member.name + "' of " + llvm::Twine(size) +
                       " bytes does not fit in memory");
    if (!inflate(member.data, member.inflated.get(), size))
      return damaged();
    member.data = ArrayRef(member.inflated.get(), size);
    return llvm::Error::success();
  }

  /// Takes the values that the record marked from its zip64 field, in the format's fixed order.
  static bool readZip64(ArrayRef<uint8_t> extra, uint64_t &size, uint64_t &packed, uint64_t &offset) {
    uint64_t *wanted[] = {&size, &packed, &offset};
    if (std::none_of(std::begin(wanted), std::end(wanted), [](uint64_t *value) { return *value == kIn64; }))
      return true;
    while (extra.size() >= 4) {
      unsigned id = read16le(extra.data()), bytes = read16le(extra.data() + 2);
      extra = extra.drop_front(4);
      if (bytes > extra.size())
        return false;
      ArrayRef<uint8_t> field = extra.take_front(bytes);
      extra = extra.drop_front(bytes);
      if (id != 1)
        continue;
      for (uint64_t *value : wanted) {
        if (*value != kIn64)
          continue;
        if (field.size() < 8)
          return false;
        *value = read64le(field.data());
        field = field.drop_front(8);
      }
      return true;
    }
    return false;
  }

  ArrayRef<uint8_t> archive;
  StringRef name;
  uint64_t packedBytes = 0; // of the compressed members so far
};
} // namespace

llvm::Expected<std::vector<ZipMember>> attn::readZip(ArrayRef<uint8_t> archive, StringRef name) {
  return Reader(archive, name).run();
}

void ZipWriter::number(uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    os << static_cast<char>(value >> (8 * i) & 0xff);
  position += bytes;
}

void ZipWriter::add(StringRef name, ArrayRef<ArrayRef<uint8_t>> pieces) {
  Record record{name.str(), 0, 0, position};
  for (ArrayRef<uint8_t> piece : pieces) {
    record.crc = llvm::crc32(record.crc, piece);
    record.size += piece.size();
  }
  number(kLocal, 4);
  number(45, 2);         // zip64
  number(0x800, 2);      // the name is UTF-8
  number(0, 2);          // stored
  number(0x00210000, 4); // the format's first day: 1980-01-01
  number(record.crc, 4);
  number(kIn64, 4);
  number(kIn64, 4);
  number(name.size(), 2);
  number(20, 2);
  os << name;
  position += name.size();
  number(1, 2);
  number(16, 2);
  number(record.size, 8);
  number(record.size, 8);
  for (ArrayRef<uint8_t> piece : pieces)
    os.write(reinterpret_cast<const char *>(piece.data()), piece.size());
  position += record.size;
  records.push_back(std::move(record));
}

void ZipWriter::finish() {
  uint64_t begin = position;
  for (const Record &record : records) {
    number(kCentral, 4);
    number(45, 2);
    number(45, 2);
    number(0x800, 2);
    number(0, 2);
    number(0x00210000, 4);
    number(record.crc, 4);
    number(kIn64, 4);
    number(kIn64, 4);
    number(record.name.size(), 2);
    number(28, 2);
    number(0, 2); // comment
    number(0, 2); // disk
    number(0, 2); // attributes
    number(0, 4);
    number(kIn64, 4);
    os << record.name;
    position += record.name.size();
    number(1, 2);
    number(24, 2);
    number(record.size, 8);
    number(record.size, 8);
    number(record.offset, 8);
  }
  uint64_t size = position - begin, end64 = position;
  bool large = records.size() >= 0xffff || position >= kIn64;
  if (large) {
    number(kEnd64, 4);
    number(kEnd64Bytes - 12, 8);
    number(45, 2);
    number(45, 2);
    number(0, 4);
    number(0, 4);
    number(records.size(), 8);
    number(records.size(), 8);
    number(size, 8);
    number(begin, 8);
    number(kEnd64Locator, 4);
    number(0, 4);
    number(end64, 8);
    number(1, 4);
  }
  number(kEnd, 4);
  number(0, 4); // disks
  number(large ? 0xffff : records.size(), 2);
  number(large ? 0xffff : records.size(), 2);
  number(large ? kIn64 : size, 4);
  number(large ? kIn64 : begin, 4);
  number(0, 2); // comment
}
