//===- RowOps.cpp - Linear, norms, embedding, activations -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers follow the constraints C1, C2, ... of the ops' documentation, in their order. Folds are in RowFolds.cpp.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

/// C3: what an extra's map may be, and that the extra has the extents it reads.
static LogicalResult checkExtra(Checker &check, unsigned i, Value extra, AffineMap map, int64_t rank, Dims dims) {
  std::string name = "extra " + std::to_string(i);
  if (int64_t(map.getNumDims()) != rank || map.getNumSymbols() != 0)
    return check.fail("C3") << "the map of " << name << " has " << map.getNumDims() << " dimensions and "
                            << map.getNumSymbols() << " symbols, expected " << rank << " dimensions";
  if (int64_t(map.getNumResults()) != rankOf(extra))
    return check.fail("C3") << "the map of " << name << " has " << map.getNumResults() << " results, expected "
                            << rankOf(extra) << ", one for each of its dimensions";
  SmallVector<std::string> read;
  for (AffineExpr result : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    auto constant = dyn_cast<AffineConstantExpr>(result);
    if (!dim && !(constant && constant.getValue() == 0))
      return check.fail("C3") << "the map of " << name << " has a result that is neither a dimension nor 0";
    read.push_back(dim ? dims[dim.getPosition()] : "any of " + name);
  }
  return check.shape("C3", name, extra, read);
}

LogicalResult LinearOp::verify() {
  Checker check(*this);
  int64_t rank = rankOf(getInit());
  if (rank < 2)
    return check.fail("C1") << "init is " << getInit().getType() << ", expected at least 2 dimensions";
  SmallVector<std::string> dims = leadingDims("m", rank - 1, {"N"});
  if (failed(check.shape("C1", "init", getInit(), dims)) ||
      failed(check.shape("C1", "input", getInput(), leadingDims("m", rank - 1, {"K"}))))
    return failure();

  if (rankOf(getWeight()) == 3) {
    SmallVector<std::string> panels = {"panels", "K", "P"};
    auto weight = cast<ShapedType>(getWeight().getType());
    int64_t width = weight.getDimSize(2), columns = check.extent("N");
    if (ShapedType::isDynamic(width) || width == 0)
      return check.fail("C2") << "weight is " << weight << ", expected panels of a static width P";
    if (!ShapedType::isDynamic(columns))
      check.bind("panels", llvm::divideCeil(columns, width));
    if (failed(check.shape("C2", "weight", getWeight(), panels)))
      return failure();
  } else if (failed(check.shape("C2", "weight", getWeight(), {"N", "K"}))) {
    return failure();
  }

  if (getExtraMaps().size() != getExtras().size())
    return check.fail("C3") << "there are " << getExtraMaps().size() << " maps for " << getExtras().size() << " extras";
  SmallVector<Type> arguments = {elementOf(getInit())};
  for (auto [i, extra, map] : llvm::enumerate(getExtras(), getExtraMaps().getAsValueRange<AffineMapAttr>())) {
    if (failed(checkExtra(check, i, extra, map, rank, dims)))
      return failure();
    arguments.push_back(elementOf(extra));
  }
  if (failed(checkBlock(check, "C4", "epilogue", getEpilogue(), arguments, elementOf(getInit()))))
    return failure();
  for (auto [name, value] :
       {std::pair("input", getInput()), std::pair("weight", getWeight()), std::pair("init", getInit())})
    if (failed(check.floating("C5", name, value)))
      return failure();
  size_t scratch = getScratchTypes().size();
  if (!getScratch().empty() && getScratch().size() != scratch)
    return check.fail("C6") << "there are " << getScratch().size() << " scratch buffers, expected none or " << scratch;
  return success();
}

MutableOperandRange LinearOp::getScratchOperands() { return getScratchMutable(); }

