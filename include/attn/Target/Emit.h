//===- Emit.h - Code, weights and tables become files -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The last stage. Takes LLVM modules (one per target), the weights as producers
// of bytes, and the description of the entries, and writes the library with its
// header and JSON. Files appear whole or not at all; the same input gives the same
// bytes wherever it is written.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_EMIT_H
#define ATTN_TARGET_EMIT_H

#include "attn/Target/ModelInfo.h"
#include "attn/Target/Object/Codegen.h"
#include "attn/Target/Weights/Weights.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <optional>

namespace attn {

enum class EmitKind {
  Shared,   ///< a shared library with the runtime, SONAME libPREFIX.so
  Static,   ///< an archive of the model's object and the runtime's
  Object,   ///< the model alone, one relocatable object, to be linked with libattn_runtime.a
  Assembly, ///< optimized code of all targets and the tables; weights are undefined symbols
  LLVM      ///< the same as LLVM IR
};

/// "shared", "static", "object", "asm", "llvm".
std::optional<EmitKind> parseEmitKind(llvm::StringRef name);

/// The code for one target. Modules with contexts of their own are compiled at the same time; `context` may be null if
/// the caller keeps it.
struct CodeModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module; // goes before its context
  CodegenTarget target;

  CodeModule(std::unique_ptr<llvm::LLVMContext> context, std::unique_ptr<llvm::Module> module, CodegenTarget target)
      : context(std::move(context)), module(std::move(module)), target(std::move(target)) {}
  CodeModule(CodeModule &&) = default;
  CodeModule &operator=(CodeModule &&) = delete; // would end the old context before the old module
};

/// What came out, in bytes.
struct EmitReport {
  uint64_t code = 0;          ///< objects of all targets and the tables
  uint64_t weights = 0;       ///< weights that the code uses
  uint64_t storedWeights = 0; ///< the same, equal ones counted once
  uint64_t file = 0;          ///< the output
};

struct EmitOptions {
  EmitKind kind = EmitKind::Shared;
  /// Path of the output. "-" is standard output, for Assembly and LLVM only.
  std::string output;
  /// Write PREFIX.h and PREFIX.json into the output's directory (never for Assembly and LLVM).
  bool header = true;
  bool description = true;
  CodegenOptions codegen;
  /// Above this size generated code reaches weights through 64-bit offsets (x86-64), which works for any size.
  uint64_t farWeightsThreshold = uint64_t(1) << 30;
  /// Compile at most that many targets at the same time; 0: as many as there are processors.
  unsigned threads = 0;
  /// Told what begins, e.g. "compile for x86-64-v3". Called from emitLibrary's thread.
  std::function<void(llvm::StringRef)> progress;
  /// Asked now and then; true makes emitLibrary return an error and leave no file. May be called from several threads.
  std::function<bool()> cancelled;
  /// Filled on success if not null.
  EmitReport *report = nullptr;
};

/// Writes the library. `model.prefix` names it (see makePrefix). A weight that no module uses is left out. All modules
/// are for one architecture. On failure no file is left behind, and files that were there before keep their contents
/// unless the last renames themselves fail.
llvm::Error emitLibrary(const ModelInfo &model, std::vector<CodeModule> modules, llvm::ArrayRef<WeightBlob> weights,
                        const EmitOptions &options);

} // namespace attn

#endif // ATTN_TARGET_EMIT_H
