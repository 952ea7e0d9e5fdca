//===- Scalars.cpp - arith, math and index ops ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point results are never rounded to their type: the reference says what a model means, not what a type loses.
// Integers wrap as their type does. On tensors the ops work element by element.
//
//===----------------------------------------------------------------------===//

#include "Layers.h"
#include "Machine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Index/IR/IndexOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static unsigned widthOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
}

/// An integer as an Item holds it: of i1 0 or 1, of others sign-extended.
static int64_t wrap(uint64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  return width >= 64 ? int64_t(value) : llvm::SignExtend64(value, width);
}

/// The same bits without sign.
static uint64_t bits(int64_t value, unsigned width) {
  return width >= 64 ? uint64_t(value) : uint64_t(value) & llvm::maskTrailingOnes<uint64_t>(width);
}

/// The value with sign; of i1 0 or -1.
static int64_t withSign(int64_t value, unsigned width) { return width == 1 ? -value : value; }

/// Round half to even, whatever the mode of the machine.
static double roundEven(double x) {
  double nearest = std::round(x);
  return std::fabs(x - std::trunc(x)) == 0.5 ? 2 * std::round(x / 2) : nearest;
}

//===----------------------------------------------------------------------===//
// Floating point
//===----------------------------------------------------------------------===//

static std::optional<double> floatUnary(Operation *op, double x) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](arith::NegFOp) { return -x; })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return x; })
      .Case([&](math::ExpOp) { return std::exp(x); })
      .Case([&](math::Exp2Op) { return std::exp2(x); })
      .Case([&](math::ExpM1Op) { return std::expm1(x); })
      .Case([&](math::LogOp) { return std::log(x); })
      .Case([&](math::Log2Op) { return std::log2(x); })
      .Case([&](math::Log10Op) { return std::log10(x); })
      .Case([&](math::Log1pOp) { return std::log1p(x); })
      .Case([&](math::SqrtOp) { return std::sqrt(x); })
      .Case([&](math::RsqrtOp) { return 1 / std::sqrt(x); })
      .Case([&](math::CbrtOp) { return std::cbrt(x); })
      .Case([&](math::TanhOp) { return std::tanh(x); })
      .Case([&](math::SinhOp) { return std::sinh(x); })
      .Case([&](math::CoshOp) { return std::cosh(x); })
      .Case([&](math::SinOp) { return std::sin(x); })
      .Case([&](math::CosOp) { return std::cos(x); })
      .Case([&](math::TanOp) { return std::tan(x); })
      .Case([&](math::AtanOp) { return std::atan(x); })
      .Case([&](math::ErfOp) { return std::erf(x); })
      .Case([&](math::ErfcOp) { return std::erfc(x); })
      .Case([&](math::AbsFOp) { return std::fabs(x); })
      .Case([&](math::FloorOp) { return std::floor(x); })
      .Case([&](math::CeilOp) { return std::ceil(x); })
      .Case([&](math::TruncOp) { return std::trunc(x); })
      .Case([&](math::RoundOp) { return std::round(x); })
      .Case([&](math::RoundEvenOp) { return roundEven(x); })
      .Case([&](GeluOp op) { return gelu(x, op.getApproximate()); })
      .Default([](Operation *) { return std::nullopt; });
}

/// The larger, with NaN where either is, and +0 above -0.
static double maximum(double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return std::numeric_limits<double>::quiet_NaN();
  return x > y || (x == y && !std::signbit(x)) ? x : y;
}

static std::optional<double> floatBinary(Operation *op, double x, double y) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](arith::AddFOp) { return x + y; })
      .Case([&](arith::SubFOp) { return x - y; })
      .Case([&](arith::MulFOp) { return x * y; })
      .Case([&](arith::DivFOp) { return x / y; })
      .Case([&](arith::RemFOp) { return std::fmod(x, y); })
      .Case([&](arith::MaximumFOp) { return maximum(x, y); })
      .Case([&](arith::MinimumFOp) { return -maximum(-x, -y); })
      .Case([&](arith::MaxNumFOp) { return std::fmax(x, y); })
      .Case([&](arith::MinNumFOp) { return std::fmin(x, y); })
      .Case([&](math::PowFOp) { return std::pow(x, y); })
      .Case([&](math::Atan2Op) { return std::atan2(x, y); })
      .Case([&](math::CopySignOp) { return std::copysign(x, y); })
      .Default([](Operation *) { return std::nullopt; });
}

