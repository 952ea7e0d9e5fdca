//===- Schedules.cpp - Verifiers of schedule and kernel attributes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes that a kernel divides by or loops over are positive, and vectors are whole.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"

using namespace mlir;
using namespace attn;

LogicalResult LinearKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t columns,
                                       int64_t lanes, int64_t copiedRows) {
  if (rows <= 0 || columns <= 0 || lanes <= 0 || columns % lanes != 0)
    return emitError() << "a linear kernel needs positive rows and columns in whole vectors of lanes";
  if (copiedRows < 0)
    return emitError() << "a linear kernel cannot copy " << copiedRows << " rows";
  return success();
}

LogicalResult AttentionKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t queries,
                                          int64_t keyRows, int64_t valueRows, int64_t valueColumns, int64_t keyBlock,
                                          int64_t lanes) {
  if (queries <= 0 || keyRows <= 0 || valueRows <= 0 || valueColumns <= 0 || keyBlock <= 0 || lanes <= 0)
    return emitError() << "an attention kernel needs positive sizes";
  if (queries % lanes != 0 || valueColumns % lanes != 0)
    return emitError() << "queries and valueColumns of an attention kernel are whole vectors of lanes";
  return success();
}

LogicalResult RowKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t lanes) {
  if (lanes <= 0)
    return emitError() << "a row kernel needs a positive number of lanes";
  return success();
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rowBlock, Attribute kernel,
                                   int64_t columnBlock) {
  if (rowBlock <= 0)
    return emitError() << "a schedule needs a positive rowBlock, got " << rowBlock;
  if (!isa_and_nonnull<LinearKernelAttr, AttentionKernelAttr, RowKernelAttr, GPUAttentionKernelAttr,
                       GPULinearKernelAttr>(kernel))
    return emitError() << "a schedule needs a #attn kernel attribute, got " << kernel;
  auto linear = dyn_cast<LinearKernelAttr>(kernel);
  if (columnBlock && (!linear || columnBlock < 0 || columnBlock % linear.getColumns() != 0))
    return emitError() << "columnBlock is " << columnBlock
                       << ", expected a multiple of the columns of a #attn.linear_kernel, or 0";
  auto gpuKernel = dyn_cast<GPUAttentionKernelAttr>(kernel);
  if (gpuKernel && gpuKernel.getQueryBlock() != rowBlock)
    return emitError() << "rowBlock is " << rowBlock << ", but the kernel's queryBlock is "
                       << gpuKernel.getQueryBlock();
  return success();
}
