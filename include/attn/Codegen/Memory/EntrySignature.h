//===- EntrySignature.h - Symbolic dimensions of an entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_MEMORY_ENTRYSIGNATURE_H
#define ATTN_CODEGEN_MEMORY_ENTRYSIGNATURE_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include <optional>

namespace attn {

/// Marks the arguments of an entry that it writes.
constexpr llvm::StringLiteral kOutputAttr = "attn.output";
/// Marks the argument that is the workspace.
constexpr llvm::StringLiteral kWorkspaceAttr = "attn.workspace";

/// The symbolic dimensions of an entry in the order in which its arguments first name them, from `attn.shape`, and then
/// those that only `attn.dims` names. What one is computed from stands before it.
class EntrySignature {
public:
  explicit EntrySignature(mlir::func::FuncOp entry);

  llvm::ArrayRef<std::string> getDims() const { return dims; }
  /// The position in getDims() of dimension `dim` of argument `arg`; nothing where it is static or has no symbol.
  std::optional<unsigned> getDim(unsigned arg, int64_t dim) const;

private:
  void add(llvm::StringRef symbol);

  mlir::func::FuncOp entry;
  llvm::SmallVector<std::string> dims;
  llvm::StringSet<> visiting; // also says where one is computed from itself, which the model's verifier refuses
};

/// True for an argument's type whose rows may stand anywhere.
bool isStrided(mlir::Type type);

/// The name of the function that computes an entry's workspace.
std::string workspaceFunctionName(llvm::StringRef entry);

} // namespace attn

#endif // ATTN_CODEGEN_MEMORY_ENTRYSIGNATURE_H
