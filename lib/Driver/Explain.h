//===- Explain.h - What was decided about each op ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes remark on what they did and what they could not do. Without --explain nobody listens and a remark costs
// nothing.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_EXPLAIN_H
#define ATTN_LIB_DRIVER_EXPLAIN_H

#include "attn/Driver/Message.h"
#include "mlir/IR/MLIRContext.h"

namespace attn {

/// A remark as kept after its pass is over.
struct Decision {
  Message place;       ///< node, file, line and column only
  std::string stage;   ///< "fuse", "schedule"; the remark's category without "attn-"
  std::string target;  ///< the remark's subcategory, where a decision concerns one target
  std::string verdict; ///< "done", "not done" or "note"
  std::string text;
};

/// Collects the remarks of the context's passes in `decisions`, which has to outlive the context.
mlir::LogicalResult collectDecisions(mlir::MLIRContext &context, std::vector<Decision> &decisions);

/// A table with a line for each decision, in the order in which they were made.
std::string formatDecisions(llvm::ArrayRef<Decision> decisions);

/// The decision as a remark, for readers of JSON.
Message toMessage(const Decision &decision);

} // namespace attn

#endif // ATTN_LIB_DRIVER_EXPLAIN_H
