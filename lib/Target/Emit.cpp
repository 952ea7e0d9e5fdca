//===- Emit.cpp - Code, weights and tables become files ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A straight line: check, compile, lay out the weights, link, append the weights,
// describe, rename. Each step only sees files under temporary names.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Emit.h"

#include "attn/Target/Header/Description.h"
#include "attn/Target/Header/Header.h"
#include "attn/Target/Object/Embedded.h"
#include "attn/Target/Object/Link.h"
#include "attn/Target/Object/Metadata.h"
#include "attn/Target/Object/Modules.h"
#include "attn/Target/Object/OutputFiles.h"
#include "attn/Target/Object/Prepare.h"
#include "attn/Target/Weights/ElfObject.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace attn;
using namespace llvm;

std::optional<EmitKind> attn::parseEmitKind(StringRef name) {
  return StringSwitch<std::optional<EmitKind>>(name)
      .Case("shared", EmitKind::Shared)
      .Case("static", EmitKind::Static)
      .Case("object", EmitKind::Object)
      .Case("asm", EmitKind::Assembly)
      .Case("llvm", EmitKind::LLVM)
      .Default(std::nullopt);
}

namespace {
class Emitter {
public:
  Emitter(const ModelInfo &model, MutableArrayRef<CodeModule> modules, ArrayRef<WeightBlob> weights,
          const EmitOptions &options)
      : model(model), modules(modules), weights(weights), options(options), files(options.output) {}

  Error run();
  const EmitReport &getReport() const { return report; }

private:
  bool isText() const { return options.kind == EmitKind::Assembly || options.kind == EmitKind::LLVM; }
  Error announce(const Twine &step);
  Error check();
  Error prepare();
  Error emitText();
  Error writeText(raw_ostream &os);
  Error emitBinary();
  Error planWeights();
  Error checkSpace();
  Expected<std::vector<std::string>> writeObjects(ArrayRef<CodeBuffer> code);
  Expected<std::string> link(ArrayRef<std::string> objects);
  Expected<std::string> linkSharedLibrary(ArrayRef<std::string> objects);
  Expected<std::string> linkObject(ArrayRef<std::string> objects);
  Error publishDescriptions(uint64_t fileSize);

  const ModelInfo &model;
  MutableArrayRef<CodeModule> modules;
  ArrayRef<WeightBlob> weights;
  const EmitOptions &options;
  OutputFiles files;
  Triple triple;
  bool farWeights = false;
  std::vector<WeightBlob> usedWeights;
  WeightLayout layout;
  EmitReport report;
};
} // namespace

Error Emitter::announce(const Twine &step) {
  if (options.cancelled && options.cancelled())
    return createStringError(std::errc::operation_canceled, "cancelled");
  if (options.progress)
    options.progress(step.str());
  return Error::success();
}

Error Emitter::check() {
  if (Error error = model.verify())
    return error;
  if (modules.empty())
    return createStringError("model '" + model.name + "' has code for no target");
  SmallVector<Module *> code;
  for (const CodeModule &entry : modules)
    code.push_back(entry.module.get());
  if (Error error = checkEntryPoints(model, code))
    return error;

  triple = Triple(Triple::normalize(modules.front().target.triple));
  for (const CodeModule &entry : modules) {
    Triple other(Triple::normalize(entry.target.triple));
    if (other.getArch() != triple.getArch() || other.getOS() != triple.getOS())
      return createStringError("one file cannot hold code for both '" + triple.str() + "' and '" + other.str() + "'");
  }
  if (options.output == "-")
    return isText() ? Error::success() : createStringError("only assembly and LLVM IR can go to standard output");
  if (!isText() && !triple.isOSBinFormatELF())
    return createStringError("libraries can be written as ELF only, not for '" + triple.str() + "'");
  StringRef name = sys::path::filename(options.output);
  if (!isText() &&
      ((options.header && name == model.prefix + ".h") || (options.description && name == model.prefix + ".json")))
    return createStringError("cannot write '" + options.output + "': a file of this name is written beside it");
  sys::fs::file_status status;
  std::error_code missing = sys::fs::status(options.output, status);
  if (!missing && status.type() != sys::fs::file_type::regular_file)
    return createStringError("cannot write '" + options.output + "': it exists and is not a regular file");
  return Error::success();
}

Error Emitter::prepare() {
  StringSet<> entryPoints, weightNames;
  for (const EntryInfo &entry : model.entries)
    for (const VariantInfo &variant : entry.variants) {
      entryPoints.insert(variant.runSymbol);
      entryPoints.insert(variant.workspaceSymbol);
      if (!variant.gpuSymbol.empty())
        entryPoints.insert(variant.gpuSymbol);
    }
  uint64_t bytes = 0;
  for (const WeightBlob &weight : weights) {
    weightNames.insert(weight.symbol);
    bytes = SaturatingAdd(bytes, weight.bytes);
  }
  farWeights = triple.getArch() == Triple::x86_64 && bytes > options.farWeightsThreshold;
  // ADRP reaches 4 GiB; code and tables need a little of it.
  if (triple.isAArch64() && bytes > uint64_t(4000) << 20)
    return createStringError("weights of " + Twine(bytes) +
                             " bytes are too far away for AArch64 code; the limit is "
                             "4000 MiB: choose a smaller --weights type");
  for (CodeModule &code : modules)
    prepareModule(*code.module, {&entryPoints, &weightNames, farWeights});
  return Error::success();
}

