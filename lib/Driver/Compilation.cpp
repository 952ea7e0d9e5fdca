//===- Compilation.cpp - One compilation as an object -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop over the stages. What a later stage or the library's tables need and a dump would not say is put into the
// module here, so that compiling from a dump gives the same library as compiling at once.
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Compilation.h"
#include "Diagnostics.h"
#include "Emit.h"
#include "Entries.h"
#include "Explain.h"
#include "Flops.h"
#include "ModuleFile.h"
#include "OpCounts.h"
#include "Outputs.h"
#include "Progress.h"
#include "Report.h"
#include "StageContract.h"
#include "StoredModel.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/Importer.h"
#include "attn/Import/Merge.h"
#include "attn/Pipelines/Registration.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <mutex>

using namespace mlir;
using namespace attn;

/// What lives while a compilation runs.
struct Compilation::State {
  State(const CompilationHooks &hooks, const std::string &model)
      : context(makeRegistry(), MLIRContext::Threading::DISABLED), progress(hooks.messages),
        handler(&context, [&hooks, &model](Diagnostic &diagnostic) {
          // After that, stages fail for want of what was skipped.
          if (!hooks.cancellation || !hooks.cancellation->isCancelled())
            hooks.messages(toMessage(diagnostic, model));
        }) {
    context.printOpOnDiagnostic(false);
    if (hooks.cancellation)
      context.registerActionHandler([&hooks](llvm::function_ref<void()> execute, const tracing::Action &action) {
        if (!llvm::isa<PassExecutionAction>(action) || !hooks.cancellation->isCancelled())
          execute();
      });
  }

  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllAttnDialects(registry);
    registerAllToLLVMIRTranslations(registry);
    return registry;
  }

  std::vector<Decision> decisions;
  MLIRContext context;
  Progress progress;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  ModelInfo model;
  /// Files and folders beside the output that are written before it and stay when the compilation is stopped.
  SmallVector<std::string> kept;
};

Compilation::Compilation(CompilationOptions options, CompilationHooks hooks)
    : options(std::move(options)), hooks(std::move(hooks)) {}
Compilation::~Compilation() = default;

bool Compilation::isCancelled() const { return hooks.cancellation && hooks.cancellation->isCancelled(); }

bool Compilation::fail(const Twine &message) {
  if (!isCancelled())
    hooks.messages({Message::Kind::Error, message.str()});
  return false;
}

bool Compilation::check(llvm::Error error) { return error ? fail(llvm::toString(std::move(error))) : true; }

Compilation::Result Compilation::run() {
  state = std::make_unique<State>(hooks, options.models.front());
  state->model.prefix = makePrefix(options.name, options.output);
  state->model.name = options.name.empty() ? state->model.prefix : options.name;
  bool ok = runStages();
  state->progress.end();
  if (options.explain && !isCancelled())
    explain();
  if (ok && options.time)
    hooks.messages({Message::Kind::Info, state->progress.getTimes()});
  if (ok)
    return Result::Success;
  if (!isCancelled())
    return Result::Failure;
  std::string but = state->kept.empty() ? "" : " but '" + llvm::join(state->kept, "' and '") + "'";
  hooks.messages({Message::Kind::Error, "interrupted; nothing was written" + but});
  return Result::Cancelled;
}

bool Compilation::runStages() {
  if (!check(checkWritableOutputs(options)))
    return false;
  if (options.explain && failed(collectDecisions(state->context, state->decisions)))
    return fail("the remarks for --explain cannot be collected");
  if (!importModel())
    return false;
  if (options.listOps)
    return listOps();
  std::vector<std::string> inputs;
  for (const std::string &model : options.models)
    llvm::append_range(inputs, ImporterRegistry::withBuiltins().inputFiles(model));
  if (!check(checkOutputsAreNoInputs(options, *state->module, inputs)))
    return false;
  if (!options.dumpStages.empty()) {
    if (std::error_code error = llvm::sys::fs::create_directories(options.dumpStages))
      return fail("cannot make the folder '" + options.dumpStages + "': " + error.message());
    state->kept.push_back(options.dumpStages);
  }
  for (const StageInfo &info : allStages()) {
    if (info.stage == Stage::Emit)
      return emitLibrary();
    if (!isDone(info) && !runStage(info))
      return false;
    if (info.stage == options.to)
      return check(writeTextFile(options.output, [&](raw_ostream &os) { printModule(*state->module, os); }));
  }
  llvm_unreachable("emit is the last stage");
}

/// A dump is what a stage left behind: the next stage is the first to run. Import's own passes may run again.
bool Compilation::isDone(const StageInfo &info) const {
  if (!options.fromGiven || options.from == Stage::Import)
    return false;
  return info.stage <= options.from;
}

static bool hasInput(ModuleOp module, StringRef name) {
  for (auto entry : module.getOps<func::FuncOp>())
    for (unsigned i = 0, e = entry.getNumArguments(); i < e; ++i)
      if (auto own = entry.getArgAttrOfType<StringAttr>(i, kNameAttr); own && own.getValue() == name)
        return true;
  return false;
}

