//===- Importer.cpp - Hugging Face model directories -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out what a directory holds and hands it to the architecture's builder. A new architecture is a line in the
// table below and a file of its own.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/HuggingFace/Importer.h"
#include "Architectures.h"
#include "attn/Support/Errors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;
namespace fs = llvm::sys::fs;

namespace {
struct Architecture {
  StringRef modelType;
  ArchitectureBuilder build;
};
} // namespace

static constexpr Architecture kArchitectures[] = {{"albert", buildAlbert},
                                                  {"bert", buildBert},
                                                  {"camembert", buildRoberta},
                                                  {"clip_text_model", buildCLIPText},
                                                  {"distilbert", buildDistilBert},
                                                  {"electra", buildElectra},
                                                  {"mpnet", buildMPNet},
                                                  {"roberta", buildRoberta},
                                                  {"vit", buildViT},
                                                  {"xlm-roberta", buildRoberta}};

llvm::Error attn::huggingface::refuseSentence(const ModelSource &source) {
  if (!source.sentence)
    return llvm::Error::success();
  return source.config.error("model_type: a sentence encoder, which modules.json describes, is not supported for this "
                             "architecture; remove modules.json to import the model alone");
}

static Expected<ArchitectureBuilder> lookupArchitecture(const JsonNode &config) {
  Expected<StringRef> type = config.string("model_type");
  if (!type)
    return type.takeError();
  std::string known;
  for (const Architecture &architecture : kArchitectures) {
    if (architecture.modelType == *type)
      return architecture.build;
    known += (known.empty() ? "" : ", ") + architecture.modelType.str();
  }
  return config.error("model_type: unknown architecture '" + *type + "'; known are: " + known);
}

/// The last component of the directory's real path.
static std::string getDirectoryName(StringRef directory) {
  SmallString<128> path;
  if (fs::real_path(directory, path))
    path = directory;
  return llvm::sys::path::filename(path).str();
}

static Expected<OwningOpRef<ModuleOp>> importDirectory(MLIRContext &context, StringRef directory,
                                                       const ImportOptions &options) {
  std::optional<SentencePipeline> sentence;
  std::string modelDirectory = directory.str();
  if (fs::exists(joinPath(directory, "modules.json"))) {
    Expected<SentencePipeline> pipeline = SentencePipeline::read(directory);
    if (!pipeline)
      return pipeline.takeError();
    modelDirectory = pipeline->transformerDirectory;
    sentence = std::move(*pipeline);
  } else if (!fs::exists(joinPath(directory, "config.json"))) {
    return makeError(directory + ": not a Hugging Face model: it has neither config.json nor modules.json");
  }

  Expected<JsonDocument> config = JsonDocument::open(joinPath(modelDirectory, "config.json"));
  if (!config)
    return config.takeError();
  Expected<ArchitectureBuilder> build = lookupArchitecture(config->root());
  if (!build)
    return build.takeError();
  Expected<Checkpoint> checkpoint = Checkpoint::openDirectory(modelDirectory);
  if (!checkpoint)
    return checkpoint.takeError();
  ModelSource source{config->root(), *checkpoint, sentence ? &*sentence : nullptr,
                     toIdentifier(options.name.empty() ? getDirectoryName(directory) : options.name)};
  return (*build)(context, source);
}

/// True for names of files that make up a model; a library and what is beside it may lie in the same directory.
static bool isModelFile(StringRef name) {
  static constexpr StringLiteral kNames[] = {"config.json",
                                             "modules.json",
                                             "sentence_bert_config.json",
                                             "config_sentence_transformers.json",
                                             "tokenizer.json",
                                             "tokenizer_config.json",
                                             "special_tokens_map.json",
                                             "added_tokens.json",
                                             "vocab.json",
                                             "vocab.txt",
                                             "merges.txt",
                                             "generation_config.json",
                                             "pytorch_model.bin",
                                             "README.md",
                                             "LICENSE"};
  return llvm::is_contained(kNames, name) || name.ends_with(".safetensors") || name.ends_with(".index.json");
}

namespace {
class HuggingFaceImporter final : public Importer {
public:
  StringRef getKind() const override { return "Hugging Face directory (config.json or modules.json)"; }

  bool accepts(StringRef path) const override { return fs::is_directory(path); }

  std::vector<std::string> inputFiles(StringRef path) const override {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(path, error), end; entry != end && !error; entry.increment(error)) {
      if (entry.level() > 0)
        entry.no_push();
      if (isModelFile(llvm::sys::path::filename(entry->path())))
        files.push_back(entry->path());
    }
    return files;
  }

  FailureOr<OwningOpRef<ModuleOp>> importModel(MLIRContext &context, StringRef path,
                                               const ImportOptions &options) const override {
    context.loadDialect<AttnDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                        scf::SCFDialect, tensor::TensorDialect>();
    Expected<OwningOpRef<ModuleOp>> module = importDirectory(context, path, options);
    if (!module)
      return emitError(UnknownLoc::get(&context)) << llvm::toString(module.takeError());
    if (failed(verify(**module)))
      return failure();
    return std::move(*module);
  }
};
} // namespace

std::unique_ptr<Importer> attn::createHuggingFaceImporter() { return std::make_unique<HuggingFaceImporter>(); }
