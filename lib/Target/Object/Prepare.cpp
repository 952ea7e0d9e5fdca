//===- Prepare.cpp - Code modules before optimization -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linkage, visibility and addressing. Nothing here changes what code computes.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Prepare.h"

#include "attn/Runtime/Model.h"
#include "attn/Target/Weights/Weights.h"

#include "llvm/IR/DerivedTypes.h"
#include "llvm/Support/CodeGen.h"

using namespace attn;
using namespace llvm;

static constexpr StringLiteral runtimePrefix = "attn_rt_";

static void hide(GlobalValue &value) {
  value.setVisibility(GlobalValue::HiddenVisibility);
  value.setDSOLocal(true);
}

// attn_rt_X becomes attn_rt_v1_X.
static void addVersion(Function &function) {
  StringRef rest = function.getName().drop_front(runtimePrefix.size());
  std::string version = "v" + std::to_string(ATTN_ABI_VERSION) + "_";
  if (rest.starts_with(version))
    return;
  std::string name = (runtimePrefix + version + rest).str();
  if (Function *existing = function.getParent()->getFunction(name)) {
    function.replaceAllUsesWith(existing);
    return;
  }
  function.setName(name);
}

void attn::prepareModule(Module &module, const PrepareOptions &options) {
  // Names of files and modules would end up in symbol tables.
  module.setSourceFileName("model");
  module.setModuleIdentifier("model");

  for (Function &function : module) {
    if (function.isIntrinsic())
      continue;
    if (function.isDeclaration()) {
      if (!function.getName().starts_with(runtimePrefix))
        continue;
      addVersion(function);
      hide(function);
    } else if (options.entryPoints->contains(function.getName())) {
      function.setLinkage(GlobalValue::ExternalLinkage);
      hide(function);
    } else {
      function.setLinkage(GlobalValue::InternalLinkage);
      function.setVisibility(GlobalValue::DefaultVisibility);
    }
  }

  for (GlobalVariable &global : module.globals()) {
    if (!global.isDeclaration()) {
      if (options.entryPoints->contains(global.getName())) {
        global.setLinkage(GlobalValue::ExternalLinkage);
        hide(global);
      } else if (!global.getName().starts_with("llvm.")) {
        global.setLinkage(GlobalValue::InternalLinkage);
        global.setVisibility(GlobalValue::DefaultVisibility);
      }
      continue;
    }
    if (global.getName().starts_with(runtimePrefix))
      hide(global);
    if (!options.weights->contains(global.getName()))
      continue;
    hide(global);
    global.setConstant(true);
    if (global.getAlign().valueOrOne() < Align(weightAlignment))
      global.setAlignment(Align(weightAlignment));
    if (options.farWeights)
      global.setCodeModel(CodeModel::Large);
  }
}

Error attn::checkEntryPoints(const ModelInfo &model, ArrayRef<Module *> modules) {
  auto check = [&](const EntryInfo &entry, const VariantInfo &variant, StringRef symbol, bool isRun) -> Error {
    auto fail = [&](const Twine &reason) {
      return createStringError("model '" + model.name + "', entry '" + entry.name + "', target '" + variant.target +
                               "': " + reason);
    };
    Function *found = nullptr;
    for (Module *module : modules) {
      Function *function = module->getFunction(symbol);
      if (!function || function->isDeclaration())
        continue;
      if (found)
        return fail("two modules define the function '" + symbol + "'");
      found = function;
    }
    if (!found)
      return fail("no module defines the function '" + symbol + "'");
    LLVMContext &context = found->getContext();
    Type *pointer = PointerType::getUnqual(context);
    auto *expected = isRun ? FunctionType::get(Type::getInt32Ty(context), {pointer}, false)
                           : FunctionType::get(Type::getInt64Ty(context), {pointer, Type::getInt64Ty(context)}, false);
    if (found->getFunctionType() != expected)
      return fail("the function '" + symbol + "' has to be " +
                  (isRun ? "i32 (ptr call)" : "i64 (ptr dims, i64 threads)"));
    return Error::success();
  };
  for (const EntryInfo &entry : model.entries)
    for (const VariantInfo &variant : entry.variants) {
      if (Error error = check(entry, variant, variant.runSymbol, /*isRun=*/true))
        return error;
      if (Error error = check(entry, variant, variant.workspaceSymbol, /*isRun=*/false))
        return error;
    }
  return Error::success();
}
