//===- AttentionOps.cpp - Attention, whole and in tiles ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attn.attention as its formula says, one query after another; the tiled ops as theirs do.
//
//===----------------------------------------------------------------------===//

#include "Layers.h"
#include "Machine.h"
#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

/// attn.attention at run time: a point of the iteration space (b, h, q, k, d, e) and what stands there.
class Attention {
public:
  Attention(Machine &machine, AttentionOp op) : machine(machine), op(op) {}

  llvm::Error run();

private:
  using Point = std::array<int64_t, 6>;

  llvm::Error bindExtents();
  llvm::Error bindExtents(StringRef name, const Tensor &tensor, AffineMap map);
  llvm::Error runRow(Point point);
  llvm::Expected<bool> counts(const Point &point);
  llvm::Expected<double> score(Point point);
  /// The arguments of a region after the score: indices, mapped elements, whole tensors.
  SmallVector<Item> regionArguments(const Point &point);

  const Tensor &tensor(Value value) { return machine.tensor(value); }
  static int64_t offset(const Tensor &tensor, AffineMap map, const Point &point) {
    return tensor.offset(evaluateAffine(map, point));
  }

  Machine &machine;
  AttentionOp op;
  Point extents;
  std::array<int64_t, 4> offsets = {0, 0, 0, 0};
  double scale = 1;
  Tensor output, logSumExp;
};

} // namespace

llvm::Error Attention::bindExtents(StringRef name, const Tensor &tensor, AffineMap map) {
  for (auto [result, have] : llvm::zip_equal(map.getResults(), tensor.shape)) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    if (!dim) {
      auto group = cast<AffineBinaryOpExpr>(result);
      int64_t whole = extents[cast<AffineDimExpr>(group.getLHS()).getPosition()];
      int64_t size = cast<AffineConstantExpr>(group.getRHS()).getValue();
      if (have != llvm::divideCeilSigned(whole, size))
        return fail(op, name + " has " + llvm::Twine(have) + " groups of " + llvm::Twine(size) + " for an extent of " +
                            llvm::Twine(whole));
      continue;
    }
    int64_t &extent = extents[dim.getPosition()];
    if (extent >= 0 && extent != have)
      return fail(op, name + " has extent " + llvm::Twine(have) + " where others have " + llvm::Twine(extent));
    extent = have;
  }
  return llvm::Error::success();
}

llvm::Error Attention::bindExtents() {
  extents.fill(-1);
  SmallVector<std::tuple<StringRef, Value, AffineMap>> operands = {{"init", op.getInit(), op.getInitMap()},
                                                                   {"query", op.getQuery(), op.getQueryMap()},
                                                                   {"key", op.getKey(), op.getKeyMap()},
                                                                   {"value", op.getValue(), op.getValueMap()}};
  for (auto [i, mapped] : llvm::enumerate(op.getMapped()))
    operands.emplace_back("mapped", mapped, op.getMappedMap(i));
  if (op.getLogSumExp())
    operands.emplace_back("log_sum_exp", op.getLogSumExp(), op.getLogSumExpMap());
  for (auto [name, value, map] : operands)
    if (llvm::Error error = bindExtents(name, tensor(value), map))
      return error;
  if (op.getRanges())
    if (llvm::Error error = expectShape(op, "ranges", tensor(op.getRanges()), {extents[AttentionOp::Batch], 4}))
      return error;
  if (op.getKeyMask())
    return expectShape(op, "key_mask", tensor(op.getKeyMask()),
                       {extents[AttentionOp::Batch], extents[AttentionOp::Key]});
  return llvm::Error::success();
}

SmallVector<Item> Attention::regionArguments(const Point &point) {
  SmallVector<Item> arguments;
  for (unsigned dim = 0; dim < 4; ++dim)
    arguments.push_back(Item::ofInteger(point[dim] + offsets[dim]));
  for (auto [i, mapped] : llvm::enumerate(op.getMapped()))
    arguments.push_back(Item::elementOf(tensor(mapped), offset(tensor(mapped), op.getMappedMap(i), point)));
  for (Value whole : op.getWhole())
    arguments.push_back(machine.get(whole));
  return arguments;
}

llvm::Expected<bool> Attention::counts(const Point &point) {
  int64_t b = point[AttentionOp::Batch], k = point[AttentionOp::Key];
  if (op.getRanges()) {
    ArrayRef<int64_t> range = ArrayRef(tensor(op.getRanges()).integers).slice(b * 4, 2);
    int64_t global = k + offsets[AttentionOp::Key];
    if (global < range[0] || global >= range[1])
      return false;
  }
  if (op.getKeyMask() && tensor(op.getKeyMask()).integers[b * extents[AttentionOp::Key] + k] == 0)
    return false;
  if (op.getMask().empty())
    return true;
  llvm::Expected<Item> item = machine.evaluate(op.getMask().front(), regionArguments(point));
  if (!item)
    return item.takeError();
  return item->integer != 0;
}

