//===- Interfaces.td - Interfaces of the dialect's ops and attributes --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_INTERFACES_TD
#define ATTN_DIALECT_ATTN_IR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Attn_WeightExprInterface : AttrInterface<"WeightExprInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    An expression whose value is a constant tensor, evaluated block by block when the library is written.
  }];
  let methods = [
    InterfaceMethod<"The static type of the value.", "::mlir::RankedTensorType", "getValueType", (ins)>
  ];
}
def Attn_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    An op that keeps its name until the stage `kernel`, where it becomes a function of its own. What it needs beside its
    operands is allocated for it in the stage `memory`, as a slice of the worker's scratch.
  }];
  let methods = [
    InterfaceMethod<"The kernel attribute, null before the stage `tile`.", "::mlir::Attribute", "getKernelAttribute",
                    (ins), [{}], [{ return $_op.getKernelAttr(); }]>,
    InterfaceMethod<"Types of the scratch buffers the kernel needs; static shapes.",
                    "::llvm::SmallVector<::mlir::MemRefType>", "getScratchTypes", (ins), [{}], [{ return {}; }]>,
    InterfaceMethod<"The scratch operands, none before they are allocated.", "::mlir::MutableOperandRange",
                    "getScratchOperands", (ins), [{}], [{ return ::mlir::MutableOperandRange($_op, 0, 0); }]>
  ];
}

def Attn_NormOpInterface : OpInterface<"NormOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    A norm of rows, (x - c) / sqrt(mean (x - c)^2 + epsilon) * scale + shift over the last dimension: c is the row's mean
    where the norm is centered, else 0.
  }];
  let methods = [
    InterfaceMethod<"The rows.", "::mlir::Value", "getInput", (ins)>,
    InterfaceMethod<"The factor of each channel.", "::mlir::Value", "getScale", (ins)>,
    InterfaceMethod<"What is added to each channel, or null.", "::mlir::Value", "getShift", (ins)>,
    InterfaceMethod<"The destination.", "::mlir::Value", "getInit", (ins)>,
    InterfaceMethod<"What is added to the mean of squares.", "::llvm::APFloat", "getEpsilon", (ins)>,
    InterfaceMethod<"Whether the mean is subtracted.", "bool", "isCentered", (ins)>,
    InterfaceMethod<"The kernel, null before the stage `tile`.", "::attn::RowKernelAttr", "getKernelAttr", (ins)>,
    InterfaceMethod<"The schedule, null before the stage `schedule`.", "::attn::ScheduleAttr", "getScheduleAttr", (ins)>,
    InterfaceMethod<"Sets the schedule.", "void", "setScheduleAttr", (ins "::attn::ScheduleAttr":$schedule)>
  ];
}

#endif
