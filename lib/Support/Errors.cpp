//===- Errors.cpp - Errors as one sentence ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The system's reasons are kept in their own words, since people search for those.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"

using namespace attn;

llvm::Error attn::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

llvm::Error attn::makeError(const llvm::Twine &message, std::error_code code) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message + ": " + code.message());
}
