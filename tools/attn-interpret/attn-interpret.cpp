//===- attn-interpret.cpp - Runs MLIR text by the float64 reference -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The oracle as a command: takes a dump of any stage from `import` to `tile` and .npy files, writes .npy files of
// doubles and 64-bit integers. Two dumps of one model must give the same numbers; that is how a wrong pass is found.
//
//===----------------------------------------------------------------------===//

#include "attn/Reference/Interpreter.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Npy.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace attn;
using reference::Tensor;

namespace {

/// What the command line says. Members, not globals: they live as long as main.
struct Options {
  llvm::cl::opt<std::string> module{llvm::cl::Positional, llvm::cl::desc("<file.mlir>"), llvm::cl::Required};
  llvm::cl::opt<std::string> entry{"entry", llvm::cl::desc("Function to run; default: the first that is public"),
                                   llvm::cl::value_desc("name")};
  llvm::cl::list<std::string> inputs{"input", llvm::cl::desc("An argument by its attn.name or as argN, and its value"),
                                     llvm::cl::value_desc("name=file.npy")};
  llvm::cl::opt<std::string> output{"output", llvm::cl::desc("Directory to write NAME.npy for each result to"),
                                    llvm::cl::value_desc("dir"), llvm::cl::init(".")};
};

} // namespace

static Tensor tensorOf(const NpyArray &array) {
  bool isFloat = array.type.code == NpyType::Float || array.type.code == NpyType::BFloat;
  Tensor tensor(array.shape, isFloat);
  for (int64_t i = 0, e = array.numElements(); i < e; ++i) {
    if (isFloat)
      tensor.floats[i] = array.asDouble(i);
    else if (array.type.bits == 64)
      tensor.integers[i] = array.elements<int64_t>()[i];
    else
      tensor.integers[i] = int64_t(array.asDouble(i));
  }
  return tensor;
}

static llvm::Error write(llvm::StringRef directory, llvm::StringRef name, const Tensor &tensor) {
  llvm::SmallString<128> path(directory);
  llvm::sys::path::append(path, npyFileName(name) + ".npy");
  NpyArray array = NpyArray::zeros({tensor.isFloat ? NpyType::Float : NpyType::Int, 64}, tensor.shape);
  if (tensor.isFloat)
    llvm::copy(tensor.floats, array.elements<double>().begin());
  else
    llvm::copy(tensor.integers, array.elements<int64_t>().begin());
  return writeNpy(path, array);
}

static func::FuncOp findEntry(ModuleOp module, llvm::StringRef name) {
  func::FuncOp found;
  module.walk([&](func::FuncOp function) {
    if (function.isExternal() || (name.empty() ? !function.isPublic() : function.getName() != name))
      return WalkResult::advance();
    found = function;
    return WalkResult::interrupt();
  });
  return found;
}

static std::string nameOf(DictionaryAttr attributes, llvm::StringRef fallback, unsigned number) {
  auto name = attributes ? attributes.getAs<StringAttr>(kNameAttr) : StringAttr();
  return name ? name.str() : (fallback + llvm::Twine(number)).str();
}

/// The inputs in the order of the arguments.
static llvm::Expected<std::vector<Tensor>> readInputs(func::FuncOp function, llvm::ArrayRef<std::string> given) {
  llvm::StringMap<llvm::StringRef> paths;
  for (llvm::StringRef input : given)
    paths[input.split('=').first] = input.split('=').second;
  std::vector<Tensor> inputs;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i) {
    std::string name = nameOf(function.getArgAttrDict(i), "arg", i);
    auto path = paths.find(name);
    if (path == paths.end())
      return makeError("input '" + name + "' of @" + function.getName() + " is not given; add --input " + name +
                       "=FILE.npy");
    llvm::Expected<NpyArray> array = readNpy(path->second);
    if (!array)
      return array.takeError();
    inputs.push_back(tensorOf(*array));
    paths.erase(path);
  }
  if (!paths.empty())
    return makeError("@" + function.getName() + " has no input '" + paths.begin()->first() + "'");
  return inputs;
}

static llvm::Error run(const Options &options) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registry.insert<AttnDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(options.module, &context);
  if (!module)
    return makeError("'" + options.module + "' is not a valid module");
  func::FuncOp function = findEntry(*module, options.entry);
  if (!function)
    return makeError(options.entry.empty() ? "'" + options.module + "' has no public function"
                                           : "'" + options.module + "' has no function '" + options.entry + "'");
  llvm::Expected<std::vector<Tensor>> inputs = readInputs(function, options.inputs);
  if (!inputs)
    return inputs.takeError();
  llvm::Expected<std::vector<Tensor>> results = reference::interpret(function, *inputs);
  if (!results)
    return results.takeError();
  if (std::error_code code = llvm::sys::fs::create_directories(options.output))
    return makeError("can't create '" + options.output + "'", code);
  for (auto [i, result] : llvm::enumerate(*results))
    if (llvm::Error error = write(options.output, nameOf(function.getResultAttrDict(i), "result", i), result))
      return error;
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Options options;
  llvm::cl::ParseCommandLineOptions(argc, argv, "Runs a function on tensors by the float64 reference\n");
  if (llvm::Error error = run(options)) {
    llvm::WithColor::error(llvm::errs(), "attn-interpret") << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
