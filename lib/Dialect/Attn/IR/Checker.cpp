//===- Checker.cpp - Shape and type checks with one kind of message -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See the header.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;

int64_t attn::rankOf(Value value) { return cast<ShapedType>(value.getType()).getRank(); }
Type attn::elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

int64_t Checker::extent(StringRef dim) const {
  int64_t literal;
  if (!dim.getAsInteger(10, literal))
    return literal;
  auto it = extents.find(dim);
  return it == extents.end() ? ShapedType::kDynamic : it->second;
}

std::string Checker::describe(Dims dims) const {
  return "[" +
         llvm::join(llvm::map_range(dims,
                                    [&](const std::string &dim) {
                                      int64_t known = extent(dim);
                                      bool literal = !dim.empty() && llvm::isDigit(dim.front());
                                      if (literal || ShapedType::isDynamic(known))
                                        return dim;
                                      return dim + " = " + std::to_string(known);
                                    }),
                    ", ") +
         "]";
}

LogicalResult Checker::shape(StringRef label, const Twine &name, Value value, Dims dims) {
  if (!value)
    return success();
  auto type = cast<ShapedType>(value.getType());
  bool matches = type.getRank() == int64_t(dims.size());
  for (size_t i = 0; matches && i < dims.size(); ++i) {
    int64_t known = extent(dims[i]), have = type.getDimSize(i);
    matches = ShapedType::isDynamic(known) || ShapedType::isDynamic(have) || known == have;
  }
  if (!matches)
    return fail(label) << name << " is " << type << ", expected " << describe(dims);
  for (auto [dim, have] : llvm::zip(dims, type.getShape()))
    if (!ShapedType::isDynamic(have))
      extents[dim] = have;
  return success();
}

LogicalResult Checker::staticExtent(StringRef label, StringRef dim) {
  if (ShapedType::isDynamic(extent(dim)))
    return fail(label) << dim << " is dynamic, expected a static extent";
  return success();
}

LogicalResult Checker::element(StringRef label, const Twine &name, Value value, Type expected) {
  if (value && elementOf(value) != expected)
    return fail(label) << name << " has elements of type " << elementOf(value) << ", expected " << expected;
  return success();
}

LogicalResult Checker::floating(StringRef label, const Twine &name, Value value) {
  if (value && !isa<FloatType>(elementOf(value)))
    return fail(label) << name << " has elements of type " << elementOf(value) << ", expected a floating-point type";
  return success();
}

LogicalResult Checker::integers(StringRef label, const Twine &name, Value value) {
  if (value && !elementOf(value).isSignlessInteger())
    return fail(label) << name << " has elements of type " << elementOf(value)
                       << ", expected an integer type without a sign, such as i64";
  return success();
}

LogicalResult Checker::epsilon(StringRef label, const llvm::APFloat &epsilon) {
  if (!epsilon.isFinite() || (epsilon.isNegative() && !epsilon.isZero()))
    return fail(label) << "epsilon is " << epsilon.convertToDouble() << ", expected a number that is not negative";
  return success();
}

SmallVector<std::string> attn::leadingDims(StringRef prefix, int64_t count, std::initializer_list<StringRef> last) {
  SmallVector<std::string> dims;
  for (int64_t i = 0; i < count; ++i)
    dims.push_back((prefix + Twine(i)).str());
  for (StringRef dim : last)
    dims.push_back(dim.str());
  return dims;
}

LogicalResult attn::checkBlock(Checker &check, StringRef label, StringRef what, Region &region,
                               ArrayRef<Type> arguments, Type yields) {
  if (!region.hasOneBlock())
    return check.fail(label) << "the " << what << " has " << region.getBlocks().size() << " blocks, expected 1";
  Block &block = region.front();
  if (block.getNumArguments() != arguments.size())
    return check.fail(label) << "the " << what << " takes " << block.getNumArguments() << " arguments, expected "
                             << arguments.size();
  for (auto [i, argument, type] : llvm::enumerate(block.getArguments(), arguments))
    if (argument.getType() != type)
      return check.fail(label) << "argument " << i << " of the " << what << " has type " << argument.getType()
                               << ", expected " << type;
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return check.fail(label) << "the " << what << " does not end with attn.yield";
  if (yield.getNumOperands() != 1)
    return check.fail(label) << "the " << what << " yields " << yield.getNumOperands() << " values, expected 1";
  // A tool that takes modules apart, such as the reducer, verifies them with operands that are gone, and an op is
  // verified before what is in its regions.
  if (!yield.getOperand(0))
    return check.fail(label) << "the " << what << " yields nothing";
  if (yield.getOperand(0).getType() != yields)
    return check.fail(label) << "the " << what << " yields a value of type " << yield.getOperand(0).getType()
                             << ", expected " << yields;
  return success();
}
