//===- AttentionOps.cpp - Attention, whole and in tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers follow the constraints C1, C2, ... of the ops' documentation, in their order.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;
using namespace attn;

/// The operands that are written: the consecutive operand groups `first` to `last` of the op's definition.
template <typename OpTy>
static MutableOperandRange groups(OpTy op, unsigned first, unsigned last) {
  auto [begin, firstLength] = op.getODSOperandIndexAndLength(first);
  auto [lastBegin, lastLength] = op.getODSOperandIndexAndLength(last);
  return MutableOperandRange(op, begin, lastBegin + lastLength - begin);
}

//===----------------------------------------------------------------------===//
// attention
//===----------------------------------------------------------------------===//

/// The names of the iteration space's dimensions in messages, by AttentionOp::Dim.
static constexpr StringLiteral kDimNames[] = {"B", "H", "Q", "K", "D", "E"};

namespace {

/// An operand of attn.attention that a map reads: which dimensions the map may and must use.
struct MappedOperand {
  std::string name;
  Value value;
  AffineMap map;
  SmallVector<unsigned> allowed;
  SmallVector<unsigned> required;
  /// Outputs: every allowed dimension exactly once, so that each element is written by one point.
  bool isOutput = false;
};

} // namespace

static std::string dimNames(ArrayRef<unsigned> dims) {
  static constexpr StringLiteral letters[] = {"b", "h", "q", "k", "d", "e"};
  return llvm::join(llvm::map_range(dims, [&](unsigned dim) { return letters[dim].str(); }), ", ");
}

/// C1 to C3 for one operand.
static LogicalResult checkMapped(Checker &check, const MappedOperand &operand) {
  AffineMap map = operand.map;
  if (map.getNumDims() != std::size(kDimNames) || map.getNumSymbols() != 0)
    return check.fail("C1") << "the map of " << operand.name << " has " << map.getNumDims() << " dimensions and "
                            << map.getNumSymbols() << " symbols, expected the 6 dimensions b, h, q, k, d, e";
  if (int64_t(map.getNumResults()) != rankOf(operand.value))
    return check.fail("C2") << "the map of " << operand.name << " has " << map.getNumResults() << " results, expected "
                            << rankOf(operand.value) << ", one for each dimension of " << operand.value.getType();
  SmallVector<std::string> dims;
  llvm::SmallDenseSet<unsigned> used;
  for (auto [i, result] : llvm::enumerate(map.getResults())) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(result);
    auto divisor = binary ? dyn_cast<AffineConstantExpr>(binary.getRHS()) : AffineConstantExpr();
    bool isGroup = divisor && result.getKind() == AffineExprKind::FloorDiv && divisor.getValue() > 0;
    auto dim = dyn_cast<AffineDimExpr>(isGroup ? binary.getLHS() : result);
    if (!dim || (isGroup && operand.isOutput))
      return check.fail("C2") << "result " << i << " of the map of " << operand.name << " is not a dimension"
                              << (operand.isOutput ? "" : ", or one floordiv a positive constant");
    if (!llvm::is_contained(operand.allowed, dim.getPosition()))
      return check.fail("C2") << "the map of " << operand.name << " uses " << dimNames(dim.getPosition())
                              << ", expected " << dimNames(operand.allowed) << " only";
    if (!used.insert(dim.getPosition()).second)
      return check.fail("C2") << "the map of " << operand.name << " uses " << dimNames(dim.getPosition()) << " twice";
    if (isGroup && llvm::is_contained(operand.required, dim.getPosition()))
      return check.fail("C2") << "the map of " << operand.name << " divides " << dimNames(dim.getPosition());
    std::string name = kDimNames[dim.getPosition()].str();
    if (isGroup) {
      int64_t extent = check.extent(name);
      name += " floordiv " + std::to_string(divisor.getValue());
      if (!ShapedType::isDynamic(extent))
        check.bind(name, llvm::divideCeil(extent, divisor.getValue()));
    }
    dims.push_back(name);
  }
  for (unsigned dim : operand.required)
    if (!used.contains(dim))
      return check.fail("C2") << "the map of " << operand.name << " does not use " << dimNames(dim);
  return check.shape("C3", operand.name, operand.value, dims);
}

