//===- Epilogue.cpp - Scalar regions on vectors -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Epilogue.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

std::string attn::whyNotElementwise(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (matchPattern(&op, m_Constant()))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&op) || op.getNumRegions() != 0)
      return ("'" + op.getName().getStringRef() + "' is not elementwise").str();
    for (Type type : op.getResultTypes())
      if (!VectorType::isValidElementType(type))
        return ("'" + op.getName().getStringRef() + "' has a result that no vector can hold").str();
  }
  return "";
}

VectorEmitter::Values attn::emitElementwise(VectorEmitter &emitter, Block &block, ValueRange arguments) {
  OpBuilder &builder = emitter.getBuilder();
  IRMapping vectors;
  vectors.map(block.getArguments(), arguments);
  auto vectorOf = [&](Value value) { return vectors.lookup(value); };
  for (Operation &op : block.without_terminator()) {
    // What is the same in all lanes is computed once.
    bool inLanes =
        llvm::any_of(op.getOperands(), [&](Value operand) { return isa<VectorType>(vectorOf(operand).getType()); });
    if (!inLanes) {
      builder.clone(op, vectors);
      continue;
    }
    VectorEmitter::Values operands =
        llvm::map_to_vector(op.getOperands(), [&](Value operand) { return emitter.inLanes(vectorOf(operand)); });
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      types.push_back(emitter.vectorType(type));
    OperationState state(op.getLoc(), op.getName(), operands, types, op.getAttrs());
    vectors.map(op.getResults(), builder.create(state)->getResults());
  }
  return llvm::map_to_vector(block.getTerminator()->getOperands(),
                             [&](Value result) { return emitter.inLanes(vectorOf(result)); });
}
