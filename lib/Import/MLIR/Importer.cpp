//===- Importer.cpp - MLIR text and bytecode -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/MLIR/Importer.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/Entries.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace attn;
namespace fs = llvm::sys::fs;

/// Lets `module`'s weights name files beside `path`. A dump, whose paths are relative to where the compiler ran, keeps
/// working because that is looked at first.
static void resolveFiles(ModuleOp module, StringRef path) {
  StringRef directory = llvm::sys::path::parent_path(path);
  if (directory.empty())
    return;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FileAttr file) -> std::optional<Attribute> {
    SmallString<128> beside(directory);
    llvm::sys::path::append(beside, file.getPath());
    if (llvm::sys::path::is_absolute(file.getPath()) || fs::exists(file.getPath()) || !fs::exists(beside))
      return std::nullopt;
    return FileAttr::get(file.getContext(), beside, file.getOffset(), file.getType());
  });
  module.walk([&](WeightOp weight) { weight.setValueAttr(replacer.replace(weight.getValue())); });
}

namespace {
class MLIRImporter final : public Importer {
public:
  StringRef getKind() const override { return "MLIR text (.mlir) or bytecode (.mlirbc)"; }

  bool accepts(StringRef path) const override {
    StringRef extension = llvm::sys::path::extension(path);
    return extension == ".mlir" || extension == ".mlirbc";
  }

  FailureOr<OwningOpRef<ModuleOp>> importModel(MLIRContext &context, StringRef path,
                                               const ImportOptions &options) const override {
    context.loadDialect<AttnDialect>();
    ParserConfig config(&context, /*verifyAfterParse=*/true);
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, config);
    if (!module)
      return failure();
    resolveFiles(*module, path);
    if (!options.laterStage && failed(annotateEntries(*module)))
      return failure();
    return module;
  }
};
} // namespace

std::unique_ptr<Importer> attn::createMLIRImporter() { return std::make_unique<MLIRImporter>(); }
