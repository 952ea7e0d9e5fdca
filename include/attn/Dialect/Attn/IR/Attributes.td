//===- Attributes.td - Weight expressions, schedules, kernels --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_ATTRIBUTES_TD
#define ATTN_DIALECT_ATTN_IR_ATTRIBUTES_TD

include "attn/Dialect/Attn/IR/Dialect.td"
include "attn/Dialect/Attn/IR/Interfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

class Attn_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}

def Attn_EmptyRow : Attn_Enum<"EmptyRow", "What an attention row without keys yields", [
  I32EnumAttrCase<"Zero", 0, "zero">,
  I32EnumAttrCase<"Uniform", 1, "uniform">,
  I32EnumAttrCase<"Unmasked", 2, "unmasked">
]>;
def Attn_EmptyRowAttr : EnumAttr<Attn_Dialect, Attn_EmptyRow, "empty"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    What the output row of a query is whose keys are all masked. `zero`: zeros, as PyTorch's fused attention. `uniform`:
    the mean of all value rows, which is what softmax gives where the mask was added as the most negative finite number
    and absorbed every score. `unmasked`: attention over all keys as if there were no mask, which is what softmax gives
    where every key got the same moderate mask value, such as -10000.
  }];
}

def Attn_Activation : Attn_Enum<"Activation", "An activation function", [
  I32EnumAttrCase<"Gelu", 0, "gelu">,
  I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">,
  I32EnumAttrCase<"Relu", 2, "relu">,
  I32EnumAttrCase<"Silu", 3, "silu">,
  I32EnumAttrCase<"Tanh", 4, "tanh">,
  I32EnumAttrCase<"QuickGelu", 5, "quick_gelu">
]>;
def Attn_ActivationAttr : EnumAttr<Attn_Dialect, Attn_Activation, "activation"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    `gelu` and `gelu_tanh` are those of `attn.gelu`, without and with `approximate`; `relu` is max(x, 0); `silu` is
    x / (1 + exp(-x)); `quick_gelu` is x / (1 + exp(-1.702 x)), Hendrycks and Gimpel's other approximation.
  }];
}

def Attn_NormPlacement : Attn_Enum<"NormPlacement", "Where a block's layer norm stands", [
  I32EnumAttrCase<"Post", 0, "post">,
  I32EnumAttrCase<"Pre", 1, "pre">
]>;
def Attn_NormPlacementAttr : EnumAttr<Attn_Dialect, Attn_NormPlacement, "norm"> {
  let assemblyFormat = "`<` $value `>`";
}

def Attn_Violation : Attn_Enum<"Violation", "What is wrong where a check fails", [
  I32EnumAttrCase<"Shape", 0, "shape">,
  I32EnumAttrCase<"Index", 1, "index">
]>;
def Attn_ViolationAttr : EnumAttr<Attn_Dialect, Attn_Violation, "violation">;

//===----------------------------------------------------------------------===//
// Weight expressions
//===----------------------------------------------------------------------===//

def Attn_WeightExpr : Attr<CPred<"::llvm::isa<::attn::WeightExprInterface>($_self)">,
                                   "weight expression"> {
  let storageType = "::mlir::Attribute";
  let returnType = "::mlir::Attribute";
  let convertFromStorage = "$_self";
}

class Attn_Expr<string name, string mnemo> : AttrDef<Attn_Dialect, name,
    [DeclareAttrInterfaceMethods<Attn_WeightExprInterface>]> {
  let mnemonic = mnemo;
}

def Attn_FileAttr : Attn_Expr<"File", "file"> {
  let summary = "Consecutive bytes of a file, read as a row-major little-endian tensor";
  let description = [{
    `#attn.file<"model.safetensors", 1024 : tensor<384x384xf16>>` is the tensor whose first byte stands at offset 1024
    of the file. The path is resolved as the importer wrote it; it never reaches the emitted library.
  }];
  let parameters = (ins StringRefParameter<"path of the file">:$path, "uint64_t":$offset,
                        "::mlir::RankedTensorType":$type);
  let assemblyFormat = "`<` $path `,` $offset `:` $type `>`";
  let genVerifyDecl = 1;
}

def Attn_DenseExprAttr : Attn_Expr<"DenseExpr", "dense"> {
  let summary = "A small value that stands in the IR";
  let parameters = (ins "::mlir::DenseElementsAttr":$value);
  let assemblyFormat = "`<` $value `>`";
  let genVerifyDecl = 1;
}

def Attn_ConcatAttr : Attn_Expr<"Concat", "concat"> {
  let summary = "The parts one after another along a dimension";
  let parameters = (ins "int64_t":$axis, ArrayRefParameter<"::mlir::Attribute">:$parts);
  let assemblyFormat = "`<` $axis `,` $parts `>`";
  let genVerifyDecl = 1;
}

def Attn_SliceAttr : Attn_Expr<"Slice", "slice"> {
  let summary = "A dense rectangular part";
  let parameters = (ins "::mlir::Attribute":$source, "::mlir::DenseI64ArrayAttr":$offsets,
                        "::mlir::DenseI64ArrayAttr":$sizes);
  let assemblyFormat = "`<` $source `,` $offsets `,` $sizes `>`";
  let genVerifyDecl = 1;
}

def Attn_ReshapeAttr : Attn_Expr<"Reshape", "reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let parameters = (ins "::mlir::Attribute":$source, "::mlir::DenseI64ArrayAttr":$shape);
  let assemblyFormat = "`<` $source `,` $shape `>`";
  let genVerifyDecl = 1;
}

