//===- Merge.cpp - Several models in one module -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/Merge.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

LogicalResult attn::mergeModule(ModuleOp into, OwningOpRef<ModuleOp> from, StringRef path) {
  SymbolTable taken(into), own(*from);
  for (Operation &op : from->getBody()->getOperations()) {
    auto symbol = llvm::dyn_cast<SymbolOpInterface>(&op);
    if (!symbol || !taken.lookup(symbol.getName()))
      continue;
    if (symbol.isPublic() && llvm::isa<FunctionOpInterface>(&op))
      return emitError(UnknownLoc::get(into.getContext()))
             << path << ": another model has an entry '" << symbol.getName()
             << "' too; entries are named after their files, so give one of them another name";
    if (failed(own.renameToUnique(&op, {&taken})))
      return op.emitError() << "'" << symbol.getName() << "' can't be renamed";
  }
  into.getBody()->getOperations().splice(into.getBody()->end(), from->getBody()->getOperations());
  return success();
}
