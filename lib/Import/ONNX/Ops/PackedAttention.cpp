//===- PackedAttention.cpp - Attention of sequences without padding -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft.PackedAttention: the tokens of all sequences stand one after another. They are projected so, since that
// is where the work is; for attention each sequence becomes a row of a batch, whose keys end where the sequence does.
// Source: onnxruntime's description of its operators.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "Indexing.h"
#include "MatrixProducts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static Value asIndex(OpBuilder &b, Location loc, Value integer) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
}

/// `packed`, [T, C], as [B, S, C]: token s of sequence b is row `begins`[b] + s. Behind a sequence's end stand rows of
/// others, which don't count.
static Tensor unpackRows(Node &node, const Tensor &packed, const Tensor &begins, const Size &longest) {
  Reader reader(node, packed, llvm::SmallBitVector(2, true).reset(1));
  Shape shape{begins.shape[0], longest, packed.shape[1]};
  return generate(node, packed.type, shape, {begins}, {{0}},
                  [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> at) {
                    Value row = arith::AddIOp::create(b, loc, asIndex(b, loc, v[0]), at[1]);
                    return reader.read(b, loc, {row, at[2]});
                  });
}

/// The first `tokens` of `offsets`, [B, S], say where in `rows`, [B, S, C], the packed rows stand.
static FailureOr<Tensor> packRows(Node &node, const Tensor &rows, const Tensor &offsets, const Size &tokens) {
  const Shape &shape = rows.shape;
  FailureOr<Tensor> flat = reshape(node, rows, {shape[0] * shape[1], shape[2]});
  FailureOr<Tensor> places = reshape(node, offsets, {shape[0] * shape[1]});
  if (failed(flat) || failed(places))
    return failure();
  Reader reader(node, *flat, llvm::SmallBitVector(2, true).reset(1));
  Reader placeReader(node, *places, llvm::SmallBitVector(1, true));
  return generate(node, rows.type, {tokens, shape[2]}, {}, {},
                  [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> at) {
                    Value place = asIndex(b, loc, placeReader.read(b, loc, {at[0]}));
                    return reader.read(b, loc, {place, at[1]});
                  });
}

static LogicalResult importPackedAttention(Node &node) {
  enum { Input, Weights, Bias, Offsets, Ends, AttentionBias };
  ScaledDotProduct attention;
  FailureOr<int64_t> heads = readHeads(node, "num_heads");
  if (failed(heads) || failed(node.expectInputs(5, 6)) ||
      failed(expectFloats(node, {Input, Weights, Bias, AttentionBias})) ||
      failed(node.expectType(Offsets, DataType::Int32)) || failed(node.expectType(Ends, DataType::Int32)) ||
      failed(readScale(node, attention)))
    return failure();
  const Tensor &input = node.input(Input), &weights = node.input(Weights), &offsets = node.input(Offsets),
               &ends = node.input(Ends);
  if (input.rank() != 2 || weights.rank() != 2 || offsets.rank() != 2 || ends.rank() != 1)
    return node.error() << "input, weights, token_offset and cumulative_sequence_length have ranks " << input.rank()
                        << ", " << weights.rank() << ", " << offsets.rank() << " and " << ends.rank()
                        << ", expected 2, 2, 2 and 1";
  FailureOr<SmallVector<Size>> sizes = readHiddenSizes(node, weights.shape[1]);
  Size batch = offsets.shape[0];
  if (failed(sizes) || failed(expectBias(node, Bias, weights.shape[1])) ||
      failed(expectEqual(node, input.shape[1], weights.shape[0], "the channels of input and weights")) ||
      failed(expectEqual(node, ends.shape[0], batch + Size(1), "the size of cumulative_sequence_length")))
    return failure();

  Tensor begins = slice(node, ends, 0, Size(0), batch), next = slice(node, ends, 0, Size(1), batch);
  FailureOr<Tensor> lengths =
      elementwise(node, {next, begins}, DataType::Int64, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return arith::ExtSIOp::create(b, loc, b.getI64Type(), arith::SubIOp::create(b, loc, v[0], v[1]));
      });
  if (failed(lengths))
    return failure();
  attention.keyLengths = *lengths;

  Tensor *parts[] = {&attention.query, &attention.key, &attention.value};
  StringRef names[] = {"the query", "the key", "the value"};
  Size begin(0);
  for (auto [part, name, size] : llvm::zip(parts, names, *sizes)) {
    FailureOr<Tensor> projected = matmul(node, input, slice(node, weights, 1, begin, size));
    if (succeeded(projected))
      projected = addBias(node, *projected, node.input(Bias), begin);
    if (succeeded(projected))
      projected = splitHeads(node, unpackRows(node, *projected, begins, offsets.shape[1]), *heads, name);
    if (failed(projected))
      return failure();
    *part = *projected;
    begin = begin + size;
  }
  attention.queryHeadsFirst = attention.keyHeadsFirst = attention.valueHeadsFirst = attention.resultHeadsFirst = false;
  if (node.has(AttentionBias))
    attention.bias = node.input(AttentionBias);
  FailureOr<ScaledDotProductResult> result = buildScaledDotProduct(node, std::move(attention));
  if (failed(result))
    return failure();
  FailureOr<Tensor> joined = joinHeads(node, result->output, (*sizes)[2]);
  if (failed(joined))
    return failure();
  return node.set(0, packRows(node, *joined, offsets, input.shape[0]));
}

void attn::onnx::registerPackedAttention(Registry &registry) {
  registry.add("PackedAttention", importPackedAttention, 1, "com.microsoft");
}