bool Compilation::importModel() {
  announce(infoOf(Stage::Import));
  ImportOptions import;
  // Entries of several models are told apart by their files' names.
  import.name = options.models.size() == 1 ? options.name : "";
  import.shapes = options.shapes;
  import.laterStage = options.fromGiven && options.from != Stage::Import;
  ImporterRegistry importers = ImporterRegistry::withBuiltins();
  for (const std::string &model : options.models) {
    if (isCancelled())
      return false;
    state->progress.begin("import " + model);
    FailureOr<OwningOpRef<ModuleOp>> imported = importers.importModel(state->context, model, import);
    if (failed(imported))
      return false;
    if (!state->module)
      state->module = std::move(*imported);
    else if (failed(mergeModule(*state->module, std::move(*imported), model)))
      return false;
  }
  for (const InputShape &shape : options.shapes)
    if (!hasInput(*state->module, shape.name)) {
      state->module->emitError() << "--shape: no model has an input '" << shape.name << "'";
      return false;
    }
  return !import.laterStage || succeeded(verifyAfter(options.from, *state->module));
}

/// The registry of passes is one for the process; only texts of passes need it.
static void registerPassesOnce() {
  static std::once_flag once;
  std::call_once(once, registerAllAttnPasses);
}

llvm::Error Compilation::addExtraPipelines(OpPassManager &pm, Stage stage) const {
  for (const ExtraPipeline &extra : options.beforeStage) {
    if (extra.stage != stage)
      continue;
    registerPassesOnce();
    StringRef text(extra.pipeline);
    if (text.consume_front("builtin.module(") && !text.consume_back(")"))
      return llvm::createStringError("--before-stage: '" + extra.pipeline + "' lacks its last parenthesis");
    std::string reason;
    llvm::raw_string_ostream os(reason);
    if (failed(parsePassPipeline(text, pm, os)))
      return llvm::createStringError("--before-stage: '" + extra.pipeline +
                                     "' is no pipeline of passes: " + StringRef(reason).trim());
  }
  return llvm::Error::success();
}

bool Compilation::runStage(const StageInfo &info) {
  if (isCancelled())
    return false;
  if (info.stage != Stage::Import)
    announce(info);
  state->progress.begin(info.flag);
  PipelineOptions pipeline;
  pipeline.targets = options.targets;
  pipeline.prefix = state->model.prefix;
  pipeline.explain = options.explain;
  pipeline.undefinedPaddedRows = options.undefinedPaddedRows;
  PassManager pm(&state->context);
  if (!check(addExtraPipelines(pm, info.stage)))
    return false;
  info.build(pm, pipeline);
  if (failed(pm.run(*state->module)) || isCancelled() || !afterStage(info))
    return false;
  if (options.dumpStages.empty())
    return true;
  SmallString<128> path(options.dumpStages);
  llvm::sys::path::append(path, llvm::formatv("{0}-{1}.mlir", int(info.stage), info.flag).str());
  return check(writeTextFile(path, [&](raw_ostream &os) { printModule(*state->module, os); }));
}

/// Takes down what the next stages take away.
bool Compilation::afterStage(const StageInfo &info) {
  if (info.stage == Stage::Fuse)
    for (auto entry : state->module->getOps<func::FuncOp>())
      entry->setAttr(kFlopsAttr, StringAttr::get(&state->context, countFlops(entry)));
  if (info.stage == Stage::Memory && !options.report.empty() && !writeReport())
    return false;
  if (info.stage == Stage::Kernel) {
    FailureOr<std::vector<EntryInfo>> entries = describeEntries(*state->module, state->model.prefix);
    if (failed(entries))
      return false;
    state->model.entries = std::move(*entries);
    storeModel(*state->module, state->model);
  }
  return true;
}

bool Compilation::writeReport() {
  bool written = check(writeTextFile(options.report, [&](raw_ostream &os) {
    os << llvm::formatv("{0:2}", llvm::json::Value(reportOps(*state->module))) << "\n";
  }));
  if (written)
    state->kept.push_back(options.report);
  return written;
}

bool Compilation::emitLibrary() {
  if (isCancelled())
    return false;
  announce(infoOf(Stage::Emit));
  state->progress.begin("emit");
  FailureOr<ModelInfo> model = loadModel(*state->module);
  if (failed(model))
    return false;
  if (!options.name.empty() && makePrefix(options.name, "") != model->prefix)
    return fail("--name=" + options.name + " contradicts '" + options.models.front() + "': its symbols begin with '" +
                model->prefix + "', and that was settled in the stage lower");
  return check(emitModule(
      *state->module, *model, options, [this](StringRef part) { state->progress.begin("emit: " + part.str()); },
      [this] { return isCancelled(); }));
}

bool Compilation::listOps() {
  hooks.messages({Message::Kind::Output, formatOpCounts(*state->module)});
  return true;
}

void Compilation::explain() {
  if (options.diagnostics == DiagnosticFormat::Text)
    return hooks.messages({Message::Kind::Info, formatDecisions(state->decisions)});
  for (const Decision &decision : state->decisions)
    hooks.messages(toMessage(decision));
}

void Compilation::announce(const StageInfo &info) {
  if (!hooks.stageBegins)
    return;
  StageInput input;
  input.stage = info.stage;
  input.reproducer = (options.output == "-" ? state->model.prefix : options.output) + ".reproducer.mlir";
  input.arguments = formatArguments(options, info.stage);
  if (state->module) {
    llvm::raw_string_ostream os(input.module);
    printModule(*state->module, os);
  }
  hooks.stageBegins(input);
}
