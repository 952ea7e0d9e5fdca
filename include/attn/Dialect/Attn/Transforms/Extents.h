//===- Extents.h - Which dimensions are equal in a function -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dimensions of tensors and index values as a union-find. Some are equal because an operation makes them so: its result
// is as large as its destination. Others an operation only needs to be equal: what it reads beside each other. The
// first are known from the start; the second are listed, and can be assumed (to tell which dimensions of arguments a
// caller can't choose apart) or checked (attn-insert-checks).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_TRANSFORMS_EXTENTS_H
#define ATTN_DIALECT_ATTN_TRANSFORMS_EXTENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include <optional>
#include <vector>

namespace attn {

class Extents {
public:
  /// Dimension `dim` of the tensor `value`; with `dim` kScalar the index `value` itself; without a value the number
  /// `dim`.
  struct Size {
    mlir::Value value;
    int64_t dim;
    static Size of(mlir::OpFoldResult size);
  };
  static constexpr int64_t kScalar = -1;

  /// Two sizes that `op` needs to be equal.
  struct Requirement {
    mlir::Operation *op;
    Size a, b;
  };

  /// Analyzes the body of `function`. Builds operations to ask others for their shapes, which go when this does.
  explicit Extents(mlir::func::FuncOp function);
  ~Extents();
  Extents(const Extents &) = delete;
  Extents &operator=(const Extents &) = delete;

  /// The class of a size.
  unsigned classOf(Size size);
  unsigned classOf(mlir::Value value, int64_t dim) { return classOf(Size{value, dim}); }
  /// The one size that a class can have, if a static type or a constant says it.
  std::optional<int64_t> constantOf(unsigned id) { return constants[find(id)]; }
  /// True where the two sizes are known to be equal.
  bool areEqual(Size a, Size b);
  void join(Size a, Size b) { join(classOf(a), classOf(b)); }

  /// In the order of the operations.
  llvm::ArrayRef<Requirement> getRequirements() const { return requirements; }
  /// Takes all requirements for true.
  void assume();

  /// The index values of the function that are sizes of something.
  llvm::ArrayRef<mlir::Value> getScalars() const { return scalars.getArrayRef(); }
  /// True for a value that goes when this does.
  bool isTemporary(mlir::Value value) const { return llvm::is_contained(built, value.getDefiningOp()); }

private:
  /// A dimension of a value or a loop dimension of an operation.
  using Key = std::pair<const void *, int64_t>;

  /// One try; false where a loop carries a tensor whose size varies, which `varying` has from then on.
  bool analyze(mlir::func::FuncOp function);
  void clear();
  bool keepsSize(mlir::Value carried) const;

  unsigned find(unsigned id);
  unsigned get(Key key);
  void join(unsigned a, unsigned b);

  void equal(mlir::Operation *op, Size result, Size source);
  void equalShapes(mlir::Operation *op, mlir::Value result, mlir::Value source, int64_t count);
  void require(mlir::Operation *op, Size a, Size b) { requirements.push_back({op, a, b}); }
  void requireShapes(mlir::Operation *op, mlir::Value a, mlir::Value b, int64_t count);
  void requireLoop(mlir::Operation *op, unsigned loop, Size size);
  void requireProjection(mlir::Operation *op, mlir::Value weight, mlir::Value bias, Size rows, Size columns);

  void visit(mlir::Operation *op);
  void visitLoop(mlir::scf::ForOp loop);
  bool visitTensorOp(mlir::Operation *op);
  bool visitAttnOp(mlir::Operation *op);
  bool visitBlock(mlir::Operation *op);
  bool visitRows(mlir::Operation *op);
  bool visitStructured(mlir::Operation *op);
  void visitReified(mlir::Operation *op);

  llvm::DenseMap<Key, unsigned> ids;
  std::vector<unsigned> parents;
  std::vector<std::optional<int64_t>> constants;
  std::vector<Requirement> requirements;
  llvm::SetVector<mlir::Value> scalars;
  /// The first size that was seen for a loop of an operation.
  llvm::DenseMap<Key, Size> loops;
  std::vector<mlir::Operation *> built;
  llvm::DenseSet<mlir::Value> varying;
};

} // namespace attn

#endif // ATTN_DIALECT_ATTN_TRANSFORMS_EXTENTS_H
