//===- Stages.cpp - The table of stages -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Pipelines/Stages.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;

static constexpr StageInfo kStages[] = {
#define ATTN_STAGE(Name, flag, what, contract, builder) {Stage::Name, flag, what, contract, builder},
#include "attn/Pipelines/Stages.def"
};

llvm::ArrayRef<StageInfo> attn::allStages() { return kStages; }
const StageInfo &attn::infoOf(Stage stage) { return kStages[size_t(stage)]; }

std::optional<Stage> attn::parseStage(llvm::StringRef flag) {
  for (const StageInfo &info : kStages)
    if (info.flag == flag)
      return info.stage;
  return std::nullopt;
}

std::string attn::stageNames() {
  return llvm::join(llvm::map_range(kStages, [](const StageInfo &info) { return info.flag.str(); }), ", ");
}

namespace {
struct StagePipelineOptions : mlir::PassPipelineOptions<StagePipelineOptions> {
  ListOption<std::string> targets{*this, "targets", llvm::cl::desc("Names of the targets, best first")};
  Option<std::string> prefix{*this, "prefix", llvm::cl::desc("Prefix of the library's symbols"),
                             llvm::cl::init("model")};
  Option<bool> explain{*this, "explain", llvm::cl::desc("Remark on each fusion"), llvm::cl::init(false)};
  Option<bool> undefinedPaddedRows{*this, "undefined-padded-rows",
                                   llvm::cl::desc("Results may hold anything in rows of padding"),
                                   llvm::cl::init(false)};
};
} // namespace

void attn::registerStagePipelines() {
  for (const StageInfo &info : kStages) {
    if (!info.build)
      continue;
    auto *build = info.build;
    mlir::registerPassPipeline(
        ("attn-stage-" + info.flag).str(), info.what,
        [build](mlir::OpPassManager &pm, llvm::StringRef text,
                llvm::function_ref<llvm::LogicalResult(const llvm::Twine &)> error) {
          auto parsed = StagePipelineOptions::createFromString(text);
          if (!parsed)
            return error("cannot read the options '" + text + "'");
          PipelineOptions options;
          options.targets.assign(parsed->targets.begin(), parsed->targets.end());
          options.prefix = parsed->prefix;
          options.explain = parsed->explain;
          options.undefinedPaddedRows = parsed->undefinedPaddedRows;
          build(pm, options);
          return llvm::success();
        },
        [](llvm::function_ref<void(const mlir::detail::PassOptions &)> show) { show(StagePipelineOptions()); });
  }
}
