//===- Description.cpp - The JSON description of a model --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys are written in a fixed order, so equal models give equal files.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Header/Description.h"

#include "attn/Runtime/ABI.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"

using namespace attn;
using namespace llvm;

// JSON is UTF-8; names from model files need not be.
static std::string text(StringRef name) { return json::isUTF8(name) ? name.str() : json::fixUTF8(name); }

static void writeTensors(json::OStream &json, StringRef key, const EntryInfo &entry, ArrayRef<TensorInfo> tensors) {
  json.attributeArray(key, [&] {
    for (const TensorInfo &tensor : tensors)
      json.object([&] {
        json.attribute("name", text(tensor.name));
        json.attribute("dtype", tensor.type.str());
        json.attributeArray("shape", [&] {
          for (int64_t size : tensor.shape)
            size < 0 ? json.value(text(entry.dims[-1 - size].name)) : json.value(size);
        });
        if (tensor.indexBegin < tensor.indexEnd)
          json.attributeArray("index_range", [&] {
            json.value(tensor.indexBegin);
            json.value(tensor.indexEnd);
          });
        if (tensor.state >= 0)
          json.attribute("continues", text(entry.inputs[tensor.state].name));
      });
  });
}

static void writeEntry(json::OStream &json, const EntryInfo &entry) {
  json.attribute("name", text(entry.name));
  json.attributeArray("dims", [&] {
    for (const DimInfo &dim : entry.dims)
      json.object([&] {
        json.attribute("name", text(dim.name));
        json.attribute("min", dim.min);
        bool bounded = dim.max != std::numeric_limits<int64_t>::max();
        json.attribute("max", bounded ? json::Value(dim.max) : json::Value(nullptr));
        if (!dim.terms.empty())
          json.attribute("formula", text(spellFormula(entry.dims, dim)));
        if (dim.exact)
          json.attribute("exact", true);
      });
  });
  writeTensors(json, "inputs", entry, entry.inputs);
  writeTensors(json, "outputs", entry, entry.outputs);
  json.attributeArray("targets", [&] {
    for (const VariantInfo &variant : entry.variants)
      json.value(text(variant.target));
  });
  json.attribute("flops", entry.flops.empty() ? json::Value(nullptr) : json::Value(text(entry.flops)));
}

void attn::writeDescription(raw_ostream &os, const ModelInfo &model, const DescriptionSizes &sizes) {
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("name", text(model.name));
    json.attribute("prefix", model.prefix);
    json.attribute("abi_version", ATTN_ABI_VERSION);
    json.attributeArray("targets", [&] {
      StringSet<> seen;
      for (const EntryInfo &entry : model.entries)
        for (const VariantInfo &variant : entry.variants)
          if (seen.insert(variant.target).second)
            json.value(text(variant.target));
    });
    json.attributeArray("entries", [&] {
      for (const EntryInfo &entry : model.entries)
        json.object([&] { writeEntry(json, entry); });
    });
    json.attributeObject("bytes", [&] {
      json.attribute("file", sizes.file);
      json.attribute("weights", sizes.weights);
      json.attribute("stored_weights", sizes.storedWeights);
    });
  });
  os << "\n";
}
