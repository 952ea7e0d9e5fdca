//===- Registry.cpp - Importers by kind of file -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/HuggingFace/Importer.h"
#include "attn/Import/Importer.h"
#include "attn/Import/MLIR/Importer.h"
#include "attn/Import/ONNX/Importer.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace attn;

Importer::~Importer() = default;

ImporterRegistry ImporterRegistry::withBuiltins() {
  ImporterRegistry registry;
  registry.add(createMLIRImporter());
  registry.add(createONNXImporter());
  registry.add(createHuggingFaceImporter());
  return registry;
}

const Importer *ImporterRegistry::lookup(StringRef path) const {
  for (const std::unique_ptr<Importer> &importer : importers)
    if (importer->accepts(path))
      return importer.get();
  return nullptr;
}

FailureOr<OwningOpRef<ModuleOp>> ImporterRegistry::importModel(MLIRContext &context, StringRef path,
                                                               const ImportOptions &options) const {
  Location nowhere = UnknownLoc::get(&context);
  if (!llvm::sys::fs::exists(path))
    return emitError(nowhere) << "cannot read '" << path << "': no such file or directory";
  if (const Importer *importer = lookup(path)) {
    if (options.laterStage && !importer->readsLaterStages())
      return emitError(nowhere) << path << ": --compile-from needs the MLIR that an earlier stage left, and this is a "
                                << importer->getKind() << "; write one with --compile-to or --dump-stages";
    if (!options.shapes.empty() && !importer->takesShapes())
      return emitError(nowhere) << path << ": --shape is for ONNX models, and this is a " << importer->getKind();
    return importer->importModel(context, path, options);
  }
  std::string kinds;
  for (const std::unique_ptr<Importer> &importer : importers)
    kinds += (kinds.empty() ? "" : "; ") + importer->getKind().str();
  return emitError(nowhere) << path << ": no importer knows this kind of file; known are: " << kinds;
}

std::vector<std::string> ImporterRegistry::inputFiles(StringRef path) const {
  const Importer *importer = lookup(path);
  return importer ? importer->inputFiles(path) : std::vector<std::string>();
}

std::string attn::toIdentifier(StringRef name) {
  std::string result;
  for (char c : name)
    result.push_back(llvm::isAlnum(c) ? c : '_');
  if (result.empty())
    return "model";
  if (llvm::isDigit(result.front()))
    result.insert(result.begin(), '_');
  return result;
}
