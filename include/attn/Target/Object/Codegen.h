//===- Codegen.h - LLVM modules become objects or assembly ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's O3 pipeline and code generator for one module and one processor. No
// command-line state is read or set, so compilations may run side by side, each
// with a context of its own.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGET_OBJECT_CODEGEN_H
#define ATTN_TARGET_OBJECT_CODEGEN_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace attn {

/// A processor in LLVM's words.
struct CodegenTarget {
  std::string triple;   ///< e.g. "x86_64-unknown-linux-gnu"
  std::string cpu;      ///< e.g. "x86-64-v3"; empty: the architecture's baseline
  std::string features; ///< e.g. "+avx512bf16,-avx512fp16"; may be empty
};

struct CodegenOptions {
  /// 0 to 3.
  unsigned optLevel = 3;
  /// LICM's scalar promotion keeps what a loop stores in registers over the whole loop. Kernels hold their
  /// accumulators in values already; promotion only hoists output rows out of attention's key loop and spills them.
  bool promoteInLoops = false;
  bool vectorizeLoops = true;
  bool vectorizeStraightCode = false;
};

enum class CodeFileKind { Object, Assembly };

/// A machine for PIC code. Fails for a triple, processor or feature that LLVM does not know.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CodegenTarget &target,
                                                                         const CodegenOptions &options);

/// Sets triple and data layout (without them LLVM knows no memset, and zero fills become byte loops), gives every
/// function without its own the target's cpu and features, verifies the module and runs the optimization pipeline.
llvm::Error optimizeModule(llvm::Module &module, const CodegenTarget &target, const CodegenOptions &options);

/// The module's code, as is. Errors of the code generator come back as one llvm::Error.
llvm::Expected<llvm::SmallVector<char, 0>> generateCode(llvm::Module &module, const CodegenTarget &target,
                                                        const CodegenOptions &options, CodeFileKind kind);

/// Both of the above.
llvm::Expected<llvm::SmallVector<char, 0>> compileToObject(llvm::Module &module, const CodegenTarget &target,
                                                           const CodegenOptions &options);

} // namespace attn

#endif // ATTN_TARGET_OBJECT_CODEGEN_H
