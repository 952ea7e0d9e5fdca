//===- Indexing.h - Elements at computed places -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is read at an index that was computed at run time is the element at the nearest index there is: nothing is read
// out of bounds, whatever a model or its caller does.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_INDEXING_H
#define ATTN_LIB_IMPORT_ONNX_OPS_INDEXING_H

#include "Fold.h"
#include "Registry.h"
#include "llvm/ADT/SmallBitVector.h"

namespace attn::onnx {

/// Reads single elements of a tensor in the body of an op. To be made where the op will stand.
class Reader {
public:
  /// Indices of the dimensions in `unsure` may be out of range.
  Reader(Node &node, const Tensor &source, const llvm::SmallBitVector &unsure);
  mlir::Value read(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::Value> indices) const;
  /// The nearest index in range.
  mlir::Value clamp(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, int64_t dim) const;
  /// The size of a dimension in `unsure`, as an index.
  mlir::Value size(int64_t dim) const { return sizes[dim]; }
  mlir::Value getSource() const { return source; }

private:
  mlir::Value source;
  llvm::SmallVector<mlir::Value> sizes; ///< of dimensions that are unsure, else null
  llvm::SmallBitVector mayBeEmpty;
  DataType type;
};

/// An integer as an index; where it is negative, counted from the end of a dimension of the size.
mlir::Value wrapIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value integer, mlir::Value size);
/// The same; an index that is out of range then ends the run with an error.
mlir::Value checkedIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value integer, mlir::Value size);

using IndexedBody = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange arguments,
                                                   llvm::ArrayRef<mlir::Value> indices)>;
/// A tensor whose elements are computed from their indices and from elements of `inputs`, which are read as the maps
/// say (see `generic`). Elements are as they are stored.
Tensor generate(Node &node, DataType type, llvm::ArrayRef<Size> shape, llvm::ArrayRef<Tensor> inputs,
                llvm::ArrayRef<llvm::SmallVector<int64_t>> maps, IndexedBody body);

using PlaceFunction = llvm::function_ref<llvm::SmallVector<int64_t>(llvm::ArrayRef<int64_t>)>;
/// Known elements of `input` at other places: `source` gives for an index of the result that in `input`. None where
/// elements or shapes are not known.
std::optional<Tensor> rearrange(const Tensor &input, llvm::ArrayRef<Size> shape, PlaceFunction source);

/// `count` elements along one dimension from `begin` on, each `step` after the one before; all are known to be there.
Tensor sliceSteps(Node &node, const Tensor &input, int64_t axis, const Size &begin, int64_t step, const Size &count);
/// The same where they are not known to be there.
Tensor sliceClamped(Node &node, const Tensor &input, int64_t axis, const Size &begin, int64_t step, const Size &count);

/// What gathering at `indices`, which are known to be a ramp, gives as a slice or another shape of the data; none where
/// it is neither.
mlir::FailureOr<std::optional<Tensor>> gatherRamp(Node &node, const Tensor &data, int64_t axis, const Tensor &indices);
/// The same for lists of indices, one for each of the first dimensions of the data.
mlir::FailureOr<std::optional<Tensor>> gatherColumns(Node &node, const Tensor &data, const Tensor &indices);

/// The known sizes that input `i`, a list of integers, consists of. Fails where something else than sizes is in it.
mlir::FailureOr<llvm::SmallVector<Size>> expectSizes(Node &node, size_t i, llvm::StringRef what);
/// The numbers of input `i`, a list of integers or a single one.
mlir::FailureOr<llvm::SmallVector<int64_t>> expectConstants(Node &node, size_t i, llvm::StringRef what);
llvm::LogicalResult expectIndices(Node &node, size_t i);
/// Where `indices` stand for elements of `data`, one by one along `axis`: the dimensions along which a place can be
/// outside of the data, as far as is known. Fails where one is.
mlir::FailureOr<llvm::SmallBitVector> dimsToCheck(Node &node, const Tensor &data, const Tensor &indices, int64_t axis);

// The families that registerShapes and registerIndexing are made of.
void registerConstants(Registry &registry);
void registerGenerators(Registry &registry);
void registerSlices(Registry &registry);
void registerPads(Registry &registry);
void registerScatters(Registry &registry);
void registerScans(Registry &registry);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_INDEXING_H
