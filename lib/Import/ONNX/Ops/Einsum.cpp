//===- Einsum.cpp - Einstein's summation ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two factors at a time, from the left. What only one of them has is summed before they are multiplied.
//
//===----------------------------------------------------------------------===//

#include "MatrixProducts.h"
#include "Registry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// The labels of one operand. Those of an ellipsis stand where it is, as kEllipsis until its length is known.
using Labels = SmallVector<int64_t>;
constexpr int64_t kEllipsis = -1;
/// Dimensions of ellipses, counted from the right, are labels from here on.
constexpr int64_t kFirstUnnamed = 256;

FailureOr<Labels> parseLabels(Node &node, StringRef text) {
  Labels labels;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (llvm::is_contained(labels, kEllipsis))
        return node.error() << "the equation has two ellipses in one term";
      labels.push_back(kEllipsis);
      continue;
    }
    if (!llvm::isAlpha(text.front()))
      return node.error() << "the equation has an unexpected '" << text.take_front() << "'";
    labels.push_back(text.front());
    text = text.drop_front();
  }
  return labels;
}

struct Equation {
  SmallVector<Labels> inputs;
  std::optional<Labels> output;
};

FailureOr<Equation> parseEquation(Node &node, StringRef given) {
  std::string text;
  llvm::copy_if(given, std::back_inserter(text), [](char c) { return c != ' '; });
  auto [left, right] = StringRef(text).split("->");
  Equation equation;
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  for (StringRef term : terms) {
    FailureOr<Labels> labels = parseLabels(node, term);
    if (failed(labels))
      return failure();
    equation.inputs.push_back(*labels);
  }
  if (StringRef(text).contains("->")) {
    FailureOr<Labels> labels = parseLabels(node, right);
    if (failed(labels))
      return failure();
    equation.output = *labels;
  }
  return equation;
}

/// Replaces the ellipsis by `count` labels.
Labels expandEllipsis(ArrayRef<int64_t> labels, int64_t count) {
  Labels result;
  for (int64_t label : labels) {
    if (label != kEllipsis) {
      result.push_back(label);
      continue;
    }
    for (int64_t i = count - 1; i >= 0; --i)
      result.push_back(kFirstUnnamed + i);
  }
  return result;
}

/// What an equation without "->" means: ellipsis, then what occurs once, in the order of the alphabet.
Labels implicitOutput(ArrayRef<Labels> inputs) {
  std::map<int64_t, unsigned> counts;
  bool hasEllipsis = false;
  for (const Labels &labels : inputs)
    for (int64_t label : labels) {
      if (label == kEllipsis)
        hasEllipsis = true;
      else
        ++counts[label];
    }
  Labels result;
  if (hasEllipsis)
    result.push_back(kEllipsis);
  for (auto [label, count] : counts)
    if (count == 1)
      result.push_back(label);
  return result;
}

