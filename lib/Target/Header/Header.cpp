//===- Header.cpp - The C header of a compiled model ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions are static inline: a header is all that a program needs besides
// the library, and unused ones leave nothing behind. They only use what C11 and
// C++ share.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Header/Header.h"

#include "Names.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace attn;
using namespace llvm;

namespace {
// What one entry's declarations are called.
struct EntryNames {
  std::string function, dense;
  std::vector<std::string> dims, inputs, outputs;
};

class HeaderWriter {
public:
  HeaderWriter(raw_ostream &os, const ModelInfo &model) : os(os), model(model) {}
  void write(StringRef abiHeader);

private:
  EntryNames chooseNames(const EntryInfo &entry);
  void writeConstants(size_t index);
  void writeDoc(const EntryInfo &entry);
  void writeTensorDoc(const EntryInfo &entry, StringRef kind, ArrayRef<TensorInfo> tensors);
  void writeWrapper(size_t index, const EntryNames &names);
  void writeDense(size_t index, const EntryNames &names);
  void writeDescriptors(const EntryInfo &entry, ArrayRef<TensorInfo> tensors, ArrayRef<std::string> names,
                        ArrayRef<std::string> dims, StringRef array);

  raw_ostream &os;
  const ModelInfo &model;
  NameScope functions, constants;
};
} // namespace

