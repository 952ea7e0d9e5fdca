//===- Activations.cpp - Activation functions -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// A parameter of an activation: an attribute with a default.
struct Parameter {
  StringRef name;
  double otherwise;
};

using Activation = Value (*)(const Scalars &s, Value x, ArrayRef<double> parameters);

LogicalResult importActivation(Node &node, ArrayRef<Parameter> parameters, Activation activation) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  SmallVector<double> values;
  for (const Parameter &parameter : parameters) {
    FailureOr<double> value = node.real(parameter.name, parameter.otherwise);
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  DataType type = node.input(0).type;
  return setElementwise(node, node.input(0), type, [&](OpBuilder &b, Location loc, ValueRange v) {
    return activation(Scalars(b, loc, computeType(type)), v[0], values);
  });
}

/// x < 0 ? negative : x
Value belowZero(const Scalars &s, Value x, Value negative) { return s.select(s.less(x, s.constant(0)), negative, x); }
/// exp(x) - 1
Value expMinus1(const Scalars &s, Value x) { return s.sub(s.exp(x), s.constant(1)); }

LogicalResult importRelu(Node &node) {
  if (failed(expectSameNumbers(node, 1)))
    return failure();
  DataType type = node.input(0).type;
  return setElementwise(
      node, node.input(0), type,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars s(b, loc, computeType(type));
        return s.max(v[0], s.constant(0));
      },
      [&](ArrayRef<Size> v) { return std::optional(notNegative(node, v[0])); });
}

LogicalResult importLeakyRelu(Node &node) {
  return importActivation(node, Parameter{"alpha", 0.01}, [](const Scalars &s, Value x, ArrayRef<double> p) {
    return belowZero(s, x, s.mul(s.constant(p[0]), x));
  });
}

LogicalResult importSigmoid(Node &node) {
  return importActivation(node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return s.sigmoid(x); });
}

/// max(0, min(1, alpha x + beta))
Value hardSigmoid(const Scalars &s, Value x, double alpha, double beta) {
  Value line = s.add(s.mul(s.constant(alpha), x), s.constant(beta));
  return s.max(s.constant(0), s.min(s.constant(1), line));
}

LogicalResult importHardSigmoid(Node &node) {
  return importActivation(node, {{"alpha", 0.2}, {"beta", 0.5}},
                          [](const Scalars &s, Value x, ArrayRef<double> p) { return hardSigmoid(s, x, p[0], p[1]); });
}

LogicalResult importHardSwish(Node &node) {
  return importActivation(
      node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return s.mul(x, hardSigmoid(s, x, 1.0 / 6, 0.5)); });
}

/// x sigmoid(alpha x)
Value swish(const Scalars &s, Value x, double alpha) {
  Value scaled = alpha == 1 ? x : s.mul(s.constant(alpha), x);
  return s.mul(x, s.sigmoid(scaled));
}

LogicalResult importSwish(Node &node) {
  return importActivation(node, Parameter{"alpha", 1},
                          [](const Scalars &s, Value x, ArrayRef<double> p) { return swish(s, x, p[0]); });
}

LogicalResult importMish(Node &node) {
  return importActivation(node, {}, [](const Scalars &s, Value x, ArrayRef<double>) {
    return s.mul(x, math::TanhOp::create(s.b, s.loc, s.softplus(x)));
  });
}

LogicalResult importElu(Node &node) {
  return importActivation(node, Parameter{"alpha", 1}, [](const Scalars &s, Value x, ArrayRef<double> p) {
    return belowZero(s, x, s.mul(s.constant(p[0]), expMinus1(s, x)));
  });
}

LogicalResult importSelu(Node &node) {
  return importActivation(node, {{"alpha", 1.67326319217681884765625}, {"gamma", 1.05070102214813232421875}},
                          [](const Scalars &s, Value x, ArrayRef<double> p) {
                            Value negative = s.mul(s.constant(p[0]), expMinus1(s, x));
                            return s.mul(s.constant(p[1]), belowZero(s, x, negative));
                          });
}

LogicalResult importCelu(Node &node) {
  FailureOr<double> alpha = node.real("alpha", 1);
  if (succeeded(alpha) && *alpha == 0)
    return node.error() << "attribute 'alpha' is 0, which the function divides by";
  return importActivation(node, Parameter{"alpha", 1}, [](const Scalars &s, Value x, ArrayRef<double> p) {
    Value negative = s.mul(s.constant(p[0]), expMinus1(s, s.div(x, s.constant(p[0]))));
    return s.add(s.max(s.constant(0), x), s.min(s.constant(0), negative));
  });
}

