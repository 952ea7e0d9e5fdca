//===- Widen.cpp - Compute in f32 what is stored in f16 and bf16 -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUs have kernels in f32 only, and they are right for narrow types too: accumulation is in f32 and each element is
// rounded once. So an op on narrow elements becomes the same op in f32 between conversions, regions included; weights
// are converted when the library is written. Embeddings alone stay as they are: their tables are read by rows, and a
// table in f32 would be twice as large.
//
//===----------------------------------------------------------------------===//

#include "KernelSupport.h"
#include "ScalarCode.h"
#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Codegen/Schedule/RegionWidener.h"
#include "attn/Dialect/Attn/IR/WeightExpressions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"

namespace attn {
#define GEN_PASS_DEF_WIDEN
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static unsigned bitsOf(Type type) { return type.getIntOrFloatBitWidth(); }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {

/// Converts operands, each weight once.
class OperandWidener {
public:
  explicit OperandWidener(ModuleOp module) : symbols(module) {}

  Value widen(OpBuilder &b, Value value, FloatType wide) {
    Type element = getElementTypeOrSelf(value.getType());
    if (!isa<FloatType>(element) || element == wide)
      return value;
    auto get = value.getDefiningOp<GetWeightOp>();
    WeightOp weight = get && wide.isF32() ? WeightOp::lookup(get, get.getNameAttr()) : WeightOp();
    if (!weight)
      return createFloatCast(b, value.getLoc(), value, wide);
    WeightOp &converted = weights[weight];
    if (!converted)
      converted = convert(weight, wide);
    return GetWeightOp::create(b, get.getLoc(), converted.getType(),
                               FlatSymbolRefAttr::get(converted.getSymNameAttr()));
  }

  /// What results are written into: an empty tensor of the same shape.
  Value widenInit(OpBuilder &b, Value init, FloatType wide) {
    if (!init || getElementTypeOrSelf(init.getType()) == wide)
      return init;
    Location loc = init.getLoc();
    return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, init), wide);
  }

  /// How many weights were converted.
  int64_t numWeights() const { return weights.size(); }

private:
  WeightOp convert(WeightOp weight, FloatType wide) {
    OpBuilder b(weight);
    b.setInsertionPointAfter(weight);
    Attribute value = convertWeight(weight.getValue(), wide);
    std::string name = llvm::formatv("{0}_{1}", weight.getSymName(), Type(wide));
    auto converted = WeightOp::create(b, weight.getLoc(), name, getWeightType(value), value);
    symbols.insert(converted);
    return converted;
  }

  SymbolTable symbols;
  llvm::MapVector<WeightOp, WeightOp> weights;
};

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

struct Widen final : attn::impl::WidenBase<Widen> {
  using Base::Base;

  void runOnOperation() override {
    OperandWidener operands(getOperation());
    SmallVector<DestinationStyleOpInterface> ops;
    SmallVector<Operation *> functions;
    getOperation().walk([&](Operation *op) {
      if (isa<LinearOp, NormOpInterface, RotaryOp, AttentionOp>(op))
        ops.push_back(cast<DestinationStyleOpInterface>(op));
    });
    for (DestinationStyleOpInterface op : ops)
      if (FloatType wide = hasNarrowKernel(op) ? FloatType() : typeToComputeIn(op)) {
        widen(op, wide, operands);
        ++numWidened;
      }
    // Functions of narrow values that stand elsewhere, after those of regions.
    getOperation().walk([&](Operation *op) {
      if (isa_and_nonnull<math::MathDialect>(op->getDialect()))
        functions.push_back(op);
    });
    for (Operation *op : functions)
      widenFunction(op);
    numWeights += operands.numWeights();
  }

  /// True where a kernel of the target computes on narrow elements as they are.
  static bool hasNarrowKernel(Operation *op) {
    const Target *target = findGPU(op);
    return target && whyNoKernelRuns(op, *target).empty();
  }

  /// The widest type of `op`, at least f32; null where all are of it, or one of a type that isn't known.
  FloatType typeToComputeIn(DestinationStyleOpInterface op) {
    FloatType wide = Float32Type::get(&getContext());
    bool known = true, all = true;
    SmallVector<Type> types = floatTypes(op);
    for (Type type : types) {
      known &= isKnownFloat(type);
      if (type.isF64())
        wide = Float64Type::get(&getContext());
    }
    for (Type type : types)
      all &= type == wide;
    return known && !all && op->getNumResults() > 0 ? wide : FloatType();
  }