/// Sums over the labels of `term` that `kept` doesn't have, and takes diagonals of those that it has twice.
FailureOr<Term> sumOut(Node &node, const Term &term, ArrayRef<int64_t> kept) {
  DataType type = computeType(term.tensor.type);
  Labels labels;
  Shape sizes;
  Operand operand{term.tensor, {}};
  for (auto [label, size] : llvm::zip_equal(term.labels, term.tensor.shape)) {
    int64_t loop = llvm::find(labels, label) - labels.begin();
    operand.loops.push_back(loop);
    if (loop == int64_t(labels.size())) {
      labels.push_back(label);
      sizes.push_back(size);
      continue;
    }
    if (failed(expectEqual(node, sizes[loop], size, "the sizes of a diagonal")))
      return failure();
    if (size.getConstant())
      sizes[loop] = size;
  }
  SmallVector<int64_t> order;
  for (int64_t label : kept)
    if (auto *found = llvm::find(labels, label); found != labels.end())
      order.push_back(found - labels.begin());
  Term result;
  for (int64_t loop : order)
    result.labels.push_back(labels[loop]);
  FailureOr<Tensor> tensor;
  if (order.size() == labels.size() && labels.size() == term.labels.size()) {
    tensor = transpose(node, term.tensor, order);
  } else if (order.size() == labels.size()) {
    // Only diagonals: as a function over the loops of the result.
    SmallVector<int64_t> place(order.size());
    Shape shape;
    for (auto [i, loop] : llvm::enumerate(order)) {
      place[loop] = i;
      shape.push_back(sizes[loop]);
    }
    for (int64_t &loop : operand.loops)
      loop = place[loop];
    tensor = mapOver(node, operand, shape, term.tensor.type, [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  } else {
    tensor = reduceTo(node, operand, sizes, order, Reduction::Sum, type,
                      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  }
  if (failed(tensor))
    return failure();
  result.tensor = *tensor;
  return result;
}

/// Labels that somebody after `i`, or the output, still needs.
Labels neededBy(ArrayRef<Term> later, ArrayRef<int64_t> output) {
  Labels result(output);
  for (const Term &term : later)
    for (int64_t label : term.labels)
      if (!llvm::is_contained(result, label))
        result.push_back(label);
  return result;
}

/// The labels of both without those that nobody needs.
Labels productLabels(const Term &a, const Term &b, ArrayRef<int64_t> needed) {
  Labels result;
  for (int64_t label : llvm::concat<const int64_t>(a.labels, b.labels))
    if (llvm::is_contained(needed, label) && !llvm::is_contained(result, label))
      result.push_back(label);
  return result;
}

FailureOr<Tensor> evaluate(Node &node, MutableArrayRef<Term> terms, ArrayRef<int64_t> output) {
  if (terms.size() == 1) {
    FailureOr<Term> result = sumOut(node, terms.front(), output);
    return failed(result) ? FailureOr<Tensor>(failure()) : FailureOr<Tensor>(result->tensor);
  }
  for (auto [i, term] : llvm::enumerate(terms)) {
    Labels others(output), kept;
    for (auto [j, other] : llvm::enumerate(terms))
      if (j != i)
        llvm::append_range(others, other.labels);
    for (int64_t label : term.labels)
      if (llvm::is_contained(others, label) && !llvm::is_contained(kept, label))
        kept.push_back(label);
    FailureOr<Term> summed = sumOut(node, term, kept);
    if (failed(summed))
      return failure();
    term = *summed;
  }
  Term product = terms.front();
  for (size_t i = 1; i < terms.size(); ++i) {
    bool isLast = i + 1 == terms.size();
    Labels labels =
        isLast ? Labels(output) : productLabels(product, terms[i], neededBy(terms.drop_front(i + 1), output));
    FailureOr<Tensor> tensor = contractTerms(node, product, terms[i], labels);
    if (failed(tensor))
      return failure();
    product = {*tensor, labels};
  }
  return product.tensor;
}

LogicalResult importEinsum(Node &node) {
  FailureOr<std::string> text = node.text("equation");
  if (failed(text) || failed(node.expectInputs(1, node.numInputs())))
    return failure();
  DataType type = node.input(0).type;
  if (!isFloat(type) && !isInteger(type))
    return node.error() << "elements of " << nameOf(type) << " can't be multiplied";
  FailureOr<Equation> equation = parseEquation(node, *text);
  if (failed(equation))
    return failure();
  if (equation->inputs.size() != node.numInputs())
    return node.error() << "the equation has " << equation->inputs.size() << " terms for " << node.numInputs()
                        << " inputs";
  int64_t unnamed = 0;
  SmallVector<Term> terms;
  for (auto [i, labels] : llvm::enumerate(equation->inputs)) {
    if (!node.has(i))
      return node.error() << "input " << i << " is missing";
    const Tensor &input = node.input(i);
    if (failed(node.expectType(i, type)))
      return failure();
    bool hasEllipsis = llvm::is_contained(labels, kEllipsis);
    int64_t rest = input.rank() - int64_t(labels.size()) + hasEllipsis;
    if (rest < 0 || (!hasEllipsis && rest != 0))
      return node.error() << "input " << i << " has " << input.rank()
                          << " dimensions, but its term in the equation has " << labels.size() - hasEllipsis
                          << (hasEllipsis ? " and an ellipsis" : "");
    unnamed = std::max(unnamed, rest);
    terms.push_back({input, expandEllipsis(labels, rest)});
  }
  Labels given = equation->output ? *equation->output : implicitOutput(equation->inputs);
  if (unnamed > 0 && !llvm::is_contained(given, kEllipsis))
    return node.error() << "the equation's result lacks the ellipsis that its terms have";
  Labels output = expandEllipsis(given, unnamed);
  llvm::DenseSet<int64_t> seen;
  for (int64_t label : output) {
    bool isKnown = llvm::any_of(terms, [&](const Term &term) { return llvm::is_contained(term.labels, label); });
    if (!seen.insert(label).second || !isKnown)
      return node.error() << "the equation's result has '" << std::string(1, char(label)) << "' "
                          << (isKnown ? "twice" : "which no term has");
  }
  // Every one on its own may be of size 1 where the result isn't.
  FailureOr<Tensor> result = evaluate(node, terms, output);
  if (failed(result))
    return failure();
  node.set(0, cast(node, *result, type));
  return success();
}

} // namespace

void attn::onnx::registerEinsum(Registry &registry) { registry.add("Einsum", importEinsum); }
