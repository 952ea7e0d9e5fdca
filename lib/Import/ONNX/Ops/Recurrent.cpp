//===- Recurrent.cpp - RNN, GRU and LSTM ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the gates get of the inputs is one linear layer over all steps; a loop over the steps adds what they get of the
// state. Sources: the ONNX operators; Hochreiter, Schmidhuber, "Long Short-Term Memory" (1997), with peepholes as in
// Gers, Schmidhuber (2000); Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014).
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "MatrixProducts.h"
#include "RecurrentActivations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

enum class Cell { RNN, GRU, LSTM };

int64_t gatesOf(Cell cell) { return cell == Cell::RNN ? 1 : cell == Cell::GRU ? 3 : 4; }

//===----------------------------------------------------------------------===//
// One direction
//===----------------------------------------------------------------------===//

class Direction {
public:
  Direction(Node &node, Cell cell, int64_t number, bool isReversed, const Size &hidden,
            ArrayRef<Activation> activations)
      : node(node), cell(cell), number(number), isReversed(isReversed), hidden(hidden), activations(activations) {}

  /// Over `input`, [steps, batch, features] in the compute type: the outputs [steps, batch, hidden], then the last
  /// states.
  FailureOr<SmallVector<Tensor>> run(const Tensor &input);

  double clip = 0;
  bool inputForget = false, linearBeforeReset = false, batchFirst = false;

private:
  /// What input `i` has for this direction, without the dimension of directions.
  FailureOr<Tensor> part(size_t i);
  /// `count` of `tensor`'s parts of the hidden size along the last dimension.
  Tensor gate(const Tensor &tensor, int64_t first, int64_t count = 1) {
    return slice(node, tensor, tensor.rank() - 1, Size(first) * hidden, Size(count) * hidden);
  }
  FailureOr<Tensor> state(size_t i, const Tensor &input);
  FailureOr<Tensor> add(const Tensor &a, const Tensor &b);
  FailureOr<Tensor> activate(size_t which, ArrayRef<Tensor> summands);
  FailureOr<Tensor> combine(ArrayRef<Tensor> inputs, llvm::function_ref<Value(const Scalars &, ValueRange)> body) {
    return elementwise(node, inputs, type,
                       [&](OpBuilder &b, Location loc, ValueRange v) { return body(Scalars(b, loc, type), v); });
  }
  /// The next states from what the inputs give the gates.
  FailureOr<SmallVector<Tensor>> step(const Tensor &gates, ArrayRef<Tensor> states);
  FailureOr<SmallVector<Tensor>> stepGRU(const Tensor &gates, const Tensor &h);
  FailureOr<SmallVector<Tensor>> stepLSTM(const Tensor &gates, const Tensor &h, const Tensor &c);
  FailureOr<Tensor> keepEnded(Value step, const Tensor &next, const Tensor &otherwise);

  Node &node;
  Cell cell;
  int64_t number;
  bool isReversed;
  Size hidden;
  ArrayRef<Activation> activations;
  DataType type = DataType::Undefined;
  Tensor recurrence, recurrenceBias, peepholes;
};

FailureOr<Tensor> Direction::part(size_t i) {
  bool isState = i == 5 || i == 6;
  Tensor all = isState && batchFirst ? transpose(node, node.input(i), {1, 0, 2}) : node.input(i);
  Tensor one = slice(node, all, 0, Size(number), Size(1));
  FailureOr<Tensor> result = reshape(node, one, Shape(one.shape.begin() + 1, one.shape.end()));
  if (failed(result))
    return failure();
  return cast(node, *result, type);
}

FailureOr<Tensor> Direction::state(size_t i, const Tensor &input) {
  Shape shape{input.shape[1], hidden};
  if (!node.has(i))
    return node.make(filled(node, shape, type, 0), type, shape);
  FailureOr<Tensor> given = part(i);
  if (failed(given))
    return failure();
  given->shape = shape;
  return node.make(node.value(*given), type, shape); // what is known of it holds for the first step only
}

