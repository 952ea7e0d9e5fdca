//===- Heads.cpp - What stands on top of an encoder -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Heads.h"
#include "Architectures.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

Value attn::huggingface::buildFirstRow(ModelBuilder &model, Value rows) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(model.builder(), model.loc(), rows);
  return buildPooling(model, rows, /*mask=*/Value(), sizes, Pooling::First);
}

Expected<Value> attn::huggingface::buildDenseHead(ModelBuilder &model, Value rows, const DenseHead &head, int64_t out) {
  model.setLocation(head.name);
  Expected<Value> dense = model.linear(buildFirstRow(model, rows), head.name, out);
  if (!dense)
    return dense.takeError();
  return createActivation(model.builder(), model.loc(), head.activation, *dense);
}

llvm::Error attn::huggingface::addLogits(ModelBuilder &model, Value rows, StringRef name, int64_t numLabels,
                                         ArrayRef<Extent> dimensions) {
  model.setLocation(name);
  Expected<Value> logits = model.linear(rows, name, numLabels);
  if (!logits)
    return logits.takeError();
  SmallVector<Extent> shape(dimensions);
  shape.push_back(numLabels);
  model.addOutput("logits", *logits, shape);
  return llvm::Error::success();
}
