//===- Elements.h - What elements of tensors are ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// npy lacks some of the types that tensors have. Floats of 8 and 4 bits stand there as their bits, a byte each, and
// integers of 4 and 2 bits as their values, a byte each.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_ELEMENTS_H
#define ATTN_TOOLS_RUN_ELEMENTS_H

#include "attn/Runtime/ABI.h"
#include "attn/Support/Npy.h"
#include "llvm/ADT/APFloat.h"

namespace attn::run {

/// "f32", "i64", "bool", ...
std::string typeName(const attn_tensor_desc &desc);
/// The type of arrays that stand for a tensor.
NpyType typeOf(const attn_tensor_desc &desc);
/// Floats of 8 and 4 bits, and integers of 4 and 2.
bool isSmall(const attn_tensor_desc &desc);
/// The format of a tensor's elements; null for integers.
const llvm::fltSemantics *semanticsOf(const attn_tensor_desc &desc);
/// Element `i` of an array that stands for a tensor, as a number.
double valueOf(const NpyArray &array, const attn_tensor_desc &desc, int64_t i);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_ELEMENTS_H
