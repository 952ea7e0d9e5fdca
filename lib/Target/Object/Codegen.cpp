//===- Codegen.cpp - LLVM modules become objects or assembly ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that LLVM would print or exit for is turned into an error: unknown
// processors are looked up before a machine is made, and diagnostics of the code
// generator are collected.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Codegen.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/Threading.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

using namespace attn;
using namespace llvm;

static void initializeTargets() {
  static llvm::once_flag once;
  llvm::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers();
  });
}

namespace {
// Writes errors to a string.
struct CollectingHandler : DiagnosticHandler {
  explicit CollectingHandler(std::string &message) : message(message) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() != DS_Error)
      return true;
    raw_string_ostream os(message);
    if (!message.empty())
      os << "; ";
    DiagnosticPrinterRawOStream printer(os);
    info.print(printer);
    return true;
  }

  std::string &message;
};

// Collects a context's errors while it lives; the context's default would be to print them and to exit.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(LLVMContext &context) : context(context), previous(context.getDiagnosticHandler()) {
    context.setDiagnosticHandler(std::make_unique<CollectingHandler>(message));
  }
  ~DiagnosticCollector() { context.setDiagnosticHandler(std::move(previous)); }

  Error take() {
    if (message.empty())
      return Error::success();
    return createStringError("code generation failed: " + message);
  }

private:
  LLVMContext &context;
  std::unique_ptr<DiagnosticHandler> previous;
  std::string message;
};
} // namespace

// LLVM prints a warning for unknown processors and features, and goes on.
static Error checkProcessor(const Target &target, const Triple &triple, const CodegenTarget &wanted) {
  std::unique_ptr<MCSubtargetInfo> info(target.createMCSubtargetInfo(triple, "", ""));
  if (!info)
    return createStringError("LLVM has no code generator for '" + wanted.triple + "'");
  if (!wanted.cpu.empty() && !info->isCPUStringValid(wanted.cpu))
    return createStringError("LLVM knows no processor '" + wanted.cpu + "' for '" + wanted.triple + "'");
  SmallVector<StringRef> features;
  StringRef(wanted.features).split(features, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef feature : features) {
    if (!feature.starts_with("+") && !feature.starts_with("-"))
      return createStringError("processor feature '" + feature + "' has to begin with '+' or '-'");
    bool known = any_of(info->getAllProcessorFeatures(),
                        [&](const SubtargetFeatureKV &entry) { return feature.drop_front() == entry.Key; });
    if (!known)
      return createStringError("LLVM knows no processor feature '" + feature.drop_front() + "' for '" + wanted.triple +
                               "'");
  }
  return Error::success();
}

Expected<std::unique_ptr<TargetMachine>> attn::createTargetMachine(const CodegenTarget &target,
                                                                   const CodegenOptions &options) {
  initializeTargets();
  Triple triple(Triple::normalize(target.triple));
  std::string reason;
  const Target *found = TargetRegistry::lookupTarget(triple, reason);
  if (!found)
    return createStringError("cannot generate code for '" + target.triple + "': " + reason);
  if (Error error = checkProcessor(*found, triple, target))
    return std::move(error);
  std::optional<CodeGenOptLevel> level = CodeGenOpt::getLevel(options.optLevel);
  if (!level)
    return createStringError("optimization level " + Twine(options.optLevel) + " is not one of 0 to 3");
  TargetOptions machineOptions;
  std::unique_ptr<TargetMachine> machine(found->createTargetMachine(triple, target.cpu, target.features, machineOptions,
                                                                    Reloc::PIC_, /*CM=*/std::nullopt, *level));
  if (!machine)
    return createStringError("LLVM cannot generate code for '" + target.triple + "'");
  return machine;
}

static Error verify(Module &module) {
  std::string text;
  raw_string_ostream os(text);
  if (!verifyModule(module, &os))
    return Error::success();
  return createStringError("the LLVM module is not valid: " + StringRef(text).rtrim());
}

static void runPipeline(Module &module, TargetMachine &machine, const CodegenOptions &options) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = options.vectorizeLoops;
  tuning.LoopInterleaving = options.vectorizeLoops;
  tuning.SLPVectorization = options.vectorizeStraightCode;
  // LICM promotes only in loops with at most that many memory accesses, and does nothing else with the number that
  // kernels would miss. (Its on-off switch is a command-line option, thus of the whole process.)
  if (!options.promoteInLoops)
    tuning.LicmMssaNoAccForPromotionCap = 0;

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine, tuning);
  TargetLibraryInfoImpl library(module.getTargetTriple());
  functions.registerPass([&] { return TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  static constexpr const OptimizationLevel *levels[] = {&OptimizationLevel::O0, &OptimizationLevel::O1,
                                                        &OptimizationLevel::O2, &OptimizationLevel::O3};
  OptimizationLevel level = *levels[options.optLevel];
  ModulePassManager passes = level == OptimizationLevel::O0 ? builder.buildO0DefaultPipeline(level)
                                                            : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

Error attn::optimizeModule(Module &module, const CodegenTarget &target, const CodegenOptions &options) {
  Expected<std::unique_ptr<TargetMachine>> machine = createTargetMachine(target, options);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (!target.cpu.empty() && !function.hasFnAttribute("target-cpu"))
      function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty() && !function.hasFnAttribute("target-features"))
      function.addFnAttr("target-features", target.features);
  }
  if (Error error = verify(module))
    return error;
  DiagnosticCollector diagnostics(module.getContext());
  runPipeline(module, **machine, options);
  return diagnostics.take();
}

Expected<SmallVector<char, 0>> attn::generateCode(Module &module, const CodegenTarget &target,
                                                  const CodegenOptions &options, CodeFileKind kind) {
  Expected<std::unique_ptr<TargetMachine>> machine = createTargetMachine(target, options);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  DiagnosticCollector diagnostics(module.getContext());
  SmallVector<char, 0> code;
  raw_svector_ostream os(code);
  legacy::PassManager passes;
  TargetLibraryInfoImpl library(module.getTargetTriple());
  passes.add(new TargetLibraryInfoWrapperPass(library));
  CodeGenFileType type = kind == CodeFileKind::Object ? CodeGenFileType::ObjectFile : CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(passes, os, /*DwoOut=*/nullptr, type))
    return createStringError("LLVM cannot write " + StringRef(kind == CodeFileKind::Object ? "objects" : "assembly") +
                             " for '" + target.triple + "'");
  passes.run(module);
  if (Error error = diagnostics.take())
    return std::move(error);
  return code;
}

Expected<SmallVector<char, 0>> attn::compileToObject(Module &module, const CodegenTarget &target,
                                                     const CodegenOptions &options) {
  if (Error error = optimizeModule(module, target, options))
    return std::move(error);
  return generateCode(module, target, options, CodeFileKind::Object);
}