SmallVector<MemRefType> LinearOp::getScratchTypes() {
  std::optional<LinearKernelAttr> kernel = getKernel();
  auto input = cast<ShapedType>(getInput().getType());
  int64_t depth = input.getDimSize(input.getRank() - 1);
  if (!kernel || kernel->getCopiedRows() == 0 || ShapedType::isDynamic(depth))
    return {};
  return {MemRefType::get({kernel->getCopiedRows(), depth + kernel->getLanes()}, input.getElementType())};
}

void LinearOp::build(OpBuilder &b, OperationState &state, Value input, Value weight, Value init) {
  build(b, state, input, weight, Value(), init);
}

void LinearOp::build(OpBuilder &b, OperationState &state, Value input, Value weight, Value bias, Value init) {
  auto type = llvm::cast<ShapedType>(init.getType());
  state.addOperands({input, weight});
  if (bias)
    state.addOperands(bias);
  state.addOperands(init);
  state.getOrAddProperties<Properties>().operandSegmentSizes = {1, 1, bias ? 1 : 0, 1, 0};
  if (llvm::isa<RankedTensorType>(type))
    state.addTypes(type);
  AffineMap last = AffineMap::get(type.getRank(), 0, b.getAffineDimExpr(type.getRank() - 1));
  state.addAttribute(getExtraMapsAttrName(state.name),
                     bias ? b.getAffineMapArrayAttr(last) : b.getAffineMapArrayAttr({}));
  OpBuilder::InsertionGuard guard(b);
  Region *region = state.addRegion();
  Block *block = b.createBlock(region);
  Value sum = block->addArgument(type.getElementType(), state.location);
  if (bias) {
    Value element = block->addArgument(getElementTypeOrSelf(bias.getType()), state.location);
    sum = arith::AddFOp::create(b, state.location, sum, element);
  }
  YieldOp::create(b, state.location, sum);
}

bool LinearOp::hasTrivialEpilogue() {
  Block &block = getEpilogue().front();
  auto yield = llvm::cast<YieldOp>(block.getTerminator());
  return yield.getValues().front() == block.getArgument(0);
}

//===----------------------------------------------------------------------===//
// layer_norm, rms_norm, rotary, embedding, key_ranges
//===----------------------------------------------------------------------===//

static LogicalResult verifyNorm(NormOpInterface op) {
  Checker check(op);
  Value init = op.getInit(), input = op.getInput(), scale = op.getScale(), shift = op.getShift();
  int64_t rank = rankOf(init);
  if (rank < 1)
    return check.fail("C1") << "init is " << init.getType() << ", expected at least 1 dimension";
  SmallVector<std::string> dims = leadingDims("m", rank - 1, {"N"});
  if (failed(check.shape("C1", "init", init, dims)) || failed(check.floating("C1", "init", init)) ||
      failed(check.shape("C1", "input", input, dims)) || failed(check.element("C1", "input", input, elementOf(init))) ||
      failed(check.shape("C2", "scale", scale, {"N"})) || failed(check.floating("C2", "scale", scale)) ||
      failed(check.shape("C2", "shift", shift, {"N"})) || failed(check.floating("C2", "shift", shift)))
    return failure();
  return check.epsilon("C3", op.getEpsilon());
}

LogicalResult LayerNormOp::verify() { return verifyNorm(*this); }
LogicalResult RMSNormOp::verify() { return verifyNorm(*this); }