// The C type of an element; empty where there is none that all programs have.
static StringRef getCType(const ElementType &type) {
  if (type.lanes != 1)
    return "";
  return StringSwitch<StringRef>(type.str())
      .Case("float32", "float")
      .Case("float64", "double")
      .Cases({"float16", "bfloat16", "uint16"}, "uint16_t")
      .Case("int8", "int8_t")
      .Case("int16", "int16_t")
      .Case("int32", "int32_t")
      .Case("int64", "int64_t")
      .Cases({"uint8", "bool", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"},
             "uint8_t")
      // Packed: the pointer is to bytes.
      .Cases({"int4", "uint4", "int2", "uint2", "float4_e2m1fn"}, "uint8_t")
      .Case("uint32", "uint32_t")
      .Case("uint64", "uint64_t")
      .Default("");
}

EntryNames HeaderWriter::chooseNames(const EntryInfo &entry) {
  EntryNames names;
  names.function = functions.get(model.prefix + "_", entry.name);
  names.dense = functions.get(names.function + "_", "dense");
  NameScope scope;
  scope.reserveKeywords();
  for (StringRef used : {"context", "options", "in", "out"})
    scope.reserve(used);
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    scope.reserve("in_shape_" + utostr(i));
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    scope.reserve("out_shape_" + utostr(i));
  // The functions call these.
  scope.reserve(model.prefix + "_library");
  scope.reserve(names.function);
  for (const DimInfo &dim : entry.dims)
    names.dims.push_back(scope.get("", dim.name));
  for (const TensorInfo &tensor : entry.inputs)
    names.inputs.push_back(scope.get("", tensor.name));
  for (const TensorInfo &tensor : entry.outputs)
    names.outputs.push_back(scope.get("", tensor.name));
  return names;
}

static std::string spellShape(const EntryInfo &entry, const TensorInfo &tensor) {
  std::string text = "[";
  for (auto [i, size] : enumerate(tensor.shape))
    text += (i ? ", " : "") + (size < 0 ? forComment(entry.dims[-1 - size].name) : itostr(size));
  return text + "]";
}

void HeaderWriter::writeTensorDoc(const EntryInfo &entry, StringRef kind, ArrayRef<TensorInfo> tensors) {
  for (const TensorInfo &tensor : tensors) {
    os << " *   " << kind << " " << forComment(tensor.name) << ": " << tensor.type.str() << " "
       << spellShape(entry, tensor);
    if (tensor.indexBegin < tensor.indexEnd)
      os << ", values in [" << tensor.indexBegin << ", " << tensor.indexEnd << ")";
    if (tensor.state >= 0)
      os << ", continues " << forComment(entry.inputs[tensor.state].name) << " and may share its data";
    os << "\n";
  }
}

void HeaderWriter::writeDoc(const EntryInfo &entry) {
  os << "\n/* Entry \"" << forComment(entry.name) << "\".\n";
  writeTensorDoc(entry, "in ", entry.inputs);
  writeTensorDoc(entry, "out", entry.outputs);
  for (const DimInfo &dim : entry.dims) {
    os << " *   dim " << forComment(dim.name) << ": ";
    if (std::string formula = spellFormula(entry.dims, dim); !formula.empty() && formula != dim.name)
      os << forComment(formula) << ", ";
    os << (dim.exact ? "a whole number, " : "") << "at least " << dim.min;
    if (dim.max != std::numeric_limits<int64_t>::max())
      os << ", at most " << dim.max;
    os << "\n";
  }
  if (!entry.flops.empty())
    os << " *   " << forComment(entry.flops) << " floating-point operations\n";
  os << " *   code for ";
  interleaveComma(entry.variants, os, [&](const VariantInfo &variant) { os << forComment(variant.target); });
  os << "\n * `options` may be null. Returns 0 or an attn_code; the context's last_error says more. */\n";
}

void HeaderWriter::writeConstants(size_t index) {
  const EntryInfo &entry = model.entries[index];
  os << "\n/* Entry \"" << forComment(entry.name) << "\": its number, and the places of its tensors. */\nenum {\n";
  auto write = [&](StringRef what, StringRef name, size_t value) {
    os << "  " << constants.get(model.prefix + "_" + what.str(), name) << " = " << value << ",\n";
  };
  write("entry_", entry.name, index);
  std::string stem = entry.name + "_";
  for (auto [i, tensor] : enumerate(entry.inputs))
    write("input_", stem + tensor.name, i);
  for (auto [i, tensor] : enumerate(entry.outputs))
    write("output_", stem + tensor.name, i);
  write("num_inputs_", entry.name, entry.inputs.size());
  // No comma at the end: C++98 has none.
  os << "  " << constants.get(model.prefix + "_num_outputs_", entry.name) << " = " << entry.outputs.size() << "\n};\n";
}

void HeaderWriter::writeWrapper(size_t index, const EntryNames &names) {
  const EntryInfo &entry = model.entries[index];
  os << "static inline attn_code " << names.function << "(attn_context *context";
  for (const std::string &name : names.inputs)
    os << ", const DLTensor *" << name;
  for (const std::string &name : names.outputs)
    os << ", DLTensor *" << name;
  os << ", const attn_run_options *options) {\n";
  auto writeArray = [&](StringRef type, StringRef name, ArrayRef<std::string> values) {
    if (values.empty())
      return;
    os << "  " << type << name << "[" << values.size() << "];\n";
    for (auto [i, value] : enumerate(values))
      os << "  " << name << "[" << i << "] = " << value << ";\n";
  };
  writeArray("const DLTensor *", "in", names.inputs);
  writeArray("DLTensor *", "out", names.outputs);
  os << "  return " << model.prefix << "_library()->run(context, " << index << ", "
     << (entry.inputs.empty() ? "NULL" : "in") << ", " << entry.inputs.size() << ", "
     << (entry.outputs.empty() ? "NULL" : "out") << ", " << entry.outputs.size() << ", options);\n}\n";
}

void HeaderWriter::writeDescriptors(const EntryInfo &entry, ArrayRef<TensorInfo> tensors, ArrayRef<std::string> names,
                                    ArrayRef<std::string> dims, StringRef array) {
  for (auto [i, tensor] : enumerate(tensors)) {
    std::string object = (array + "[" + Twine(i) + "]").str();
    if (!tensor.shape.empty()) {
      for (auto [k, size] : enumerate(tensor.shape))
        os << "  " << array << "_shape_" << i << "[" << k << "] = " << (size < 0 ? dims[-1 - size] : itostr(size))
           << ";\n";
    }
    // A cast from a pointer to const, which inputs are never written through.
    os << "  " << object << ".data = (void *)(uintptr_t)" << names[i] << ";\n"
       << "  " << object << ".device.device_type = kDLCPU;\n"
       << "  " << object << ".device.device_id = 0;\n"
       << "  " << object << ".ndim = " << tensor.shape.size() << ";\n"
       << "  " << object << ".dtype.code = " << unsigned(tensor.type.code) << ";\n"
       << "  " << object << ".dtype.bits = " << unsigned(tensor.type.bits) << ";\n"
       << "  " << object << ".dtype.lanes = " << tensor.type.lanes << ";\n"
       << "  " << object << ".shape = ";
    if (tensor.shape.empty())
      os << "NULL;\n";
    else
      os << array << "_shape_" << i << ";\n";
    os << "  " << object << ".strides = NULL;\n"
       << "  " << object << ".byte_offset = 0;\n";
  }
}

void HeaderWriter::writeDense(size_t index, const EntryNames &names) {
  const EntryInfo &entry = model.entries[index];
  auto hasCType = [](const TensorInfo &tensor) { return !getCType(tensor.type).empty(); };
  if (!all_of(entry.inputs, hasCType) || !all_of(entry.outputs, hasCType))
    return;
  os << "\n/* The same for dense, row-major tensors in the CPU's memory. Floating-point numbers of 16 bits and less "
        "are\n"
        " * passed as their bits, elements of less than 8 packed in bytes (see attn_tensor_desc). */\nstatic inline "
        "attn_code "
     << names.dense << "(attn_context *context";
  for (const std::string &dim : names.dims)
    os << ", int64_t " << dim;
  for (auto [tensor, name] : zip_equal(entry.inputs, names.inputs))
    os << ", const " << getCType(tensor.type) << " *" << name;
  for (auto [tensor, name] : zip_equal(entry.outputs, names.outputs))
    os << ", " << getCType(tensor.type) << " *" << name;
  os << ", const attn_run_options *options) {\n";
  auto declare = [&](StringRef array, ArrayRef<TensorInfo> tensors) {
    if (!tensors.empty())
      os << "  DLTensor " << array << "[" << tensors.size() << "];\n";
    for (auto [i, tensor] : enumerate(tensors))
      if (!tensor.shape.empty())
        os << "  int64_t " << array << "_shape_" << i << "[" << tensor.shape.size() << "];\n";
  };
  declare("in", entry.inputs);
  declare("out", entry.outputs);
  writeDescriptors(entry, entry.inputs, names.inputs, names.dims, "in");
  writeDescriptors(entry, entry.outputs, names.outputs, names.dims, "out");
  // A dim that no tensor has would be an unused parameter.
  for (auto [k, dim] : enumerate(names.dims)) {
    auto names_ = [k = int64_t(k)](const TensorInfo &tensor) { return is_contained(tensor.shape, -1 - k); };
    if (none_of(entry.inputs, names_) && none_of(entry.outputs, names_))
      os << "  (void)" << dim << ";\n";
  }
  os << "  return " << names.function << "(context";
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    os << ", &in[" << i << "]";
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    os << ", &out[" << i << "]";
  os << ", options);\n}\n";
}

void HeaderWriter::write(StringRef abiHeader) {
  std::string guard = "ATTN_MODEL_" + model.prefix + "_H";
  os << "/* " << model.prefix << ".h - the compiled model \"" << forComment(model.name)
     << "\". Made by attnc; changes will be lost.\n"
     << " * Link with the library, or load it and call attn_library_v1. */\n\n";
  // The ABI has a guard of its own, so that several models' headers share it.
  os << abiHeader << "\n";
  os << "#ifndef " << guard << "\n#define " << guard << "\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "/* The model's table: what it contains, and the functions that run it. Never null. */\n"
     << "const attn_library *" << model.prefix << "_library(void);\n";
  functions.reserve(model.prefix + "_library");
  constants.reserve(model.prefix + "_library");
  std::vector<EntryNames> names;
  for (const EntryInfo &entry : model.entries) {
    names.push_back(chooseNames(entry));
    constants.reserve(names.back().function);
    constants.reserve(names.back().dense);
  }
  for (size_t i = 0; i < model.entries.size(); ++i)
    writeConstants(i);
  for (auto [i, entry] : enumerate(model.entries)) {
    writeDoc(entry);
    writeWrapper(i, names[i]);
    writeDense(i, names[i]);
  }
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
}

void attn::writeHeader(raw_ostream &os, const ModelInfo &model, StringRef abiHeader) {
  HeaderWriter(os, model).write(abiHeader);
}
