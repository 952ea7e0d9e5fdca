//===- Evaluators.h - One evaluator per kind of expression ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each kind knows how to compute a run of its elements from runs of its sources; whole runs, not elements, go through
// the virtual call.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TARGET_EVALUATE_EVALUATORS_H
#define ATTN_LIB_TARGET_EVALUATE_EVALUATORS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Target/Weights/Evaluate.h"

namespace attn {

using Evaluator = std::unique_ptr<WeightEvaluator>;

/// Bytes of an element of `type`, or an error where the type has no bytes of its own. An i1 is a byte.
llvm::Expected<unsigned> getElementBytes(mlir::Type type);

llvm::Expected<Evaluator> createFileEvaluator(FileAttr file, unsigned elementSize, FileCache &files);
llvm::Expected<Evaluator> createDenseEvaluator(DenseExprAttr dense, unsigned elementSize);
Evaluator createConcatEvaluator(ConcatAttr concat, unsigned elementSize, std::vector<Evaluator> parts);
Evaluator createSliceEvaluator(SliceAttr slice, unsigned elementSize, Evaluator source);
Evaluator createReshapeEvaluator(ReshapeAttr reshape, unsigned elementSize, Evaluator source);
Evaluator createTransposeEvaluator(TransposeAttr transpose, unsigned elementSize, Evaluator source);
llvm::Expected<Evaluator> createConvertEvaluator(ConvertAttr convert, unsigned elementSize, Evaluator source);
Evaluator createPanelsEvaluator(PanelsAttr panels, unsigned elementSize, Evaluator source);

} // namespace attn

#endif // ATTN_LIB_TARGET_EVALUATE_EVALUATORS_H
