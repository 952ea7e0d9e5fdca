//===- Elements.cpp - What elements of tensors are ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"

using namespace attn;
using namespace attn::run;

std::string run::typeName(const attn_tensor_desc &desc) {
  std::string lanes = desc.dtype_lanes == 1 ? "" : "x" + std::to_string(desc.dtype_lanes);
  // As MLIR calls them.
  static constexpr const char *kSmallFloats[] = {"f8E4M3FN", "f8E4M3FNUZ", "f8E5M2", "f8E5M2FNUZ", "f8E8M0FNU"};
  if (desc.dtype_code >= kDLFloat8_e4m3fn && desc.dtype_code <= kDLFloat8_e8m0fnu)
    return kSmallFloats[desc.dtype_code - kDLFloat8_e4m3fn];
  if (desc.dtype_code == kDLFloat4_e2m1fn)
    return "f4E2M1FN";
  return NpyType{static_cast<NpyType::Code>(desc.dtype_code), desc.dtype_bits}.str() + lanes;
}

bool run::isSmall(const attn_tensor_desc &desc) { return desc.dtype_code > kDLBool || desc.dtype_bits < 8; }

NpyType run::typeOf(const attn_tensor_desc &desc) {
  if (isSmall(desc))
    return {desc.dtype_code == kDLInt ? NpyType::Int : NpyType::UInt, 8};
  return {static_cast<NpyType::Code>(desc.dtype_code), desc.dtype_bits};
}

const llvm::fltSemantics *run::semanticsOf(const attn_tensor_desc &desc) {
  using llvm::APFloat;
  switch (desc.dtype_code) {
  case kDLFloat:
    return desc.dtype_bits == 16   ? &APFloat::IEEEhalf()
           : desc.dtype_bits == 32 ? &APFloat::IEEEsingle()
                                   : &APFloat::IEEEdouble();
  case kDLBfloat:
    return &APFloat::BFloat();
  case kDLFloat8_e4m3fn:
    return &APFloat::Float8E4M3FN();
  case kDLFloat8_e4m3fnuz:
    return &APFloat::Float8E4M3FNUZ();
  case kDLFloat8_e5m2:
    return &APFloat::Float8E5M2();
  case kDLFloat8_e5m2fnuz:
    return &APFloat::Float8E5M2FNUZ();
  case kDLFloat8_e8m0fnu:
    return &APFloat::Float8E8M0FNU();
  case kDLFloat4_e2m1fn:
    return &APFloat::Float4E2M1FN();
  default:
    return nullptr;
  }
}

double run::valueOf(const NpyArray &array, const attn_tensor_desc &desc, int64_t i) {
  const llvm::fltSemantics *semantics = isSmall(desc) ? semanticsOf(desc) : nullptr;
  if (!semantics || array.type != typeOf(desc))
    return array.asDouble(i);
  unsigned bits = llvm::APFloat::semanticsSizeInBits(*semantics);
  llvm::APInt code(bits, array.data[i], /*isSigned=*/false, /*implicitTrunc=*/true);
  return llvm::APFloat(*semantics, code).convertToDouble();
}