/// The types that the last arguments of `region` should have for `whole`: their own where the operands' types could be
/// cast to them, so that canonicalization may make operands more static than the region says.
static SmallVector<Type> typesOfWhole(AttentionOp op, Region &region) {
  SmallVector<Type> types(op.getWhole().getTypes());
  Block &block = region.front();
  if (block.getNumArguments() < types.size())
    return types;
  for (auto [type, argument] : llvm::zip(types, block.getArguments().take_back(types.size()))) {
    bool sameKind = isa<RankedTensorType>(type) == isa<RankedTensorType>(argument.getType());
    if (sameKind && isa<ShapedType>(argument.getType()) && getElementTypeOrSelf(type) == elementOf(argument) &&
        succeeded(verifyCompatibleShape(type, argument.getType())))
      type = argument.getType();
  }
  return types;
}

/// C5: the regions' arguments and what they yield.
static LogicalResult checkRegions(Checker &check, AttentionOp op) {
  SmallVector<Type> indices(4, IndexType::get(op.getContext())), mapped;
  for (Value operand : op.getMapped())
    mapped.push_back(elementOf(operand));
  if (Region &score = op.getScore(); !score.empty()) {
    // The type of a score is the region's choice.
    Block &block = score.front();
    Type type = block.getNumArguments() ? block.getArgument(0).getType() : elementOf(op.getInit());
    if (!isa<FloatType>(type))
      return check.fail("C5") << "argument 0 of the score region has type " << type
                              << ", expected a floating-point type";
    SmallVector<Type> arguments = {type};
    llvm::append_range(arguments, indices);
    llvm::append_range(arguments, mapped);
    llvm::append_range(arguments, typesOfWhole(op, score));
    if (failed(checkBlock(check, "C5", "score region", score, arguments, type)))
      return failure();
  }
  if (Region &mask = op.getMask(); !mask.empty()) {
    SmallVector<Type> arguments(indices);
    llvm::append_range(arguments, mapped);
    llvm::append_range(arguments, typesOfWhole(op, mask));
    if (failed(checkBlock(check, "C5", "mask region", mask, arguments, IntegerType::get(op.getContext(), 1))))
      return failure();
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(checkSegments(*this, {{0, "query"}, {1, "key"}, {2, "value"}, {8, "init"}})))
    return failure();
  Checker check(*this);
  size_t expected = 4 + getMapped().size() + (getLogSumExp() ? 1 : 0);
  if (getMaps().size() != expected)
    return check.fail("C1") << "there are " << getMaps().size() << " maps, expected " << expected
                            << ": query, key, value, " << getMapped().size() << " mapped, init"
                            << (getLogSumExp() ? ", log_sum_exp" : "");
  SmallVector<MappedOperand> operands;
  // Outputs first: their extents are those of whole dimensions, which a `floordiv` is compared with.
  operands.push_back(
      {"init", getInit(), getInitMap(), {Batch, Head, Query, ValueChannel}, {Batch, Head, Query, ValueChannel}, true});
  if (getLogSumExp())
    operands.push_back(
        {"log_sum_exp", getLogSumExp(), getLogSumExpMap(), {Batch, Head, Query}, {Batch, Head, Query}, true});
  operands.push_back({"query", getQuery(), getQueryMap(), {Batch, Head, Query, QueryChannel}, {QueryChannel}});
  operands.push_back({"key", getKey(), getKeyMap(), {Batch, Head, Key, QueryChannel}, {Key, QueryChannel}});
  operands.push_back({"value", getValue(), getValueMap(), {Batch, Head, Key, ValueChannel}, {Key, ValueChannel}});
  for (auto [i, mapped] : llvm::enumerate(getMapped()))
    operands.push_back({"mapped " + std::to_string(i), mapped, getMappedMap(i), {Batch, Head, Query, Key}, {}});
  for (const MappedOperand &operand : operands)
    if (failed(checkMapped(check, operand)))
      return failure();
  for (const MappedOperand &operand : operands)
    if (!StringRef(operand.name).starts_with("mapped") && failed(check.floating("C3", operand.name, operand.value)))
      return failure();

  Type i64 = IntegerType::get(getContext(), 64);
  if (failed(check.shape("C4", "ranges", getRanges(), {"B", "4"})) ||
      failed(check.element("C4", "ranges", getRanges(), i64)) ||
      failed(check.shape("C4", "key_mask", getKeyMask(), {"B", "K"})) ||
      failed(check.integers("C4", "key_mask", getKeyMask())))
    return failure();
  if (!getOffsets().empty() && getOffsets().size() != 4)
    return check.fail("C5") << "there are " << getOffsets().size() << " offsets, expected none or 4";
  if (failed(checkRegions(check, *this)))
    return failure();
  // Kernels compute in f32, where a larger scale is infinite.
  if (std::optional<APFloat> scale = getScale(); scale && !std::isfinite(float(scale->convertToDouble())))
    return check.fail("C6") << "scale is " << scale->convertToDouble() << ", expected a finite number of f32";
  return success();
}

