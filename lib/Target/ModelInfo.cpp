//===- ModelInfo.cpp - What a compiled model offers its callers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables are trusted by the runtime, which indexes dims without looking; so
// whatever could make it read beside them is refused here.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/ModelInfo.h"
#include "attn/Runtime/Model.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace attn;
using namespace llvm;

std::string ElementType::str() const {
  static constexpr StringLiteral names[] = {"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
  // The number of bits is part of the name.
  static constexpr StringLiteral small[] = {"float8_e3m4",     "float8_e4m3",   "float8_e4m3b11fnuz", "float8_e4m3fn",
                                            "float8_e4m3fnuz", "float8_e5m2",   "float8_e5m2fnuz",    "float8_e8m0fnu",
                                            "float6_e2m3fn",   "float6_e3m2fn", "float4_e2m1fn"};
  std::string result;
  if (code >= std::size(names) && code - std::size(names) < std::size(small))
    result = small[code - std::size(names)].str();
  else if (code < std::size(names))
    result = names[code].str() + (code == 6 && bits == 8 ? "" : utostr(bits));
  else
    result = "type" + utostr(code) + "_" + utostr(bits);
  if (lanes != 1)
    result += "x" + utostr(lanes);
  return result;
}

static bool isPrefix(StringRef text) {
  return !text.empty() && !isDigit(text.front()) && all_of(text, [](char c) { return isAlnum(c) || c == '_'; });
}

std::vector<int64_t> attn::flatten(ArrayRef<DimInfo::Term> terms) {
  std::vector<int64_t> flat;
  for (const DimInfo::Term &term : terms) {
    flat.push_back(term.coefficient);
    flat.push_back(int64_t(term.factors.size()));
    flat.insert(flat.end(), term.factors.begin(), term.factors.end());
  }
  return flat;
}

static std::string spellTerm(ArrayRef<DimInfo> dims, const DimInfo::Term &term) {
  std::string text = term.coefficient == 1 && !term.factors.empty() ? "" : itostr(term.coefficient);
  for (int64_t factor : term.factors)
    text += (text.empty() ? "" : " * ") + dims[factor].name;
  return text;
}

std::string attn::spellFormula(ArrayRef<DimInfo> dims, const DimInfo &dim) {
  std::string text;
  for (const DimInfo::Term &term : dim.terms)
    text += (text.empty() ? "" : " + ") + spellTerm(dims, term);
  if (!dim.divisor)
    return text;
  auto enclose = [](const std::string &part) { return part.find(' ') == part.npos ? part : "(" + part + ")"; };
  return enclose(text) + " / " + enclose(spellTerm(dims, *dim.divisor));
}

static Error verifyTensor(const ModelInfo &model, const EntryInfo &entry, const TensorInfo &tensor) {
  auto fail = [&](const Twine &reason) {
    return createStringError("model '" + model.name + "', entry '" + entry.name + "', tensor '" + tensor.name +
                             "': " + reason);
  };
  for (int64_t size : tensor.shape)
    if (size < 0 && static_cast<uint64_t>(-1 - size) >= entry.dims.size())
      return fail("its shape names dimension " + Twine(-1 - size) + ", but the entry has " + Twine(entry.dims.size()));
  if (tensor.shape.size() > ATTN_MAX_RANK)
    return fail("it has " + Twine(tensor.shape.size()) + " dimensions, the runtime takes " + Twine(ATTN_MAX_RANK));
  if (tensor.type.bits == 0 || tensor.type.lanes == 0)
    return fail("its element type has no bits");
  bool isInteger = tensor.type.code <= 1 && tensor.type.lanes == 1;
  if (tensor.state >= int32_t(entry.inputs.size()) ||
      (tensor.state >= 0 && entry.inputs[tensor.state].shape.size() != tensor.shape.size()))
    return fail("it continues input " + Twine(tensor.state) + ", which does not exist or has another rank");
  if (tensor.indexBegin < tensor.indexEnd && !isInteger)
    return fail("only integers have an index range, but this is " + tensor.type.str());
  return Error::success();
}

static Error verifyEntry(const ModelInfo &model, const EntryInfo &entry) {
  auto fail = [&](const Twine &reason) {
    return createStringError("model '" + model.name + "', entry '" + entry.name + "': " + reason);
  };
  if (entry.variants.empty())
    return fail("it has code for no target");
  for (const VariantInfo &variant : entry.variants)
    if (!variant.strided.empty() && variant.strided.size() != entry.inputs.size() + entry.outputs.size())
      return fail("its code for '" + variant.target + "' does not say for each tensor whether it may be strided");
  for (const DimInfo &dim : entry.dims)
    if (dim.min < 0 || dim.min > dim.max)
      return fail("dimension '" + dim.name + "' has bounds " + Twine(dim.min) + " to " + Twine(dim.max));
  for (auto [i, dim] : enumerate(entry.dims)) {
    std::vector<DimInfo::Term> all = dim.terms;
    if (dim.divisor)
      all.push_back(*dim.divisor);
    for (const DimInfo::Term &term : all)
      for (int64_t factor : term.factors)
        if (factor < 0 || size_t(factor) >= entry.dims.size() ||
            (!entry.dims[factor].terms.empty() && size_t(factor) >= i))
          return fail("dimension '" + dim.name + "' is computed from one that is computed later or does not exist");
    if (dim.divisor && (dim.terms.empty() || dim.divisor->coefficient < 1))
      return fail("dimension '" + dim.name + "' is a quotient of nothing or by no positive number");
  }
  StringSet<> names;
  for (const std::vector<TensorInfo> *tensors : {&entry.inputs, &entry.outputs}) {
    for (const TensorInfo &tensor : *tensors) {
      if (!names.insert(tensor.name).second)
        return fail("two tensors are named '" + tensor.name + "'");
      if (Error error = verifyTensor(model, entry, tensor))
        return error;
    }
  }
  return Error::success();
}

Error ModelInfo::verify() const {
  if (!isPrefix(prefix))
    return createStringError("'" + prefix +
                             "' is no prefix for C names: it has to be a letter or '_', then letters, "
                             "digits and '_'; choose another with --name");
  StringSet<> names;
  for (const EntryInfo &entry : entries) {
    if (!names.insert(entry.name).second)
      return createStringError("model '" + name + "': two entries are named '" + entry.name + "'");
    if (Error error = verifyEntry(*this, entry))
      return error;
  }
  return Error::success();
}

std::string attn::makePrefix(StringRef name, StringRef output) {
  if (name.empty()) {
    name = sys::path::stem(output);
    name.consume_front("lib");
  }
  if (name.empty())
    name = "model";
  std::string prefix;
  if (isDigit(name.front()))
    prefix += '_';
  for (char c : name)
    prefix += isAlnum(c) ? c : '_';
  return prefix;
}
