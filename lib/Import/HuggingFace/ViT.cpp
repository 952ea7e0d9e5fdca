//===- ViT.cpp - Vision transformers ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A patch of an image is a row: the convolution whose stride is its kernel is a linear layer on all of its pixels.
//
//===----------------------------------------------------------------------===//

#include "Architectures.h"
#include "EncoderLayer.h"
#include "GenericBuilder.h"
#include "Heads.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

namespace {

/// The height and width of an image or a patch.
struct Area {
  int64_t height = 0, width = 0;
};

struct ViTConfig {
  EncoderConfig encoder;
  Area image, patch;
  int64_t numChannels = 0, poolerSize = 0;
  Activation poolerActivation = Activation::Tanh;
  bool hasProjectionBiases = true;

  int64_t rows() const { return image.height / patch.height; }
  int64_t columns() const { return image.width / patch.width; }
  int64_t numPatches() const { return rows() * columns(); }
  int64_t patchSize() const { return numChannels * patch.height * patch.width; }

  static Expected<ViTConfig> read(const JsonNode &root);
};

class ViTBuilder {
public:
  ViTBuilder(MLIRContext &context, const ViTConfig &config, const TaskConfig &task, const ModelSource &source,
             StringRef prefix)
      : config(config), task(task), source(source), model(context, source.checkpoint, prefix), ops(model.builder()) {}

  Expected<OwningOpRef<ModuleOp>> build();

private:
  Value cutPatches(Value pixels);
  Expected<Value> embeddings(Value pixels);
  Expected<Value> layers(Value rows);
  llvm::Error addOutputs(Value hidden);

  const ViTConfig &config;
  const TaskConfig &task;
  const ModelSource &source;
  ModelBuilder model;
  OpBuilder &ops;
};

} // namespace

/// A side for both, or [height, width].
static Expected<Area> readArea(const JsonNode &root, StringRef key, int64_t otherwise) {
  constexpr int64_t kMaxSide = 1 << 14;
  Expected<std::optional<JsonNode>> node = root.find(key);
  if (!node)
    return node.takeError();
  if (!*node)
    return Area{otherwise, otherwise};
  if (!(*node)->value().getAsArray()) {
    Expected<int64_t> side = (*node)->integer(1, kMaxSide);
    if (!side)
      return side.takeError();
    return Area{*side, *side};
  }
  Expected<SmallVector<int64_t>> sides = (*node)->integers(1, kMaxSide);
  if (!sides)
    return sides.takeError();
  if (sides->size() != 2)
    return (*node)->error("expected a height and a width, found " + Twine(sides->size()) + " numbers");
  return Area{(*sides)[0], (*sides)[1]};
}

Expected<ViTConfig> ViTConfig::read(const JsonNode &root) {
  ViTConfig config;
  Expected<EncoderConfig> encoder = EncoderConfig::read(root, {});
  if (!encoder)
    return encoder.takeError();
  config.encoder = *encoder;
  for (auto [key, area, otherwise] :
       {std::tuple("image_size", &config.image, 224), {"patch_size", &config.patch, 16}}) {
    Expected<Area> value = readArea(root, key, otherwise);
    if (!value)
      return value.takeError();
    *area = *value;
  }
  if (config.patch.height > config.image.height || config.patch.width > config.image.width)
    return root.error("patch_size: a patch is larger than the image of image_size");
  constexpr int64_t kMaxChannels = 1 << 10;
  Expected<int64_t> channels = root.integerOr("num_channels", 3, 1, kMaxChannels);
  if (!channels)
    return channels.takeError();
  config.numChannels = *channels;
  Expected<int64_t> pooled = readSizeOr(root, "pooler_output_size", encoder->hiddenSize);
  if (!pooled)
    return pooled.takeError();
  config.poolerSize = *pooled;
  Expected<Activation> activation = readActivation(root, "pooler_act", "tanh");
  if (!activation)
    return activation.takeError();
  config.poolerActivation = *activation;
  Expected<bool> biases = root.booleanOr("qkv_bias", true);
  if (!biases)
    return biases.takeError();
  config.hasProjectionBiases = *biases;
  return config;
}

