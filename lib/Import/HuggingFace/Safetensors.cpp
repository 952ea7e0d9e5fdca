//===- Safetensors.cpp - One file's header, distrusted -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header decides which bytes become which weight, so all of the format's rules are checked: every byte of the
// buffer belongs to exactly one tensor, and each tensor's bytes are what its shape and type need.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/HuggingFace/Safetensors.h"
#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "attn/Support/Json.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace attn;

/// The format's own limit.
static constexpr uint64_t kMaxHeader = 100000000;
/// What one tensor's entry may have, which is a type, a few sizes and two offsets.
static constexpr uint64_t kMaxEntry = 10000;

/// Bits of an element, 0 for an unknown type. Types that no importer takes are listed too: a file may hold them beside
/// the tensors that are used.
static unsigned getBits(StringRef dtype) {
  return StringSwitch<unsigned>(dtype)
      .Case("F4", 4)
      .Cases({"F6_E2M3", "F6_E3M2"}, 6)
      .Cases({"BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"}, 8)
      .Cases({"U16", "I16", "F16", "BF16"}, 16)
      .Cases({"U32", "I32", "F32"}, 32)
      .Cases({"U64", "I64", "F64", "C64"}, 64)
      .Default(0);
}

static constexpr StringLiteral kTypes = "BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, F32, F64, C64, F4, "
                                        "F6_E2M3, F6_E3M2, F8_E5M2, F8_E4M3, F8_E8M0";

/// The bytes of `shape` elements of `bits`, or nothing where the number overflows or is no whole number of bytes.
static std::optional<uint64_t> countBytes(ArrayRef<int64_t> shape, unsigned bits) {
  // A zero makes the product zero, whatever overflowed before it; the sizes must still be possible.
  int64_t elements = 1;
  for (int64_t size : shape) {
    std::optional<int64_t> product = checkedMul(elements, size);
    if (!product)
      return std::nullopt;
    elements = *product;
  }
  std::optional<int64_t> total = checkedMul<int64_t>(elements, bits);
  if (!total || *total % 8)
    return std::nullopt;
  return *total / 8;
}

