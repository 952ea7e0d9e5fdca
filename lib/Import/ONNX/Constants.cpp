//===- Constants.cpp - Tensors of the file as weights -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A large tensor stays where it is, as a slice of a file. A small one becomes a value in the IR, and the integers among
// them are kept as sizes, since shapes are computed with them.
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Fold.h"
#include "Graph.h"
#include "Packing.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Packing.h"
#include "onnx.pb.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// Shapes, axes and the like have no more elements.
static constexpr int64_t kMaxElements = 256;

/// The values of one of the typed fields as bytes in the order of raw_data.
template <typename Stored, typename Field>
static std::vector<char> toBytes(const Field &field) {
  std::vector<char> bytes(field.size() * sizeof(Stored));
  for (int i = 0; i < field.size(); ++i) {
    auto value = static_cast<Stored>(field.Get(i));
    std::memcpy(bytes.data() + i * sizeof(Stored), &value, sizeof(Stored));
  }
  return bytes;
}

static std::vector<char> readBytes(const TensorProto &proto, DataType type) {
  if (proto.has_raw_data())
    return {proto.raw_data().begin(), proto.raw_data().end()};
  switch (type) {
  case DataType::Float:
    return toBytes<float>(proto.float_data());
  case DataType::Double:
    return toBytes<double>(proto.double_data());
  case DataType::Int64:
    return toBytes<int64_t>(proto.int64_data());
  case DataType::UInt64:
    return toBytes<uint64_t>(proto.uint64_data());
  case DataType::UInt32:
    return toBytes<uint32_t>(proto.uint64_data());
  case DataType::Int32:
    return toBytes<int32_t>(proto.int32_data());
  case DataType::Int16:
  case DataType::UInt16:
  case DataType::Float16:
  case DataType::BFloat16:
    return toBytes<uint16_t>(proto.int32_data());
  default:
    return toBytes<uint8_t>(proto.int32_data());
  }
}

FailureOr<Tensor> GraphImporter::boolsOf(Tensor bytes, const ExternalData &data, StringRef name) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> slice =
      llvm::MemoryBuffer::getFileSlice(data.file, data.length, int64_t(data.offset));
  if (!slice || (*slice)->getBufferSize() != data.length)
    return error() << "tensor '" << name << "': cannot read '" << data.file << "'";
  Node node(*this, name);
  // A mask that masks nothing, or everything, is known to.
  StringRef values = (*slice)->getBuffer();
  bool isTrue = !values.empty() && values.front() != 0;
  if (llvm::all_of(values, [&](char value) { return (value != 0) == isTrue; }))
    return rampTensor(node, DataType::Bool, bytes.shape,
                      Ramp{Size(isTrue), llvm::SmallVector<Size, 0>(bytes.shape.size(), Size(0))});
  bytes.type = DataType::UInt8;
  return cast(node, bytes, DataType::Bool);
}

FailureOr<Tensor> GraphImporter::constant(const TensorProto &proto, StringRef name) {
  auto fail = [&]() -> InFlightDiagnostic {
    InFlightDiagnostic diagnostic = error();
    diagnostic << "tensor '" << name << "': ";
    return diagnostic;
  };
  Tensor tensor;
  tensor.type = DataType(proto.data_type());
  Type element = elementTypeOf(*builder.getContext(), tensor.type);
  if (!element)
    return fail() << "elements of " << nameOf(tensor.type) << " are not supported";
  int64_t count = 1;
  SmallVector<int64_t> sizes;
  for (int64_t size : proto.dims()) {
    std::optional<int64_t> product = size < 0 ? std::nullopt : llvm::checkedMul(count, size);
    if (!product)
      return fail() << "its size is negative or overflows";
    count = *product;
    sizes.push_back(size);
    tensor.shape.push_back(Size(size));
  }
  std::optional<int64_t> bits = llvm::checkedMul(count, int64_t(bitsOf(tensor.type)));
  if (!bits || *bits > std::numeric_limits<int64_t>::max() - 7)
    return fail() << "its size overflows";
  int64_t bytes = (*bits + 7) / 8;
  // A bool is a byte in the file, and elements of less than a byte are packed.
  bool isPacked = bitsOf(tensor.type) < 8;
  Type stored = element.isInteger(1) ? builder.getI8Type() : element;
  auto storedType = RankedTensorType::get(isPacked ? ArrayRef(bytes) : ArrayRef(sizes), stored);

  if (proto.data_location() == 1 || proto.has_attn_offset()) {
    ExternalData data;
    if (proto.data_location() == 1) {
      llvm::Expected<ExternalData> resolved = resolveExternalData(proto, uint64_t(bytes), file.path);
      if (!resolved)
        return emitError(UnknownLoc::get(builder.getContext())) << llvm::toString(resolved.takeError());
      data = std::move(*resolved);
    } else {
      data = {file.path, proto.attn_offset(), proto.attn_length()};
      if (data.length != uint64_t(bytes))
        return fail() << "has " << data.length << " bytes, but its shape and type need " << bytes;
    }
    tensor.weight = FileAttr::get(builder.getContext(), data.file, data.offset, storedType);
    if (isPacked) {
      Node node(*this, name);
      Shape shape = std::exchange(tensor.shape, Shape{Size(bytes)});
      DataType type = std::exchange(tensor.type, DataType::UInt8);
      return unpack(node, tensor, type, shape);
    }
    return stored == element ? FailureOr<Tensor>(tensor) : boolsOf(tensor, data, name);
  }

  std::vector<char> raw = readBytes(proto, tensor.type);
  if (raw.size() != size_t(bytes))
    return fail() << "has " << raw.size() << " bytes, but its shape and type need " << bytes;
  DenseElementsAttr dense;
  if (stored != element) {
    SmallVector<bool> values(raw.begin(), raw.end());
    dense = DenseElementsAttr::get(RankedTensorType::get(sizes, element), ArrayRef<bool>(values));
  } else if (isPacked) {
    std::vector<char> elements(count);
    auto bytesOf = [](std::vector<char> &chars) {
      return MutableArrayRef(reinterpret_cast<uint8_t *>(chars.data()), chars.size());
    };
    bool isSigned = isSmallInteger(tensor.type) && !isUnsigned(tensor.type);
    unpackElements(bytesOf(raw), bitsOf(tensor.type), isSigned, bytesOf(elements));
    dense = DenseElementsAttr::getFromRawBuffer(RankedTensorType::get(sizes, element), elements);
  } else {
    dense = DenseElementsAttr::getFromRawBuffer(storedType, raw);
  }
  tensor.weight = DenseExprAttr::get(builder.getContext(), dense);
  if ((isInteger(tensor.type) || tensor.type == DataType::Bool) && count <= kMaxElements)
    tensor.elements = elementsOf(dense, tensor.type);
  return tensor;
}

Value GraphImporter::weight(Attribute expression, Location loc) {
  auto type = llvm::cast<WeightExprInterface>(expression).getValueType();
  FlatSymbolRefAttr &symbol = weights[expression];
  if (!symbol) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(entry);
    std::string name = "weight" + std::to_string(weights.size() - 1);
    WeightOp::create(builder, loc, name, type, expression);
    symbol = FlatSymbolRefAttr::get(builder.getContext(), name);
  }
  return GetWeightOp::create(builder, loc, type, symbol);
}