Error Emitter::writeText(raw_ostream &os) {
  LLVMContext context;
  std::unique_ptr<Module> tables = buildMetadata(context, model, /*exportGeneric=*/false);
  SmallVector<const Module *> parts;
  for (const CodeModule &code : modules)
    parts.push_back(code.module.get());
  tables->setTargetTriple(modules.front().module->getTargetTriple());
  tables->setDataLayout(modules.front().module->getDataLayout());
  parts.push_back(tables.get());
  Expected<std::unique_ptr<Module>> merged = mergeModules(context, parts);
  if (!merged)
    return merged.takeError();
  if (options.kind == EmitKind::LLVM) {
    (*merged)->print(os, nullptr);
    return Error::success();
  }
  // Every function names its processor itself.
  CodegenTarget target{triple.str(), "", ""};
  Expected<CodeBuffer> text = generateCode(**merged, target, options.codegen, CodeFileKind::Assembly);
  if (!text)
    return text.takeError();
  os.write(text->data(), text->size());
  return Error::success();
}

Error Emitter::emitText() {
  if (options.output == "-") {
    std::error_code code;
    raw_fd_ostream os("-", code, sys::fs::OF_None);
    if (Error error = writeText(os))
      return error;
    os.flush();
    code = os.error();
    os.clear_error();
    return code ? makeWriteError("standard output", code) : Error::success();
  }
  Expected<std::string> path =
      files.write(options.kind == EmitKind::LLVM ? ".ll" : ".s", [&](raw_fd_ostream &os) { return writeText(os); });
  if (!path)
    return path.takeError();
  uint64_t size = 0;
  sys::fs::file_size(*path, size);
  report.file = size;
  files.publish(*path, options.output);
  return files.commit();
}

Error Emitter::planWeights() {
  for (const WeightBlob &weight : weights) {
    bool used = any_of(modules, [&](const CodeModule &code) {
      GlobalVariable *global = code.module->getNamedGlobal(weight.symbol);
      return global && !global->use_empty();
    });
    if (used)
      usedWeights.push_back(weight);
  }
  Expected<WeightLayout> planned = WeightLayout::plan(usedWeights);
  if (!planned)
    return planned.takeError();
  layout = std::move(*planned);
  report.weights = layout.getTotalBytes();
  report.storedWeights = layout.getStoredBytes();
  return checkSpace();
}

/// A few words of a model can say weights that fill any disk: that is told before the disk is full.
Error Emitter::checkSpace() {
  StringRef directory = sys::path::parent_path(options.output);
  ErrorOr<sys::fs::space_info> space = sys::fs::disk_space(directory.empty() ? "." : directory);
  if (!space || layout.getSize() <= space->available)
    return Error::success();
  return createStringError("cannot write '" + options.output + "': its weights have " + Twine(layout.getSize()) +
                           " bytes, and there are " + Twine(space->available) + " bytes free");
}

Expected<std::vector<std::string>> Emitter::writeObjects(ArrayRef<CodeBuffer> code) {
  std::vector<std::string> paths;
  auto add = [&](ArrayRef<char> object) -> Error {
    Expected<std::string> path = files.write(".o", StringRef(object.data(), object.size()));
    if (!path)
      return path.takeError();
    report.code += object.size();
    paths.push_back(std::move(*path));
    return Error::success();
  };
  for (const CodeBuffer &object : code)
    if (Error error = add(object))
      return std::move(error);

  LLVMContext context;
  std::unique_ptr<Module> tables = buildMetadata(context, model, options.kind == EmitKind::Shared);
  Expected<CodeBuffer> object = compileToObject(*tables, {triple.str(), "", ""}, options.codegen);
  if (!object)
    return object.takeError();
  if (Error error = add(*object))
    return std::move(error);
  return paths;
}

Expected<std::string> Emitter::linkSharedLibrary(ArrayRef<std::string> objects) {
  Expected<EmbeddedFiles> embedded = getEmbeddedFiles(triple);
  if (!embedded)
    return embedded.takeError();
  SharedLinkOptions linkOptions;
  linkOptions.objects = objects.vec();
  linkOptions.soname = "lib" + model.prefix + ".so";
  for (StringRef library : {embedded->runtime, embedded->libc, embedded->libdl, embedded->libm, embedded->libpthread}) {
    Expected<std::string> path = files.write(library == embedded->runtime ? ".a" : ".so", library);
    if (!path)
      return path;
    linkOptions.libraries.push_back(std::move(*path));
  }
  std::string script =
      "{ global: " + getLibraryFunctionName(model) + "; " + sharedLibraryFunctionName.str() + "; local: *; };\n";
  Expected<std::string> scriptPath = files.write(".map", script);
  if (!scriptPath)
    return scriptPath;
  linkOptions.versionScript = *scriptPath;
  Expected<std::string> output = files.create(".out");
  if (!output)
    return output;
  linkOptions.output = *output;
  if (Error error = linkShared(linkOptions))
    return std::move(error);
  return output;
}

