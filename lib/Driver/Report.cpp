//===- Report.cpp - How each op of a model runs -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read off the module after the stage `memory`, where each op still has its name and its buffers, by asking what the
// stage `kernel` asks: an op has a kernel, or a vector plan, or is scalar code. What only computes sizes and indices is
// not listed.
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "attn/Codegen/Tiling/VectorPlan.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Matchers.h"

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

namespace {
struct Way {
  StringRef how; // empty: nothing to report
  std::string why = "";
};
} // namespace

static bool isFloat(Type type) { return llvm::isa<FloatType>(getElementTypeOrSelf(type)); }

static Way wayOf(Operation *op) {
  if (auto kernel = llvm::dyn_cast<KernelOpInterface>(op))
    return kernel.getKernelAttribute() ? Way{"kernel"} : Way{"scalar", "it has no kernel"};
  if (auto structured = llvm::dyn_cast<linalg::LinalgOp>(op)) {
    std::string why;
    return planVectors(structured, &why) ? Way{"vectorized"} : Way{"scalar", why};
  }
  if (op->getName().getDialectNamespace() == "vector")
    return {"vectorized"};
  // Scalar code that the model itself holds; index arithmetic has no floats.
  bool computes =
      llvm::isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()) || llvm::isa<GeluOp>(op);
  if (computes && !matchPattern(op, m_Constant()) && llvm::any_of(op->getOperandTypes(), isFloat))
    return {"scalar", "it stands outside of any op on tensors"};
  return {};
}

llvm::json::Array attn::reportOps(ModuleOp module) {
  llvm::json::Array ops;
  for (ModuleOp nested : module.getOps<ModuleOp>()) {
    auto target = nested->getAttrOfType<TargetAttr>(kTargetAttr);
    nested.walk<WalkOrder::PreOrder>([&](Operation *op) {
      Way way = wayOf(op);
      if (way.how.empty())
        return WalkResult::advance();
      llvm::json::Object entry{{"target", target ? target.getName().str() : ""},
                               {"op", op->getName().getStringRef().str()},
                               {"name", nameIn(op->getLoc())},
                               {"runs", way.how.str()}};
      if (!way.why.empty())
        entry["reason"] = way.why;
      ops.push_back(std::move(entry));
      // A body belongs to its op.
      return WalkResult::skip();
    });
  }
  return ops;
}
