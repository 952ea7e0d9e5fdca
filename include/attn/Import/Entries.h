//===- Entries.h - Names and shapes of a module's entries -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_ENTRIES_H
#define ATTN_IMPORT_ENTRIES_H

#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Completes `attn.name` and `attn.shape` on the arguments and results of each public function in `module`.
///
/// Names: what is given is kept; else `arg0`, `arg1`, ... and `result0`, `result1`, ...; all of one entry differ.
///
/// Shapes: a dynamic dimension is named by a symbol, and dimensions with one symbol have one value in a run. Dimensions
/// of arguments that the function's operations need to be equal get the same symbol: the one that is given for one of
/// them, else `NAME_D` after the first, dimension D of argument NAME. A result's dynamic dimension has the symbol of
/// the argument dimension that it is computed from; where that can't be seen, `attn.shape` must be given and is
/// trusted.
///
/// Errors, at the function's location: no public function; a body of several blocks; an argument or result that is not
/// a ranked tensor of f16, bf16, f32, f64, i1 or integers of 8 to 64 bits, or has more dimensions than the runtime
/// takes; names that repeat; a given shape that doesn't fit the type; two symbols for dimensions that must be equal; a
/// dynamic dimension that can have one value only; a result's dimension that can't be derived.
mlir::LogicalResult annotateEntries(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_IMPORT_ENTRIES_H