static bool compare(arith::CmpFPredicate predicate, double x, double y) {
  bool unordered = std::isnan(x) || std::isnan(y);
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return false;
  case arith::CmpFPredicate::AlwaysTrue:
    return true;
  case arith::CmpFPredicate::ORD:
    return !unordered;
  case arith::CmpFPredicate::UNO:
    return unordered;
  case arith::CmpFPredicate::OEQ:
    return x == y;
  case arith::CmpFPredicate::OGT:
    return x > y;
  case arith::CmpFPredicate::OGE:
    return x >= y;
  case arith::CmpFPredicate::OLT:
    return x < y;
  case arith::CmpFPredicate::OLE:
    return x <= y;
  case arith::CmpFPredicate::ONE:
    return !unordered && x != y;
  case arith::CmpFPredicate::UEQ:
    return unordered || x == y;
  case arith::CmpFPredicate::UGT:
    return !(x <= y);
  case arith::CmpFPredicate::UGE:
    return !(x < y);
  case arith::CmpFPredicate::ULT:
    return !(x >= y);
  case arith::CmpFPredicate::ULE:
    return !(x > y);
  case arith::CmpFPredicate::UNE:
    return x != y;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Division and remainder; by 0 and of the least number by -1 what attn-guard-division makes of them.
static std::optional<uint64_t> divide(Operation *op, int64_t x, int64_t y, uint64_t ux, uint64_t uy) {
  using Result = std::optional<uint64_t>;
  bool overflows = y == -1 && x == std::numeric_limits<int64_t>::min();
  auto quotient = [&](auto divide) -> Result { return y == 0 ? 0 : overflows ? x : divide(); };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::DivSIOp, index::DivSOp>([&](auto) { return quotient([&] { return x / y; }); })
      .Case<arith::FloorDivSIOp, index::FloorDivSOp>(
          [&](auto) { return quotient([&] { return llvm::divideFloorSigned(x, y); }); })
      .Case<arith::CeilDivSIOp, index::CeilDivSOp>(
          [&](auto) { return quotient([&] { return llvm::divideCeilSigned(x, y); }); })
      .Case<arith::RemSIOp, index::RemSOp>([&](auto) { return y == 0      ? x
                                                              : overflows ? 0
                                                                          : x % y; })
      .Case<arith::DivUIOp, index::DivUOp>([&](auto) { return uy == 0 ? 0 : ux / uy; })
      .Case<arith::CeilDivUIOp, index::CeilDivUOp>([&](auto) { return uy == 0 ? 0 : llvm::divideCeil(ux, uy); })
      .Case<arith::RemUIOp, index::RemUOp>([&](auto) { return uy == 0 ? ux : ux % uy; })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<uint64_t> integerBinary(Operation *op, int64_t left, int64_t right, unsigned width) {
  int64_t x = withSign(left, width), y = withSign(right, width);
  uint64_t ux = bits(left, width), uy = bits(right, width);
  std::optional<uint64_t> result = llvm::TypeSwitch<Operation *, std::optional<uint64_t>>(op)
                                       .Case<arith::AddIOp, index::AddOp>([&](auto) { return ux + uy; })
                                       .Case<arith::SubIOp, index::SubOp>([&](auto) { return ux - uy; })
                                       .Case<arith::MulIOp, index::MulOp>([&](auto) { return ux * uy; })
                                       .Case<arith::AndIOp, index::AndOp>([&](auto) { return ux & uy; })
                                       .Case<arith::OrIOp, index::OrOp>([&](auto) { return ux | uy; })
                                       .Case<arith::XOrIOp, index::XOrOp>([&](auto) { return ux ^ uy; })
                                       .Case<arith::MaxSIOp, index::MaxSOp>([&](auto) { return std::max(x, y); })
                                       .Case<arith::MinSIOp, index::MinSOp>([&](auto) { return std::min(x, y); })
                                       .Case<arith::MaxUIOp, index::MaxUOp>([&](auto) { return std::max(ux, uy); })
                                       .Case<arith::MinUIOp, index::MinUOp>([&](auto) { return std::min(ux, uy); })
                                       .Default([](Operation *) { return std::nullopt; });
  if (result)
    return result;
  if (uy < width) {
    result = llvm::TypeSwitch<Operation *, std::optional<uint64_t>>(op)
                 .Case<arith::ShLIOp, index::ShlOp>([&](auto) { return ux << uy; })
                 .Case<arith::ShRUIOp, index::ShrUOp>([&](auto) { return ux >> uy; })
                 .Case<arith::ShRSIOp, index::ShrSOp>([&](auto) { return x >> uy; })
                 .Default([](Operation *) { return std::nullopt; });
    if (result)
      return result;
  }
  return divide(op, x, y, ux, uy);
}

static bool compare(arith::CmpIPredicate predicate, int64_t x, int64_t y, uint64_t ux, uint64_t uy) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return x == y;
  case arith::CmpIPredicate::ne:
    return x != y;
  case arith::CmpIPredicate::slt:
    return x < y;
  case arith::CmpIPredicate::sle:
    return x <= y;
  case arith::CmpIPredicate::sgt:
    return x > y;
  case arith::CmpIPredicate::sge:
    return x >= y;
  case arith::CmpIPredicate::ult:
    return ux < uy;
  case arith::CmpIPredicate::ule:
    return ux <= uy;
  case arith::CmpIPredicate::ugt:
    return ux > uy;
  case arith::CmpIPredicate::uge:
    return ux >= uy;
  }
  return false;
}

