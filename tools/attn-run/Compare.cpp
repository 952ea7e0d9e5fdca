//===- Compare.cpp - Outputs against a reference ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reference array that nothing matches would make a check pass without checking, so it is an error.
//
//===----------------------------------------------------------------------===//

#include "Compare.h"
#include "Elements.h"
#include "attn/Support/Errors.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace attn;
using namespace attn::run;
using llvm::StringRef;

Difference run::compare(const attn_tensor_desc &desc, const NpyArray &got, const NpyArray &want) {
  Difference result;
  double dot = 0, gotSquares = 0, wantSquares = 0;
  for (int64_t i = 0, n = got.numElements(); i < n; ++i) {
    double g = valueOf(got, desc, i), w = valueOf(want, desc, i);
    bool same = g == w || (std::isnan(g) && std::isnan(w));
    double difference = same ? 0 : std::abs(g - w);
    if (std::isnan(difference))
      difference = INFINITY;
    if (result.where < 0 || difference > result.largest) {
      result.largest = difference;
      result.where = i;
    }
    dot += g * w;
    gotSquares += g * g;
    wantSquares += w * w;
  }
  if (gotSquares != 0 || wantSquares != 0)
    result.cosine = gotSquares == 0 || wantSquares == 0 ? 0 : dot / (std::sqrt(gotSquares) * std::sqrt(wantSquares));
  return result;
}

llvm::Expected<std::map<std::string, NpyArray>> run::readReference(StringRef path, const attn_entry_desc &entry) {
  llvm::Expected<NpyArrays> arrays = readNpz(path);
  if (!arrays)
    return arrays.takeError();
  std::map<std::string, NpyArray> result;
  bool anyOutput = false;
  for (auto &[name, array] : *arrays) {
    auto matches = [&, &name = name](const attn_tensor_desc &desc) {
      return name == desc.name || name == npyFileName(desc.name);
    };
    const auto *input = llvm::find_if(inputs(entry), matches), *output = llvm::find_if(outputs(entry), matches);
    bool isOutput = output != outputs(entry).end();
    if (!isOutput && input == inputs(entry).end())
      return makeError(path + ": array '" + name + "' is named like no input or output of '" + StringRef(entry.name) +
                       "'");
    anyOutput |= isOutput;
    result[isOutput ? output->name : input->name] = std::move(array);
  }
  if (!anyOutput)
    return makeError(path + ": no array is named like an output of '" + StringRef(entry.name) + "'");
  return result;
}

llvm::Error run::checkOutputs(llvm::raw_ostream &os, const attn_entry_desc &entry, const TensorList &list,
                              const std::map<std::string, NpyArray> &reference, double tolerance) {
  std::string worst;
  double largest = -1;
  for (auto [desc, got] : llvm::zip(outputs(entry), list.arrays())) {
    auto want = reference.find(desc.name);
    if (want == reference.end())
      continue;
    if (got.shape != want->second.shape)
      return makeError("output '" + StringRef(desc.name) + "' is " + shapeString(got.shape) + ", the reference " +
                       shapeString(want->second.shape));
    Difference difference = compare(desc, got, want->second);
    os << "check " << desc.name << ": " << shapeString(got.shape)
       << llvm::format(", max difference %.3e, cosine %.9f\n", difference.largest, difference.cosine);
    if (difference.largest > largest) {
      largest = difference.largest;
      worst = desc.name;
    }
  }
  if (!(largest <= tolerance)) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.3e is above the tolerance of %.3e", largest, tolerance);
    return makeError("output '" + worst + "' differs: " + text);
  }
  return llvm::Error::success();
}
