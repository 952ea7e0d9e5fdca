//===- DialectAttributes.cpp - Checks of the dialect's discardable attributes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names, shapes and index ranges of an entry's arguments and results become the library's tables, so a module that says
// nonsense there is refused where it stands instead of much later. Attributes with other names are the business of the
// pass that sets them.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace attn;

Operation *AttnDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

bool attn::isStorageType(Type type) {
  return isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType, Float8E8M0FNUType,
             Float4E2M1FNType>(type) ||
         type.isInteger(4) || type.isInteger(2);
}

/// `attn.shape`: one entry a dimension, a symbol for a dynamic one or the size of a static one.
static LogicalResult verifyShape(Operation *op, Attribute attribute, Type type) {
  auto shape = dyn_cast<ArrayAttr>(attribute);
  if (!shape)
    return op->emitError() << "'attn.shape' is " << attribute << ", expected an array of symbols and sizes";
  auto shaped = dyn_cast<ShapedType>(type);
  if (shaped && (!shaped.hasRank() || int64_t(shape.size()) != shaped.getRank()))
    return op->emitError() << "'attn.shape' has " << shape.size() << " dimensions, but the type is " << type;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    auto symbol = dyn_cast<StringAttr>(dim);
    auto size = dyn_cast<IntegerAttr>(dim);
    if ((!symbol || symbol.empty()) && (!size || size.getValue().isNegative()))
      return op->emitError() << "dimension " << i << " of 'attn.shape' is " << dim
                             << ", expected a symbol or a size that is not negative";
    bool agrees =
        !shaped || (symbol ? shaped.isDynamicDim(i) : shaped.isDynamicDim(i) || shaped.getDimSize(i) == size.getInt());
    if (!agrees)
      return op->emitError() << "dimension " << i << " of 'attn.shape' is " << dim << ", but the type is " << type;
  }
  return success();
}

static LogicalResult verifyIndexRange(Operation *op, Attribute attribute) {
  auto range = dyn_cast<DenseI64ArrayAttr>(attribute);
  if (!range || range.size() != 2 || range[0] > range[1])
    return op->emitError() << "'attn.index_range' is " << attribute << ", expected array<i64: begin, end>";
  return success();
}

static LogicalResult verifyStorage(Operation *op, Type type, Attribute attribute) {
  auto storage = dyn_cast<TypeAttr>(attribute);
  auto shaped = dyn_cast_if_present<ShapedType>(type);
  if (!storage || !isStorageType(storage.getValue()))
    return op->emitError() << "'attn.storage' is " << attribute << ", expected a float of 8 or 4 bits, i4 or i2";
  if (!shaped || !shaped.getElementType().isInteger(8))
    return op->emitError() << "'attn.storage' needs elements of i8 in the IR, the type is " << type;
  return success();
}

static LogicalResult verifyState(Operation *op, Type type, Attribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  auto number = dyn_cast<IntegerAttr>(attribute);
  if (!function || !number || number.getInt() < 0 || number.getInt() >= function.getNumArguments())
    return op->emitError() << "'attn.state' is " << attribute << ", expected the number of an argument";
  auto state = dyn_cast_if_present<ShapedType>(type);
  auto argument = dyn_cast<ShapedType>(function.getArgumentTypes()[number.getInt()]);
  if (!state || !argument || !state.hasRank() || !argument.hasRank() || state.getRank() != argument.getRank() ||
      state.getElementType() != argument.getElementType())
    return op->emitError() << "'attn.state' is " << attribute
                           << ", but argument and result have different ranks or elements";
  return success();
}

/// What arguments and results of functions share.
static LogicalResult verifyTensorAttribute(Operation *op, Type type, NamedAttribute attribute) {
  if (attribute.getName() == kNameAttr) {
    auto name = dyn_cast<StringAttr>(attribute.getValue());
    if (!name || name.empty())
      return op->emitError() << "'attn.name' is " << attribute.getValue() << ", expected a name";
  }
  if (attribute.getName() == kShapeAttr)
    return verifyShape(op, attribute.getValue(), type);
  if (attribute.getName() == kStateAttr)
    return verifyState(op, type, attribute.getValue());
  if (attribute.getName() == kStorageAttr)
    return verifyStorage(op, type, attribute.getValue());
  if (attribute.getName() == kUnsignedAttr && !isa<UnitAttr>(attribute.getValue()))
    return op->emitError() << "'attn.unsigned' is " << attribute.getValue() << ", expected no value";
  if (attribute.getName() == kIndexRangeAttr)
    return verifyIndexRange(op, attribute.getValue());
  return success();
}

LogicalResult AttnDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argument,
                                                    NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type type = function && argument < function.getNumArguments() ? function.getArgumentTypes()[argument] : Type();
  return verifyTensorAttribute(op, type, attribute);
}

LogicalResult AttnDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned result,
                                                       NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type type = function && result < function.getNumResults() ? function.getResultTypes()[result] : Type();
  return verifyTensorAttribute(op, type, attribute);
}

LogicalResult AttnDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kTargetAttr && (!isa<ModuleOp>(op) || !isa<TargetAttr>(attribute.getValue())))
    return op->emitError() << "'attn.target' is " << attribute.getValue() << ", expected a #attn.target on a module";
  if (attribute.getName() == kDimsAttr) {
    auto dims = dyn_cast<DictionaryAttr>(attribute.getValue());
    if (!dims || !isa<FunctionOpInterface>(op) ||
        !llvm::all_of(dims, [](NamedAttribute dim) { return isa<DimAttr>(dim.getValue()); }))
      return op->emitError() << "'attn.dims' is " << attribute.getValue()
                             << ", expected a dictionary from symbols to #attn.dim, on a function";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Dimensions of entries
//===----------------------------------------------------------------------===//

LogicalResult DimAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayAttr terms, ArrayAttr divisor,
                              bool exact, int64_t min, int64_t max) {
  auto isTerm = [](Attribute value) {
    auto term = dyn_cast<ArrayAttr>(value);
    return term && !term.empty() && isa<IntegerAttr>(term[0]) &&
           llvm::all_of(term.getValue().drop_front(), llvm::IsaPred<StringAttr>);
  };
  if (terms && !llvm::all_of(terms, isTerm))
    return emitError() << "'terms' is " << terms << ", expected arrays of a coefficient and symbols";
  if (divisor && (!isTerm(divisor) || cast<IntegerAttr>(divisor[0]).getInt() < 1))
    return emitError() << "'divisor' is " << divisor << ", expected a positive coefficient and symbols";
  if ((divisor && !terms) || (exact && !divisor))
    return emitError() << "a divisor divides terms, and only a quotient is exact";
  if (min > max)
    return emitError() << "the bounds are " << min << " to " << max;
  return success();
}

DimAttr attn::getDim(Operation *entry, StringRef symbol) {
  auto dims = entry->getAttrOfType<DictionaryAttr>(kDimsAttr);
  return dims ? dims.getAs<DimAttr>(symbol) : DimAttr();
}

void attn::limitDim(Operation *entry, StringRef symbol, int64_t most) {
  NamedAttrList dims(entry->getAttrOfType<DictionaryAttr>(kDimsAttr));
  DimAttr old = getDim(entry, symbol);
  MLIRContext *context = entry->getContext();
  dims.set(symbol, old ? DimAttr::get(context, old.getTerms(), old.getDivisor(), old.getExact(), old.getMin(),
                                      std::min(old.getMax(), most))
                       : DimAttr::get(context, {}, {}, false, 0, most));
  entry->setAttr(kDimsAttr, dims.getDictionary(context));
}
