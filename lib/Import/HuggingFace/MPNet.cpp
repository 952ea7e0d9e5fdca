//===- MPNet.cpp - MPNet ----------------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GenericBuilder.h"
#include "TextEncoder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

/// Half of the buckets are for keys behind the query. Distances below 8 have a bucket each; from then on one begins at
/// ceil(8 * 2^(i / 2)), which is what 8 + 8 * log(distance / 8) / log(16) comes to in the library's f32.
static constexpr int64_t kNumBuckets = 32, kNumExact = 8;
static constexpr int64_t kBegins[] = {12, 16, 23, 32, 46, 64, 91};

/// The bucket of key `k` for query `q`.
static Value buildBucket(OpBuilder &b, Location loc, Value q, Value k) {
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value); };
  auto select = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs, Value yes, Value no) -> Value {
    Value condition = arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
    return arith::SelectOp::create(b, loc, condition, yes, no);
  };
  using P = arith::CmpIPredicate;
  Value before = arith::SubIOp::create(b, loc, q, k), after = arith::SubIOp::create(b, loc, k, q);
  Value distance = arith::MaxSIOp::create(b, loc, before, after);
  Value bucket = arith::MinSIOp::create(b, loc, distance, constant(kNumExact));
  for (auto [i, begin] : llvm::enumerate(kBegins))
    bucket = select(P::sge, distance, constant(begin), constant(kNumExact + int64_t(i) + 1), bucket);
  Value half = select(P::sgt, k, q, constant(kNumBuckets / 2), constant(0));
  return arith::AddIOp::create(b, loc, bucket, half);
}

/// bias[h, q, k] = table[bucket of k - q, h], the same in all layers.
static Expected<Value> buildRelativeBias(ModelBuilder &model, const JsonNode &root, const EncoderConfig &config,
                                         OpFoldResult length) {
  Expected<int64_t> rows = readSizeOr(root, "relative_attention_num_buckets", kNumBuckets);
  if (!rows)
    return rows.takeError();
  if (*rows < kNumBuckets)
    return root.error("relative_attention_num_buckets: distances fall into " + Twine(kNumBuckets) +
                      " buckets, expected at least as many, found " + Twine(*rows));
  model.setLocation("encoder.relative_attention_bias");
  Expected<Value> table = model.weight("encoder.relative_attention_bias.weight", {*rows, config.numHeads});
  if (!table)
    return table.takeError();
  OpBuilder &ops = model.builder();
  Location loc = model.loc();
  GenericBuilder builder(model);
  Type i64 = ops.getI64Type();
  Value buckets = builder.generic({}, builder.empty({length, length}, i64), {{0, 1}}, 2,
                                  [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                                    auto index = [&](int64_t loop) -> Value {
                                      Value value = linalg::IndexOp::create(b, loc, loop);
                                      return arith::IndexCastOp::create(b, loc, i64, value);
                                    };
                                    Value query = index(0), key = index(1);
                                    return buildBucket(b, loc, query, key);
                                  });
  OpFoldResult heads = ops.getIndexAttr(config.numHeads);
  Value init = builder.empty({length, length, heads});
  Value looked = EmbeddingOp::create(ops, loc, init.getType(), buckets, *table, /*positions=*/Value(), init,
                                     /*kernel=*/nullptr, /*schedule=*/nullptr)
                     .getResult(0);
  Value target = builder.empty({heads, length, length});
  return linalg::TransposeOp::create(ops, loc, looked, target, ArrayRef<int64_t>{2, 0, 1}).getResult()[0];
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildMPNet(MLIRContext &context, const ModelSource &source) {
  TextFamily family;
  family.prefix = "mpnet.";
  family.positions = PositionRule::CountFromPadding;
  family.fixedPadding = 1;
  family.hasTokenTypes = false;
  family.layer.query = "attention.attn.q";
  family.layer.key = "attention.attn.k";
  family.layer.value = "attention.attn.v";
  family.layer.output = "attention.attn.o";
  family.layer.attentionNorm = "attention.LayerNorm";
  family.attentionBias = buildRelativeBias;
  family.sequenceHead = {"classifier.dense", Activation::Tanh};
  family.isSequenceHeadInEncoder = false;
  family.sequenceClassifier = "classifier.out_proj";
  family.pretraining = {"lm_head."};
  family.tiedWords = "lm_head.decoder.weight";
  return buildTextEncoder(context, source, family);
}
