//===- JsonMutation.h - One change of a JSON text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_JSONMUTATION_H
#define ATTN_TEST_FUZZ_JSONMUTATION_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/JSON.h"
#include <random>

namespace attn::fuzz {

/// Changes JSON values: numbers to others near by or at the ends of their range, strings and keys to others that were
/// seen before, values to those of another kind; elements and members come and go.
class JsonMutation {
public:
  explicit JsonMutation(unsigned seed) : random(seed) {}

  void apply(llvm::json::Value &root);
  size_t below(size_t n) { return n ? random() % n : 0; }

private:
  void collect(llvm::json::Value &value);
  std::string word();
  llvm::json::Value fresh();
  int64_t number(int64_t old);

  std::mt19937 random;
  llvm::SmallVector<llvm::json::Value *> values;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_JSONMUTATION_H
