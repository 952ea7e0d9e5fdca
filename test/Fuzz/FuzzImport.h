//===- FuzzImport.h - An importer under a fuzzer ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_FUZZIMPORT_H
#define ATTN_TEST_FUZZ_FUZZIMPORT_H

#include "attn/Import/Importer.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include <memory>

namespace attn::fuzz {

/// Imports models over and over. What it says of them is not shown; that it says something where it refuses one is
/// checked.
class ImportRunner {
public:
  explicit ImportRunner(std::unique_ptr<Importer> importer) : importer(std::move(importer)) {}

  /// What was said of the model at `path`; empty where it was taken.
  std::string run(llvm::StringRef path);

private:
  std::unique_ptr<Importer> importer;
  std::unique_ptr<mlir::MLIRContext> context;
  unsigned runs = 0;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_FUZZIMPORT_H
