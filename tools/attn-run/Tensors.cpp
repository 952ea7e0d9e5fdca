//===- Tensors.cpp - Inputs from files or made up, outputs to fill --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes come from files first, then --shape and --dim, which must agree with one another; only then are arrays made up.
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"
#include "Elements.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Packing.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <random>
#include <unistd.h>

using namespace attn;
using namespace attn::run;
using llvm::StringRef;

void TensorList::add(NpyArray array, const attn_tensor_desc &desc) {
  // npy lacks some types, so raw bits stand for them, or a byte each for integers of less than 8 bits.
  NpyType type = array.type;
  DLDataType given = {type.code, type.bits, 1};
  if ((desc.dtype_code == NpyType::BFloat && type == NpyType{NpyType::UInt, 16}) ||
      (typeOf(desc) == type && isSmall(desc)))
    given = {desc.dtype_code, desc.dtype_bits, 1};
  types.push_back(given);
  values.push_back(std::move(array));
}

void TensorList::pack() {
  packed.resize(values.size());
  for (auto [array, type, bytes] : llvm::zip(values, types, packed))
    if (type.bits < 8)
      bytes = packElements(array.data, type.bits);
}

void TensorList::unpack() {
  for (auto [array, type, bytes] : llvm::zip(values, types, packed))
    if (type.bits < 8)
      unpackElements(bytes, type.bits, type.code == kDLInt, array.data);
}

llvm::ArrayRef<DLTensor *> TensorList::tensors() {
  descriptions.clear();
  pointers.clear();
  pack();
  for (auto [array, type, bytes] : llvm::zip(values, types, packed)) {
    DLTensor tensor = {};
    std::vector<uint8_t> &data = type.bits < 8 ? bytes : array.data;
    tensor.data = data.empty() ? nullptr : data.data();
    tensor.device.device_type = kDLCPU;
    tensor.ndim = static_cast<int32_t>(array.shape.size());
    tensor.dtype = type;
    tensor.shape = array.shape.data();
    descriptions.push_back(tensor);
  }
  for (DLTensor &tensor : descriptions)
    pointers.push_back(&tensor);
  return pointers;
}

/// Zeros for a tensor, or an error where this machine cannot hold them: running out of memory would end the process.
static llvm::Expected<NpyArray> makeZeros(StringRef kind, const attn_tensor_desc &desc, llvm::ArrayRef<int64_t> shape) {
  auto failed = [&](const llvm::Twine &what) { return makeError(kind + " '" + StringRef(desc.name) + "': " + what); };
  llvm::Expected<int64_t> bytes = sizeInBytes(typeOf(desc), shape);
  if (!bytes)
    return failed(llvm::toString(bytes.takeError()));
  int64_t memory = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  if (*bytes > memory)
    return failed(shapeString(shape) + " takes " + llvm::Twine(*bytes) + " bytes, this machine has " +
                  llvm::Twine(memory));
  return NpyArray::zeros(typeOf(desc), shape);
}

static bool isKind(StringRef source) { return source == "random" || source == "zeros" || source == "ones"; }

/// Random elements, the same for a seed on every machine.
static void fillRandom(NpyArray &array, const attn_tensor_desc &desc, std::mt19937_64 &generator) {
  bool bounded = desc.index_begin < desc.index_end;
  uint64_t span = bounded ? static_cast<uint64_t>(desc.index_end) - static_cast<uint64_t>(desc.index_begin) : 2;
  const llvm::fltSemantics *semantics = semanticsOf(desc);
  int64_t bytes = array.type.bytes();
  for (size_t offset = 0; offset < array.data.size(); offset += bytes) {
    uint64_t random = generator();
    uint64_t bits;
    double unit = static_cast<double>(random >> 11) * 0x1p-52 - 1; // [-1, 1)
    if (semantics) {
      llvm::APFloat value(llvm::APFloat::semanticsHasSignedRepr(*semantics) ? unit : std::abs(unit));
      bool inexact;
      value.convert(*semantics, llvm::APFloat::rmTowardZero, &inexact);
      bits = value.bitcastToAPInt().getZExtValue();
    } else {
      bits = random % span + (bounded ? static_cast<uint64_t>(desc.index_begin) : 0);
    }
    memcpy(array.data.data() + offset, &bits, bytes);
  }
}

static void fillOnes(NpyArray &array, const attn_tensor_desc &desc) {
  const llvm::fltSemantics *semantics = semanticsOf(desc);
  uint64_t bits = semantics ? llvm::APFloat::getOne(*semantics).bitcastToAPInt().getZExtValue() : 1;
  for (size_t offset = 0; offset < array.data.size(); offset += array.type.bytes())
    memcpy(array.data.data() + offset, &bits, array.type.bytes());
}

