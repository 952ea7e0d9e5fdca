//===- Remarks.cpp - Why an op got its schedule -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

static remark::RemarkOpts optionsFor(Operation *op, const Target &target) {
  auto options = remark::RemarkOpts::name("AssignSchedules").category("attn-schedule").subCategory(target.name);
  if (auto function = op->getParentOfType<FunctionOpInterface>())
    options = options.function(function.getName());
  return options;
}

static std::string kiB(int64_t bytes) { return llvm::formatv("{0} KiB", bytes / 1024); }

static std::string registers(const Target &target) {
  return llvm::formatv("{0} registers of {1} bits", target.vectorRegisters, target.vectorBits);
}

static std::string describe(LinearKernelAttr kernel, int64_t rowBlock, Operation *op, const Target &target) {
  auto input = llvm::cast<ShapedType>(llvm::cast<LinearOp>(op).getInput().getType());
  int64_t channels = input.getDimSize(input.getRank() - 1);
  std::string text = llvm::formatv(
      "{0} x {1} accumulators at once, {2} of {3}; tasks of up to {4} rows", kernel.getRows(), kernel.getColumns(),
      kernel.getRows() * kernel.getColumns() / kernel.getLanes(), registers(target), rowBlock);
  if (!ShapedType::isDynamic(channels))
    text += llvm::formatv(", whose input of {0} each fills {1} of {2} second-level cache", channels,
                          kiB(rowBlock * channels * 4), kiB(target.l2Bytes));
  return text;
}

static std::string describe(AttentionKernelAttr kernel, int64_t rowBlock, const Target &target) {
  return llvm::formatv("tasks of {0} queries of a head, held in lanes; scores {1} keys x {2} queries and outputs {3} "
                       "queries x {4} channels at once in {5}; blocks of {6} keys, whose scores fill {7} of {8} "
                       "first-level cache",
                       rowBlock, kernel.getKeyRows(), kernel.getQueries(), kernel.getValueRows(),
                       kernel.getValueColumns(), registers(target), kernel.getKeyBlock(),
                       kiB(kernel.getKeyBlock() * kernel.getQueries() * 4), kiB(target.l1Bytes));
}

void attn::remarkScheduled(Operation *op, ScheduleAttr schedule, const Target &target) {
  remark::detail::InFlightRemark remark = remark::passed(op->getLoc(), optionsFor(op, target));
  if (!remark)
    return;
  int64_t rowBlock = schedule.getRowBlock();
  std::string text =
      llvm::TypeSwitch<Attribute, std::string>(schedule.getKernel())
          .Case([&](LinearKernelAttr kernel) { return describe(kernel, rowBlock, op, target); })
          .Case([&](AttentionKernelAttr kernel) { return describe(kernel, rowBlock, target); })
          .Case([&](GPUAttentionKernelAttr kernel) -> std::string {
            return llvm::formatv("tensor cores of {0}: blocks of {1} warps take {2} queries of a head "
                                 "through {3} keys at a time",
                                 stringifyMatrixInstruction(kernel.getInstruction()), kernel.getWarps(), rowBlock,
                                 kernel.getKeyBlock());
          })
          .Case([&](GPULinearKernelAttr kernel) -> std::string {
            return llvm::formatv("tensor cores of mma, {0} products: blocks of {1} warps compute {2} x "
                                 "{3} elements each",
                                 stringifyProductKind(kernel.getProducts()),
                                 kernel.getWarpRows() * kernel.getWarpColumns(), kernel.getRows(), kernel.getColumns());
          })
          .Case([&](RowKernelAttr kernel) -> std::string {
            return llvm::formatv("vectors of {0} lanes along a row; tasks of up to {1} rows", kernel.getLanes(),
                                 rowBlock);
          })
          .Default([](Attribute) { return std::string("scheduled"); });
  remark << (op->getName().getStringRef() + ": " + text).str();
}

void attn::remarkGeneric(Operation *op, const Target &target, StringRef why) {
  if (auto remark = remark::missed(op->getLoc(), optionsFor(op, target)))
    remark << (op->getName().getStringRef() + ": " + why + "; the generic path compiles it").str();
}
