//===- Extents.h - Which dimensions are equal in a function -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dimensions of tensors and index values that a function's operations make or need equal, as a union-find. It tells
// which argument dimension a result's dimension is, and which argument dimensions a caller can't choose apart.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_EXTENTS_H
#define ATTN_LIB_IMPORT_EXTENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>
#include <vector>

namespace attn {

class Extents {
public:
  /// Analyzes the body of `function`. May build operations to ask others for their shapes, and erases them again.
  explicit Extents(mlir::func::FuncOp function);

  /// The class of dimension `dim` of the tensor `value`.
  unsigned classOf(mlir::Value value, int64_t dim);
  /// The one size that the dimensions of a class can have, if a static type or a constant says it.
  std::optional<int64_t> constantOf(unsigned id) { return constants[find(id)]; }

private:
  /// A dimension of a value or a loop dimension of an operation; kScalar is an index value itself.
  using Key = std::pair<const void *, int64_t>;
  static constexpr int64_t kScalar = -1;

  unsigned find(unsigned id);
  unsigned get(Key key);
  unsigned scalar(mlir::OpFoldResult size);
  void join(unsigned a, unsigned b);
  void equal(mlir::Value a, int64_t dimA, mlir::Value b, int64_t dimB);
  void equalShapes(mlir::Value a, mlir::Value b, int64_t count);

  void visit(mlir::Operation *op);
  bool visitTensorOp(mlir::Operation *op);
  bool visitAttnOp(mlir::Operation *op);
  bool visitStructured(mlir::Operation *op);
  void visitReified(mlir::Operation *op);

  llvm::DenseMap<Key, unsigned> ids;
  std::vector<unsigned> parents;
  std::vector<std::optional<int64_t>> constants;
  std::vector<mlir::Operation *> built;
};

} // namespace attn

#endif // ATTN_LIB_IMPORT_EXTENTS_H
