//===- OpBase.td - What all ops of the dialect share --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_OPBASE_TD
#define ATTN_DIALECT_ATTN_IR_OPBASE_TD

include "attn/Dialect/Attn/IR/Attributes.td"
include "attn/Dialect/Attn/IR/GPUAttributes.td"
include "attn/Dialect/Attn/IR/Interfaces.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "mlir/Interfaces/VectorInterfaces.td"

class Attn_Op<string mnemonic, list<Trait> traits = []> : Op<Attn_Dialect, mnemonic, traits>;

def Attn_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;

// Loops over what can be computed apart, on tensors.
def Attn_Tiling : DeclareOpInterfaceMethods<TilingInterface, ["getLoopIteratorTypes", "getIterationDomain",
    "getTiledImplementation", "getResultTilePosition", "generateResultTileValue",
    "getIterationDomainTileFromResultTile"]>;

// An op that writes into operands given for it: tensors before bufferization, where each has a result of its type, and
// memrefs after, where there is no result.
class Attn_DestinationOp<string mnemonic, list<Trait> traits = []> : Attn_Op<mnemonic, !listconcat(traits, [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>])> {
  let hasVerifier = 1;
}

#endif
