//===- Checker.h - Shape and type checks with one kind of message -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Most constraints of the dialect's ops say that an operand is `[N, K]`, N and K being extents that other operands
// share. A Checker remembers the static extent of each such name as it meets them, and its messages always carry the
// constraint's label, the operand's name, what it has and what was expected. Dynamic extents match everything.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_CHECKER_H
#define ATTN_DIALECT_ATTN_IR_CHECKER_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "llvm/ADT/StringMap.h"

namespace attn {

/// Names of dimensions, outermost first. A name that is a number stands for that extent.
using Dims = llvm::ArrayRef<std::string>;

class Checker {
public:
  explicit Checker(mlir::Operation *op) : op(op) {}

  /// An error at the op that begins with the constraint's label.
  mlir::InFlightDiagnostic fail(llvm::StringRef label) { return op->emitOpError() << label << ": "; }

  /// `value` has as many dimensions as `dims`, and extents that agree with those met before. A null value is fine.
  mlir::LogicalResult shape(llvm::StringRef label, const llvm::Twine &name, mlir::Value value, Dims dims);

  /// The extent of `dim`, which some operand has had, is static.
  mlir::LogicalResult staticExtent(llvm::StringRef label, llvm::StringRef dim);

  /// Checks of element types; a null value is fine.
  mlir::LogicalResult element(llvm::StringRef label, const llvm::Twine &name, mlir::Value value, mlir::Type expected);
  mlir::LogicalResult floating(llvm::StringRef label, const llvm::Twine &name, mlir::Value value);
  mlir::LogicalResult integers(llvm::StringRef label, const llvm::Twine &name, mlir::Value value);

  /// Checks an attribute that is divided by or taken the root of.
  mlir::LogicalResult epsilon(llvm::StringRef label, const llvm::APFloat &epsilon);

  /// The extent met for `dim`, or ShapedType::kDynamic.
  int64_t extent(llvm::StringRef dim) const;

  /// Says that `dim` has `extent` from here on.
  void bind(llvm::StringRef dim, int64_t extent) { extents[dim] = extent; }

private:
  /// `[N = 4, K]`: names with the extents met so far.
  std::string describe(Dims dims) const;

  mlir::Operation *op;
  llvm::StringMap<int64_t> extents;
};

/// `prefix0`, `prefix1`, ... followed by `last`.
llvm::SmallVector<std::string> leadingDims(llvm::StringRef prefix, int64_t count,
                                           std::initializer_list<llvm::StringRef> last = {});

/// Generic syntax may give any number of values for an operand that is one value; accessors assume that it doesn't, so
/// ops with operand segments ask this first. `single` has the operands' positions in the op's definition and their
/// names.
template <typename OpTy>
mlir::LogicalResult checkSegments(OpTy op, std::initializer_list<std::pair<unsigned, llvm::StringRef>> single) {
  for (auto [group, name] : single)
    if (unsigned length = op.getODSOperandIndexAndLength(group).second; length != 1)
      return op.emitOpError() << "has " << length << " operands " << name << ", expected 1";
  return mlir::success();
}

/// The single block of `region` takes `arguments` and ends with an attn.yield of `yields`. Never assumes that the
/// region is well-formed: verifiers run before those of the ops inside. `what` names the region in messages.
mlir::LogicalResult checkBlock(Checker &check, llvm::StringRef label, llvm::StringRef what, mlir::Region &region,
                               llvm::ArrayRef<mlir::Type> arguments, mlir::Type yields);

int64_t rankOf(mlir::Value value);
mlir::Type elementOf(mlir::Value value);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_CHECKER_H
