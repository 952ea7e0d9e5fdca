//===- Checks.cpp - What MLIR may say and a model may not -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A symbol without a definition would be linked to whatever the C library has of that name. Calls are found as uses of
// symbols, so that a function's address counts too.
//
//===----------------------------------------------------------------------===//

#include "Checks.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SCCIterator.h"

using namespace mlir;
using namespace attn;

static LogicalResult checkOp(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "llvm" || dialect == "ptr")
    return op->emitError() << "'" << op->getName() << "' works on raw memory, where nothing can be checked; write "
                           << "models with tensors, or name the stage that left this file with --compile-from";
  if (llvm::isa<cf::AssertOp>(op))
    return op->emitError() << "'" << op->getName() << "' would end the caller's process; leave it out";
  if (op->hasAttr(LLVM::LLVMDialect::getModuleLevelAsmAttrName()))
    return op->emitError() << "assembly (" << LLVM::LLVMDialect::getModuleLevelAsmAttrName()
                           << ") is no part of a model";
  auto function = llvm::dyn_cast<FunctionOpInterface>(op);
  if (function && function.isExternal())
    return op->emitError() << "function '" << function.getName()
                           << "' has no body; define it, since a model calls nothing outside of its file";
  if (auto global = llvm::dyn_cast<memref::GlobalOp>(op); global && global.isExternal())
    return op->emitError() << "'" << global.getSymName() << "' has no value; give it one";
  return success();
}

namespace {
/// Which function uses which, for LLVM's search for cycles.
struct Calls {
  struct Node {
    FunctionOpInterface function;
    SmallVector<Node *> callees;
  };
  explicit Calls(ModuleOp module);

  Node root; ///< Uses all functions.
  std::vector<std::unique_ptr<Node>> nodes;
};
} // namespace

Calls::Calls(ModuleOp module) {
  llvm::DenseMap<Operation *, Node *> nodeOf;
  module.walk([&](FunctionOpInterface function) {
    nodes.push_back(std::make_unique<Node>(Node{function, {}}));
    nodeOf[function] = nodes.back().get();
    root.callees.push_back(nodes.back().get());
  });
  SymbolTableCollection symbols;
  for (const std::unique_ptr<Node> &node : nodes)
    if (std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(node->function))
      for (SymbolTable::SymbolUse use : *uses) {
        Operation *used = symbols.lookupNearestSymbolFrom(use.getUser(), use.getSymbolRef());
        if (Node *callee = nodeOf.lookup(used))
          node->callees.push_back(callee);
      }
}

template <>
struct llvm::GraphTraits<Calls *> {
  using NodeRef = Calls::Node *;
  using ChildIteratorType = SmallVectorImpl<Calls::Node *>::iterator;
  static NodeRef getEntryNode(Calls *calls) { return &calls->root; }
  static ChildIteratorType child_begin(NodeRef node) { return node->callees.begin(); }
  static ChildIteratorType child_end(NodeRef node) { return node->callees.end(); }
};

static LogicalResult checkCalls(ModuleOp module) {
  Calls calls(module);
  LogicalResult result = success();
  for (auto cycle = llvm::scc_begin(&calls); !cycle.isAtEnd(); ++cycle) {
    if (!cycle.hasCycle())
      continue;
    // In the file's order; the search begins anywhere.
    auto first = llvm::find_if(calls.nodes, [&](auto &node) { return llvm::is_contained(*cycle, node.get()); });
    InFlightDiagnostic error = (*first)->function.emitError()
                               << "function '" << (*first)->function.getName() << "' calls itself";
    if (cycle->size() > 1)
      error << " through others";
    error << ": recursion is not supported; write a loop, for example scf.while";
    result = error;
  }
  return result;
}

LogicalResult attn::checkModel(ModuleOp module) {
  LogicalResult result = success();
  module.walk([&](Operation *op) {
    if (failed(checkOp(op)))
      result = failure();
  });
  return failed(result) ? result : checkCalls(module);
}
