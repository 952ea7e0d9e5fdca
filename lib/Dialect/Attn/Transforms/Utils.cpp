//===- Utils.cpp - What the rewrites of the stage `fuse` share ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;

Location attn::partLocation(Location loc, StringRef part) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return NameLoc::get(StringAttr::get(loc.getContext(), named.getName().getValue() + "/" + part),
                        named.getChildLoc());
  return NameLoc::get(StringAttr::get(loc.getContext(), part), loc);
}

/// Splits after each '.' and '/', so that components keep their separators.
static SmallVector<StringRef> splitComponents(StringRef name) {
  SmallVector<StringRef> components;
  while (!name.empty()) {
    size_t end = name.find_first_of("./");
    size_t length = end == StringRef::npos ? name.size() : end + 1;
    components.push_back(name.take_front(length));
    name = name.drop_front(length);
  }
  return components;
}

std::string attn::jointName(ArrayRef<StringRef> names) {
  SmallVector<SmallVector<StringRef>> split = llvm::map_to_vector(names, splitComponents);
  size_t shortest = llvm::min_element(split, [](auto &a, auto &b) { return a.size() < b.size(); })->size();
  auto allAgree = [&](auto component) {
    return llvm::all_of(split, [&](auto &parts) { return component(parts) == component(split.front()); });
  };
  // At least one component stays between: it tells the names apart.
  size_t prefix = 0, suffix = 0;
  while (prefix + 1 < shortest && allAgree([&](auto &parts) { return parts[prefix]; }))
    ++prefix;
  while (prefix + suffix + 1 < shortest && allAgree([&](auto &parts) { return parts[parts.size() - 1 - suffix]; }))
    ++suffix;
  std::string result = llvm::join(ArrayRef(split.front()).take_front(prefix), "");
  StringRef separator;
  llvm::interleave(
      split,
      [&](const SmallVector<StringRef> &parts) {
        std::string middle = llvm::join(ArrayRef(parts).drop_front(prefix).drop_back(suffix), "");
        StringRef trimmed = StringRef(middle).rtrim("./");
        separator = StringRef(parts[parts.size() - 1 - suffix]).take_back(suffix ? 1 : 0);
        result += trimmed;
      },
      [&] { result += "_"; });
  result += separator;
  return result + llvm::join(ArrayRef(split.front()).take_back(suffix), "");
}

Location attn::jointLocation(MLIRContext *context, ArrayRef<Location> locations) {
  SmallVector<StringRef> names;
  for (Location loc : locations)
    if (auto named = dyn_cast<NameLoc>(loc))
      names.push_back(named.getName());
  Location all = FusedLoc::get(context, locations);
  return names.empty() ? all : NameLoc::get(StringAttr::get(context, jointName(names)), all);
}

static remark::RemarkOpts remarkOptions(Operation *op, StringLiteral name) {
  remark::RemarkOpts options = remark::RemarkOpts::name(name).category(kFuseCategory);
  if (auto function = op->getParentOfType<FunctionOpInterface>())
    options = options.function(function.getName());
  return options;
}

remark::detail::InFlightRemark attn::remarkDone(Operation *op, StringLiteral name) {
  return remark::passed(op->getLoc(), remarkOptions(op, name));
}

remark::detail::InFlightRemark attn::remarkMissed(Operation *op, StringLiteral name) {
  return remark::missed(op->getLoc(), remarkOptions(op, name));
}

Value attn::createDestination(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type elementType) {
  return tensor::EmptyOp::create(b, loc, sizes, elementType);
}

SmallVector<ReassociationIndices> attn::rowReassociation(int64_t rank) {
  return {llvm::to_vector<2>(llvm::seq<int64_t>(0, rank - 1)), {rank - 1}};
}

BlockArgument attn::findIndexArgument(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, arith::ExtSIOp, arith::IndexCastOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return dyn_cast<BlockArgument>(value);
}
