//===- RegistryTest.cpp - Which importer takes which file -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/Importer.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <gtest/gtest.h>

using namespace attn;
using mlir::MLIRContext;

namespace {
TEST(RegistryTest, Identifiers) {
  EXPECT_EQ(toIdentifier("minilm"), "minilm");
  EXPECT_EQ(toIdentifier("all-MiniLM-L6.v2"), "all_MiniLM_L6_v2");
  EXPECT_EQ(toIdentifier("6layers"), "_6layers");
  EXPECT_EQ(toIdentifier("caf\xc3\xa9"), "caf__");
  EXPECT_EQ(toIdentifier(""), "model");
}

TEST(RegistryTest, KindsOfFiles) {
  ImporterRegistry registry = ImporterRegistry::withBuiltins();
  const Importer *text = registry.lookup("a/b.mlir");
  ASSERT_TRUE(text);
  EXPECT_EQ(registry.lookup("b.mlirbc"), text);
  EXPECT_FALSE(registry.lookup("b.xyz"));

  llvm::SmallString<128> directory;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("model", directory));
  const Importer *model = registry.lookup(directory);
  ASSERT_TRUE(model);
  EXPECT_NE(model, text);
  llvm::sys::fs::remove(directory);
}

/// An importer that another project might add.
class EmptyImporter final : public Importer {
public:
  llvm::StringRef getKind() const override { return "nothing (.empty)"; }
  bool accepts(llvm::StringRef path) const override { return llvm::sys::path::extension(path) == ".empty"; }
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> importModel(MLIRContext &context, llvm::StringRef,
                                                                 const ImportOptions &options) const override {
    mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    module->setName(options.name);
    return std::move(module);
  }
};

TEST(RegistryTest, AnotherImporter) {
  ImporterRegistry registry = ImporterRegistry::withBuiltins();
  registry.add(std::make_unique<EmptyImporter>());
  int descriptor;
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("model", "empty", descriptor, path));
  llvm::sys::fs::closeFile(descriptor);
  MLIRContext context;
  auto module = registry.importModel(context, path, ImportOptions{"given", false});
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(mlir::succeeded(module));
  EXPECT_EQ((*module)->getName(), "given");
}

TEST(RegistryTest, Errors) {
  MLIRContext context;
  std::vector<std::string> messages;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) { messages.push_back(diagnostic.str()); });
  ImporterRegistry registry = ImporterRegistry::withBuiltins();
  EXPECT_TRUE(mlir::failed(registry.importModel(context, "/nowhere/model.mlir")));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0], "cannot read '/nowhere/model.mlir': no such file or directory");
}
} // namespace
