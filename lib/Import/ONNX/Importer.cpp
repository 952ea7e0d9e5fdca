//===- Importer.cpp - ONNX models -------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file is read without its weights (ModelFile), its graph becomes a function node by node (Graph), each op by the
// function that its family's file in Ops/ registers (Registry) with what Build.h offers. Sizes are polynomials in the
// inputs' dimensions (Size.h), so shapes that the graph computes are known while it is imported.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/ONNX/Importer.h"
#include "Graph.h"
#include "Registry.h"
#include "attn/Import/Entries.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace attn;

namespace {
class ONNXImporter final : public Importer {
public:
  StringRef getKind() const override { return "ONNX model (.onnx)"; }

  bool takesShapes() const override { return true; }

  bool accepts(StringRef path) const override { return llvm::sys::path::extension(path) == ".onnx"; }

  FailureOr<OwningOpRef<ModuleOp>> importModel(MLIRContext &context, StringRef path,
                                               const ImportOptions &options) const override {
    context.loadDialect<AttnDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                        scf::SCFDialect, tensor::TensorDialect>();
    auto file = onnx::readModelFile(path);
    if (!file)
      return emitError(UnknownLoc::get(&context)) << llvm::toString(file.takeError());
    onnx::Registry registry;
    std::string name = toIdentifier(options.name.empty() ? llvm::sys::path::stem(path) : StringRef(options.name));
    FailureOr<OwningOpRef<ModuleOp>> module = onnx::GraphImporter(context, **file, registry).run(name, options.shapes);
    if (failed(module) || failed(verify(**module)) || failed(annotateEntries(**module)))
      return failure();
    return module;
  }
};
} // namespace

std::unique_ptr<Importer> attn::createONNXImporter() { return std::make_unique<ONNXImporter>(); }
