//===- Machine.h - The state of an interpretation ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops are grouped by family, one file each; a family's function runs an op that it knows and says whether it did.
// Scalars and tensors are both Items, since regions compute with scalars element by element.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_MACHINE_H
#define ATTN_REFERENCE_MACHINE_H

#include "attn/Reference/Interpreter.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>

namespace attn::reference {

/// A value at run time: a floating-point number, an integer (of i1: 0 or 1; of others: sign-extended), or a tensor.
struct Item {
  double number = 0;
  int64_t integer = 0;
  std::shared_ptr<const Tensor> tensor;

  static Item ofNumber(double number) { return {number, 0, nullptr}; }
  static Item ofInteger(int64_t integer) { return {0, integer, nullptr}; }
  static Item of(Tensor tensor) { return {0, 0, std::make_shared<const Tensor>(std::move(tensor))}; }
  /// Element `offset` of a tensor.
  static Item elementOf(const Tensor &tensor, int64_t offset) {
    return tensor.isFloat ? ofNumber(tensor.floats[offset]) : ofInteger(tensor.integers[offset]);
  }
};

/// Writes a scalar to an element.
inline void store(Tensor &tensor, int64_t offset, const Item &scalar) {
  if (tensor.isFloat)
    tensor.floats[offset] = scalar.number;
  else
    tensor.integers[offset] = scalar.integer;
}

class Machine {
public:
  explicit Machine(WeightReader reader) : reader(reader) {}

  /// Runs the ops of `block` for `arguments`; the operands of its terminator.
  llvm::Expected<llvm::SmallVector<Item>> run(mlir::Block &block, llvm::ArrayRef<Item> arguments);

  /// The first operand of the terminator.
  llvm::Expected<Item> evaluate(mlir::Block &block, llvm::ArrayRef<Item> arguments);

  /// Runs one op and sets its results.
  llvm::Error run(mlir::Operation *op);

  const Item &get(mlir::Value value) { return items.find(value)->second; }
  const Tensor &tensor(mlir::Value value) { return *get(value).tensor; }
  /// The tensor of an optional operand, or null.
  const Tensor *tensorOrNull(mlir::Value value) { return value ? get(value).tensor.get() : nullptr; }
  void set(mlir::Value value, Item item) { items[value] = std::move(item); }
  void set(mlir::Value value, Tensor tensor) { items[value] = Item::of(std::move(tensor)); }

  /// The run-time value of an index attribute or value.
  int64_t index(mlir::OpFoldResult value);
  llvm::SmallVector<int64_t> indices(llvm::ArrayRef<mlir::OpFoldResult> values);

  WeightReader getReader() const { return reader; }

  /// The indices of the linalg op that is being run, for linalg.index.
  llvm::SmallVector<llvm::SmallVector<int64_t>> loops;

private:
  llvm::DenseMap<mlir::Value, Item> items;
  WeightReader reader;
};

/// An error with the op's location and name.
llvm::Error fail(mlir::Operation *op, const llvm::Twine &message);

/// An error where `tensor`, which messages call `name`, has another shape.
llvm::Error expectShape(mlir::Operation *op, llvm::StringRef name, const Tensor &tensor, llvm::ArrayRef<int64_t> shape);

/// True where elements of `type`, or `type` itself, are floating-point.
bool isFloat(mlir::Type type);

/// Each runs `op` if it is of its family: true if it did.
llvm::Expected<bool> runScalarOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runTensorOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runLinalgOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runControlOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runRowOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runAttentionOp(Machine &machine, mlir::Operation *op);
llvm::Expected<bool> runBlockOp(Machine &machine, mlir::Operation *op);

/// The value of an elements attribute or of a scalar attribute, as arith.constant holds them.
llvm::Expected<Item> itemOf(mlir::Operation *op, mlir::Attribute value);

/// The value of an affine expression or map.
int64_t evaluateAffine(mlir::AffineExpr expr, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> symbols = {});
llvm::SmallVector<int64_t> evaluateAffine(mlir::AffineMap map, llvm::ArrayRef<int64_t> dims,
                                          llvm::ArrayRef<int64_t> symbols = {});

} // namespace attn::reference

#endif // ATTN_REFERENCE_MACHINE_H
