//===- Rearrange.cpp - Concatenation, slice, reshape, transpose -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All of these are runs of the source in another order. A run of the result is cut where the source's runs end.
//
//===----------------------------------------------------------------------===//

#include "Evaluators.h"

using namespace mlir;
using namespace attn;

static uint64_t product(ArrayRef<int64_t> sizes) {
  uint64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}

namespace {
/// An evaluator over one other.
class UnaryEvaluator : public WeightEvaluator {
public:
  UnaryEvaluator(RankedTensorType type, unsigned elementSize, Evaluator source)
      : WeightEvaluator(type, elementSize), source(std::move(source)) {}
  llvm::Error check() const override { return source->check(); }

protected:
  Evaluator source;
};

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

/// The value is `outer` rows, each made of one row of every part.
class ConcatEvaluator final : public WeightEvaluator {
public:
  ConcatEvaluator(ConcatAttr concat, unsigned elementSize, std::vector<Evaluator> parts)
      : WeightEvaluator(concat.getValueType(), elementSize), parts(std::move(parts)) {
    for (const Evaluator &part : this->parts) {
      rowSizes.push_back(product(part->getType().getShape().drop_front(concat.getAxis())));
      rowSize += rowSizes.back();
    }
  }
  void read(uint64_t first, uint64_t count, char *out) const override {
    while (count) {
      uint64_t row = first / rowSize, column = first % rowSize;
      for (size_t i = 0; i < parts.size() && count; ++i) {
        if (column >= rowSizes[i]) {
          column -= rowSizes[i];
          continue;
        }
        uint64_t run = std::min(rowSizes[i] - column, count);
        parts[i]->read(row * rowSizes[i] + column, run, out);
        out += run * getElementSize();
        first += run;
        count -= run;
        column = 0;
      }
    }
  }
  llvm::Error check() const override {
    for (const Evaluator &part : parts)
      if (llvm::Error error = part->check())
        return error;
    return llvm::Error::success();
  }

private:
  std::vector<Evaluator> parts;
  SmallVector<uint64_t> rowSizes;
  uint64_t rowSize = 0;
};

//===----------------------------------------------------------------------===//
// slice, reshape
//===----------------------------------------------------------------------===//

class SliceEvaluator final : public UnaryEvaluator {
public:
  SliceEvaluator(SliceAttr slice, unsigned elementSize, Evaluator inner)
      : UnaryEvaluator(slice.getValueType(), elementSize, std::move(inner)), sizes(slice.getSizes().asArrayRef()) {
    ArrayRef<int64_t> offsets = slice.getOffsets().asArrayRef(), shape = source->getType().getShape();
    strides.resize(sizes.size());
    uint64_t stride = 1;
    for (size_t i = sizes.size(); i-- > 0;) {
      strides[i] = stride;
      start += offsets[i] * stride;
      stride *= shape[i];
    }
    // Trailing dimensions taken whole, and the one before them, are consecutive in the source.
    while (runDim > 0 && (runDim == sizes.size() || sizes[runDim] == shape[runDim]))
      runSize *= sizes[--runDim];
  }
  void read(uint64_t first, uint64_t count, char *out) const override {
    while (count) {
      uint64_t index = first / runSize, skip = first % runSize, position = start + skip;
      for (size_t i = runDim; i-- > 0;) {
        position += index % sizes[i] * strides[i];
        index /= sizes[i];
      }
      uint64_t run = std::min(runSize - skip, count);
      source->read(position, run, out);
      out += run * getElementSize();
      first += run;
      count -= run;
    }
  }

private:
  SmallVector<int64_t> sizes;
  SmallVector<uint64_t> strides;
  uint64_t start = 0, runSize = 1;
  size_t runDim = sizes.size();
};

class ReshapeEvaluator final : public UnaryEvaluator {
public:
  using UnaryEvaluator::UnaryEvaluator;
  void read(uint64_t first, uint64_t count, char *out) const override { source->read(first, count, out); }
};

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

/// Rows are read along the source's last dimension, so that its runs are as long as the request allows: a run of T
/// source elements becomes T elements of the result, `inner` apart.
class TransposeEvaluator final : public UnaryEvaluator {
public:
  TransposeEvaluator(TransposeAttr transpose, unsigned elementSize, Evaluator from)
      : UnaryEvaluator(transpose.getValueType(), elementSize, std::move(from)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation().asArrayRef(), shape = source->getType().getShape();
    SmallVector<uint64_t> sourceStrides(shape.size());
    uint64_t stride = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      sourceStrides[i] = stride;
      stride *= shape[i];
    }
    for (size_t i = 0; i < permutation.size(); ++i) {
      sizes.push_back(shape[permutation[i]]);
      strides.push_back(sourceStrides[permutation[i]]);
      if (permutation[i] + 1 == int64_t(shape.size()))
        runDim = i;
    }
    for (size_t i = runDim + 1; i < sizes.size(); ++i)
      inner *= sizes[i];
  }

  void read(uint64_t first, uint64_t count, char *out) const override {
    if (sizes.empty())
      return source->read(first, count, out);
    const unsigned size = getElementSize();
    uint64_t length = sizes[runDim];
    while (count) {
      uint64_t column = first % inner, along = first / inner % length, outer = first / inner / length;
      uint64_t position = locate(outer, 0, runDim) + along;
      uint64_t done;
      if (inner == 1) {
        done = std::min(length - along, count);
        source->read(position, done, out);
      } else if (column == 0 && count >= inner) {
        uint64_t run = std::min({length - along, count / inner, uint64_t(kMaxRun)});
        char buffer[kMaxRun * 8];
        for (uint64_t i = 0; i < inner; ++i) {
          source->read(position + locate(i, runDim + 1, sizes.size()), run, buffer);
          for (uint64_t t = 0; t < run; ++t)
            memcpy(out + (t * inner + i) * size, buffer + t * size, size);
        }
        done = run * inner;
      } else {
        done = std::min(inner - column, count);
        for (uint64_t i = 0; i < done; ++i)
          source->read(position + locate(column + i, runDim + 1, sizes.size()), 1, out + i * size);
      }
      first += done;
      count -= done;
      out += done * size;
    }
  }

private:
  /// Where in the source the element stands whose dimensions [begin, end) of the result have row-major index `index`.
  uint64_t locate(uint64_t index, size_t begin, size_t end) const {
    uint64_t position = 0;
    for (size_t i = end; i-- > begin;) {
      position += index % sizes[i] * strides[i];
      index /= sizes[i];
    }
    return position;
  }

  static constexpr unsigned kMaxRun = 64;
  SmallVector<uint64_t> sizes, strides;
  size_t runDim = 0;
  uint64_t inner = 1;
};
} // namespace

Evaluator attn::createConcatEvaluator(ConcatAttr concat, unsigned elementSize, std::vector<Evaluator> parts) {
  return std::make_unique<ConcatEvaluator>(concat, elementSize, std::move(parts));
}
Evaluator attn::createSliceEvaluator(SliceAttr slice, unsigned elementSize, Evaluator source) {
  return std::make_unique<SliceEvaluator>(slice, elementSize, std::move(source));
}
Evaluator attn::createReshapeEvaluator(ReshapeAttr reshape, unsigned elementSize, Evaluator source) {
  return std::make_unique<ReshapeEvaluator>(reshape.getValueType(), elementSize, std::move(source));
}
Evaluator attn::createTransposeEvaluator(TransposeAttr transpose, unsigned elementSize, Evaluator source) {
  return std::make_unique<TransposeEvaluator>(transpose, elementSize, std::move(source));
}