/// What is no integer of a tensor's 4 or 2 bits would lose its upper bits.
static llvm::Error checkRange(const NpyArray &array, const attn_tensor_desc &desc, StringRef origin) {
  if (desc.dtype_bits >= 8 || array.type != typeOf(desc))
    return llvm::Error::success();
  int least = desc.dtype_code == kDLInt ? -(1 << (desc.dtype_bits - 1)) : 0, most = least + (1 << desc.dtype_bits) - 1;
  for (int64_t i = 0, e = array.numElements(); i < e; ++i)
    if (array.asDouble(i) < least || array.asDouble(i) > most)
      return makeError(origin + ": " + llvm::Twine(int64_t(array.asDouble(i))) + " is no value of input '" +
                       StringRef(desc.name) + "', which go from " + llvm::Twine(least) + " to " + llvm::Twine(most));
  return llvm::Error::success();
}

namespace {
/// The sizes of symbolic dimensions, and who said so.
class Sizes {
public:
  Sizes(const attn_entry_desc &entry, DimSizes &values) : entry(entry), values(values), origins(entry.num_dims) {
    values.assign(entry.num_dims, -1);
  }

  llvm::Error set(int64_t dim, int64_t size, const llvm::Twine &origin) {
    if (values[dim] >= 0 && values[dim] != size)
      return makeError("dimension '" + StringRef(entry.dims[dim].name) + "' is " + llvm::Twine(values[dim]) +
                       " according to " + origins[dim] + ", but " + llvm::Twine(size) + " according to " + origin);
    values[dim] = size;
    origins[dim] = origin.str();
    return llvm::Error::success();
  }

  /// Takes sizes from a shape of the right rank; -1 says nothing.
  llvm::Error bind(const attn_tensor_desc &desc, llvm::ArrayRef<int64_t> shape, const llvm::Twine &origin) {
    for (auto [want, size] : llvm::zip(llvm::ArrayRef(desc.shape, desc.rank), shape))
      if (want < 0 && size >= 0)
        if (llvm::Error error = set(-1 - want, size, origin))
          return error;
    return llvm::Error::success();
  }

  void setRest() {
    for (auto [value, desc] : llvm::zip(values, dims(entry)))
      if (value < 0 && desc.num_terms == 0)
        value = std::clamp<int64_t>(1, desc.min, desc.max);
    // What is computed from them; the library checks it where it was given.
    for (auto [value, desc] : llvm::zip(values, dims(entry)))
      if (value < 0)
        value = compute(desc);
  }

private:
  uint64_t computeTerm(const int64_t *&term) const {
    uint64_t product = *term++;
    for (int64_t factors = *term++; factors > 0; --factors)
      product *= values[*term++];
    return product;
  }

  int64_t compute(const attn_dim_desc &desc) const {
    uint64_t sum = 0, divisor = 1;
    const int64_t *term = desc.terms;
    for (int64_t i = 0; i < desc.num_terms; ++i)
      sum += computeTerm(term);
    if ((term = desc.divisor))
      divisor = std::max<uint64_t>(1, computeTerm(term));
    return std::max<int64_t>(0, int64_t(sum)) / int64_t(divisor);
  }

  const attn_entry_desc &entry;
  DimSizes &values;
  std::vector<std::string> origins;
};
} // namespace

/// The entry has everything that the command line names.
static llvm::Error checkNames(const attn_entry_desc &entry, const Options &options) {
  auto known = [](auto descs) {
    return llvm::join(llvm::map_range(descs, [](const auto &d) { return "'" + std::string(d.name) + "'"; }), ", ");
  };
  auto has = [](auto descs, StringRef name) {
    return llvm::any_of(descs, [&](const auto &desc) { return name == desc.name; });
  };
  for (const auto &[name, source] : options.inputs)
    if (!has(inputs(entry), name))
      return makeError("--input: no input '" + name + "'; there is " + known(inputs(entry)));
  for (const auto &[name, shape] : options.shapes)
    if (!has(inputs(entry), name))
      return makeError("--shape: no input '" + name + "'; there is " + known(inputs(entry)));
  for (const auto &[name, size] : options.dims)
    if (!has(dims(entry), name))
      return makeError("--dim: no symbolic dimension '" + name + "'; there is " +
                       (entry.num_dims ? known(dims(entry)) : "none"));
  return llvm::Error::success();
}

/// Takes --shape and --dim.
static llvm::Error bindOptions(const attn_entry_desc &entry, const Options &options, Sizes &sizes) {
  for (const attn_tensor_desc &desc : inputs(entry)) {
    auto shape = options.shapes.find(desc.name);
    if (shape == options.shapes.end())
      continue;
    if (shape->second.size() != static_cast<size_t>(desc.rank))
      return makeError("--shape: input '" + StringRef(desc.name) + "' has rank " + llvm::Twine(desc.rank) + ", not " +
                       llvm::Twine(shape->second.size()));
    for (auto [want, size] : llvm::zip(llvm::ArrayRef(desc.shape, desc.rank), shape->second))
      if (want >= 0 && size >= 0 && want != size)
        return makeError("--shape: input '" + StringRef(desc.name) + "' has a static dimension of " +
                         llvm::Twine(want) + ", not " + llvm::Twine(size));
    if (llvm::Error error = sizes.bind(desc, shape->second, "--shape of '" + llvm::Twine(desc.name) + "'"))
      return error;
  }
  for (auto [index, desc] : llvm::enumerate(dims(entry)))
    if (auto size = options.dims.find(desc.name); size != options.dims.end())
      if (llvm::Error error = sizes.set(index, size->second, "--dim"))
        return error;
  return llvm::Error::success();
}