Expected<std::string> Emitter::linkObject(ArrayRef<std::string> objects) {
  Expected<std::string> output = files.create(".out");
  if (!output)
    return output;
  if (Error error = linkRelocatable(objects, *output))
    return std::move(error);
  if (Error error = localizeHiddenSymbols(*output))
    return std::move(error);
  return output;
}

Expected<std::string> Emitter::link(ArrayRef<std::string> objects) {
  bool isShared = options.kind == EmitKind::Shared;
  // Only x86-64 has sections that the linker puts behind all others; elsewhere the linker copies the weights.
  bool contents = isShared && triple.getArch() != Triple::x86_64;
  std::vector<std::string> inputs = objects.vec();
  if (layout.getSize() != 0) {
    Expected<std::string> path = files.write(".o", [&](raw_fd_ostream &os) {
      return writeWeightObject(os, layout, {triple.getArch(), isShared || farWeights, contents, options.cancelled});
    });
    if (!path)
      return path;
    inputs.push_back(std::move(*path));
  }
  if (Error error = announce("link"))
    return std::move(error);
  Expected<std::string> linked = isShared ? linkSharedLibrary(inputs) : linkObject(inputs);
  if (!linked)
    return linked;
  if (layout.getSize() != 0 && !contents) {
    if (Error error = announce("write " + Twine(layout.getSize()) + " bytes of weights"))
      return std::move(error);
    if (Error error = appendWeights(*linked, layout, options.cancelled))
      return std::move(error);
  }
  if (options.kind != EmitKind::Static)
    return linked;

  Expected<EmbeddedFiles> embedded = getEmbeddedFiles(triple);
  if (!embedded)
    return embedded.takeError();
  Expected<std::string> archive = files.create(".a");
  if (!archive)
    return archive;
  if (Error error = writeStaticLibrary(*linked, model.prefix + ".o", embedded->runtime, *archive))
    return std::move(error);
  return archive;
}

Error Emitter::publishDescriptions(uint64_t fileSize) {
  StringRef directory = sys::path::parent_path(options.output);
  auto publish = [&](StringRef extension, function_ref<void(raw_ostream &)> write) -> Error {
    Expected<std::string> path = files.write(extension, [&](raw_fd_ostream &os) {
      write(os);
      return Error::success();
    });
    if (!path)
      return path.takeError();
    SmallString<128> finalPath(directory);
    sys::path::append(finalPath, model.prefix + extension);
    files.publish(*path, finalPath);
    return Error::success();
  };
  if (options.header)
    if (Error error = publish(".h", [&](raw_ostream &os) { writeHeader(os, model, getEmbeddedAbiHeader()); }))
      return error;
  if (options.description)
    return publish(".json", [&](raw_ostream &os) {
      writeDescription(os, model, {report.weights, report.storedWeights, fileSize});
    });
  return Error::success();
}

Error Emitter::emitBinary() {
  Expected<std::vector<CodeBuffer>> code = compileModules(modules, options, /*makeObjects=*/true);
  if (!code)
    return code.takeError();
  if (Error error = announce("lay out the weights"))
    return error;
  if (Error error = planWeights())
    return error;
  Expected<std::vector<std::string>> objects = writeObjects(*code);
  if (!objects)
    return objects.takeError();
  Expected<std::string> output = link(*objects);
  if (!output)
    return output.takeError();
  if (std::error_code code = sys::fs::file_size(*output, report.file))
    return makeWriteError(options.output, code);
  if (Error error = publishDescriptions(report.file))
    return error;
  files.publish(*output, options.output);
  return files.commit();
}

Error Emitter::run() {
  if (Error error = check())
    return error;
  if (Error error = prepare())
    return error;
  for (const CodeModule &code : modules)
    if (Error error = announce("compile for " + (code.target.cpu.empty() ? code.target.triple : code.target.cpu)))
      return error;
  if (isText()) {
    if (Expected<std::vector<CodeBuffer>> code = compileModules(modules, options, /*makeObjects=*/false); !code)
      return code.takeError();
    return files.rename(emitText());
  }
  return files.rename(emitBinary());
}

Error attn::emitLibrary(const ModelInfo &model, std::vector<CodeModule> modules, ArrayRef<WeightBlob> weights,
                        const EmitOptions &options) {
  Emitter emitter(model, modules, weights, options);
  if (Error error = emitter.run())
    return error;
  if (options.report)
    *options.report = emitter.getReport();
  return Error::success();
}