llvm::Expected<double> Attention::score(Point point) {
  const Tensor &query = tensor(op.getQuery()), &key = tensor(op.getKey());
  double sum = 0;
  for (int64_t d = 0; d < extents[AttentionOp::QueryChannel]; ++d) {
    point[AttentionOp::QueryChannel] = d;
    sum += query.floats[offset(query, op.getQueryMap(), point)] * key.floats[offset(key, op.getKeyMap(), point)];
  }
  if (op.getScore().empty())
    return scale * sum;
  SmallVector<Item> arguments = {Item::ofNumber(scale * sum)};
  llvm::append_range(arguments, regionArguments(point));
  llvm::Expected<Item> item = machine.evaluate(op.getScore().front(), arguments);
  if (!item)
    return item.takeError();
  return item->number;
}

llvm::Error Attention::runRow(Point point) {
  const Tensor &value = tensor(op.getValue());
  auto at = [&](unsigned dim, int64_t index) {
    Point moved = point;
    moved[dim] = index;
    return moved;
  };
  llvm::Expected<double> total =
      attend({extents[AttentionOp::Key], extents[AttentionOp::ValueChannel], op.getEmpty(),
              [&](int64_t k) { return counts(at(AttentionOp::Key, k)); },
              [&](int64_t k) { return score(at(AttentionOp::Key, k)); },
              [&](int64_t k, int64_t e) {
                Point moved = at(AttentionOp::Key, k);
                moved[AttentionOp::ValueChannel] = e;
                return value.floats[offset(value, op.getValueMap(), moved)];
              },
              [&](int64_t e, double sum) {
                output.floats[offset(output, op.getInitMap(), at(AttentionOp::ValueChannel, e))] = sum;
              }});
  if (!total)
    return total.takeError();
  if (op.getLogSumExp())
    logSumExp.floats[offset(logSumExp, op.getLogSumExpMap(), point)] = *total;
  return llvm::Error::success();
}

