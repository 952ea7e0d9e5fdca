//===- Npy.cpp - Read and write .npy ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .npy file is a magic, a Python dictionary literal (descr, fortran_order, shape) and the elements. The literal comes
// from NumPy in one of few spellings, so a parser of exactly that dictionary is enough, and anything else is refused.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Npy.h"
#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace attn;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;

static constexpr StringRef kMagic("\x93NUMPY", 6);

std::string NpyType::str() const {
  if (code == Bool)
    return "bool";
  StringRef letters = code == Int ? "i" : code == UInt ? "u" : code == BFloat ? "bf" : "f";
  return (letters + llvm::Twine(static_cast<unsigned>(bits))).str();
}

NpyArray NpyArray::zeros(NpyType type, ArrayRef<int64_t> shape) {
  NpyArray array{type, llvm::SmallVector<int64_t>(shape), {}};
  array.data.resize(llvm::cantFail(sizeInBytes(type, shape)));
  return array;
}

template <typename T>
static T load(const std::vector<uint8_t> &data, int64_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
  return value;
}

static double fromBits(const llvm::fltSemantics &semantics, uint16_t bits) {
  return llvm::APFloat(semantics, llvm::APInt(16, bits)).convertToDouble();
}

double NpyArray::asDouble(int64_t i) const {
  switch (type.code) {
  case NpyType::Bool:
    return load<uint8_t>(data, i) != 0;
  case NpyType::BFloat:
    return fromBits(llvm::APFloat::BFloat(), load<uint16_t>(data, i));
  case NpyType::Float:
    return type.bits == 16   ? fromBits(llvm::APFloat::IEEEhalf(), load<uint16_t>(data, i))
           : type.bits == 32 ? static_cast<double>(load<float>(data, i))
                             : load<double>(data, i);
  case NpyType::Int:
    return type.bits == 8    ? static_cast<double>(load<int8_t>(data, i))
           : type.bits == 16 ? static_cast<double>(load<int16_t>(data, i))
           : type.bits == 32 ? static_cast<double>(load<int32_t>(data, i))
                             : static_cast<double>(load<int64_t>(data, i));
  case NpyType::UInt:
    return type.bits == 8    ? static_cast<double>(load<uint8_t>(data, i))
           : type.bits == 16 ? static_cast<double>(load<uint16_t>(data, i))
           : type.bits == 32 ? static_cast<double>(load<uint32_t>(data, i))
                             : static_cast<double>(load<uint64_t>(data, i));
  }
  llvm_unreachable("all codes are listed");
}

Expected<int64_t> attn::sizeInBytes(NpyType type, ArrayRef<int64_t> shape) {
  int64_t bytes = type.bytes();
  bool tooLarge = false;
  for (int64_t dim : shape) {
    if (dim < 0)
      return makeError("the shape " + shapeString(shape) + " has a negative dimension");
    tooLarge |= dim != 0 && llvm::MulOverflow(bytes, dim, bytes);
  }
  // An empty array may have any other dimensions, in any order.
  if (llvm::is_contained(shape, 0))
    return 0;
  if (tooLarge)
    return makeError("the shape " + shapeString(shape) + " of " + type.str() + " has more than 2^63 - 1 bytes");
  return bytes;
}

std::string attn::shapeString(ArrayRef<int64_t> shape) {
  return shape.empty() ? "scalar"
                       : llvm::join(llvm::map_range(shape, [](int64_t d) { return std::to_string(d); }), "x");
}

namespace {
struct Header {
  NpyType type = {};
  bool fortran = false;
  llvm::SmallVector<int64_t> shape;
};

/// The dictionary of a header. Each parse function takes its text from the front and returns false where it is not
/// there.
class HeaderParser {
public:
  HeaderParser(StringRef text, StringRef name) : text(text), name(name) {}

  Expected<Header> run() {
    Header header;
    bool seen[3] = {};
    bool ok = take('{');
    while (ok && !take('}')) {
      StringRef key;
      ok = parseString(key) && take(':');
      if (!ok)
        break;
      if (key == "descr") {
        StringRef descr;
        if (!parseString(descr))
          return makeError(name + ": structured element types are not supported");
        if (llvm::Error error = parseType(descr, header.type))
          return std::move(error);
        seen[0] = true;
      } else if (key == "fortran_order") {
        header.fortran = take("True");
        ok = header.fortran || take("False");
        seen[1] = true;
      } else if (key == "shape") {
        ok = parseShape(header.shape);
        seen[2] = true;
      } else {
        ok = false;
      }
      ok = ok && (take(',') || peek('}'));
    }
    if (!ok || !text.trim().empty() || !seen[0] || !seen[1] || !seen[2])
      return makeError(name + ": malformed npy header");
    return header;
  }

private:
  bool peek(char c) {
    text = text.ltrim();
    return text.starts_with(StringRef(&c, 1));
  }
  bool take(char c) {
    if (!peek(c))
      return false;
    text = text.drop_front();
    return true;
  }
  bool take(StringRef word) {
    text = text.ltrim();
    return text.consume_front(word);
  }
  bool parseString(StringRef &result) {
    text = text.ltrim();
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      return false;
    size_t end = text.find(text[0], 1);
    if (end == StringRef::npos)
      return false;
    result = text.slice(1, end);
    text = text.drop_front(end + 1);
    return true;
  }
  bool parseShape(llvm::SmallVector<int64_t> &shape) {
    if (!take('('))
      return false;
    while (!take(')')) {
      int64_t dim;
      text = text.ltrim();
      if (text.consumeInteger(10, dim) || dim < 0 || !(take(',') || peek(')')))
        return false;
      shape.push_back(dim);
    }
    return true;
  }
  llvm::Error parseType(StringRef descr, NpyType &type) {
    unsigned bytes = 0;
    bool sized = descr.size() >= 3 && !descr.drop_front(2).getAsInteger(10, bytes);
    char order = descr.empty() ? '\0' : descr[0], kind = descr.size() < 2 ? '\0' : descr[1];
    if (sized && order == '>' && bytes > 1)
      return makeError(name + ": big-endian elements ('" + descr + "') are not supported");
    bool integral = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    if (sized && kind == 'f' && (bytes == 2 || bytes == 4 || bytes == 8))
      type.code = NpyType::Float;
    else if (sized && kind == 'i' && integral)
      type.code = NpyType::Int;
    else if (sized && kind == 'u' && integral)
      type.code = NpyType::UInt;
    else if (sized && kind == 'b' && bytes == 1)
      type.code = NpyType::Bool;
    else if (sized && kind == 'V' && bytes == 2)
      type.code = NpyType::BFloat;
    else
      return makeError(name + ": element type '" + descr + "' is not supported");
    type.bits = bytes * 8;
    return llvm::Error::success();
  }

