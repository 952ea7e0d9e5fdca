//===- Importer.h - From a model's files to a module ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An importer says what a model means, never how it runs. Its module has `attn.weight` symbols, whose values are slices
// of the model's files, and one public function per entry, whose arguments and results are tensors with `attn.name` and
// `attn.shape`. Whole blocks are attn ops; the rest is linalg, tensor, arith and math on tensors.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_IMPORTER_H
#define ATTN_IMPORT_IMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace attn {

/// Sizes that the user gives an input; nothing where a dimension stays what the model says.
struct InputShape {
  std::string name;
  std::vector<std::optional<int64_t>> sizes;
};

/// What a caller may say about an import.
struct ImportOptions {
  /// Name of the entry where the model's files don't name it themselves; empty: the directory's name. Characters other
  /// than letters, digits and _ become _.
  std::string name;
  /// The file is a dump of a stage after `import`: its functions are taken as they are, without names and shapes.
  bool laterStage = false;
  /// Where an importer takes shapes: it fails where an input that it has can't have them.
  std::vector<InputShape> shapes = {};
};

/// Reads one kind of model file.
///
/// Errors are diagnostics of the context, one per failure: at the operation's place in MLIR text; without a place, but
/// naming file and tensor or key in the sentence, for other files.
class Importer {
public:
  virtual ~Importer();

  /// The kind of file for messages, such as "MLIR text (.mlir)".
  virtual llvm::StringRef getKind() const = 0;
  /// True where `path` looks like this kind. Looks at the name and the kind of file only: what is in it is checked by
  /// `importModel`, whose errors are precise.
  virtual bool accepts(llvm::StringRef path) const = 0;
  /// True where these files can be dumps of a stage after `import`.
  /// True where ImportOptions::shapes mean something.
  virtual bool takesShapes() const { return false; }
  virtual bool readsLaterStages() const { return false; }
  /// The files that belong to the model at `path`, but for those that its weights name: they are not to be written.
  virtual std::vector<std::string> inputFiles(llvm::StringRef path) const { return {path.str()}; }
  /// The model at `path` as a verified module. Loads the dialects it creates into `context`.
  virtual mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  importModel(mlir::MLIRContext &context, llvm::StringRef path, const ImportOptions &options) const = 0;
};

/// The importers by kind of file. A plain value: each compilation has its own.
class ImporterRegistry {
public:
  /// All importers of this build.
  static ImporterRegistry withBuiltins();

  void add(std::unique_ptr<Importer> importer) { importers.push_back(std::move(importer)); }
  llvm::ArrayRef<std::unique_ptr<Importer>> getImporters() const { return importers; }

  /// The first importer that accepts `path`, or null.
  const Importer *lookup(llvm::StringRef path) const;

  /// Imports with the importer that accepts `path`. An error where the file doesn't exist or none accepts it, which
  /// lists the kinds there are.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext &context, llvm::StringRef path,
                                                                 const ImportOptions &options = {}) const;

  /// The files of the model at `path`; none where no importer accepts it.
  std::vector<std::string> inputFiles(llvm::StringRef path) const;

private:
  std::vector<std::unique_ptr<Importer>> importers;
};

/// `name` as an identifier of C: other characters become _, and _ comes before a leading digit. "model" for nothing.
std::string toIdentifier(llvm::StringRef name);

} // namespace attn

#endif // ATTN_IMPORT_IMPORTER_H
