//===- ControlFlow.cpp - If -------------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A branch whose condition is known becomes part of the graph around it. Of others the results must have equal shapes.
//
//===----------------------------------------------------------------------===//

#include "Build.h"
#include "Graph.h"
#include "Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static FailureOr<const GraphProto *> branchOf(Node &node, StringRef name) {
  const AttributeProto *attribute = node.attribute(name);
  if (!attribute || !attribute->has_g())
    return node.error() << "attribute '" << name << "' is " << (attribute ? "no graph" : "missing");
  return &attribute->g();
}

static FailureOr<SmallVector<Tensor>> importBranch(Node &node, const GraphProto &graph) {
  FailureOr<SmallVector<Tensor>> results = node.graph.importSubgraph(node, graph, {});
  if (succeeded(results) && results->size() != node.numOutputs())
    return node.error() << "a branch has " << results->size() << " outputs, expected " << node.numOutputs();
  return results;
}

static LogicalResult expectAlike(Node &node, size_t i, const Tensor &a, const Tensor &b) {
  auto fail = [&](const std::string &x, const std::string &y) -> LogicalResult {
    return node.unsupported() << "output " << i << " is " << x << " in one branch and " << y
                              << " in the other, with a condition that is computed at run time";
  };
  if (a.type != b.type)
    return fail(nameOf(a.type), nameOf(b.type));
  bool isSame = a.shape.size() == b.shape.size() && llvm::all_of(llvm::zip_equal(a.shape, b.shape), [&](auto pair) {
                  return node.symbols.equal(std::get<0>(pair), std::get<1>(pair));
                });
  return isSame ? success() : fail(node.symbols.toString(a.shape), node.symbols.toString(b.shape));
}

/// One branch as a region: its results and, once these are known to fit, its end.
namespace {
struct Branch {
  Block *block;
  SmallVector<Tensor> results;
};
} // namespace

static FailureOr<Branch> importRegion(Node &node, Region &region, const GraphProto &graph) {
  OpBuilder::InsertionGuard guard(node.builder);
  Branch branch{node.builder.createBlock(&region), {}};
  FailureOr<SmallVector<Tensor>> results = importBranch(node, graph);
  if (failed(results))
    return failure();
  branch.results = std::move(*results);
  return branch;
}

static LogicalResult importIf(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectType(0, DataType::Bool)))
    return failure();
  FailureOr<const GraphProto *> then = branchOf(node, "then_branch"), otherwise = branchOf(node, "else_branch");
  if (failed(then) || failed(otherwise))
    return failure();
  const Tensor &condition = node.input(0);
  if (!productOf(condition.shape).isConstant(1))
    return node.error() << "the condition is of shape " << node.symbols.toString(condition.shape)
                        << ", expected a single element";
  if (std::optional<SmallVector<int64_t>> known = node.constants(0)) {
    FailureOr<SmallVector<Tensor>> results = importBranch(node, known->front() ? **then : **otherwise);
    if (failed(results))
      return failure();
    for (auto [i, result] : llvm::enumerate(*results))
      node.set(i, result);
    return success();
  }

  FailureOr<Tensor> scalar = reshape(node, condition, {});
  if (failed(scalar))
    return failure();
  Value flag = tensor::ExtractOp::create(node.builder, node.loc, node.value(*scalar), ValueRange());
  // The branches are built first, since their results are what the op's types are.
  Region thenRegion, elseRegion;
  FailureOr<Branch> first = importRegion(node, thenRegion, **then);
  FailureOr<Branch> second = failed(first) ? first : importRegion(node, elseRegion, **otherwise);
  if (failed(second))
    return failure();
  SmallVector<Type> types;
  for (auto [i, a, b] : llvm::enumerate(first->results, second->results)) {
    if (failed(expectAlike(node, i, a, b)))
      return failure();
    types.push_back(node.tensorType(a.type, a.shape));
  }
  for (Branch *branch : {&*first, &*second}) {
    OpBuilder::InsertionGuard guard(node.builder);
    node.builder.setInsertionPointToEnd(branch->block);
    SmallVector<Value> values;
    for (auto [tensor, type] : llvm::zip_equal(branch->results, types)) {
      Value value = node.value(tensor);
      values.push_back(
          value.getType() == type ? value : tensor::CastOp::create(node.builder, node.loc, type, value).getResult());
    }
    scf::YieldOp::create(node.builder, node.loc, values);
  }
  auto op = scf::IfOp::create(node.builder, node.loc, types, flag, /*addThenBlock=*/false, /*addElseBlock=*/false);
  op.getThenRegion().takeBody(thenRegion);
  op.getElseRegion().takeBody(elseRegion);
  for (auto [i, result] : llvm::enumerate(first->results))
    node.set(i, node.make(op.getResult(i), result.type, result.shape));
  return success();
}

void attn::onnx::registerControlFlow(Registry &registry) { registry.add("If", importIf); }
