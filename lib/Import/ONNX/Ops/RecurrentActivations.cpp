//===- RecurrentActivations.cpp - Activations of RNN, GRU, LSTM -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Source: the ONNX operators RNN, GRU and LSTM.
//
//===----------------------------------------------------------------------===//

#include "RecurrentActivations.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// The functions by name, with the parameters that ONNX gives them where a model gives none.
struct ActivationKind {
  StringLiteral name;
  double alpha, beta;
  bool hasAlpha, hasBeta;
};
constexpr ActivationKind kActivations[] = {
    {"relu", 0, 0, false, false},     {"tanh", 0, 0, false, false},          {"sigmoid", 0, 0, false, false},
    {"affine", 1, 0, true, true},     {"leakyrelu", 0.01, 0, true, false},   {"thresholdedrelu", 1, 0, true, false},
    {"scaledtanh", 1, 1, true, true}, {"hardsigmoid", 0.2, 0.5, true, true}, {"elu", 1, 0, true, false},
    {"softsign", 0, 0, false, false}, {"softplus", 0, 0, false, false},
};

} // namespace

Value Activation::operator()(const Scalars &s, Value x) const {
  Value zero = s.constant(0), one = s.constant(1), a = s.constant(alpha), b = s.constant(beta);
  if (name == "relu")
    return s.max(x, zero);
  if (name == "tanh")
    return math::TanhOp::create(s.b, s.loc, x);
  if (name == "sigmoid")
    return s.sigmoid(x);
  if (name == "affine")
    return s.add(s.mul(a, x), b);
  if (name == "leakyrelu")
    return s.select(s.less(x, zero), s.mul(a, x), x);
  if (name == "thresholdedrelu")
    return s.select(s.less(x, a), zero, x);
  if (name == "scaledtanh")
    return s.mul(a, math::TanhOp::create(s.b, s.loc, s.mul(b, x)));
  if (name == "hardsigmoid")
    return s.max(zero, s.min(one, s.add(s.mul(a, x), b)));
  if (name == "elu")
    return s.select(s.less(x, zero), s.mul(a, math::ExpM1Op::create(s.b, s.loc, x)), x);
  if (name == "softsign")
    return s.div(x, s.add(one, s.abs(x)));
  return s.softplus(x);
}

FailureOr<SmallVector<Activation>> attn::onnx::readActivations(Node &node, ArrayRef<StringRef> defaults,
                                                               int64_t directions) {
  SmallVector<std::string> names;
  FailureOr<std::optional<SmallVector<std::string>>> given = node.texts("activations");
  FailureOr<std::optional<SmallVector<double>>> alphas = node.reals("activation_alpha");
  FailureOr<std::optional<SmallVector<double>>> betas = node.reals("activation_beta");
  if (failed(given) || failed(alphas) || failed(betas))
    return failure();
  for (int64_t i = 0; i < directions && !*given; ++i)
    for (StringRef name : defaults)
      names.push_back(name.str());
  if (*given)
    names = **given;
  if (int64_t(names.size()) != directions * int64_t(defaults.size()))
    return node.error() << "attribute 'activations' has " << names.size() << " names, expected "
                        << directions * int64_t(defaults.size());
  SmallVector<Activation> activations;
  size_t nextAlpha = 0, nextBeta = 0;
  for (const std::string &name : names) {
    std::string lower = StringRef(name).lower();
    const auto *kind = llvm::find_if(kActivations, [&](const ActivationKind &kind) { return kind.name == lower; });
    if (kind == std::end(kActivations))
      return node.error() << "attribute 'activations' has '" << name << "' in it, which is no known function";
    Activation activation{lower, kind->alpha, kind->beta};
    if (kind->hasAlpha && *alphas && nextAlpha < (*alphas)->size())
      activation.alpha = (**alphas)[nextAlpha++];
    if (kind->hasBeta && *betas && nextBeta < (*betas)->size())
      activation.beta = (**betas)[nextBeta++];
    activations.push_back(activation);
  }
  return activations;
}