MutableOperandRange AttentionOp::getDpsInitsMutable() { return groups(*this, 8, 9); }

int64_t AttentionOp::getStaticExtent(Dim dim) {
  auto extentIn = [&](Value operand, AffineMap map) {
    auto type = llvm::cast<ShapedType>(operand.getType());
    std::optional<unsigned> position = map.getResultPosition(getAffineDimExpr(dim, getContext()));
    return position ? type.getDimSize(*position) : ShapedType::kDynamic;
  };
  for (auto [operand, map] : {std::pair(getQuery(), getQueryMap()), std::pair(getKey(), getKeyMap()),
                              std::pair(getValue(), getValueMap()), std::pair(getInit(), getInitMap())})
    if (int64_t extent = extentIn(operand, map); !ShapedType::isDynamic(extent))
      return extent;
  return ShapedType::kDynamic;
}

bool AttentionOp::rangesFollowMask() {
  auto source = [](Value value) {
    while (auto cast = value ? value.getDefiningOp<tensor::CastOp>() : tensor::CastOp())
      value = cast.getSource();
    return value;
  };
  Value ranges = source(getRanges());
  auto computed = ranges ? ranges.getDefiningOp<KeyRangesOp>() : KeyRangesOp();
  return computed && (!getKeyMask() || source(computed.getMask()) == source(getKeyMask()));
}

FailureOr<double> AttentionOp::getScaleOrDefault() {
  if (getScale())
    return getScale()->convertToDouble();
  int64_t channels = getStaticExtent(QueryChannel);
  if (ShapedType::isDynamic(channels))
    return failure();
  return 1.0 / std::sqrt(double(channels));
}

//===----------------------------------------------------------------------===//
// online_attention, online_finish, pack
//===----------------------------------------------------------------------===//

/// C6 of online_attention.
static LogicalResult checkMasks(Checker &check, OnlineAttentionOp op) {
  if (op.getMaps().size() != op.getMapped().size())
    return check.fail("C6") << "there are " << op.getMaps().size() << " maps, expected one for each of "
                            << op.getMapped().size() << " mapped operands";
  bool hasRegion = !op.getScore().empty() || !op.getMask().empty();
  if (size_t count = op.getIndices().size(); count != 4 && (count != 0 || hasRegion))
    return check.fail("C6") << "there are " << count << " indices, expected " << (hasRegion ? "4" : "none or 4");
  SmallVector<Type> arguments(4, IndexType::get(op.getContext()));
  for (auto [i, mapped] : llvm::enumerate(op.getMapped())) {
    AffineMap map = op.getMap(i);
    if (map.getNumDims() != 2 || map.getNumSymbols() != 0 || !map.isProjectedPermutation())
      return check.fail("C6") << "the map of mapped operand " << i << " is " << AffineMapAttr::get(map)
                              << ", expected dimensions of (j, k), none twice";
    SmallVector<std::string> dims;
    for (AffineExpr result : map.getResults())
      dims.push_back(result == getAffineDimExpr(0, op.getContext()) ? "R" : "T");
    if (failed(check.shape("C6", "mapped " + std::to_string(i), mapped, dims)))
      return failure();
    arguments.push_back(elementOf(mapped));
  }
  if (!op.getMask().empty() &&
      failed(checkBlock(check, "C6", "mask region", op.getMask(), arguments, IntegerType::get(op.getContext(), 1))))
    return failure();
  if (op.getScore().empty())
    return success();
  Type element = elementOf(op.getAccumulator());
  arguments.insert(arguments.begin(), element);
  return checkBlock(check, "C6", "score region", op.getScore(), arguments, element);
}