/// A number as an integer: towards zero, the nearest there is where it doesn't fit.
static int64_t toInteger(double x) {
  if (std::isnan(x))
    return 0;
  if (x >= 0x1p63)
    return std::numeric_limits<int64_t>::max();
  return x < -0x1p63 ? std::numeric_limits<int64_t>::min() : int64_t(x);
}

//===----------------------------------------------------------------------===//
// One op on scalars
//===----------------------------------------------------------------------===//

/// Conversions and comparisons between kinds.
static std::optional<Item> mixed(Operation *op, ArrayRef<Item> in) {
  unsigned from = widthOf(op->getOperand(0).getType()), to = widthOf(op->getResult(0).getType());
  const Item &x = in[0];
  return llvm::TypeSwitch<Operation *, std::optional<Item>>(op)
      .Case([&](arith::CmpFOp cmp) { return Item::ofInteger(compare(cmp.getPredicate(), x.number, in[1].number)); })
      .Case([&](arith::CmpIOp cmp) {
        return Item::ofInteger(compare(cmp.getPredicate(), withSign(x.integer, from), withSign(in[1].integer, from),
                                       bits(x.integer, from), bits(in[1].integer, from)));
      })
      .Case([&](index::CmpOp cmp) {
        // The predicates of the two dialects have the same names and order.
        auto predicate = arith::symbolizeCmpIPredicate(stringifyIndexCmpPredicate(cmp.getPred()));
        return Item::ofInteger(compare(*predicate, x.integer, in[1].integer, x.integer, in[1].integer));
      })
      .Case([&](arith::SelectOp) { return x.integer ? in[1] : in[2]; })
      .Case<arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp, index::CastSOp>(
          [&](auto) { return Item::ofInteger(wrap(withSign(x.integer, from), to)); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp, index::CastUOp>(
          [&](auto) { return Item::ofInteger(wrap(bits(x.integer, from), to)); })
      .Case([&](arith::SIToFPOp) { return Item::ofNumber(double(withSign(x.integer, from))); })
      .Case([&](arith::UIToFPOp) { return Item::ofNumber(double(bits(x.integer, from))); })
      .Case<arith::FPToSIOp, arith::FPToUIOp>([&](auto) { return Item::ofInteger(wrap(toInteger(x.number), to)); })
      .Case([&](math::AbsIOp) { return Item::ofInteger(wrap(std::abs(x.integer), to)); })
      .Case([&](math::FPowIOp) { return Item::ofNumber(std::pow(x.number, double(in[1].integer))); })
      .Case([&](math::FmaOp) { return Item::ofNumber(std::fma(x.number, in[1].number, in[2].number)); })
      .Case([&](math::IsNaNOp) { return Item::ofInteger(std::isnan(x.number)); })
      .Case([&](math::IsInfOp) { return Item::ofInteger(std::isinf(x.number)); })
      .Case([&](math::IsFiniteOp) { return Item::ofInteger(std::isfinite(x.number)); })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<Item> evaluateScalar(Operation *op, ArrayRef<Item> in) {
  if (op->getNumResults() != 1 || in.empty())
    return std::nullopt;
  if (std::optional<Item> item = mixed(op, in))
    return item;
  Type type = op->getOperand(0).getType();
  if (isFloat(type)) {
    std::optional<double> result = in.size() == 1   ? floatUnary(op, in[0].number)
                                   : in.size() == 2 ? floatBinary(op, in[0].number, in[1].number)
                                                    : std::nullopt;
    return result ? std::optional(Item::ofNumber(*result)) : std::nullopt;
  }
  unsigned width = widthOf(type);
  std::optional<uint64_t> result;
  if (in.size() == 2)
    result = integerBinary(op, in[0].integer, in[1].integer, width);
  return result ? std::optional(Item::ofInteger(wrap(*result, width))) : std::nullopt;
}

/// The op on each element; scalars among the operands (of arith.select) stand for all.
static llvm::Expected<Tensor> evaluateElements(Machine &machine, Operation *op) {
  const Tensor *first = nullptr;
  for (Value operand : op->getOperands()) {
    const Tensor *tensor = machine.get(operand).tensor.get();
    if (tensor && first && tensor->shape != first->shape)
      return fail(op, "operands have different shapes");
    first = first ? first : tensor;
  }
  Tensor result(first->shape, isFloat(op->getResult(0).getType()));
  SmallVector<Item> in(op->getNumOperands());
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    for (auto [item, operand] : llvm::zip(in, op->getOperands())) {
      const Item &whole = machine.get(operand);
      item = whole.tensor ? Item::elementOf(*whole.tensor, i) : whole;
    }
    std::optional<Item> element = evaluateScalar(op, in);
    if (!element)
      return fail(op, "the result has no value, or the reference does not know this op");
    store(result, i, *element);
  }
  return result;
}

llvm::Expected<bool> reference::runScalarOp(Machine &machine, Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    llvm::Expected<Item> item = itemOf(op, constant.getValue());
    if (!item)
      return item.takeError();
    machine.set(constant, std::move(*item));
    return true;
  }
  if (auto constant = dyn_cast<index::ConstantOp>(op)) {
    machine.set(constant, Item::ofInteger(constant.getValue().getSExtValue()));
    return true;
  }
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect, index::IndexDialect>(op->getDialect()) &&
      !isa<GeluOp>(op))
    return false;
  for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
    if (!getElementTypeOrSelf(value.getType()).isIntOrIndexOrFloat() || isa<VectorType>(value.getType()))
      return fail(op, "the reference computes with scalars and tensors of numbers only");
  if (llvm::any_of(op->getOperands(), [&](Value operand) { return machine.get(operand).tensor != nullptr; })) {
    llvm::Expected<Tensor> result = evaluateElements(machine, op);
    if (!result)
      return result.takeError();
    machine.set(op->getResult(0), std::move(*result));
    return true;
  }
  SmallVector<Item> in = llvm::map_to_vector(op->getOperands(), [&](Value operand) { return machine.get(operand); });
  std::optional<Item> item = evaluateScalar(op, in);
  if (!item)
    return fail(op, "the result has no value, or the reference does not know this op");
  machine.set(op->getResult(0), std::move(*item));
  return true;
}
