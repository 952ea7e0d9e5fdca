//===- FlexAttention.cpp - Attention with graphs on its scores --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graphs see all scores as one tensor, so with one the scores are a tensor.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "Graph.h"
#include "ScaledDotProduct.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// `tensor` through the graph that is the attribute `name`, which sees elements of `type`.
static FailureOr<Tensor> change(Node &node, StringRef name, const GraphProto &graph, const Tensor &tensor,
                                DataType type) {
  FailureOr<SmallVector<Tensor>> results = node.graph.importSubgraph(node, graph, cast(node, tensor, type));
  if (failed(results))
    return failure();
  if (results->size() != 1)
    return node.error() << "the graph '" << name << "' has " << results->size() << " outputs, expected 1";
  Tensor result = results->front();
  if (result.type != type)
    return node.error() << "the graph '" << name << "' yields elements of " << nameOf(result.type) << ", expected "
                        << nameOf(type);
  if (failed(expectEqual(node, result.shape, tensor.shape, "the shapes before and after the graph '" + name + "'")))
    return failure();
  return cast(node, result, tensor.type);
}

static LogicalResult importFlexAttention(Node &node) {
  FailureOr<DataType> precision = readSoftmaxPrecision(node);
  if (failed(node.expectInputs(3, 3)) || failed(precision))
    return failure();
  for (size_t i : {0, 1, 2}) {
    if (failed(node.expectFloat(i)))
      return failure();
    if (node.input(i).rank() != 4)
      return node.error() << "input " << i << " has rank " << node.input(i).rank() << ", expected 4";
    if (node.input(i).type != node.input(0).type)
      return node.error() << "input " << i << " has elements of " << nameOf(node.input(i).type) << ", expected "
                          << nameOf(node.input(0).type);
  }
  ScaledDotProduct attention;
  attention.query = node.input(0);
  attention.key = node.input(1);
  attention.value = node.input(2);
  attention.softmaxType = *precision;
  if (node.hasAttribute("scale")) {
    FailureOr<double> scale = node.real("scale");
    if (failed(scale))
      return failure();
    attention.scale = *scale;
  }
  for (auto [name, function] :
       {std::pair("score_mod", &attention.changeScores), std::pair("prob_mod", &attention.changeProbabilities)}) {
    const AttributeProto *graph = node.attribute(name);
    if (!graph)
      continue;
    if (!graph->has_g())
      return node.error() << "attribute '" << name << "' is no graph";
    *function = [&node, name = StringRef(name), graph, type = *precision](const Tensor &tensor) {
      return change(node, name, graph->g(), tensor, type == DataType::Undefined ? tensor.type : type);
    };
    // Softmax says what a row of -infinity becomes.
    attention.emptyIsZero = false;
  }
  FailureOr<ScaledDotProductResult> result = buildScaledDotProduct(node, std::move(attention));
  if (failed(result))
    return failure();
  node.set(0, cast(node, result->output, node.input(0).type));
  return success();
}

void attn::onnx::registerFlexAttention(Registry &registry) {
  registry.add("FlexAttention", importFlexAttention, 1, "ai.onnx.preview");
}
