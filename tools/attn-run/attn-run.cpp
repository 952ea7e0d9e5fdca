//===- attn-run.cpp - Run, check and time a compiled model ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The main: open, make inputs, run, then what the options ask for. It knows models through their C interface only, so
// it is also the first test that the interface is enough.
//
//===----------------------------------------------------------------------===//

#include "Bench.h"
#include "Compare.h"
#include "Elements.h"
#include "Flops.h"
#include "Library.h"
#include "Options.h"
#include "Tensors.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Version.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

using namespace attn;
using namespace attn::run;

/// One line per output: enough to see that something sensible came out.
static void summarize(llvm::raw_ostream &os, const attn_entry_desc &entry, const TensorList &list) {
  for (auto [desc, array] : llvm::zip(outputs(entry), list.arrays())) {
    double sum = 0, low = 0, high = 0;
    for (int64_t i = 0, n = array.numElements(); i < n; ++i) {
      double value = valueOf(array, desc, i);
      sum += value;
      low = i ? std::min(low, value) : value;
      high = i ? std::max(high, value) : value;
    }
    os << "output " << desc.name << ": " << typeName(desc) << " " << shapeString(array.shape);
    if (int64_t n = array.numElements())
      os << llvm::format(", min %.6g, max %.6g, mean %.6g", low, high, sum / static_cast<double>(n));
    os << "\n";
  }
}

static llvm::Error writeOutputs(llvm::StringRef directory, const attn_entry_desc &entry, const TensorList &list) {
  if (std::error_code code = llvm::sys::fs::create_directories(directory))
    return makeError("cannot create the directory '" + directory + "'", code);
  llvm::StringSet<> seen;
  for (auto [desc, array] : llvm::zip(outputs(entry), list.arrays())) {
    std::string file = npyFileName(desc.name) + ".npy";
    if (!seen.insert(file).second)
      return makeError("two outputs would be written to '" + llvm::Twine(file) + "'");
    llvm::SmallString<256> path(directory);
    llvm::sys::path::append(path, file);
    if (llvm::Error error = writeNpy(path, array))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error runEntry(const Library &library, uint32_t index, const Options &options) {
  const attn_entry_desc &entry = library.table().entries[index];
  std::map<std::string, NpyArray> reference;
  if (!options.check.empty()) {
    auto arrays = readReference(options.check, entry);
    if (!arrays)
      return arrays.takeError();
    reference = std::move(*arrays);
  }
  DimSizes sizes;
  llvm::Expected<TensorList> in = makeInputs(entry, options, reference, sizes);
  if (!in)
    return in.takeError();
  llvm::Expected<Context> context = Context::create(library, options.target, options.threads);
  if (!context)
    return context.takeError();
  llvm::Expected<TensorList> out = makeOutputs(library, *context, index, *in);
  if (!out)
    return out.takeError();

  llvm::ArrayRef<DLTensor *> inTensors = in->tensors(), outTensors = out->tensors();
  auto run = [&]() -> llvm::Error {
    return context->check(library.table().run(context->get(), index, inTensors.data(), inTensors.size(),
                                              outTensors.data(), outTensors.size(), nullptr));
  };
  llvm::raw_ostream &os = llvm::outs();
  os << "entry " << entry.name << ": " << context->target(index);
  if (entry.num_dims)
    os << ", " << dimString(entry, sizes);
  os << "\n";
  if (llvm::Error error = run())
    return error;
  out->unpack();
  summarize(os, entry, *out);
  if (!options.output.empty())
    if (llvm::Error error = writeOutputs(options.output, entry, *out))
      return error;
  if (!options.check.empty())
    if (llvm::Error error = checkOutputs(os, entry, *out, reference, options.tolerance))
      return error;
  if (!options.bench)
    return llvm::Error::success();
  auto flops = readFlops(options.library, entry, sizes);
  if (!flops)
    return flops.takeError();
  unsigned threads = options.threads ? options.threads : availableThreads();
  return bench(os, {options.benchSeconds, threads, *flops}, run);
}

static llvm::Error runTool(llvm::ArrayRef<const char *> arguments) {
  llvm::Expected<Options> options = parseOptions(arguments);
  if (!options)
    return options.takeError();
  if (options->help || options->version) {
    llvm::outs() << (options->help ? helpText().str() : versionLine("attn-run") + "\n");
    return llvm::Error::success();
  }
  llvm::Expected<Library> library = Library::open(options->library);
  if (!library)
    return library.takeError();
  if (options->list) {
    library->list(llvm::outs());
    return llvm::Error::success();
  }
  llvm::Expected<uint32_t> entry = library->entry(options->entry);
  if (!entry)
    return entry.takeError();
  return runEntry(*library, *entry, *options);
}

int main(int argc, char **argv) {
  if (llvm::Error error = runTool(llvm::ArrayRef(argv + 1, argc - 1))) {
    llvm::outs().flush();
    llvm::errs() << "attn-run: error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    llvm::errs() << "attn-run: error: cannot write to the standard output: " << code.message() << "\n";
    return 1;
  }
  return 0;
}
