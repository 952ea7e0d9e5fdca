//===- FuzzImport.cpp - An importer under a fuzzer --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FuzzImport.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace attn;
using namespace attn::fuzz;

// What was unique once stays in a context, so it is made anew after some runs.
constexpr unsigned kRunsOfContext = 512;

std::string ImportRunner::run(llvm::StringRef path) {
  if (!context || ++runs % kRunsOfContext == 0)
    context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  std::string errors;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += diagnostic.str() + "\n";
    return success();
  });
  FailureOr<OwningOpRef<ModuleOp>> module = importer->importModel(*context, path, ImportOptions());
  if (failed(module) && errors.empty()) {
    llvm::errs() << "a model was refused without a word\n";
    std::abort();
  }
  return failed(module) ? errors : "";
}
