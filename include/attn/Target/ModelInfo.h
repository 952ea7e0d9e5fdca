//===- ModelInfo.h - What a compiled model offers its callers ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries, their tensors and the functions that implement them, as plain data.
// It is all that emission needs to know of a model: the runtime's tables, the C
// header and the JSON description are three spellings of it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_MODELINFO_H
#define ATTN_TARGET_MODELINFO_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace attn {

/// DLPack's DLDataType: `code` 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool, 7 to 17 floats of 8 bits and less;
/// `bits` of one lane.
struct ElementType {
  uint8_t code = 2;
  uint8_t bits = 32;
  uint16_t lanes = 1;

  /// NumPy-like spelling: "float32", "bfloat16", "int64", "bool", "float32x4", "float8_e4m3fn", "int4".
  std::string str() const;
};

/// A symbolic dimension with inclusive bounds. One with terms is their sum, or the quotient of their sum rounded down.
struct DimInfo {
  std::string name;
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  /// Coefficient times the product of `factors`: dims by their position in the entry's dims, where one with terms
  /// stands before those that are computed from it.
  struct Term {
    int64_t coefficient;
    std::vector<int64_t> factors;
  };
  std::vector<Term> terms = {};
  std::optional<Term> divisor = std::nullopt;
  /// The sum is a multiple of the divisor.
  bool exact = false;
};

/// Terms as the tables and the stored model hold them: for each its coefficient, its number of factors, and these.
std::vector<int64_t> flatten(llvm::ArrayRef<DimInfo::Term> terms);

/// How a dimension is computed, as text: "3 * batch + 1", "(a + b) / 2"; empty where the inputs say it.
std::string spellFormula(llvm::ArrayRef<DimInfo> dims, const DimInfo &dim);

struct TensorInfo {
  std::string name;
  ElementType type;
  /// Values >= 0 are static sizes; -1 - k stands for the entry's dims[k].
  llvm::SmallVector<int64_t> shape;
  /// If indexBegin < indexEnd, each value of this integer input has to lie in [indexBegin, indexEnd).
  int64_t indexBegin = 0;
  int64_t indexEnd = 0;
  /// Of an output: the number of the input that it begins with and may share its data with; -1: none.
  int32_t state = -1;
};

/// An entry's code for one target. The symbols are functions that exactly one of the code modules defines:
/// `i64 workspace(ptr dims, i64 threads)` and `i32 run(ptr call)`, see Runtime/Model.h.
struct VariantInfo {
  std::string target;
  uint64_t cpuFeatures = 0;
  std::string workspaceSymbol;
  std::string runSymbol;
  /// For each input, then output: whether the code takes it with any strides but the last. Empty: none is.
  std::vector<uint8_t> strided;
  /// The attn_gpu_code of a GPU target, which the module of that target defines; empty for CPUs.
  std::string gpuSymbol;
};

struct EntryInfo {
  std::string name;
  std::vector<DimInfo> dims;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  /// Best first: the runtime takes the first one that the processor runs.
  std::vector<VariantInfo> variants;
  /// Floating-point operations of a run as an expression of dim names, e.g. "2*batch*sequence*384"; empty: unknown.
  std::string flops;
};

struct ModelInfo {
  /// What people call it; any text.
  std::string name;
  /// A C identifier, see makePrefix.
  std::string prefix;
  std::vector<EntryInfo> entries;

  /// Checks what the tables rely on: a valid prefix, entries with distinct names and at least one variant, shapes that
  /// name existing dims, tensors with distinct names. The error names the entry and the tensor.
  llvm::Error verify() const;
};

/// The prefix of a model's symbols and files: `name` if it is not empty, else the stem of `output` without a leading
/// "lib". Characters outside [A-Za-z0-9_] become '_', and a leading digit gets one before it.
std::string makePrefix(llvm::StringRef name, llvm::StringRef output);

} // namespace attn

#endif // ATTN_TARGET_MODELINFO_H