  /// Element types of the operands that are computed on. What regions alone read stays as it is.
  static SmallVector<Type> floatTypes(DestinationStyleOpInterface op) {
    SmallVector<Type> types;
    auto attention = dyn_cast<AttentionOp>(op.getOperation());
    for (Value operand : op->getOperands()) {
      if (attention &&
          (llvm::is_contained(attention.getMapped(), operand) || llvm::is_contained(attention.getWhole(), operand)) &&
          !llvm::is_contained({attention.getQuery(), attention.getKey(), attention.getValue()}, operand))
        continue;
      Type type = getElementTypeOrSelf(operand.getType());
      if (isa<FloatType>(type))
        types.push_back(type);
    }
    return types;
  }

  static void widen(DestinationStyleOpInterface op, FloatType wide, OperandWidener &operands) {
    OpBuilder b(op);
    auto assign = [&](OpOperand &operand) { operand.set(operands.widen(b, operand.get(), wide)); };
    for (OpOperand &init : op.getDpsInitsMutable())
      init.set(operands.widenInit(b, init.get(), wide));
    if (auto attention = dyn_cast<AttentionOp>(op.getOperation())) {
      for (OpOperand *operand :
           {&attention.getQueryMutable(), &attention.getKeyMutable(), &attention.getValueMutable()})
        assign(*operand);
      widenRegions(attention, wide);
    } else {
      for (OpOperand &operand : op->getOpOperands())
        if (!op.isDpsInit(&operand))
          assign(operand);
      if (auto linear = dyn_cast<LinearOp>(op.getOperation()))
        RegionWidener(op.getContext(), wide).run(linear.getEpilogue(), argumentTypes(linear, wide));
    }
    b.setInsertionPointAfter(op);
    for (auto [result, init] : llvm::zip_equal(op->getResults(), op.getDpsInits())) {
      Type old = result.getType();
      auto type = cast<RankedTensorType>(old).clone(wide);
      if (type == old)
        continue;
      result.setType(type);
      replaceByCast(b, result, getElementTypeOrSelf(old));
    }
  }

  /// Gives users of `result` what it is in elements of type `element`.
  static void replaceByCast(OpBuilder &b, OpResult result, Type element) {
    Value rounded = createFloatCast(b, result.getLoc(), result, element);
    Operation *first = rounded.getDefiningOp();
    while (first->getOperand(0) != result)
      first = first->getOperand(0).getDefiningOp();
    result.replaceAllUsesExcept(rounded, first);
  }

  static SmallVector<Type> argumentTypes(LinearOp linear, FloatType wide) {
    SmallVector<Type> types = {wide};
    for (Value extra : linear.getExtras())
      types.push_back(getElementTypeOrSelf(extra.getType()));
    return types;
  }

  static void widenRegions(AttentionOp attention, FloatType wide) {
    Region &score = attention.getScore(), &mask = attention.getMask();
    if (!score.empty()) {
      SmallVector<Type> types(score.front().getArgumentTypes());
      if (bitsOf(types.front()) < bitsOf(wide))
        types.front() = wide;
      RegionWidener(attention.getContext(), wide).run(score, types);
    }
    if (!mask.empty())
      RegionWidener(attention.getContext(), wide).run(mask, SmallVector<Type>(mask.front().getArgumentTypes()));
  }

  /// A function of f16 or bf16 as one of f32 between conversions.
  static void widenFunction(Operation *op) {
    auto isNarrow = [](Value value) { return isNarrowFloat(getElementTypeOrSelf(value.getType())); };
    if (llvm::none_of(op->getOperands(), isNarrow))
      return;
    OpBuilder b(op);
    Type f32 = b.getF32Type();
    for (OpOperand &operand : op->getOpOperands())
      if (isNarrow(operand.get()))
        operand.set(createFloatCast(b, op->getLoc(), operand.get(), f32));
    b.setInsertionPointAfter(op);
    for (OpResult result : op->getResults()) {
      if (!isNarrow(result))
        continue;
      Type narrow = getElementTypeOrSelf(result.getType());
      auto shaped = dyn_cast<ShapedType>(result.getType());
      result.setType(shaped ? Type(shaped.clone(f32)) : f32);
      replaceByCast(b, result, narrow);
    }
  }
};

} // namespace
