//===- Compilation.cpp - One compilation as an object -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Compilation.h"
#include "Emit.h"
#include "Entries.h"
#include "Flops.h"
#include "Progress.h"
#include "Report.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/Importer.h"
#include "attn/Pipelines/Registration.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace attn;

/// What lives while a compilation runs.
struct Compilation::State {
  State(const CompilationOptions &options, const MessageHandler &messages)
      : context(makeRegistry(), MLIRContext::Threading::DISABLED),
        progress(messages, options.quiet || options.output == "-"),
        handler(&context, [&messages](Diagnostic &diagnostic) { print(diagnostic, messages); }) {
    context.printOpOnDiagnostic(false);
  }

  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllAttnDialects(registry);
    registerAllToLLVMIRTranslations(registry);
    return registry;
  }

  /// `location: error: text`, notes below.
  static void print(Diagnostic &diagnostic, const MessageHandler &messages) {
    std::string text;
    llvm::raw_string_ostream os(text);
    printOne(os, diagnostic);
    for (Diagnostic &note : diagnostic.getNotes()) {
      os << "\n";
      printOne(os, note);
    }
    messages(text);
  }
  static void printOne(raw_ostream &os, Diagnostic &diagnostic) {
    if (!llvm::isa<UnknownLoc>(diagnostic.getLocation())) {
      printLocation(os, diagnostic.getLocation());
      os << ": ";
    }
    switch (diagnostic.getSeverity()) {
    case DiagnosticSeverity::Error:
      os << "error: ";
      break;
    case DiagnosticSeverity::Warning:
      os << "warning: ";
      break;
    case DiagnosticSeverity::Remark:
      os << "remark: ";
      break;
    case DiagnosticSeverity::Note:
      os << "note: ";
      break;
    }
    os << diagnostic;
  }
  /// A model's node name where there is one, else file:line:column.
  static void printLocation(raw_ostream &os, Location location) {
    if (auto named = llvm::dyn_cast<NameLoc>(location)) {
      os << named.getName().getValue();
    } else if (auto file = llvm::dyn_cast<FileLineColLoc>(location)) {
      os << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn();
    } else if (auto fused = llvm::dyn_cast<FusedLoc>(location); fused && !fused.getLocations().empty()) {
      printLocation(os, fused.getLocations().front());
    } else {
      location.print(os);
    }
  }

  MLIRContext context;
  Progress progress;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  ModelInfo model;
  llvm::StringMap<std::string> flops; // by entry, counted after the stage fuse
};

Compilation::Compilation(CompilationOptions options, MessageHandler messages)
    : options(std::move(options)), messages(std::move(messages)) {}
Compilation::~Compilation() = default;

bool Compilation::fail(const llvm::Twine &message) {
  messages(("error: " + message).str());
  return false;
}

bool Compilation::run() {
  state = std::make_unique<State>(options, messages);
  state->model.prefix = makePrefix(options.name, options.output);
  state->model.name = options.name.empty() ? state->model.prefix : options.name;
  bool ok = runStages();
  state->progress.end();
  if (ok && options.time)
    messages(state->progress.getTimes());
  return ok;
}

bool Compilation::runStages() {
  state->progress.begin("import " + options.models.front());
  ImportOptions import;
  import.name = options.name;
  import.laterStage = options.fromGiven && options.from != Stage::Import;
  ImporterRegistry importers = ImporterRegistry::withBuiltins();
  FailureOr<OwningOpRef<ModuleOp>> imported = importers.importModel(state->context, options.models.front(), import);
  if (failed(imported))
    return false;
  state->module = std::move(*imported);

  if (!options.dumpStages.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(options.dumpStages))
      return fail("cannot make the folder '" + options.dumpStages + "': " + error.message());

  for (const StageInfo &info : allStages()) {
    if (info.stage == Stage::Emit)
      break;
    // A dump is what a stage left behind: the next stage is the first to run.
    bool done = options.fromGiven && info.stage <= options.from && info.stage != Stage::Import;
    if (options.fromGiven && options.from > Stage::Import && info.stage == Stage::Import)
      done = true;
    if (!done && !runStage(info))
      return false;
    if (info.stage == Stage::Fuse)
      for (auto entry : state->module->getOps<func::FuncOp>())
        state->flops[entry.getName()] = countFlops(entry);
    if (info.stage == Stage::Memory) {
      FailureOr<std::vector<EntryInfo>> entries = describeEntries(*state->module, state->model.prefix);
      if (failed(entries))
        return false;
      state->model.entries = std::move(*entries);
      for (EntryInfo &entry : state->model.entries)
        entry.flops = state->flops.lookup(entry.name);
      if (!options.report.empty()) {
        std::error_code error;
        llvm::raw_fd_ostream os(options.report, error);
        if (error)
          return fail("cannot write '" + options.report + "': " + error.message());
        os << llvm::formatv("{0:2}", llvm::json::Value(reportOps(*state->module))) << "\n";
      }
    }
    if (info.stage == options.to)
      return writeModule(options.output);
  }
  if (state->model.entries.empty())
    return fail("a library needs the entries as they are after the stage memory; start from that stage or one before");
  state->progress.begin("emit");
  llvm::Error error = emitModule(
      *state->module, state->model, options, [this](StringRef part) { state->progress.begin("emit: " + part.str()); },
      [this] { return cancelled.load(); });
  return error ? fail(llvm::toString(std::move(error))) : true;
}

bool Compilation::runStage(const StageInfo &info) {
  if (cancelled.load())
    return fail("interrupted before the stage " + info.flag);
  state->progress.begin(info.flag);
  PipelineOptions pipeline;
  pipeline.targets = options.targets;
  pipeline.prefix = state->model.prefix;
  pipeline.explain = options.explain;
  PassManager pm(&state->context);
  info.build(pm, pipeline);
  if (failed(pm.run(*state->module)))
    return false;
  if (options.dumpStages.empty())
    return true;
  SmallString<128> path(options.dumpStages);
  llvm::sys::path::append(path, llvm::formatv("{0}-{1}.mlir", int(info.stage), info.flag).str());
  return writeModule(path);
}

bool Compilation::writeModule(StringRef path) {
  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  if (error)
    return fail("cannot write '" + path + "': " + error.message());
  state->module->print(os, OpPrintingFlags().enableDebugInfo(false));
  os << "\n";
  os.flush();
  if (os.has_error()) {
    std::string reason = os.error().message();
    os.clear_error();
    if (path != "-")
      llvm::sys::fs::remove(path);
    return fail("cannot write '" + path + "': " + reason);
  }
  return true;
}
