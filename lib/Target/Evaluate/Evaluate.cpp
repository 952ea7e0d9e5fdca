//===- Evaluate.cpp - From an expression to its evaluator -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions are trees of attributes; a tree of evaluators of the same form is built bottom-up. What can go wrong is
// checked here, once, so that reading needs no checks but that the files are still there.
//
//===----------------------------------------------------------------------===//

#include "Evaluators.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using llvm::Expected;
using llvm::formatv;
using namespace mlir;
using namespace attn;

WeightEvaluator::WeightEvaluator(RankedTensorType type, unsigned elementSize)
    : type(type), numElements(type.getNumElements()), elementSize(elementSize) {}

WeightEvaluator::~WeightEvaluator() = default;

llvm::Error WeightEvaluator::fill(uint64_t byteOffset, MutableArrayRef<char> block) const {
  uint64_t total = getNumBytes();
  if (byteOffset > total || block.size() > total - byteOffset)
    return makeError(
        formatv("bytes [{0}, {0} + {1}) are outside of a weight of {2} bytes", byteOffset, block.size(), total).str());
  if (block.empty())
    return llvm::Error::success();
  if (llvm::Error error = check())
    return error;

  // A block may begin or end inside of an element: such an element is read aside.
  char element[16];
  uint64_t index = byteOffset / elementSize;
  unsigned skip = byteOffset % elementSize;
  char *out = block.data();
  uint64_t left = block.size();
  if (skip) {
    read(index++, 1, element);
    uint64_t part = std::min<uint64_t>(elementSize - skip, left);
    memcpy(out, element + skip, part);
    out += part;
    left -= part;
  }
  if (uint64_t whole = left / elementSize) {
    read(index, whole, out);
    index += whole;
    out += whole * elementSize;
    left -= whole * elementSize;
  }
  if (left) {
    read(index, 1, element);
    memcpy(out, element, left);
  }
  return llvm::Error::success();
}

Expected<unsigned> attn::getElementBytes(Type type) {
  if (type.isInteger(1))
    return 1;
  if (type.isIntOrFloat() && type.getIntOrFloatBitWidth() % 8 == 0 && type.getIntOrFloatBitWidth() <= 64)
    return type.getIntOrFloatBitWidth() / 8;
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return makeError(formatv("weights of {0} can't be written: elements must be whole bytes, at most 8", name).str());
}

/// The elements of `type` in bytes must be countable in 63 bits, so that no sum of offsets overflows.
static llvm::Error checkSize(RankedTensorType type, unsigned elementSize) {
  int64_t bytes = elementSize;
  for (int64_t size : type.getShape()) {
    if (size == 0)
      return llvm::Error::success();
    if (llvm::MulOverflow(bytes, size, bytes)) {
      std::string name;
      llvm::raw_string_ostream(name) << type;
      return makeError(formatv("a weight of type {0} has too many bytes to count", name).str());
    }
  }
  return llvm::Error::success();
}

Expected<Evaluator> attn::createWeightEvaluator(Attribute expression, FileCache &files) {
  auto value = dyn_cast_or_null<WeightExprInterface>(expression);
  if (!value)
    return makeError("expected a weight expression");
  RankedTensorType type = value.getValueType();
  Expected<unsigned> size = getElementBytes(type.getElementType());
  if (!size)
    return size.takeError();
  if (llvm::Error error = checkSize(type, *size))
    return error;

  using Result = Expected<Evaluator>;
  // Wraps the source's evaluator by `make`, which can't fail.
  auto wrap = [&](Attribute source, function_ref<Evaluator(Evaluator)> make) -> Result {
    Result inner = createWeightEvaluator(source, files);
    if (!inner)
      return inner.takeError();
    return make(std::move(*inner));
  };
  return TypeSwitch<Attribute, Result>(expression)
      .Case([&](FileAttr file) -> Result { return createFileEvaluator(file, *size, files); })
      .Case([&](DenseExprAttr dense) -> Result { return createDenseEvaluator(dense, *size); })
      .Case([&](ConcatAttr concat) -> Result {
        std::vector<Evaluator> parts;
        for (Attribute part : concat.getParts()) {
          Result inner = createWeightEvaluator(part, files);
          if (!inner)
            return inner.takeError();
          parts.push_back(std::move(*inner));
        }
        return createConcatEvaluator(concat, *size, std::move(parts));
      })
      .Case([&](SliceAttr slice) -> Result {
        return wrap(slice.getSource(), [&](Evaluator e) { return createSliceEvaluator(slice, *size, std::move(e)); });
      })
      .Case([&](ReshapeAttr reshape) -> Result {
        return wrap(reshape.getSource(),
                    [&](Evaluator e) { return createReshapeEvaluator(reshape, *size, std::move(e)); });
      })
      .Case([&](TransposeAttr transpose) -> Result {
        return wrap(transpose.getSource(),
                    [&](Evaluator e) { return createTransposeEvaluator(transpose, *size, std::move(e)); });
      })
      .Case([&](ConvertAttr convert) -> Result {
        Result inner = createWeightEvaluator(convert.getSource(), files);
        if (!inner)
          return inner.takeError();
        return createConvertEvaluator(convert, *size, std::move(*inner));
      })
      .Case([&](PanelsAttr panels) -> Result {
        return wrap(panels.getSource(),
                    [&](Evaluator e) { return createPanelsEvaluator(panels, *size, std::move(e)); });
      })
      .Default([&](Attribute) -> Result {
        std::string text;
        llvm::raw_string_ostream(text) << expression;
        return makeError(formatv("no evaluation is known for the weight expression {0}", text).str());
      });
}
