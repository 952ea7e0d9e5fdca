//===- ModelFile.cpp - An ONNX file without its weights ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The wire format is walked by hand only as far as needed to find tensors: a message is a sequence of fields, each a
// tag (number and wire type) and a value (https://protobuf.dev/programming-guides/encoding). Which fields lead to
// tensors is the table below; all others are copied as they are.
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"
#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "onnx.pb.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/LEB128.h"

using namespace attn;
using namespace attn::onnx;
using llvm::formatv;
using llvm::StringRef;

ModelFile::ModelFile() = default;
ModelFile::~ModelFile() = default;

namespace {

enum class Kind { Model, Graph, Node, Attribute, Sparse, Tensor, Function, Opaque };

/// What message a field holds.
Kind kindOf(Kind kind, uint64_t field) {
  switch (kind) {
  case Kind::Model:
    return field == 7 ? Kind::Graph : field == 25 ? Kind::Function : Kind::Opaque;
  case Kind::Graph:
    return field == 1 ? Kind::Node : field == 5 ? Kind::Tensor : field == 15 ? Kind::Sparse : Kind::Opaque;
  case Kind::Function:
    return field == 7 ? Kind::Node : field == 11 ? Kind::Attribute : Kind::Opaque;
  case Kind::Node:
    return field == 5 ? Kind::Attribute : Kind::Opaque;
  case Kind::Attribute:
    return field == 5 || field == 10   ? Kind::Tensor
           : field == 6 || field == 11 ? Kind::Graph
           : field == 22               ? Kind::Sparse
                                       : Kind::Opaque;
  case Kind::Sparse:
    return field == 1 || field == 2 ? Kind::Tensor : Kind::Opaque;
  case Kind::Tensor:
  case Kind::Opaque:
    return Kind::Opaque;
  }
  llvm_unreachable("all kinds are listed");
}

/// Copies a message without the bytes of large tensors.
class Stripper {
public:
  explicit Stripper(StringRef file) : file(file) {}

  /// False where the file is cut off or malformed; then position() says where.
  bool strip(size_t begin, size_t end, Kind kind, std::string &out, unsigned depth = 0);
  size_t position() const { return where; }

private:
  enum : uint64_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
  // Smaller tensors are shapes, axes and scalars, which the importer wants to look at.
  static constexpr uint64_t kSmall = 1024;
  static constexpr uint64_t kRawData = 9;
  static constexpr unsigned kMaxDepth = 90; // protobuf itself stops at 100

  bool readVarint(size_t end, uint64_t &value);
  static void writeVarint(uint64_t value, std::string &out) {
    uint8_t bytes[10];
    out.append(reinterpret_cast<char *>(bytes), llvm::encodeULEB128(value, bytes));
  }

  StringRef file;
  size_t where = 0;
};

bool Stripper::readVarint(size_t end, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && where < end; shift += 7) {
    uint8_t byte = file[where++];
    value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return false;
}

bool Stripper::strip(size_t begin, size_t end, Kind kind, std::string &out, unsigned depth) {
  if (depth > kMaxDepth)
    return false;
  for (where = begin; where < end;) {
    size_t fieldBegin = where;
    uint64_t tag, length = 0;
    if (!readVarint(end, tag))
      return false;
    uint64_t field = tag >> 3, wire = tag & 7;
    if (wire == Varint) {
      if (!readVarint(end, length))
        return false;
    } else if (wire == Fixed64 || wire == Fixed32) {
      if (end - where < (wire == Fixed64 ? 8 : 4))
        return false;
      where += wire == Fixed64 ? 8 : 4;
    } else if (wire != Bytes || !readVarint(end, length) || length > end - where) {
      return false;
    } else {
      size_t bodyBegin = where, bodyEnd = where + length;
      Kind inner = kindOf(kind, field);
      if (inner != Kind::Opaque) {
        std::string body;
        if (!strip(bodyBegin, bodyEnd, inner, body, depth + 1))
          return false;
        writeVarint(tag, out);
        writeVarint(body.size(), out);
        out += body;
        continue;
      }
      where = bodyEnd;
      if (kind == Kind::Tensor && field == kRawData && length > kSmall) {
        writeVarint(uint64_t(TensorProto::kAttnOffsetFieldNumber) << 3 | Varint, out);
        writeVarint(bodyBegin, out);
        writeVarint(uint64_t(TensorProto::kAttnLengthFieldNumber) << 3 | Varint, out);
        writeVarint(length, out);
        continue;
      }
    }
    // A file can't say by itself where its tensors stand.
    if (kind == Kind::Tensor &&
        (field == TensorProto::kAttnOffsetFieldNumber || field == TensorProto::kAttnLengthFieldNumber))
      continue;
    out.append(file.data() + fieldBegin, where - fieldBegin);
  }
  return true;
}

} // namespace

llvm::Expected<std::unique_ptr<ModelFile>> attn::onnx::readModelFile(StringRef path) {
  llvm::Expected<MappedFile> mapped = MappedFile::open(path);
  if (!mapped)
    return mapped.takeError();
  auto file = std::make_unique<ModelFile>();
  file->path = path.str();
  std::string rest;
  Stripper stripper(mapped->text());
  if (!stripper.strip(0, mapped->text().size(), Kind::Model, rest))
    return makeError(formatv("{0}: not an ONNX model, or cut off: byte {1} of {2} is no field of one", path,
                             stripper.position(), mapped->text().size())
                         .str());
  file->model = std::make_unique<ModelProto>();
  if (rest.size() > size_t(std::numeric_limits<int>::max()) ||
      !file->model->ParsePartialFromArray(rest.data(), int(rest.size())))
    return makeError(path + ": not an ONNX model: protobuf cannot parse it");
  return file;
}