/// [batch, channels, height, width] as [batch, patches, channels * patch height * patch width]. What is left at the
/// right and lower edge fills no patch.
Value ViTBuilder::cutPatches(Value pixels) {
  Location loc = model.loc();
  OpFoldResult batch = tensor::getMixedSize(ops, loc, pixels, 0);
  auto index = [&](int64_t value) -> OpFoldResult { return ops.getIndexAttr(value); };
  int64_t channels = config.numChannels, rows = config.rows(), columns = config.columns();
  Area patch = config.patch, used{rows * patch.height, columns * patch.width};
  Type f32 = ops.getF32Type();
  if (used.height != config.image.height || used.width != config.image.width) {
    SmallVector<OpFoldResult> offsets(4, index(0)), strides(4, index(1));
    SmallVector<OpFoldResult> sizes = {batch, index(channels), index(used.height), index(used.width)};
    pixels = tensor::ExtractSliceOp::create(ops, loc, pixels, offsets, sizes, strides);
  }
  SmallVector<int64_t> split = {ShapedType::kDynamic, channels, rows, patch.height, columns, patch.width};
  SmallVector<OpFoldResult> splitSizes = {batch};
  for (int64_t size : ArrayRef(split).drop_front())
    splitSizes.push_back(index(size));
  pixels = tensor::ExpandShapeOp::create(ops, loc, RankedTensorType::get(split, f32), pixels,
                                         SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}, {4, 5}}, splitSizes);
  SmallVector<int64_t> order = {0, 2, 4, 1, 3, 5};
  SmallVector<OpFoldResult> sizes;
  for (int64_t from : order)
    sizes.push_back(splitSizes[from]);
  Value init = tensor::EmptyOp::create(ops, loc, sizes, f32);
  Value arranged = linalg::TransposeOp::create(ops, loc, pixels, init, order).getResult()[0];
  return tensor::CollapseShapeOp::create(ops, loc, arranged, SmallVector<ReassociationIndices>{{0}, {1, 2}, {3, 4, 5}});
}

/// The row of the class before those of the patches, with their positions.
Expected<Value> ViTBuilder::embeddings(Value pixels) {
  int64_t width = config.encoder.hiddenSize, numPatches = config.numPatches();
  model.setLocation("embeddings.patch_embeddings.projection");
  auto reshape = [&](Attribute source, ArrayRef<int64_t> shape) -> Attribute {
    return ReshapeAttr::get(ops.getContext(), source, ops.getDenseI64ArrayAttr(shape));
  };
  Expected<Value> weight = model.weight("embeddings.patch_embeddings.projection.weight",
                                        {width, config.numChannels, config.patch.height, config.patch.width},
                                        [&](Attribute source) { return reshape(source, {width, config.patchSize()}); });
  if (!weight)
    return weight.takeError();
  Expected<Value> bias = model.weight("embeddings.patch_embeddings.projection.bias", {width});
  if (!bias)
    return bias.takeError();
  Value patches = model.linear(cutPatches(pixels), {*weight, *bias});

  model.setLocation("embeddings");
  Expected<Value> token =
      model.weight("embeddings.cls_token", {1, 1, width}, [&](Attribute source) { return reshape(source, {width}); });
  if (!token)
    return token.takeError();
  // One table, read in two parts: a symbol each.
  auto positions = [&](int64_t begin, int64_t count, StringRef suffix) {
    return model.weight(
        "embeddings.position_embeddings", {1, numPatches + 1, width},
        [&](Attribute source) -> Attribute {
          Attribute part =
              SliceAttr::get(ops.getContext(), reshape(source, {numPatches + 1, width}),
                             ops.getDenseI64ArrayAttr({begin, 0}), ops.getDenseI64ArrayAttr({count, width}));
          return part;
        },
        suffix);
  };
  Expected<Value> first = positions(0, 1, ".class");
  if (!first)
    return first.takeError();
  Expected<Value> others = positions(1, numPatches, ".patches");
  if (!others)
    return others.takeError();

  GenericBuilder builder(model);
  OpFoldResult batch = tensor::getMixedSize(ops, model.loc(), pixels, 0);
  auto index = [&](int64_t value) -> OpFoldResult { return ops.getIndexAttr(value); };
  auto add = [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AddFOp::create(b, loc, v[0], v[1]);
  };
  Value head = builder.generic({*token, *first}, builder.empty({batch, index(1), index(width)}),
                               {{2}, {1, 2}, {0, 1, 2}}, 3, add);
  Value rest = builder.generic({patches, *others}, builder.empty({batch, index(numPatches), index(width)}),
                               {{0, 1, 2}, {1, 2}, {0, 1, 2}}, 3, add);
  Value rows = builder.empty({batch, index(numPatches + 1), index(width)});
  auto insert = [&](Value part, int64_t at, int64_t count) {
    SmallVector<OpFoldResult> offsets = {index(0), index(at), index(0)}, sizes = {batch, index(count), index(width)};
    rows = tensor::InsertSliceOp::create(ops, model.loc(), part, rows, offsets, sizes,
                                         SmallVector<OpFoldResult>(3, index(1)));
  };
  insert(head, 0, 1);
  insert(rest, 1, numPatches);
  return rows;
}

