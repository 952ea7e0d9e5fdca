//===- OpCounts.cpp - Which ops a model has ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpCounts.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace attn;

std::string attn::formatOpCounts(ModuleOp module) {
  llvm::MapVector<StringRef, unsigned> counts;
  // What stands in the body of another op of a function (a region of linalg.generic, say) is part of that op.
  module.walk([&](FunctionOpInterface function) {
    for (Block &block : function.getFunctionBody())
      for (Operation &op : block.without_terminator())
        ++counts[op.getName().getStringRef()];
  });
  auto rows = counts.takeVector();
  llvm::sort(rows, [](auto &a, auto &b) {
    return std::make_pair(-int64_t(a.second), a.first) < std::make_pair(-int64_t(b.second), b.first);
  });
  std::string text;
  llvm::raw_string_ostream os(text);
  StringRef separator;
  for (auto [name, count] : rows) {
    os << separator << llvm::format("%6u  ", count) << name;
    separator = "\n";
  }
  return text;
}

std::string attn::formatAttnOps() {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<AttnDialect>();
  SmallVector<StringRef> names;
  for (RegisteredOperationName name : context.getRegisteredOperations())
    if (name.getDialectNamespace() == AttnDialect::getDialectNamespace())
      names.push_back(name.getStringRef());
  llvm::sort(names);
  return llvm::join(names, "\n");
}
