//===- Stages.h - The stages as pipelines -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PIPELINES_STAGES_H
#define ATTN_PIPELINES_STAGES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
}

namespace attn {

/// What the stages are told. One struct for all of them, passed whole.
struct PipelineOptions {
  /// Names of targets, best first; empty: the host's.
  std::vector<std::string> targets;
  /// Prefix of the library's symbols.
  std::string prefix = "model";
  /// Columns of a weight panel. One for all CPU targets, so that they share the weights.
  int64_t panelWidth = 32;
  /// Emit a remark for each fusion that was done or not.
  bool explain = false;
  /// What results hold in the rows of padding doesn't matter: they need not be computed.
  bool undefinedPaddedRows = false;
};

enum class Stage {
#define ATTN_STAGE(Name, flag, what, contract, builder) Name,
#include "attn/Pipelines/Stages.def"
};

struct StageInfo {
  Stage stage;
  llvm::StringLiteral flag;
  llvm::StringLiteral what;
  llvm::StringLiteral contract;
  /// Adds the passes that take a module from the stage before to this one; null for emit.
  void (*build)(mlir::OpPassManager &, const PipelineOptions &);
};

/// All stages in order.
llvm::ArrayRef<StageInfo> allStages();
const StageInfo &infoOf(Stage stage);
std::optional<Stage> parseStage(llvm::StringRef flag);
/// The flags of all stages, separated by commas: for messages.
std::string stageNames();

#define ATTN_STAGE_BUILDER(builder) void builder(mlir::OpPassManager &pm, const PipelineOptions &options)
ATTN_STAGE_BUILDER(buildImportPipeline);
ATTN_STAGE_BUILDER(buildFusePipeline);
ATTN_STAGE_BUILDER(buildSchedulePipeline);
ATTN_STAGE_BUILDER(buildTilePipeline);
ATTN_STAGE_BUILDER(buildMemoryPipeline);
ATTN_STAGE_BUILDER(buildKernelPipeline);
ATTN_STAGE_BUILDER(buildLowerPipeline);
#undef ATTN_STAGE_BUILDER

/// Registers a pipeline `attn-stage-FLAG` for each stage with passes.
void registerStagePipelines();

} // namespace attn

#endif // ATTN_PIPELINES_STAGES_H