llvm::Error Attention::run() {
  if (op->getNumResults() == 0)
    return fail(op, "the reference works on tensors only");
  if (llvm::Error error = bindExtents())
    return error;
  scale = op.getScale() ? op.getScale()->convertToDouble() : 1 / std::sqrt(double(extents[AttentionOp::QueryChannel]));
  for (auto [offset, value] : llvm::zip(offsets, op.getOffsets()))
    offset = machine.get(value).integer;
  output = Tensor(tensor(op.getInit()).shape, /*isFloat=*/true);
  if (op.getLogSumExp())
    logSumExp = Tensor(tensor(op.getLogSumExp()).shape, /*isFloat=*/true);
  llvm::Error error = llvm::Error::success();
  forEachIndex(ArrayRef(extents).take_front(3), [&](ArrayRef<int64_t> index) {
    error = llvm::joinErrors(std::move(error), runRow({index[0], index[1], index[2], 0, 0, 0}));
    return !error;
  });
  if (error)
    return error;
  machine.set(op->getResult(0), std::move(output));
  if (op.getLogSumExp())
    machine.set(op->getResult(1), std::move(logSumExp));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// exp(from - to), where two minus infinities are 0 apart only in name: no key has come yet.
static double rescale(double from, double to) { return from == -kInfinity ? 0 : std::exp(from - to); }

namespace {
/// What counts and what is scored in a tile, key `k` of the block and query `j` of the tile.
class TileRegions {
public:
  TileRegions(Machine &machine, OnlineAttentionOp op) : machine(machine), op(op) {
    for (auto [index, value] : llvm::zip(indices, op.getIndices()))
      index = machine.get(value).integer;
    if (op.getLower())
      lower = machine.get(op.getLower()).integer;
    if (op.getUpper())
      upper = machine.get(op.getUpper()).integer;
  }

  /// Rows that mapped operands have; lanes after them see anything.
  bool hasRow(int64_t j) {
    return llvm::all_of(llvm::seq<unsigned>(op.getMapped().size()), [&](unsigned i) {
      std::optional<unsigned> row = op.getMap(i).getResultPosition(getAffineDimExpr(0, op.getContext()));
      return !row || j < machine.tensor(op.getMapped()[i]).shape[*row];
    });
  }

  llvm::Expected<bool> counts(int64_t j, int64_t k) {
    if (k - j < lower || k - j > upper)
      return false;
    if (op.getMask().empty() || !hasRow(j))
      return true;
    llvm::Expected<Item> item = machine.evaluate(op.getMask().front(), arguments(j, k));
    if (!item)
      return item.takeError();
    return item->integer != 0;
  }

  llvm::Expected<double> score(double scaled, int64_t j, int64_t k) {
    if (op.getScore().empty() || !hasRow(j))
      return scaled;
    SmallVector<Item> all = {Item::ofNumber(scaled)};
    llvm::append_range(all, arguments(j, k));
    llvm::Expected<Item> item = machine.evaluate(op.getScore().front(), all);
    if (!item)
      return item.takeError();
    return item->number;
  }

private:
  SmallVector<Item> arguments(int64_t j, int64_t k) {
    SmallVector<Item> items;
    for (auto [dim, index] : llvm::enumerate(indices))
      items.push_back(Item::ofInteger(index + (dim == 2 ? j : dim == 3 ? k : 0)));
    for (auto [i, mapped] : llvm::enumerate(op.getMapped())) {
      const Tensor &tensor = machine.tensor(mapped);
      items.push_back(Item::elementOf(tensor, tensor.offset(evaluateAffine(op.getMap(i), {j, k}))));
    }
    return items;
  }

  Machine &machine;
  OnlineAttentionOp op;
  std::array<int64_t, 4> indices = {0, 0, 0, 0};
  int64_t lower = std::numeric_limits<int64_t>::min(), upper = std::numeric_limits<int64_t>::max();
};
} // namespace

static llvm::Error onlineAttention(Machine &machine, OnlineAttentionOp op) {
  const Tensor &queries = machine.tensor(op.getQueries()), &key = machine.tensor(op.getKey());
  const Tensor &value = machine.tensor(op.getValue());
  const Tensor *mask = machine.tensorOrNull(op.getKeyMask());
  Tensor accumulator = machine.tensor(op.getAccumulator()), maximum = machine.tensor(op.getMaximum());
  Tensor sum = machine.tensor(op.getSum());
  int64_t depth = queries.shape[1], lanes = queries.shape[2], keys = key.shape[0], channels = value.shape[1];
  if (llvm::Error error = expectShape(op, "value", value, {keys, channels}))
    return error;
  if (mask)
    if (llvm::Error error = expectShape(op, "key_mask", *mask, {keys}))
      return error;
  double scale = op.getScale().convertToDouble();
  TileRegions regions(machine, op);
  for (int64_t j = 0; j < lanes; ++j) {
    SmallVector<double> scores(keys, -kInfinity);
    double next = maximum.floats[j];
    for (int64_t k = 0; k < keys; ++k) {
      if (mask && mask->integers[k] == 0)
        continue;
      llvm::Expected<bool> counts = regions.counts(j, k);
      if (!counts)
        return counts.takeError();
      if (!*counts)
        continue;
      double dot = 0;
      for (int64_t d = 0; d < depth; ++d)
        dot += key.floats[k * depth + d] * queries.floats[d * lanes + j];
      llvm::Expected<double> score = regions.score(scale * dot, j, k);
      if (!score)
        return score.takeError();
      scores[k] = *score;
      next = std::max(next, scores[k]);
    }
    double factor = rescale(maximum.floats[j], next);
    sum.floats[j] *= factor;
    for (int64_t e = 0; e < channels; ++e)
      accumulator.floats[j * channels + e] *= factor;
    for (int64_t k = 0; k < keys; ++k) {
      double weight = rescale(scores[k], next);
      sum.floats[j] += weight;
      for (int64_t e = 0; e < channels; ++e)
        accumulator.floats[j * channels + e] += weight * value.floats[k * channels + e];
    }
    maximum.floats[j] = next;
  }
  machine.set(op->getResult(0), std::move(accumulator));
  machine.set(op->getResult(1), std::move(maximum));
  machine.set(op->getResult(2), std::move(sum));
  return llvm::Error::success();
}

static llvm::Error onlineFinish(Machine &machine, OnlineFinishOp op) {
  const Tensor &accumulator = machine.tensor(op.getAccumulator()), &maximum = machine.tensor(op.getMaximum());
  const Tensor &sum = machine.tensor(op.getSum());
  Tensor result(machine.tensor(op.getInit()).shape, /*isFloat=*/true);
  int64_t rows = result.shape[0], channels = result.shape[1];
  if (rows > accumulator.shape[0])
    return fail(op, "init has more rows than there are queries");
  for (int64_t j = 0; j < rows; ++j)
    for (int64_t e = 0; e < channels; ++e)
      result.floats[j * channels + e] = sum.floats[j] == 0 ? 0 : accumulator.floats[j * channels + e] / sum.floats[j];
  machine.set(op->getResult(0), std::move(result));
  if (op.getLogSumExp()) {
    Tensor logs({rows}, /*isFloat=*/true);
    for (int64_t j = 0; j < rows; ++j)
      logs.floats[j] = maximum.floats[j] + std::log(sum.floats[j]);
    machine.set(op->getResult(1), std::move(logs));
  }
  return llvm::Error::success();
}

llvm::Expected<bool> reference::runAttentionOp(Machine &machine, Operation *op) {
  if (!isa<AttentionOp, OnlineAttentionOp, OnlineFinishOp>(op))
    return false;
  if (op->getNumResults() == 0)
    return fail(op, "the reference works on tensors only");
  llvm::Error error = llvm::TypeSwitch<Operation *, llvm::Error>(op)
                          .Case([&](AttentionOp op) { return Attention(machine, op).run(); })
                          .Case([&](OnlineAttentionOp op) { return onlineAttention(machine, op); })
                          .Case([&](OnlineFinishOp op) { return onlineFinish(machine, op); });
  if (error)
    return std::move(error);
  return true;
}