static std::string toString(ArrayRef<int64_t> shape) {
  return "[" + join(map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

/// One entry of the header. Its offsets are relative to the buffer, of `bufferSize` bytes that begin at `bufferBegin`.
static Expected<StoredTensor> readTensor(const JsonNode &node, uint64_t bufferBegin, uint64_t bufferSize) {
  StoredTensor tensor;
  tensor.file = node.file().str();
  Expected<StringRef> dtype = node.string("dtype");
  if (!dtype)
    return dtype.takeError();
  tensor.dtype = dtype->str();
  unsigned bits = getBits(*dtype);
  if (!bits)
    return node.error("unknown dtype '" + dtype->take_front(40) + "'; known are " + kTypes);

  Expected<JsonNode> shapeNode = node.member("shape");
  if (!shapeNode)
    return shapeNode.takeError();
  Expected<SmallVector<int64_t>> shape = shapeNode->integers(/*min=*/0);
  if (!shape)
    return shape.takeError();
  tensor.shape = std::move(*shape);
  std::optional<uint64_t> bytes = countBytes(tensor.shape, bits);
  if (!bytes)
    return node.error(
        formatv("shape {0} of {1} overflows or is no whole number of bytes", toString(tensor.shape), tensor.dtype)
            .str());

  Expected<JsonNode> offsetsNode = node.member("data_offsets");
  if (!offsetsNode)
    return offsetsNode.takeError();
  Expected<SmallVector<int64_t>> offsets = offsetsNode->integers(/*min=*/0);
  if (!offsets)
    return offsets.takeError();
  if (offsets->size() != 2)
    return offsetsNode->error(formatv("expected 2 offsets, found {0}", offsets->size()).str());
  uint64_t begin = (*offsets)[0], end = (*offsets)[1];
  if (begin > end)
    return offsetsNode->error(formatv("begin {0} is after end {1}", begin, end).str());
  if (end > bufferSize)
    return offsetsNode->error(
        formatv("ends at byte {0}, but the file has {1} bytes of tensors: it is truncated or lies", end, bufferSize)
            .str());
  if (end - begin != *bytes)
    return node.error(formatv("shape {0} of {1} needs {2} bytes, but data_offsets give it {3}", toString(tensor.shape),
                              tensor.dtype, *bytes, end - begin)
                          .str());
  tensor.offset = bufferBegin + begin;
  tensor.bytes = *bytes;
  return tensor;
}

/// Every byte of the buffer must belong to exactly one tensor.
static Error checkCoverage(StringRef path, const StringMap<StoredTensor> &tensors, uint64_t begin, uint64_t end) {
  std::vector<std::pair<StringRef, const StoredTensor *>> order;
  for (const auto &entry : tensors)
    order.emplace_back(entry.getKey(), &entry.getValue());
  sort(order, [](const auto &a, const auto &b) {
    return std::tuple(a.second->offset, a.second->bytes, a.first) <
           std::tuple(b.second->offset, b.second->bytes, b.first);
  });
  uint64_t covered = begin;
  StringRef before = "the header";
  for (auto [name, tensor] : order) {
    if (tensor->offset < covered)
      return makeError(formatv("{0}: tensors '{1}' and '{2}' overlap at byte {3} of the tensor data", path, before,
                               name, tensor->offset - begin)
                           .str());
    if (tensor->offset > covered)
      return makeError(formatv("{0}: a gap of {1} bytes before tensor '{2}', at byte {3} of the tensor data", path,
                               tensor->offset - covered, name, covered - begin)
                           .str());
    covered += tensor->bytes;
    before = name;
  }
  if (covered < end)
    return makeError(formatv("{0}: {1} bytes at the end of the file belong to no tensor", path, end - covered).str());
  return Error::success();
}

Expected<Checkpoint> Checkpoint::openFile(StringRef path) {
  Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  StringRef text = file->text();
  if (text.size() < 8)
    return makeError(
        formatv("{0}: {1} bytes are too few for a safetensors file: it is truncated", path, text.size()).str());
  uint64_t headerSize = support::endian::read64le(text.data());
  if (headerSize > kMaxHeader)
    return makeError(
        formatv("{0}: a safetensors header of {1} bytes is larger than the format's limit of {2}; is this a "
                "safetensors file?",
                path, headerSize, kMaxHeader)
            .str());
  if (headerSize > text.size() - 8)
    return makeError(formatv("{0}: the safetensors header of {1} bytes is truncated: the file has {2} bytes", path,
                             headerSize, text.size())
                         .str());
  StringRef header = text.substr(8, headerSize);
  if (!header.starts_with("{"))
    return makeError(formatv("{0}: the safetensors header doesn't begin with '{{'", path).str());

  Checkpoint result;
  result.source = path.str();
  uint64_t bufferBegin = 8 + headerSize;
  Error error = forEachJsonMember(header, path, [&](StringRef name, StringRef member) -> Error {
    bool isTensor = name != "__metadata__";
    JsonLimits limits;
    if (isTensor)
      limits.maxBytes = kMaxEntry;
    Expected<JsonDocument> document = JsonDocument::parse(member, path, limits, name);
    if (!document || !isTensor)
      return document.takeError();
    Expected<StoredTensor> tensor = readTensor(document->root(), bufferBegin, text.size() - bufferBegin);
    if (!tensor)
      return tensor.takeError();
    result.tensors[name] = std::move(*tensor);
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (Error error = checkCoverage(path, result.tensors, bufferBegin, text.size()))
    return error;
  return result;
}

const StoredTensor *Checkpoint::find(StringRef name) const {
  auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

bool Checkpoint::hasPrefix(StringRef prefix) const {
  return any_of(tensors.keys(), [&](StringRef name) { return name.starts_with(prefix); });
}

std::vector<StringRef> Checkpoint::names() const {
  std::vector<StringRef> result(tensors.keys().begin(), tensors.keys().end());
  sort(result);
  return result;
}