Expected<Value> ViTBuilder::layers(Value rows) {
  LayerKind kind;
  kind.config = config.encoder;
  kind.norm = NormPlacement::Pre;
  kind.hasProjectionBiases = config.hasProjectionBiases;
  kind.names = {"attention.attention.query",
                "attention.attention.key",
                "attention.attention.value",
                "attention.output.dense",
                "layernorm_before",
                "intermediate.dense",
                "output.dense",
                "layernorm_after"};
  for (int64_t i = 0; i < config.encoder.numLayers; ++i) {
    Expected<Value> result = buildEncoderLayer(model, kind, "encoder.layer." + std::to_string(i), rows, {});
    if (!result)
      return result.takeError();
    rows = *result;
  }
  model.setLocation("layernorm");
  return model.layerNorm(rows, "layernorm", config.encoder.epsilon);
}

llvm::Error ViTBuilder::addOutputs(Value hidden) {
  if (task.task == Task::ImageClassification) {
    model.setPrefix("");
    model.setLocation("classifier");
    return addLogits(model, buildFirstRow(model, hidden), "classifier", task.numLabels, {"batch"});
  }
  model.addOutput("last_hidden_state", hidden, {"batch", config.numPatches() + 1, config.encoder.hiddenSize});
  if (!model.hasWeight("pooler.dense.weight"))
    return llvm::Error::success();
  Expected<Value> pooled = buildDenseHead(model, hidden, {"pooler.dense", config.poolerActivation}, config.poolerSize);
  if (!pooled)
    return pooled.takeError();
  model.addOutput("pooler_output", *pooled, {"batch", config.poolerSize});
  return llvm::Error::success();
}

Expected<OwningOpRef<ModuleOp>> ViTBuilder::build() {
  model.beginEntry(source.name);
  Value pixels = model.addInput("pixel_values", ops.getF32Type(),
                                {"batch", config.numChannels, config.image.height, config.image.width});
  Expected<Value> hidden = embeddings(pixels);
  if (hidden)
    hidden = layers(*hidden);
  if (!hidden)
    return hidden.takeError();
  if (llvm::Error error = addOutputs(*hidden))
    return std::move(error);
  Leftovers leftovers{
      "encoder.layer", config.encoder.numLayers, "num_hidden_layers", {"embeddings.mask_token", "pooler.", "decoder."}};
  if (llvm::Error error = model.checkLeftovers("vit.", leftovers))
    return std::move(error);
  model.setLocation(source.name);
  return model.finish();
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildViT(MLIRContext &context, const ModelSource &source) {
  Expected<ViTConfig> config = ViTConfig::read(source.config);
  if (!config)
    return config.takeError();
  if (llvm::Error error = refuseSentence(source))
    return std::move(error);
  Expected<TaskConfig> task = TaskConfig::read(source.config, {Task::ImageClassification});
  if (!task)
    return task.takeError();
  StringRef prefix = source.checkpoint.hasPrefix("vit.") ? "vit." : "";
  return ViTBuilder(context, *config, *task, source, prefix).build();
}
