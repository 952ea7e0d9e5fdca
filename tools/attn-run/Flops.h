//===- Flops.h - How much work a run is -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler writes an entry's floating-point operations into PREFIX.json as an expression of its dimensions.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_FLOPS_H
#define ATTN_TOOLS_RUN_FLOPS_H

#include "Tensors.h"
#include <optional>

namespace attn::run {

/// Evaluates sums, differences, products, quotients and parentheses of numbers and names. The error shows the
/// expression.
llvm::Expected<double> evaluateExpression(llvm::StringRef expression, const std::map<std::string, double> &values);

/// The operations of a run of `entry` according to the model's JSON beside the library, or nothing where there is no
/// such file or it does not say. A file that is there but wrong is an error.
llvm::Expected<std::optional<double>> readFlops(llvm::StringRef library, const attn_entry_desc &entry,
                                                const DimSizes &sizes);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_FLOPS_H
