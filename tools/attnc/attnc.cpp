//===- attnc.cpp - Compiles a model to a native library -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Main.h"

int main(int argc, char **argv) { return attn::attncMain(argc, argv); }
