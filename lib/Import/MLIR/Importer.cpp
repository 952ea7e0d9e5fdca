//===- Importer.cpp - MLIR text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/MLIR/Importer.h"
#include "Checks.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/Entries.h"
#include "attn/Import/MLIR/Nesting.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace attn;
namespace fs = llvm::sys::fs;

/// Lets `module`'s weights name files beside `path`. A dump, whose paths are relative to where the compiler ran, keeps
/// working because it has no such files beside it.
static void resolveFiles(ModuleOp module, StringRef path) {
  StringRef directory = llvm::sys::path::parent_path(path);
  if (directory.empty())
    return;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FileAttr file) -> std::optional<Attribute> {
    SmallString<128> beside(directory);
    llvm::sys::path::append(beside, file.getPath());
    if (llvm::sys::path::is_absolute(file.getPath()) || !fs::exists(beside) || fs::equivalent(file.getPath(), beside))
      return std::nullopt;
    return FileAttr::get(file.getContext(), beside, file.getOffset(), file.getType());
  });
  module.walk([&](WeightOp weight) { weight.setValueAttr(replacer.replace(weight.getValue())); });
}

/// Why `path` can't be read, before it is opened: opening a pipe would wait, and a device need not end.
static std::string whyNotReadable(StringRef path) {
  fs::file_status status;
  if (std::error_code code = fs::status(path, status))
    return code.message();
  if (fs::is_directory(status))
    return "it is a directory";
  return fs::is_regular_file(status) ? "" : "it is not a regular file";
}

static OwningOpRef<ModuleOp> parseFile(MLIRContext &context, StringRef path) {
  auto failed = [&](const Twine &reason) {
    emitError(UnknownLoc::get(&context)) << "cannot read '" << path << "': " << reason.str();
    return nullptr;
  };
  if (std::string reason = whyNotReadable(path); !reason.empty())
    return failed(reason);
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false);
  if (!buffer)
    return failed(buffer.getError().message());
  // MLIR's reader of bytecode trusts what it reads: changed bytes make it abort or write where it must not.
  if (isBytecode(**buffer))
    return failed("it is MLIR bytecode, which can't be checked; make it text with 'attn-opt FILE -o FILE.mlir'");
  auto sources = std::make_shared<llvm::SourceMgr>();
  StringRef text = (*buffer)->getBuffer();
  sources->AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  if (std::optional<size_t> deep = findDeepNesting(text)) {
    auto [line, column] = sources->getLineAndColumn(llvm::SMLoc::getFromPointer(text.data() + *deep));
    emitError(FileLineColLoc::get(&context, path, line, column))
        << "the text nests deeper than " << kMaxNesting << " levels, which is not supported";
    return nullptr;
  }
  return parseSourceFile<ModuleOp>(sources, ParserConfig(&context, /*verifyAfterParse=*/true));
}

namespace {
class MLIRImporter final : public Importer {
public:
  StringRef getKind() const override { return "MLIR text (.mlir)"; }

  bool accepts(StringRef path) const override {
    StringRef extension = llvm::sys::path::extension(path);
    return extension == ".mlir" || extension == ".mlirbc";
  }

  bool readsLaterStages() const override { return true; }

  FailureOr<OwningOpRef<ModuleOp>> importModel(MLIRContext &context, StringRef path,
                                               const ImportOptions &options) const override {
    context.loadDialect<AttnDialect>();
    OwningOpRef<ModuleOp> module = parseFile(context, path);
    if (!module)
      return failure();
    resolveFiles(*module, path);
    if (!options.laterStage && (failed(checkModel(*module)) || failed(annotateEntries(*module))))
      return failure();
    return module;
  }
};
} // namespace

std::unique_ptr<Importer> attn::createMLIRImporter() { return std::make_unique<MLIRImporter>(); }
