//===- RegisterTile.cpp - A tile of a matrix product in registers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/RegisterTile.h"

using namespace mlir;
using namespace attn;

VectorEmitter::Values attn::emitRegisterTile(VectorEmitter &emitter, Value depth, int64_t rows, int64_t vectors,
                                             ValueRange init, function_ref<Value(Value k, int64_t row)> scalar,
                                             function_ref<Value(Value k, int64_t vector)> vector) {
  assert(int64_t(init.size()) == rows * vectors && "one initial value for each accumulator");
  return emitter.loop(depth, 1, init, [&](Value k, ValueRange sums) {
    VectorEmitter::Values loaded, results;
    for (int64_t j = 0; j < vectors; ++j)
      loaded.push_back(vector(k, j));
    for (int64_t i = 0; i < rows; ++i) {
      Value factor = emitter.broadcast(scalar(k, i));
      for (int64_t j = 0; j < vectors; ++j)
        results.push_back(emitter.fma(factor, loaded[j], sums[i * vectors + j]));
    }
    return results;
  });
}