static llvm::Expected<NpyArray> makeUp(const attn_tensor_desc &desc, const DimSizes &sizes, StringRef kind,
                                       std::mt19937_64 &generator) {
  llvm::SmallVector<int64_t> shape;
  for (int64_t size : llvm::ArrayRef(desc.shape, desc.rank))
    shape.push_back(size < 0 ? sizes[-1 - size] : size);
  llvm::Expected<NpyArray> zeros = makeZeros("input", desc, shape);
  if (!zeros)
    return zeros.takeError();
  NpyArray array = std::move(*zeros);
  bool integer =
      desc.dtype_code == NpyType::Int || desc.dtype_code == NpyType::UInt || desc.dtype_code == NpyType::Bool;
  if (kind.empty())
    kind = integer && desc.index_begin >= desc.index_end ? "ones" : "random";
  if (kind == "ones")
    fillOnes(array, desc);
  else if (kind == "random")
    fillRandom(array, desc, generator);
  return array;
}

llvm::Expected<TensorList> run::makeInputs(const attn_entry_desc &entry, const Options &options,
                                           const std::map<std::string, NpyArray> &given, DimSizes &values) {
  if (llvm::Error error = checkNames(entry, options))
    return std::move(error);
  Sizes sizes(entry, values);
  std::map<std::string, NpyArray> arrays;
  for (const attn_tensor_desc &desc : inputs(entry)) {
    auto source = options.inputs.find(desc.name);
    std::string origin;
    if (source != options.inputs.end()) {
      if (isKind(source->second))
        continue;
      llvm::Expected<NpyArray> array = readNpy(source->second);
      if (!array)
        return array.takeError();
      origin = source->second;
      arrays[desc.name] = std::move(*array);
    } else if (auto it = given.find(desc.name); it != given.end()) {
      origin = "'" + std::string(desc.name) + "' in " + options.check;
      arrays[desc.name] = it->second;
    } else {
      continue;
    }
    const NpyArray &array = arrays[desc.name];
    if (llvm::Error error = checkRange(array, desc, origin))
      return std::move(error);
    // Of the wrong rank, it says nothing about sizes and the library will refuse it.
    if (array.shape.size() == static_cast<size_t>(desc.rank))
      if (llvm::Error error = sizes.bind(desc, array.shape, origin))
        return std::move(error);
  }
  if (llvm::Error error = bindOptions(entry, options, sizes))
    return std::move(error);
  sizes.setRest();

  TensorList list;
  std::mt19937_64 generator(options.seed);
  for (const attn_tensor_desc &desc : inputs(entry)) {
    if (auto it = arrays.find(desc.name); it != arrays.end()) {
      list.add(std::move(it->second), desc);
      continue;
    }
    auto kind = options.inputs.find(desc.name);
    llvm::Expected<NpyArray> array =
        makeUp(desc, values, kind == options.inputs.end() ? "" : StringRef(kind->second), generator);
    if (!array)
      return array.takeError();
    list.add(std::move(*array), desc);
  }
  return list;
}

llvm::Expected<TensorList> run::makeOutputs(const Library &library, const Context &context, uint32_t entry,
                                            TensorList &inputList) {
  const attn_entry_desc &desc = library.table().entries[entry];
  std::vector<llvm::SmallVector<int64_t>> shapes;
  std::vector<int64_t *> pointers;
  for (const attn_tensor_desc &output : outputs(desc))
    shapes.emplace_back(output.rank);
  for (auto &shape : shapes)
    pointers.push_back(shape.data());
  llvm::ArrayRef<DLTensor *> in = inputList.tensors();
  if (llvm::Error error = context.check(
          library.table().output_shapes(context.get(), entry, in.data(), in.size(), pointers.data(), pointers.size())))
    return std::move(error);
  TensorList list;
  for (auto [output, shape] : llvm::zip(outputs(desc), shapes)) {
    llvm::Expected<NpyArray> array = makeZeros("output", output, shape);
    if (!array)
      return array.takeError();
    list.add(std::move(*array), output);
  }
  return list;
}

std::string run::dimString(const attn_entry_desc &entry, const DimSizes &sizes) {
  std::string text;
  for (auto [dim, size] : llvm::zip(dims(entry), sizes))
    text += (text.empty() ? "" : " ") + std::string(dim.name) + "=" + std::to_string(size);
  return text;
}