LogicalResult OnlineAttentionOp::verify() {
  if (failed(checkSegments(*this,
                           {{0, "queries"}, {1, "key"}, {2, "value"}, {4, "accumulator"}, {5, "maximum"}, {6, "sum"}})))
    return failure();
  Checker check(*this);
  Type element = elementOf(getAccumulator());
  if (failed(check.shape("C1", "queries", getQueries(), {"1", "D", "P"})) ||
      failed(check.shape("C1", "key", getKey(), {"T", "D"})) ||
      failed(check.shape("C1", "value", getValue(), {"T", "E"})) ||
      failed(check.shape("C2", "accumulator", getAccumulator(), {"P", "E"})) ||
      failed(check.shape("C2", "maximum", getMaximum(), {"P"})) || failed(check.shape("C2", "sum", getSum(), {"P"})))
    return failure();
  for (StringRef dim : {"D", "E", "P"})
    if (failed(check.staticExtent("C3", dim)))
      return failure();
  for (auto [name, value] :
       {std::pair("accumulator", getAccumulator()), std::pair("queries", getQueries()), std::pair("key", getKey()),
        std::pair("value", getValue()), std::pair("maximum", getMaximum()), std::pair("sum", getSum())})
    if (failed(check.floating("C3", name, value)) || failed(check.element("C3", name, value, element)))
      return failure();
  if (failed(check.shape("C4", "key_mask", getKeyMask(), {"T"})) ||
      failed(check.integers("C4", "key_mask", getKeyMask())))
    return failure();
  if (getRows() && (failed(check.shape("C7", "rows", getRows(), {"R", "D"})) ||
                    failed(check.element("C7", "rows", getRows(), element))))
    return failure();
  size_t scratch = getScratchTypes().size();
  if (!getScratch().empty() && getScratch().size() != scratch)
    return check.fail("C5") << "there are " << getScratch().size() << " scratch buffers, expected none or " << scratch;
  return checkMasks(check, *this);
}

LogicalResult OnlineFinishOp::verify() {
  Checker check(*this);
  if (failed(check.shape("C1", "accumulator", getAccumulator(), {"P", "E"})) ||
      failed(check.shape("C1", "maximum", getMaximum(), {"P"})) || failed(check.shape("C1", "sum", getSum(), {"P"})) ||
      failed(check.shape("C1", "init", getInit(), {"R", "E"})) ||
      failed(check.shape("C1", "log_sum_exp", getLogSumExp(), {"R"})))
    return failure();
  int64_t rows = check.extent("R"), queries = check.extent("P");
  if (!ShapedType::isDynamic(rows) && !ShapedType::isDynamic(queries) && rows > queries)
    return check.fail("C1") << "init has " << rows << " rows, expected at most P = " << queries;
  for (auto [name, value] :
       {std::pair("accumulator", getAccumulator()), std::pair("maximum", getMaximum()), std::pair("sum", getSum()),
        std::pair("init", getInit()), std::pair("log_sum_exp", getLogSumExp())})
    if (failed(check.floating("C1", name, value)))
      return failure();
  return success();
}

LogicalResult PackOp::verify() {
  Checker check(*this);
  if (failed(check.shape("C1", "source", getSource(), {"N", "K"})))
    return failure();
  if (failed(check.shape("C1", "init", getInit(), {"panels", "K", "P"})) || failed(check.staticExtent("C1", "K")) ||
      failed(check.staticExtent("C1", "P")))
    return failure();
  int64_t rows = check.extent("N"), panels = check.extent("panels"), width = check.extent("P");
  if (width == 0)
    return check.fail("C1") << "P is 0, expected a positive width";
  if (!ShapedType::isDynamic(rows) && !ShapedType::isDynamic(panels) && panels < llvm::divideCeilSigned(rows, width))
    return check.fail("C1") << "init has " << panels << " panels, expected at least "
                            << llvm::divideCeilSigned(rows, width) << " for N = " << rows;
  return check.element("C1", "init", getInit(), elementOf(getSource()));
}

MutableOperandRange OnlineAttentionOp::getDpsInitsMutable() { return groups(*this, 4, 6); }

MutableOperandRange OnlineAttentionOp::getScratchOperands() { return getScratchMutable(); }

SmallVector<MemRefType> OnlineAttentionOp::getScratchTypes() {
  std::optional<AttentionKernelAttr> kernel = getKernel();
  if (!kernel)
    return {};
  // Scores of a block of keys, queries in lanes, and one rescaling factor a query.
  Type element = getElementTypeOrSelf(getAccumulator().getType());
  SmallVector<int64_t> tile = {kernel->getKeyBlock(), kernel->getQueries()};
  SmallVector<MemRefType> types = {MemRefType::get(tile, element), MemRefType::get({kernel->getQueries()}, element)};
  // And each mapped operand that stands the other way round, in whole squares, bools as bytes.
  tile[0] = llvm::alignTo(tile[0], kernel->getLanes());
  for (auto [i, mapped] : llvm::enumerate(getMapped())) {
    Type type = getElementTypeOrSelf(mapped.getType());
    if (isQueryMajor(i))
      types.push_back(MemRefType::get(tile, type.isInteger(1) ? IntegerType::get(getContext(), 8) : type));
  }
  return types;
}

bool OnlineAttentionOp::isQueryMajor(unsigned i) {
  AffineMap map = getMap(i);
  return map.getNumResults() == 2 && map.isIdentity();
}

MutableOperandRange OnlineFinishOp::getDpsInitsMutable() { return groups(*this, 3, 4); }
