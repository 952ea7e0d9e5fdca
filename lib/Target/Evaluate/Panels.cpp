//===- Panels.cpp - A matrix as panels of transposed rows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Most bytes of a library go through here, so it reads a block of each of a panel's rows into a buffer that fits the
// first-level cache and turns it there.
//
//===----------------------------------------------------------------------===//

#include "Evaluators.h"

using namespace mlir;
using namespace attn;

namespace {
class PanelsEvaluator final : public WeightEvaluator {
public:
  PanelsEvaluator(PanelsAttr panels, unsigned elementSize, Evaluator from)
      : WeightEvaluator(panels.getValueType(), elementSize), source(std::move(from)), width(panels.getWidth()),
        rows(source->getType().getDimSize(0)), columns(source->getType().getDimSize(1)) {}

  void read(uint64_t first, uint64_t count, char *out) const override {
    switch (getElementSize()) {
    case 1:
      return readAs<uint8_t>(first, count, out);
    case 2:
      return readAs<uint16_t>(first, count, out);
    case 4:
      return readAs<uint32_t>(first, count, out);
    default:
      return readAs<uint64_t>(first, count, out);
    }
  }
  llvm::Error check() const override { return source->check(); }

private:
  /// Columns read from a row at a time.
  static constexpr uint64_t kColumns = 128;
  /// Rows that are turned together; wider panels take several rounds.
  static constexpr uint64_t kRows = 64;

  template <typename T>
  void readAs(uint64_t first, uint64_t count, char *out) const {
    SmallVector<char, 0> buffer; // Not for single elements.
    while (count) {
      uint64_t lane = first % width, column = first / width % columns, panel = first / width / columns;
      uint64_t done;
      if (lane == 0 && count >= width) {
        uint64_t n = std::min({columns - column, count / width, kColumns});
        buffer.resize_for_overwrite(kRows * kStride<T> * sizeof(T));
        for (uint64_t j = 0; j < width; j += kRows)
          turn<T>(panel, column, n, j, std::min(kRows, width - j), out, buffer.data());
        done = n * width;
      } else {
        done = std::min(width - lane, count);
        for (uint64_t i = 0; i < done; ++i) {
          uint64_t row = panel * width + lane + i;
          if (row < rows)
            source->read(row * columns + column, 1, out + i * sizeof(T));
          else
            memset(out + i * sizeof(T), 0, sizeof(T));
        }
      }
      first += done;
      count -= done;
      out += done * sizeof(T);
    }
  }

  /// Elements between two rows in the buffer: not a power of two, so that a column's elements don't share a cache set.
  template <typename T>
  static constexpr uint64_t kStride = kColumns + 64 / sizeof(T);

  /// out[k * width + first + j] for n columns k from `column` on and `lanes` lanes j.
  template <typename T>
  void turn(uint64_t panel, uint64_t column, uint64_t n, uint64_t first, uint64_t lanes, char *out,
            char *buffer) const {
    for (uint64_t j = 0; j < lanes; ++j) {
      uint64_t row = panel * width + first + j;
      char *into = buffer + j * kStride<T> * sizeof(T);
      if (row < rows)
        source->read(row * columns + column, n, into);
      else
        memset(into, 0, n * sizeof(T));
    }
    // `out` may stand at any byte: a weight's file offset or a caller's block need no alignment.
    for (uint64_t k = 0; k < n; ++k) {
      char *line = out + (k * width + first) * sizeof(T);
      for (uint64_t j = 0; j < lanes; ++j)
        memcpy(line + j * sizeof(T), buffer + (j * kStride<T> + k) * sizeof(T), sizeof(T));
    }
  }

  Evaluator source;
  uint64_t width, rows, columns;
};
} // namespace

Evaluator attn::createPanelsEvaluator(PanelsAttr panels, unsigned elementSize, Evaluator source) {
  return std::make_unique<PanelsEvaluator>(panels, elementSize, std::move(source));
}
