//===- Attn.h - The attn dialect: ops, attributes, interfaces ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_ATTN_H
#define ATTN_DIALECT_ATTN_IR_ATTN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/VectorInterfaces.h"

#include "attn/Dialect/Attn/IR/Enums.h.inc"

#include "attn/Dialect/Attn/IR/AttrInterfaces.h.inc"

#include "attn/Dialect/Attn/IR/Dialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "attn/Dialect/Attn/IR/Attributes.h.inc"

#include "attn/Dialect/Attn/IR/OpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "attn/Dialect/Attn/IR/Ops.h.inc"

namespace attn {

/// Names of the dialect's discardable attributes; see the dialect's description.
constexpr llvm::StringLiteral kNameAttr = "attn.name";
constexpr llvm::StringLiteral kShapeAttr = "attn.shape";
/// On arguments and results: a unit attribute; their integers are unsigned to the caller.
constexpr llvm::StringLiteral kUnsignedAttr = "attn.unsigned";
/// On arguments and results: the type of the caller's elements where the IR has i8 for it.
constexpr llvm::StringLiteral kStorageAttr = "attn.storage";
constexpr llvm::StringLiteral kIndexRangeAttr = "attn.index_range";
/// On entries: a dictionary from symbols to the #attn.dim that says what is known of them.
constexpr llvm::StringLiteral kDimsAttr = "attn.dims";
/// On results, later on the arguments that stand for them: the number of the argument that the result begins with.
constexpr llvm::StringLiteral kStateAttr = "attn.state";
constexpr llvm::StringLiteral kTargetAttr = "attn.target";
constexpr llvm::StringLiteral kGPUKernelAttr = "attn.gpu_kernel";
constexpr llvm::StringLiteral kGPULaunchAttr = "attn.gpu_launch";

/// True for the types that elements are stored in and nothing is computed in, see `attn.storage`.
bool isStorageType(mlir::Type type);

/// What an entry's `attn.dims` says of a symbol; null where it says nothing.
DimAttr getDim(mlir::Operation *entry, llvm::StringRef symbol);
/// Makes it say that the symbol is at most `most`.
void limitDim(mlir::Operation *entry, llvm::StringRef symbol, int64_t most);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_ATTN_H
