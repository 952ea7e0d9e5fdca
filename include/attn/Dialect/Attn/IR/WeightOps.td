//===- WeightOps.td - Weights as symbols --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_WEIGHTOPS_TD
#define ATTN_DIALECT_ATTN_IR_WEIGHTOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

def Attn_WeightOp : Attn_Op<"weight", [Symbol]> {
  let summary = "A parameter of the model: a name, a type and where its value comes from";
  let description = [{
    The value is a weight expression, evaluated block by block when the library is written; the IR never holds the
    bytes. In generated code the symbol is external.

    Constraints:
    - C1: the type is a static tensor.
    - C2: the expression's type is the weight's type.

    ```mlir
    attn.weight @query : tensor<384x384xf32> = #attn.file<"model.safetensors", 8 : tensor<384x384xf32>>
    ```

    Source: the weight section of this compiler's libraries.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyStaticShapeTensor>:$type, Attn_WeightExpr:$value);
  let assemblyFormat = "$sym_name `:` $type `=` $value attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    /// Finds the weight `name` in the symbol tables around `from`, innermost first: modules of targets use the weights
    /// of the module around them. Null if there is none.
    static WeightOp lookup(::mlir::Operation *from, ::mlir::FlatSymbolRefAttr name);
  }];
}

def Attn_GetWeightOp : Attn_Op<"get_weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of a weight";
  let description = [{
    A tensor until the stage `memory`, and a memref of the read-only section after.

    Constraints:
    - C1: `name` is an `attn.weight` in this module or one around it.
    - C2: the result has the weight's shape and element type.

    ```mlir
    %w = attn.get_weight @query : tensor<384x384xf32>
    ```

    Source: memref.get_global, for weights that the IR does not hold.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs Attn_Shaped:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

#endif
