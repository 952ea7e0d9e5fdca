//===- MatrixProducts.cpp - MatMul and Gemm ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products are contractions whose maps are projected permutations, the first factor's leading dimensions first: the
// form that linear layers are recognized in.
//
//===----------------------------------------------------------------------===//

#include "MatrixProducts.h"
#include "Graph.h"
#include "Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// A term without the dimensions that are repeated along its label.
static FailureOr<Term> dropRepeated(Node &node, const Term &term, llvm::function_ref<Size(int64_t)> sizeOf) {
  Term result;
  Shape kept;
  for (auto [label, size] : llvm::zip_equal(term.labels, term.tensor.shape)) {
    if (size.isConstant(1) && !sizeOf(label).isConstant(1))
      continue;
    result.labels.push_back(label);
    kept.push_back(size);
  }
  FailureOr<Tensor> tensor = kept.size() == term.labels.size() ? term.tensor : reshape(node, term.tensor, kept);
  if (failed(tensor))
    return failure();
  result.tensor = *tensor;
  return result;
}

/// In the type it is computed in. A constant matrix, even a small one, stays a weight, which is laid out for the
/// kernel.
static Tensor asFactor(Node &node, const Tensor &tensor, bool isSecond) {
  bool isMatrix = isSecond && tensor.weight && tensor.rank() == 2 && isFloat(tensor.type);
  if (!isMatrix)
    return tensor;
  Tensor weight = cast(node, tensor, computeType(tensor.type));
  weight.value = node.graph.weight(weight.weight, node.loc);
  return weight;
}

FailureOr<Tensor> attn::onnx::contractTerms(Node &node, const Term &a, const Term &b, ArrayRef<int64_t> result) {
  // The loops: labels of the result, then those that are summed.
  SmallVector<int64_t> labels(result);
  for (int64_t label : llvm::concat<const int64_t>(a.labels, b.labels))
    if (!llvm::is_contained(labels, label))
      labels.push_back(label);
  auto loopOf = [&](int64_t label) { return llvm::find(labels, label) - labels.begin(); };
  SmallVector<std::optional<Size>> known(labels.size());
  for (const Term *term : {&a, &b})
    for (auto [label, size] : llvm::zip_equal(term->labels, term->tensor.shape)) {
      std::optional<Size> &sum = known[loopOf(label)];
      if (!sum || sum->isConstant(1)) {
        sum = size;
        continue;
      }
      if (size.isConstant(1))
        continue;
      if (failed(expectEqual(node, *sum, size, "the factors' sizes of a dimension that they share")))
        return failure();
      if (size.getConstant())
        sum = size;
    }
  SmallVector<Size> sizes;
  for (const std::optional<Size> &size : known)
    sizes.push_back(size.value_or(Size(1)));
  auto sizeOf = [&](int64_t label) { return sizes[loopOf(label)]; };
  FailureOr<Term> left = dropRepeated(node, a, sizeOf), right = dropRepeated(node, b, sizeOf);
  if (failed(left) || failed(right))
    return failure();

  DataType type = computeType(a.tensor.type);
  Operand x{left->tensor, llvm::map_to_vector(left->labels, [&](int64_t label) { return int64_t(loopOf(label)); })};
  Operand y{right->tensor, llvm::map_to_vector(right->labels, [&](int64_t label) { return int64_t(loopOf(label)); })};
  bool isConstantMatrix = y.tensor.weight && y.tensor.rank() == 2 && isFloat(y.tensor.type);
  y.tensor = asFactor(node, y.tensor, true);
  if (isConstantMatrix)
    x.tensor = cast(node, x.tensor, type);
  return reduceTo(
      node, {x, y}, sizes, llvm::to_vector(llvm::seq<int64_t>(result.size())), Reduction::Sum, type,
      [&](OpBuilder &builder, Location loc, ValueRange v) { return multiply(builder, loc, type, v[0], v[1]); });
}

