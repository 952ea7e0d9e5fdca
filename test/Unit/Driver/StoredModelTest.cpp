//===- StoredModelTest.cpp - A model's tables as an attribute ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StoredModel.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

ModelInfo makeModel() {
  TensorInfo ids;
  ids.name = "ids";
  ids.type = {0, 64, 1};
  ids.shape = {-1, 4};
  ids.indexBegin = 1;
  ids.indexEnd = 30522;
  TensorInfo out;
  out.name = "out";
  out.shape = {};
  out.state = 0;
  EntryInfo entry;
  entry.name = "encode";
  entry.dims = {{"batch", 0, 512}};
  entry.inputs = {ids};
  entry.outputs = {out};
  entry.variants = {{"x86-64-v4", uint64_t(1) << 63, "w", "r", {0, 1}, ""}};
  entry.flops = "2*batch";
  return {"My model", "my_model", {entry}};
}

TEST(StoredModelTest, RoundTrip) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(mlir::UnknownLoc::get(&context)));
  storeModel(*module, makeModel());
  mlir::FailureOr<ModelInfo> model = loadModel(*module);
  ASSERT_TRUE(mlir::succeeded(model));
  EXPECT_EQ(model->name, "My model");
  EXPECT_EQ(model->prefix, "my_model");
  ASSERT_EQ(model->entries.size(), 1u);
  const EntryInfo &entry = model->entries[0];
  EXPECT_EQ(entry.name, "encode");
  EXPECT_EQ(entry.flops, "2*batch");
  EXPECT_EQ(entry.dims[0].name, "batch");
  EXPECT_EQ(entry.dims[0].max, 512);
  EXPECT_EQ(entry.inputs[0].type.str(), "int64");
  EXPECT_EQ(entry.inputs[0].shape, (llvm::SmallVector<int64_t>{-1, 4}));
  EXPECT_EQ(entry.inputs[0].indexBegin, 1);
  EXPECT_EQ(entry.inputs[0].indexEnd, 30522);
  EXPECT_TRUE(entry.outputs[0].shape.empty());
  EXPECT_EQ(entry.variants[0].cpuFeatures, uint64_t(1) << 63);
  EXPECT_EQ(entry.variants[0].workspaceSymbol, "w");
  EXPECT_EQ(entry.variants[0].runSymbol, "r");
  EXPECT_EQ(entry.variants[0].strided, (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(entry.inputs[0].state, -1);
  EXPECT_EQ(entry.outputs[0].state, 0);
}

TEST(StoredModelTest, MissingOrWrong) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  std::string text;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) { text = diagnostic.str(); });
  mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(mlir::UnknownLoc::get(&context)));
  EXPECT_TRUE(mlir::failed(loadModel(*module)));
  EXPECT_NE(text.find("has no 'attn.library'"), std::string::npos) << text;

  // Any value may be gone or of another kind.
  storeModel(*module, makeModel());
  auto values = (*module)->getAttrOfType<mlir::DictionaryAttr>("attn.library");
  for (mlir::NamedAttribute value : values) {
    mlir::NamedAttrList wrong(values);
    wrong.set(value.getName(), mlir::UnitAttr::get(&context));
    (*module)->setAttr("attn.library", wrong.getDictionary(&context));
    EXPECT_TRUE(mlir::failed(loadModel(*module)));
    EXPECT_EQ(text, "'attn.library' is not what the stage kernel writes");
  }
}

} // namespace
