//===- Report.cpp - How each op of a model runs -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Location.h"

using namespace mlir;
using namespace attn;

/// The model's own name in `location`: the outermost NameLoc.
static std::string nameIn(Location location) {
  std::string name;
  location->walk([&](Location inner) {
    if (auto named = llvm::dyn_cast<NameLoc>(inner)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

llvm::json::Array attn::reportOps(ModuleOp module) {
  llvm::json::Array ops;
  for (ModuleOp nested : module.getOps<ModuleOp>()) {
    auto target = nested->getAttrOfType<TargetAttr>(kTargetAttr);
    nested.walk([&](Operation *op) {
      StringRef how;
      if (auto kernel = llvm::dyn_cast<KernelOpInterface>(op))
        how = kernel.getKernelAttribute() ? "kernel" : "scalar";
      else if (llvm::isa<linalg::LinalgOp>(op))
        how = "scalar";
      else if (op->getName().getDialectNamespace() == "vector")
        how = "vectorized";
      if (how.empty())
        return;
      ops.push_back(llvm::json::Object{{"target", target ? target.getName().str() : ""},
                                       {"op", op->getName().getStringRef().str()},
                                       {"name", nameIn(op->getLoc())},
                                       {"runs", how.str()}});
    });
  }
  return ops;
}