FailureOr<Tensor> attn::onnx::matmul(Node &node, const Tensor &a, const Tensor &b, bool transposeA, bool transposeB) {
  if (a.rank() == 0 || b.rank() == 0)
    return node.error() << "a factor has no dimensions, expected at least 1";
  if ((transposeA && a.rank() < 2) || (transposeB && b.rank() < 2))
    return node.error() << "a factor of 1 dimension can't be transposed";
  // Labels from 0 on for leading dimensions, counted from the right.
  enum { M = -1, N = -2, K = -3 };
  auto label = [](const Tensor &tensor, SmallVector<int64_t> last) {
    Term term{tensor, {}};
    int64_t leading = tensor.rank() - int64_t(last.size());
    for (int64_t i = 0; i < leading; ++i)
      term.labels.push_back(leading - 1 - i);
    llvm::append_range(term.labels, last);
    return term;
  };
  Term left = label(a, a.rank() == 1 ? SmallVector<int64_t>{K}
                       : transposeA  ? SmallVector<int64_t>{K, M}
                                     : SmallVector<int64_t>{M, K});
  Term right = label(b, b.rank() == 1 ? SmallVector<int64_t>{K}
                        : transposeB  ? SmallVector<int64_t>{N, K}
                                      : SmallVector<int64_t>{K, N});
  SmallVector<int64_t> result;
  for (int64_t i = std::max({a.rank(), b.rank(), int64_t(2)}) - 3; i >= 0; --i)
    result.push_back(i);
  if (a.rank() > 1)
    result.push_back(M);
  if (b.rank() > 1)
    result.push_back(N);
  auto sizeOf = [](const Term &term, int64_t which) {
    return term.tensor.shape[llvm::find(term.labels, which) - term.labels.begin()];
  };
  // What is summed over isn't broadcast.
  if (failed(expectEqual(node, sizeOf(left, K), sizeOf(right, K), "the sizes that are summed over")))
    return failure();
  // A linear layer reads its input by rows.
  if (transposeA && b.weight && isFloat(a.type)) {
    auto permutation = llvm::to_vector(llvm::seq<int64_t>(a.rank()));
    std::swap(permutation[a.rank() - 2], permutation[a.rank() - 1]);
    left.tensor = transpose(node, a, permutation);
    std::swap(left.labels[a.rank() - 2], left.labels[a.rank() - 1]);
  }
  return contractTerms(node, left, right, result);
}

//===----------------------------------------------------------------------===//
// Importers
//===----------------------------------------------------------------------===//

static LogicalResult expectFactors(Node &node) {
  DataType type = node.input(0).type;
  if (!isFloat(type) && !isInteger(type))
    return node.error() << "elements of " << nameOf(type) << " can't be multiplied";
  return node.expectType(1, type);
}

static LogicalResult importMatMul(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(expectFactors(node)))
    return failure();
  FailureOr<Tensor> result = matmul(node, node.input(0), node.input(1));
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, node.input(0).type));
  return success();
}

/// Scales by a number that must be an integer for integers.
static Value scale(OpBuilder &b, Location loc, DataType type, Value x, double factor) {
  return factor == 1.0 ? x : multiply(b, loc, type, x, scalarConstant(b, loc, type, factor));
}

/// alpha * A * B + beta * C
static LogicalResult importGemm(Node &node) {
  if (failed(node.expectInputs(2, 3)) || failed(expectFactors(node)) || failed(node.expectType(2, node.input(0).type)))
    return failure();
  FailureOr<double> alpha = node.real("alpha", 1.0), beta = node.real("beta", 1.0);
  FailureOr<int64_t> transA = node.integer("transA", 0), transB = node.integer("transB", 0);
  if (failed(alpha) || failed(beta) || failed(transA) || failed(transB))
    return failure();
  const Tensor &a = node.input(0), &b = node.input(1);
  if (a.rank() != 2 || b.rank() != 2)
    return node.error() << "the factors have " << a.rank() << " and " << b.rank() << " dimensions, expected 2";
  DataType type = computeType(a.type);
  for (double factor : {*alpha, *beta})
    if (!isFloat(type) && (factor != std::trunc(factor) || std::abs(factor) > 1e9))
      return node.unsupported() << "a factor of " << factor << " for integers";
  FailureOr<Tensor> product = matmul(node, a, b, *transA != 0, *transB != 0);
  if (failed(product))
    return failure();
  bool adds = node.has(2) && *beta != 0.0;
  if (!adds && *alpha == 1.0) {
    node.set(0, cast(node, *product, a.type));
    return success();
  }
  SmallVector<Operand> operands = {along(*product)};
  if (adds) {
    const Tensor &c = node.input(2);
    FailureOr<Shape> shape = broadcast(node, {product->shape, c.shape});
    if (failed(shape))
      return failure();
    if (failed(expectEqual(node, *shape, product->shape, "C must broadcast to the product's shape")))
      return failure();
    operands.push_back(alongLast(c, 2));
  }
  FailureOr<Tensor> result =
      mapOver(node, operands, product->shape, a.type, [&](OpBuilder &builder, Location loc, ValueRange v) -> Value {
        Value scaled = scale(builder, loc, type, v[0], *alpha);
        if (!adds)
          return scaled;
        Value added = scale(builder, loc, type, v[1], *beta);
        if (isFloat(type))
          return arith::AddFOp::create(builder, loc, scaled, added);
        return arith::AddIOp::create(builder, loc, scaled, added);
      });
  return node.set(0, result);
}

void attn::onnx::registerMatrixProducts(Registry &registry) {
  registry.add("MatMul", importMatMul);
  registry.add("Gemm", importGemm);
}