  StringRef text, name;
};
} // namespace

/// Copies column-major elements into row-major order.
static void copyTransposed(ArrayRef<uint8_t> from, NpyArray &to) {
  int64_t size = to.type.bytes();
  llvm::SmallVector<int64_t> index(to.shape.size(), 0), strides;
  int64_t stride = size;
  for (int64_t dim : to.shape) {
    strides.push_back(stride);
    stride *= dim;
  }
  for (size_t out = 0; out < to.data.size(); out += size) {
    int64_t offset = 0;
    for (size_t d = 0; d < index.size(); ++d)
      offset += index[d] * strides[d];
    std::memcpy(to.data.data() + out, from.data() + offset, size);
    for (size_t d = index.size(); d-- > 0;) {
      if (++index[d] < to.shape[d])
        break;
      index[d] = 0;
    }
  }
}

Expected<NpyArray> attn::parseNpy(ArrayRef<uint8_t> bytes, StringRef name) {
  StringRef text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || text.size() < 10)
    return makeError(name + ": not an npy file");
  unsigned major = bytes[6];
  if (major < 1 || major > 3)
    return makeError(name + ": npy version " + llvm::Twine(major) + " is not supported");
  size_t begin = major == 1 ? 10 : 12;
  if (text.size() < begin)
    return makeError(name + ": truncated npy header");
  size_t length = major == 1 ? llvm::support::endian::read16le(bytes.data() + 8)
                             : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > text.size() - begin)
    return makeError(name + ": truncated npy header");
  Expected<Header> header = HeaderParser(text.substr(begin, length), name).run();
  if (!header)
    return header.takeError();
  Expected<int64_t> size = sizeInBytes(header->type, header->shape);
  if (!size)
    return makeError(name + ": " + llvm::toString(size.takeError()));
  ArrayRef<uint8_t> data = bytes.drop_front(begin + length);
  if (static_cast<uint64_t>(*size) != data.size())
    return makeError(name + ": " + shapeString(header->shape) + " of " + header->type.str() + " takes " +
                     llvm::Twine(*size) + " bytes, the file has " + llvm::Twine(data.size()));
  NpyArray array{header->type, header->shape, {}};
  if (header->fortran && header->shape.size() > 1) {
    array.data.resize(data.size());
    copyTransposed(data, array);
  } else {
    array.data.assign(data.begin(), data.end());
  }
  return array;
}

Expected<NpyArray> attn::readNpy(StringRef path) {
  Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseNpy(file->bytes(), path);
}

std::string attn::npyHeader(NpyType type, ArrayRef<int64_t> shape) {
  NpyType stored = type.code == NpyType::BFloat ? NpyType{NpyType::UInt, type.bits} : type;
  std::string text = "{'descr': '";
  text += stored.bits == 8 ? '|' : '<';
  text += stored.code == NpyType::Bool   ? 'b'
          : stored.code == NpyType::Int  ? 'i'
          : stored.code == NpyType::UInt ? 'u'
                                         : 'f';
  text += std::to_string(stored.bytes()) + "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : shape)
    text += std::to_string(dim) + ",";
  text += "), }";
  while ((10 + text.size() + 1) % 64)
    text += ' ';
  text += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

llvm::Error attn::writeNpy(StringRef path, NpyType type, ArrayRef<int64_t> shape, ArrayRef<uint8_t> data) {
  return writeFile(path, [&](llvm::raw_fd_ostream &os) {
    os << npyHeader(type, shape);
    os.write(reinterpret_cast<const char *>(data.data()), data.size());
    return llvm::Error::success();
  });
}

llvm::Error attn::writeNpy(StringRef path, const NpyArray &array) {
  return writeNpy(path, array.type, array.shape, array.data);
}

std::string attn::npyFileName(StringRef arrayName) {
  std::string result = arrayName.str();
  for (char &c : result)
    if (!llvm::isAlnum(c) && c != '_' && c != '.' && c != '-')
      c = '_';
  return result;
}