LogicalResult importSoftplus(Node &node) {
  return importActivation(node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return s.softplus(x); });
}

LogicalResult importSoftsign(Node &node) {
  return importActivation(
      node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return s.div(x, s.add(s.constant(1), s.abs(x))); });
}

LogicalResult importThresholdedRelu(Node &node) {
  return importActivation(node, Parameter{"alpha", 1}, [](const Scalars &s, Value x, ArrayRef<double> p) {
    return s.select(s.less(s.constant(p[0]), x), x, s.constant(0));
  });
}

LogicalResult importShrink(Node &node) {
  return importActivation(node, {{"lambd", 0.5}, {"bias", 0}}, [](const Scalars &s, Value x, ArrayRef<double> p) {
    Value bias = s.constant(p[1]);
    Value positive = s.select(s.less(s.constant(p[0]), x), s.sub(x, bias), s.constant(0));
    return s.select(s.less(x, s.constant(-p[0])), s.add(x, bias), positive);
  });
}

/// attn.gelu, which the target knows as a whole, or in float64 its definition.
Value gelu(const Scalars &s, Value x, bool approximate) {
  if (s.type == DataType::Float)
    return GeluOp::create(s.b, s.loc, x, approximate);
  Value inner;
  if (approximate) {
    Value cube = s.mul(s.mul(x, x), x);
    Value sum = s.add(x, s.mul(s.constant(0.044715), cube));
    inner = math::TanhOp::create(s.b, s.loc, s.mul(s.constant(std::sqrt(2 / M_PI)), sum));
  } else {
    inner = math::ErfOp::create(s.b, s.loc, s.mul(s.constant(std::sqrt(0.5)), x));
  }
  return s.mul(s.mul(s.constant(0.5), x), s.add(s.constant(1), inner));
}

LogicalResult importGelu(Node &node) {
  FailureOr<std::string> approximate = node.text("approximate", StringRef("none"));
  if (failed(approximate))
    return failure();
  if (*approximate != "none" && *approximate != "tanh")
    return node.error() << "attribute 'approximate' is '" << *approximate << "', expected none or tanh";
  if (*approximate == "tanh")
    return importActivation(node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return gelu(s, x, true); });
  return importActivation(node, {}, [](const Scalars &s, Value x, ArrayRef<double>) { return gelu(s, x, false); });
}

LogicalResult importPRelu(Node &node) {
  if (failed(expectSameNumbers(node, 2)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<Shape> shape = broadcast(node, {input.shape, node.input(1).shape});
  if (failed(shape) || failed(expectEqual(node, *shape, input.shape, "the slopes have more elements than the input")))
    return failure();
  return setElementwise(node, {input, node.input(1)}, input.type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, computeType(input.type));
    return belowZero(s, v[0], s.mul(v[1], v[0]));
  });
}

LogicalResult importSwiGLU(Node &node) {
  if (failed(node.expectInputs(2, 2)) || failed(node.expectFloat(0)))
    return failure();
  const Tensor &gate = node.input(0), &linear = node.input(1);
  FailureOr<double> alpha = node.real("alpha", 1);
  if (failed(alpha) || failed(node.expectType(1, gate.type)) ||
      failed(expectEqual(node, gate.shape, linear.shape, "the gate and the linear input have different shapes")))
    return failure();
  return setElementwise(node, {gate, linear}, gate.type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, computeType(gate.type));
    return s.mul(swish(s, v[0], *alpha), v[1]);
  });
}

} // namespace

void attn::onnx::registerActivations(Registry &registry) {
  registry.add("Relu", importRelu);
  registry.add("LeakyRelu", importLeakyRelu);
  registry.add("PRelu", importPRelu);
  registry.add("ThresholdedRelu", importThresholdedRelu);
  registry.add("Shrink", importShrink);
  registry.add("Sigmoid", importSigmoid);
  registry.add("HardSigmoid", importHardSigmoid);
  registry.add("HardSwish", importHardSwish);
  registry.add("Swish", importSwish);
  registry.add("SwiGLU", importSwiGLU);
  registry.add("Mish", importMish);
  registry.add("Elu", importElu);
  registry.add("Selu", importSelu);
  registry.add("Celu", importCelu);
  registry.add("Softplus", importSoftplus);
  registry.add("Softsign", importSoftsign);
  registry.add("Gelu", importGelu);
}