FailureOr<Tensor> Direction::add(const Tensor &a, const Tensor &b) {
  return combine({a, b}, [](const Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
}

FailureOr<Tensor> Direction::activate(size_t which, ArrayRef<Tensor> summands) {
  return combine(summands, [&](const Scalars &s, ValueRange v) {
    Value sum = v[0];
    for (Value more : v.drop_front())
      sum = s.add(sum, more);
    if (clip > 0)
      sum = s.max(s.constant(-clip), s.min(s.constant(clip), sum));
    return activations[which](s, sum);
  });
}

FailureOr<SmallVector<Tensor>> Direction::stepGRU(const Tensor &gates, const Tensor &h) {
  // z and r of the state at once; what the candidate gets waits for r, or is multiplied by it.
  int64_t early = linearBeforeReset ? 3 : 2;
  Tensor factor = slice(node, recurrence, 0, Size(0), Size(early) * hidden);
  FailureOr<Tensor> before = matmul(node, h, factor, false, true);
  if (failed(before))
    return failure();
  FailureOr<Tensor> z = activate(0, {gate(gates, 0), gate(*before, 0)});
  FailureOr<Tensor> r = activate(0, {gate(gates, 1), gate(*before, 1)});
  if (failed(z) || failed(r))
    return failure();
  FailureOr<Tensor> candidate;
  if (linearBeforeReset) {
    FailureOr<Tensor> linear = add(gate(*before, 2), gate(recurrenceBias, 2));
    FailureOr<Tensor> reset =
        failed(linear) ? linear
                       : combine({*r, *linear}, [](const Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
    candidate = failed(reset) ? reset : activate(1, {gate(gates, 2), *reset});
  } else {
    FailureOr<Tensor> reset = combine({*r, h}, [](const Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
    if (failed(reset))
      return failure();
    FailureOr<Tensor> linear = matmul(node, *reset, slice(node, recurrence, 0, Size(2) * hidden, hidden), false, true);
    candidate = failed(linear) ? linear : activate(1, {gate(gates, 2), *linear});
  }
  if (failed(candidate))
    return failure();
  FailureOr<Tensor> next = combine({*z, *candidate, h}, [](const Scalars &s, ValueRange v) {
    return s.add(s.mul(s.sub(s.constant(1), v[0]), v[1]), s.mul(v[0], v[2]));
  });
  if (failed(next))
    return failure();
  return SmallVector<Tensor>{*next};
}

FailureOr<SmallVector<Tensor>> Direction::stepLSTM(const Tensor &gates, const Tensor &h, const Tensor &c) {
  FailureOr<Tensor> before = matmul(node, h, recurrence, false, true);
  FailureOr<Tensor> all = failed(before) ? before : add(gates, *before);
  if (failed(all))
    return failure();
  // Of the state through a peephole, where there is one.
  auto peeped = [&](int64_t which, int64_t peephole, const Tensor &cell) -> FailureOr<Tensor> {
    if (peepholes.type == DataType::Undefined)
      return activate(0, gate(*all, which));
    FailureOr<Tensor> seen =
        combine({gate(peepholes, peephole), cell}, [](const Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
    return failed(seen) ? seen : activate(0, {gate(*all, which), *seen});
  };
  // Gates are in the order input, output, forget, cell; peepholes input, output, forget.
  FailureOr<Tensor> i = peeped(0, 0, c), g = activate(1, gate(*all, 3));
  FailureOr<Tensor> f = failed(i) ? i
                        : inputForget
                            ? combine(*i, [](const Scalars &s, ValueRange v) { return s.sub(s.constant(1), v[0]); })
                            : peeped(2, 2, c);
  if (failed(f) || failed(g))
    return failure();
  FailureOr<Tensor> cell = combine(
      {*f, c, *i, *g}, [](const Scalars &s, ValueRange v) { return s.add(s.mul(v[0], v[1]), s.mul(v[2], v[3])); });
  FailureOr<Tensor> o = failed(cell) ? cell : peeped(1, 1, *cell);
  if (failed(o))
    return failure();
  FailureOr<Tensor> next =
      combine({*o, *cell}, [&](const Scalars &s, ValueRange v) { return s.mul(v[0], activations[2](s, v[1])); });
  if (failed(next))
    return failure();
  return SmallVector<Tensor>{*next, *cell};
}

FailureOr<SmallVector<Tensor>> Direction::step(const Tensor &gates, ArrayRef<Tensor> states) {
  if (cell == Cell::GRU)
    return stepGRU(gates, states[0]);
  if (cell == Cell::LSTM)
    return stepLSTM(gates, states[0], states[1]);
  FailureOr<Tensor> before = matmul(node, states[0], recurrence, false, true);
  FailureOr<Tensor> next = failed(before) ? before : activate(0, {gates, *before});
  if (failed(next))
    return failure();
  return SmallVector<Tensor>{*next};
}

/// `next` for the sequences that have the step, `otherwise` for those that have ended.
FailureOr<Tensor> Direction::keepEnded(Value step, const Tensor &next, const Tensor &otherwise) {
  const Tensor &lengths = node.input(4);
  Shape column{lengths.shape[0], Size(1)};
  FailureOr<Tensor> limits = reshape(node, lengths, column);
  if (failed(limits))
    return failure();
  Tensor now = integers(node.derived(step), {}, lengths.type);
  FailureOr<Tensor> runs =
      elementwise(node, {now, *limits}, DataType::Bool, [&](OpBuilder &b, Location loc, ValueRange v) {
        return Scalars(b, loc, lengths.type).less(v[0], v[1]);
      });
  if (failed(runs))
    return failure();
  return elementwise(node, {*runs, next, otherwise}, type, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::SelectOp::create(b, loc, v[0], v[1], v[2]);
  });
}

FailureOr<SmallVector<Tensor>> Direction::run(const Tensor &input) {
  type = input.type;
  int64_t gates = gatesOf(cell);
  FailureOr<Tensor> weight = part(1), recurrent = part(2), bias;
  if (failed(weight) || failed(recurrent))
    return failure();
  recurrence = *recurrent;
  FailureOr<Tensor> fromInput = matmul(node, input, *weight, false, true);
  if (failed(fromInput))
    return failure();
  if (node.has(3)) {
    FailureOr<Tensor> both = part(3);
    if (failed(both))
      return failure();
    recurrenceBias = gate(*both, gates, gates);
    bias = gate(*both, 0, gates);
    // Both are added to the same sum, but for a candidate that is reset.
    Tensor more = recurrenceBias;
    if (linearBeforeReset)
      more =
          concat(node, {gate(recurrenceBias, 0, 2), node.make(filled(node, hidden, type, 0), type, Shape{hidden})}, 0);
    bias = add(*bias, more);
    fromInput = failed(bias) ? bias : add(*fromInput, *bias);
    if (failed(fromInput))
      return failure();
  } else if (linearBeforeReset) {
    Shape shape{Size(gates) * hidden};
    recurrenceBias = node.make(filled(node, shape, type, 0), type, shape);
  }
  if (cell == Cell::LSTM && node.has(7)) {
    FailureOr<Tensor> given = part(7);
    if (failed(given))
      return failure();
    peepholes = *given;
  }
  SmallVector<Tensor> states;
  for (size_t i : cell == Cell::LSTM ? SmallVector<size_t>{5, 6} : SmallVector<size_t>{5}) {
    FailureOr<Tensor> initial = state(i, input);
    if (failed(initial))
      return failure();
    states.push_back(*initial);
  }
  const Size &steps = input.shape[0];
  Tensor all = node.make(node.value(*fromInput), type, fromInput->shape);
  FailureOr<SmallVector<Tensor>> results = buildLoop(
      node, steps, states, Stack{0, isReversed},
      [&](Value iteration, ArrayRef<Tensor> carried) -> FailureOr<SmallVector<Tensor>> {
        FailureOr<Tensor> now = elementOf(node, all, 0, iteration, steps, isReversed);
        FailureOr<SmallVector<Tensor>> next = failed(now) ? FailureOr<SmallVector<Tensor>>() : step(*now, carried);
        if (failed(next))
          return failure();
        Tensor output = next->front();
        if (node.has(4)) {
          Value place =
              isReversed
                  ? arith::SubIOp::create(node.builder, node.loc, node.index(steps - Size(1)), iteration).getResult()
                  : iteration;
          Tensor nothing = node.make(filled(node, output.shape, type, 0), type, output.shape);
          FailureOr<Tensor> shown = keepEnded(place, output, nothing);
          if (failed(shown))
            return failure();
          output = *shown;
          for (auto [after, before] : llvm::zip_equal(*next, carried)) {
            FailureOr<Tensor> kept = keepEnded(place, after, before);
            if (failed(kept))
              return failure();
            after = *kept;
          }
        }
        next->push_back(output);
        return next;
      });
  if (failed(results))
    return failure();
  std::rotate(results->begin(), results->end() - 1, results->end());
  return results;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Shapes as ONNX says; sizes that are symbols become what they must be.
LogicalResult checkShapes(Node &node, Cell cell, int64_t directions, const Size &hidden, bool batchFirst) {
  Size gates = Size(gatesOf(cell)) * hidden, count(directions), batch = node.input(0).shape[batchFirst ? 0 : 1];
  Shape state = batchFirst ? Shape{batch, count, hidden} : Shape{count, batch, hidden};
  SmallVector<std::pair<StringRef, Shape>> expected = {{"W", {count, gates, node.input(0).shape[2]}},
                                                       {"R", {count, gates, hidden}},
                                                       {"B", {count, Size(2) * gates}},
                                                       {"sequence_lens", {batch}},
                                                       {"initial_h", state},
                                                       {"initial_c", state},
                                                       {"P", {count, Size(3) * hidden}}};
  for (auto [i, named] : llvm::enumerate(expected))
    if (node.has(i + 1) &&
        failed(expectEqual(node, node.input(i + 1).shape, named.second, "the shape of " + named.first)))
      return failure();
  return success();
}

template <Cell cell>
LogicalResult importRecurrent(Node &node) {
  if (failed(node.expectInputs(3, cell == Cell::LSTM ? 8 : 6)) || failed(node.expectFloat(0)) ||
      failed(node.expectType(4, DataType::Int32)))
    return failure();
  for (size_t i = 1; i < node.numInputs(); ++i)
    if (i != 4 && failed(node.expectType(i, node.input(0).type)))
      return failure();
  FailureOr<std::string> way = node.text("direction", StringRef("forward"));
  FailureOr<int64_t> layout = node.integer("layout", 0), inputForget = 0, linearBeforeReset = 0;
  FailureOr<double> clip = node.real("clip", 0.0);
  if (cell == Cell::LSTM)
    inputForget = node.integer("input_forget", 0);
  if (cell == Cell::GRU)
    linearBeforeReset = node.integer("linear_before_reset", 0);
  if (failed(way) || failed(layout) || failed(clip) || failed(inputForget) || failed(linearBeforeReset))
    return failure();
  if (*way != "forward" && *way != "reverse" && *way != "bidirectional")
    return node.error() << "attribute 'direction' is '" << *way << "', expected forward, reverse or bidirectional";
  if (*layout != 0 && *layout != 1)
    return node.error() << "attribute 'layout' is " << *layout << ", expected 0 or 1";
  if (node.input(0).rank() != 3 || node.input(2).rank() != 3)
    return node.error() << "inputs 0 and 2 have ranks " << node.input(0).rank() << " and " << node.input(2).rank()
                        << ", expected 3";
  int64_t directions = *way == "bidirectional" ? 2 : 1;
  Size hidden = node.input(2).shape[2];
  FailureOr<int64_t> said = node.integer("hidden_size", hidden.getConstant().value_or(0));
  if (failed(said))
    return failure();
  if (hidden.getConstant() && *said != *hidden.getConstant())
    return node.error() << "attribute 'hidden_size' is " << *said << ", but R has " << *hidden.getConstant();
  SmallVector<StringRef> defaults = cell == Cell::RNN   ? SmallVector<StringRef>{"tanh"}
                                    : cell == Cell::GRU ? SmallVector<StringRef>{"sigmoid", "tanh"}
                                                        : SmallVector<StringRef>{"sigmoid", "tanh", "tanh"};
  FailureOr<SmallVector<Activation>> activations = readActivations(node, defaults, directions);
  if (failed(activations) || failed(checkShapes(node, cell, directions, hidden, *layout == 1)))
    return failure();

  DataType stored = node.input(0).type;
  Tensor input = cast(node, *layout ? transpose(node, node.input(0), {1, 0, 2}) : node.input(0), computeType(stored));
  // For each result: what the directions have, with a dimension for these.
  SmallVector<SmallVector<Tensor>> parts(cell == Cell::LSTM ? 3 : 2);
  for (int64_t i = 0; i < directions; ++i) {
    Direction direction(node, cell, i, *way == "reverse" || i == 1, hidden,
                        ArrayRef<Activation>(*activations).slice(i * defaults.size(), defaults.size()));
    direction.clip = *clip;
    direction.inputForget = *inputForget != 0;
    direction.linearBeforeReset = *linearBeforeReset != 0;
    direction.batchFirst = *layout == 1;
    FailureOr<SmallVector<Tensor>> results = direction.run(input);
    if (failed(results))
      return failure();
    for (auto [k, result] : llvm::enumerate(*results)) {
      Shape shape(result.shape);
      shape.insert(shape.begin() + (k == 0 ? 1 : 0), Size(1));
      FailureOr<Tensor> expanded = reshape(node, cast(node, result, stored), shape);
      if (failed(expanded))
        return failure();
      parts[k].push_back(*expanded);
    }
  }
  for (auto [k, all] : llvm::enumerate(parts))
    if (k < node.numOutputs() && node.wants(k)) {
      Tensor joined = all.size() == 1 ? all.front() : concat(node, all, k == 0 ? 1 : 0);
      if (*layout == 1)
        joined = transpose(node, joined, k == 0 ? SmallVector<int64_t>{2, 0, 1, 3} : SmallVector<int64_t>{1, 0, 2});
      node.set(k, joined);
    }
  return success();
}

} // namespace

void attn::onnx::registerRecurrent(Registry &registry) {
  registry.add("RNN", importRecurrent<Cell::RNN>);
  registry.add("GRU", importRecurrent<Cell::GRU>);
  registry.add("LSTM", importRecurrent<Cell::LSTM>);
}