def Attn_TransposeAttr : Attn_Expr<"Transpose", "transpose"> {
  let summary = "Dimension i of the value is dimension permutation[i] of the source";
  let parameters = (ins "::mlir::Attribute":$source, "::mlir::DenseI64ArrayAttr":$permutation);
  let assemblyFormat = "`<` $source `,` $permutation `>`";
  let genVerifyDecl = 1;
}

def Attn_ConvertAttr : Attn_Expr<"Convert", "convert"> {
  let summary = "Each element converted to another floating-point type, rounding to nearest even";
  let parameters = (ins "::mlir::Attribute":$source, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $source `to` $elementType `>`";
  let genVerifyDecl = 1;
}

def Attn_PanelsAttr : Attn_Expr<"Panels", "panels"> {
  let summary = "A matrix [N, K] as panels [ceil(N / width), K, width], zero-padded";
  let description = [{
    `value[p, k, j] = source[p * width + j, k]`, and 0 where `p * width + j >= N`. This is the layout in which the
    kernels of `attn.linear` read a weight: for each k one row of consecutive columns.
  }];
  let parameters = (ins "::mlir::Attribute":$source, "int64_t":$width);
  let assemblyFormat = "`<` $source `,` $width `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Schedules and kernels
//===----------------------------------------------------------------------===//

//===----------------------------------------------------------------------===//
// Dimensions of entries
//===----------------------------------------------------------------------===//

def Attn_DimAttr : AttrDef<Attn_Dialect, "Dim"> {
  let mnemonic = "dim";
  let summary = "What is known of a symbolic dimension of an entry";
  let description = [{
    A dimension lies in [`min`, `max`]. One with `terms` is not said by the inputs' shapes but computed: it is the sum of
    the terms, each an array of a coefficient and of the symbols that it is multiplied with. With a `divisor`, a term, it
    is floor(sum / divisor), and where `exact` is set the sum must be a multiple. The library tests all of it when it is
    called, and where an argument has such a dimension too, that it has that size there.

    ```mlir
    attributes {attn.dims = {sequence = #attn.dim<max = 512>,
                             "width / 8" = #attn.dim<terms = [[1, "width"]], divisor = [8], exact = true>}}
    ```
  }];
  let parameters = (ins OptionalParameter<"::mlir::ArrayAttr">:$terms, OptionalParameter<"::mlir::ArrayAttr">:$divisor,
                        DefaultValuedParameter<"bool", "false">:$exact, DefaultValuedParameter<"int64_t", "0">:$min,
                        DefaultValuedParameter<"int64_t", "std::numeric_limits<int64_t>::max()">:$max);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_LinearKernelAttr : AttrDef<Attn_Dialect, "LinearKernel"> {
  let mnemonic = "linear_kernel";
  let summary = "The register tile of attn.linear: rows x columns of accumulators, columns in vectors of lanes";
  let description = [{
    Where `copiedRows` is not 0, that many rows of the input are copied at a time into a scratch buffer and read there: its
    rows stand one vector further apart than they are long. A tile reads the same column of all its rows at once, and
    where rows are a multiple of a way of the first-level cache apart, these elements compete for one set of it.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$lanes,
                        DefaultValuedParameter<"int64_t", "0">:$copiedRows);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_AttentionKernelAttr : AttrDef<Attn_Dialect, "AttentionKernel"> {
  let mnemonic = "attention_kernel";
  let summary = "The register tiles of attn.online_attention";
  let description = [{
    Queries stand in lanes. Scores are computed for `keyRows` keys x `queries` queries at a time, the output for
    `valueRows` queries x `valueColumns` channels. `keyBlock` keys are handled between two updates of the running
    maximum; their scores stay in a scratch buffer of `keyBlock` x `queries`.
  }];
  let parameters = (ins "int64_t":$queries, "int64_t":$keyRows, "int64_t":$valueRows, "int64_t":$valueColumns,
                        "int64_t":$keyBlock, "int64_t":$lanes);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_RowKernelAttr : AttrDef<Attn_Dialect, "RowKernel"> {
  let mnemonic = "row_kernel";
  let summary = "Row ops (norms, embedding, pack): the number of lanes of a vector";
  let parameters = (ins "int64_t":$lanes);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_ScheduleAttr : AttrDef<Attn_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "How one root op runs: how it is cut into tasks, and the kernel of a task";
  let description = [{
    `rowBlock` is the largest number of rows (`attn.attention`: of queries) one task takes. `kernel` is the
    `#attn.*_kernel` that the op carries from the stage `tile` on. Where `columnBlock` is not 0 (`attn.linear` only), a
    task takes all rows and that many columns, in whole panels of the weight, wherever there are fewer blocks of rows
    than workers, as in a decoder's step: a weight is then read once by all of them together.
  }];
  let parameters = (ins "int64_t":$rowBlock, "::mlir::Attribute":$kernel,
                        DefaultValuedParameter<"int64_t", "0">:$columnBlock);
  let skipDefaultBuilders = 1;
  let builders = [AttrBuilder<(ins "int64_t":$rowBlock, "::mlir::Attribute":$kernel, CArg<"int64_t", "0">:$columnBlock),
                              [{ return $_get($_ctxt, rowBlock, kernel, columnBlock); }]>];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Attn_TargetAttr : AttrDef<Attn_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "A target by its name in TargetInfo, such as x86-64-v4";
  let parameters = (ins StringRefParameter<"name">:$name);
  let assemblyFormat = "`<` $name `>`";
}

#endif