LogicalResult RotaryOp::verify() {
  Checker check(*this);
  int64_t rank = rankOf(getInit());
  if (rank < 1)
    return check.fail("C1") << "init is " << getInit().getType() << ", expected at least 1 dimension";
  SmallVector<std::string> dims = leadingDims("m", rank - 1, {"D"});
  if (failed(check.shape("C1", "init", getInit(), dims)) || failed(check.floating("C1", "init", getInit())) ||
      failed(check.shape("C1", "input", getInput(), dims)) ||
      failed(check.element("C1", "input", getInput(), elementOf(getInit()))) || failed(check.staticExtent("C1", "D")))
    return failure();
  int64_t channels = check.extent("D");
  if (channels == 0 || channels % 2 != 0)
    return check.fail("C1") << "there are " << channels << " channels, expected an even number that is not 0";
  AffineMap map = getMap();
  if (map.getNumDims() != uint64_t(rank - 1) || map.getNumSymbols() != 0)
    return check.fail("C2") << "the map takes " << map.getNumDims() << " dimensions and " << map.getNumSymbols()
                            << " symbols, expected " << rank - 1 << " and none";
  SmallVector<std::string> tableDims;
  llvm::SmallDenseSet<unsigned> used;
  for (AffineExpr result : map.getResults()) {
    auto dim = llvm::dyn_cast<AffineDimExpr>(result);
    auto constant = llvm::dyn_cast<AffineConstantExpr>(result);
    if ((!dim && !(constant && constant.getValue() == 0)) || (dim && !used.insert(dim.getPosition()).second))
      return check.fail("C2") << "a result of the map is neither a dimension of its own nor 0";
    tableDims.push_back(dim ? dims[dim.getPosition()] : "1");
  }
  int64_t columns = rankOf(getCosine()) > 0 ? llvm::cast<ShapedType>(getCosine().getType()).getShape().back() : 0;
  bool ofPairs = columns == channels / 2;
  if (ofPairs)
    check.bind("D / 2", columns);
  tableDims.push_back(ofPairs ? "D / 2" : "D");
  if (failed(check.shape("C3", "cosine", getCosine(), tableDims)) ||
      failed(check.floating("C3", "cosine", getCosine())) || failed(check.shape("C3", "sine", getSine(), tableDims)))
    return failure();
  if (ShapedType::isDynamic(columns))
    return check.fail("C3") << "the number of columns of cosine is not static";
  return check.element("C3", "sine", getSine(), elementOf(getCosine()));
}

LogicalResult EmbeddingOp::verify() {
  if (failed(checkSegments(*this, {{3, "init"}})))
    return failure();
  Checker check(*this);
  if (getTables().empty() || getIndices().size() != getTables().size())
    return check.fail("C1") << "there are " << getIndices().size() << " indices for " << getTables().size()
                            << " tables, expected as many, at least 1";
  int64_t rank = rankOf(getInit());
  if (rank < 2)
    return check.fail("C2") << "init is " << getInit().getType() << ", expected at least 2 dimensions";
  if (failed(check.shape("C2", "init", getInit(), leadingDims("i", rank - 1, {"N"}))) ||
      failed(check.floating("C2", "init", getInit())))
    return failure();
  for (auto [i, indices] : llvm::enumerate(getIndices()))
    if (failed(check.shape("C1", "indices " + Twine(i), indices, leadingDims("i", rank - 1))) ||
        failed(check.integers("C1", "indices " + Twine(i), indices)))
      return failure();
  // One bit is a truth value; widened to an index it would be 0 or -1.
  for (auto [i, indices] : llvm::enumerate(getIndices()))
    if (elementOf(indices).isInteger(1))
      return check.fail("C1") << "indices " << i << " has elements of type i1, expected a wider integer type";
  for (auto [i, table] : llvm::enumerate(getTables()))
    if (failed(check.shape("C2", "table " + Twine(i), table, {"R" + std::to_string(i), "N"})) ||
        failed(check.element("C2", "table " + Twine(i), table, elementOf(getInit()))))
      return failure();
  if (failed(check.shape("C2", "positions", getPositions(), {"P", "N"})))
    return failure();
  return check.element("C2", "positions", getPositions(), elementOf(getInit()));
}

LogicalResult KeyRangesOp::verify() {
  Checker check(*this);
  if (failed(check.shape("C1", "mask", getMask(), {"B", "S"})) || failed(check.integers("C1", "mask", getMask())) ||
      failed(check.shape("C1", "init", getInit(), {"B", "4"})))
    return failure();
  return check.element("C1", "init", getInit(), IntegerType::get(getContext(), 64));
}
