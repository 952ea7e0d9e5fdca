//===- Outputs.cpp - The files that a compilation writes --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Outputs.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Target/ModelInfo.h"
#include "attn/Target/Object/OutputFiles.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace attn;
using llvm::StringRef;
using llvm::Twine;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace {
struct Output {
  std::string path, what;
  bool mayBeDevice;
};
} // namespace

static std::string join(StringRef directory, const Twine &name) {
  llvm::SmallString<128> joined(directory);
  path::append(joined, name);
  return joined.str().str();
}

/// The files that have a name of their own, without standard output.
static std::vector<Output> namedOutputs(const CompilationOptions &options) {
  std::vector<Output> outputs;
  if (options.output != "-")
    outputs.push_back({options.output, "the output (-o)", options.kind == OutputKind::MLIR});
  if (!options.report.empty())
    outputs.push_back({options.report, "the report (--report)", true});
  return outputs;
}

/// What is written beside a library under its prefix.
static std::vector<Output> companions(const CompilationOptions &options) {
  bool isBinary =
      options.kind == OutputKind::Shared || options.kind == OutputKind::Static || options.kind == OutputKind::Object;
  if (!isBinary || options.output == "-")
    return {};
  StringRef directory = path::parent_path(options.output);
  std::string prefix = makePrefix(options.name, options.output);
  return {{join(directory, prefix + ".h"), "the header", false},
          {join(directory, prefix + ".json"), "the description", false}};
}

static std::vector<Output> dumps(const CompilationOptions &options) {
  std::vector<Output> outputs;
  if (options.dumpStages.empty())
    return outputs;
  for (const StageInfo &info : allStages())
    if (info.stage != Stage::Emit && info.stage <= options.to && !(options.fromGiven && info.stage <= options.from))
      outputs.push_back(
          {join(options.dumpStages, llvm::formatv("{0}-{1}.mlir", int(info.stage), info.flag).str()), "a dump", false});
  return outputs;
}

/// The folder's real path and the name in it: a rename replaces a link, not what the link leads to.
static std::string placeOf(StringRef file) {
  llvm::SmallString<128> directory(path::parent_path(file)), real;
  if (directory.empty())
    directory = ".";
  if (fs::real_path(directory, real)) {
    real = directory;
    (void)fs::make_absolute(real);
    path::remove_dots(real, /*remove_dot_dot=*/true);
  }
  path::append(real, path::filename(file));
  return real.str().str();
}

static bool isDevice(StringRef file) {
  fs::file_status status;
  return !fs::status(file, status) && fs::exists(status) && !fs::is_regular_file(status);
}

llvm::Error attn::checkDistinctOutputs(const CompilationOptions &options) {
  std::vector<Output> outputs = namedOutputs(options);
  llvm::append_range(outputs, companions(options));
  for (size_t i = 0; i < outputs.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (placeOf(outputs[i].path) == placeOf(outputs[k].path) && !isDevice(outputs[i].path))
        return llvm::createStringError(outputs[k].what + " and " + outputs[i].what + " would both be '" +
                                       outputs[k].path + "'; give one of them another name");
  return llvm::Error::success();
}

static llvm::Error checkWritable(const Output &output) {
  auto fail = [&](const Twine &reason) {
    return llvm::createStringError("cannot write '" + output.path + "': " + reason);
  };
  StringRef directory = path::parent_path(output.path);
  if (!directory.empty() && !fs::is_directory(directory))
    return fail("there is no folder '" + directory + "'");
  if (fs::is_directory(output.path))
    return fail("it is a folder");
  if (isDevice(output.path))
    return output.mayBeDevice ? llvm::Error::success() : fail("it exists and is not a regular file");
  // Permissions do not tell all; a file beside it, as will be made later, does.
  OutputFiles files(output.path);
  return files.create("").takeError();
}

llvm::Error attn::checkWritableOutputs(const CompilationOptions &options) {
  for (const Output &output : namedOutputs(options))
    if (llvm::Error error = checkWritable(output))
      return error;
  return llvm::Error::success();
}

/// The files that `module`'s weights lie in.
static std::vector<std::string> weightFiles(mlir::ModuleOp module) {
  std::vector<std::string> files;
  mlir::AttrTypeWalker walker;
  walker.addWalk([&](FileAttr file) { files.push_back(file.getPath().str()); });
  module.walk([&](WeightOp weight) { walker.walk(weight.getValue()); });
  llvm::sort(files);
  files.erase(llvm::unique(files), files.end());
  return files;
}

llvm::Error attn::checkOutputsAreNoInputs(const CompilationOptions &options, mlir::ModuleOp module,
                                          llvm::ArrayRef<std::string> inputs) {
  std::vector<fs::UniqueID> ids;
  auto addInputs = [&](llvm::ArrayRef<std::string> files) {
    fs::UniqueID id;
    for (const std::string &file : files)
      if (!fs::getUniqueID(file, id))
        ids.push_back(id);
  };
  addInputs(inputs);
  addInputs(weightFiles(module));
  std::vector<Output> outputs = namedOutputs(options);
  llvm::append_range(outputs, companions(options));
  llvm::append_range(outputs, dumps(options));
  for (const Output &output : outputs) {
    fs::UniqueID id;
    if (!fs::getUniqueID(output.path, id) && llvm::is_contained(ids, id))
      return llvm::createStringError("cannot write " + output.what + " to '" + output.path +
                                     "': it is an input of this compilation");
  }
  return llvm::Error::success();
}
