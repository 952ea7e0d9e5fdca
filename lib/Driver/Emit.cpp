//===- Emit.cpp - From the LLVM dialect to files -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "attn/Conversion/AttnToLLVM/Symbols.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Target/Weights/Evaluate.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace attn;

static EmitKind emitKindOf(OutputKind kind) {
  switch (kind) {
  case OutputKind::Static:
    return EmitKind::Static;
  case OutputKind::Object:
    return EmitKind::Object;
  case OutputKind::Assembly:
    return EmitKind::Assembly;
  case OutputKind::LLVM:
    return EmitKind::LLVM;
  case OutputKind::Shared:
  case OutputKind::MLIR:
    return EmitKind::Shared;
  }
  llvm_unreachable("all kinds are named");
}

static llvm::Expected<std::vector<CodeModule>> translateTargets(mlir::ModuleOp module) {
  std::vector<CodeModule> code;
  for (mlir::ModuleOp nested : module.getOps<mlir::ModuleOp>()) {
    const Target *target = lookupTarget(nested->getAttrOfType<TargetAttr>(kTargetAttr).getName());
    auto context = std::make_unique<llvm::LLVMContext>();
    std::unique_ptr<llvm::Module> translated = mlir::translateModuleToLLVMIR(nested, *context, target->name);
    if (!translated)
      return llvm::createStringError("the code for " + target->name + " could not be translated to LLVM IR");
    code.emplace_back(std::move(context), std::move(translated),
                      CodegenTarget{target->triple.str(), target->cpu.str(), target->features.str()});
  }
  return code;
}

llvm::Error attn::emitModule(mlir::ModuleOp module, const ModelInfo &model, const CompilationOptions &options,
                             std::function<void(llvm::StringRef)> progress, std::function<bool()> cancelled) {
  llvm::Expected<std::vector<CodeModule>> code = translateTargets(module);
  if (!code)
    return code.takeError();

  FileCache files;
  std::vector<WeightBlob> weights;
  for (WeightOp weight : module.getOps<WeightOp>()) {
    llvm::Expected<std::unique_ptr<WeightEvaluator>> evaluator = createWeightEvaluator(weight.getValue(), files);
    if (!evaluator)
      return llvm::createStringError(options.models.front() + ": attn.weight @" + weight.getSymName() + ": " +
                                     llvm::toString(evaluator.takeError()));
    std::shared_ptr<WeightEvaluator> shared = std::move(*evaluator);
    weights.push_back(
        {weightSymbol(model.prefix, weight.getSymName()), shared->getNumBytes(),
         [shared](uint64_t offset, llvm::MutableArrayRef<char> block) { return shared->fill(offset, block); }});
  }
  EmitOptions emit;
  emit.kind = emitKindOf(options.kind);
  emit.output = options.output;
  emit.progress = std::move(progress);
  emit.cancelled = std::move(cancelled);
  return emitLibrary(model, std::move(*code), weights, emit);
}
