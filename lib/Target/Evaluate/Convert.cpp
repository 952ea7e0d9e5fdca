//===- Convert.cpp - Floating-point conversion -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Round to nearest, ties to even, in one step: an f64 does not pass through f32 on its way to f16. The pairs that
// checkpoints hold have loops of their own; any other pair goes through APFloat.
//
//===----------------------------------------------------------------------===//

#include "Evaluators.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

using llvm::APFloat;
using llvm::APInt;
using llvm::Expected;
using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Single elements, as bits
//===----------------------------------------------------------------------===//

static uint32_t bf16ToF32(uint16_t x) {
  uint32_t quiet = (x & 0x7fffu) > 0x7f80u ? 0x00400000u : 0; // A NaN becomes quiet, as the machine would make it.
  return uint32_t(x) << 16 | quiet;
}

static uint16_t f32ToBf16(uint32_t x) {
  if ((x & 0x7fffffffu) > 0x7f800000u)
    return uint16_t(x >> 16) | 0x40; // A quiet NaN, even where the payload's upper half is zero.
  return uint16_t((x + 0x7fffu + ((x >> 16) & 1)) >> 16);
}

static uint32_t f16ToF32(uint16_t x) {
  uint32_t sign = uint32_t(x & 0x8000u) << 16, magnitude = x & 0x7fffu;
  if (magnitude >= 0x7c00u) // Infinity; a NaN becomes quiet.
    return sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13) | (magnitude > 0x7c00u ? 0x00400000u : 0);
  if (magnitude >= 0x0400u)
    return sign | ((magnitude << 13) + (112u << 23));
  // A subnormal is its integer times 2^-24, exactly.
  return sign | llvm::bit_cast<uint32_t>(float(magnitude) * 0x1p-24f);
}

static uint16_t f32ToF16(uint32_t x) {
  uint32_t sign = (x >> 16) & 0x8000u, magnitude = x & 0x7fffffffu;
  if (magnitude >= 0x7f800000u)
    return sign | 0x7c00u | (magnitude > 0x7f800000u ? 0x200u | ((magnitude >> 13) & 0x3ffu) : 0);
  if (magnitude >= 0x477ff000u) // From the midpoint between the largest f16 and the next power of two on.
    return sign | 0x7c00u;
  if (magnitude >= 0x38800000u) // A normal f16; a carry out of the fraction goes into the exponent, as it should.
    return sign | ((magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1)) >> 13);
  // A subnormal f16: adding 0.5 lets the hardware round at 2^-24, the place of the last bit.
  return sign | (llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u);
}

static uint64_t f32ToF64(uint32_t x) { return llvm::bit_cast<uint64_t>(double(llvm::bit_cast<float>(x))); }
static uint32_t f64ToF32(uint64_t x) { return llvm::bit_cast<uint32_t>(float(llvm::bit_cast<double>(x))); }

//===----------------------------------------------------------------------===//
// Runs of elements
//===----------------------------------------------------------------------===//

namespace {
using ConvertRun = void (*)(const char *from, uint64_t count, char *to);

template <typename From, typename To, To (*Convert)(From)>
void convertRun(const char *from, uint64_t count, char *to) {
  for (uint64_t i = 0; i < count; ++i) {
    From x;
    memcpy(&x, from + i * sizeof(From), sizeof(From));
    To y = Convert(x);
    memcpy(to + i * sizeof(To), &y, sizeof(To));
  }
}

class ConvertEvaluator final : public WeightEvaluator {
public:
  ConvertEvaluator(ConvertAttr convert, unsigned elementSize, Evaluator from, ConvertRun run)
      : WeightEvaluator(convert.getValueType(), elementSize), source(std::move(from)), run(run),
        fromType(llvm::cast<FloatType>(source->getType().getElementType())),
        toType(llvm::cast<FloatType>(convert.getElementType())) {}

  void read(uint64_t first, uint64_t count, char *out) const override {
    char buffer[kRun * 8];
    for (; count; first += std::min(count, kRun), count -= std::min(count, kRun)) {
      uint64_t n = std::min(count, kRun);
      source->read(first, n, buffer);
      if (run)
        run(buffer, n, out);
      else
        convertAny(buffer, n, out);
      out += n * getElementSize();
    }
  }
  llvm::Error check() const override { return source->check(); }

private:
  static constexpr uint64_t kRun = 512;

  void convertAny(const char *from, uint64_t count, char *to) const {
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t bits = 0;
      memcpy(&bits, from + i * source->getElementSize(), source->getElementSize());
      APFloat value(fromType.getFloatSemantics(), APInt(fromType.getIntOrFloatBitWidth(), bits));
      bool losesInfo;
      value.convert(toType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
      bits = value.bitcastToAPInt().getZExtValue();
      memcpy(to + i * getElementSize(), &bits, getElementSize());
    }
  }

  Evaluator source;
  ConvertRun run;
  FloatType fromType, toType;
};
} // namespace

/// The loop for a pair of types, null where there is none.
static ConvertRun lookupRun(Type from, Type to) {
  if (from.isBF16() && to.isF32())
    return convertRun<uint16_t, uint32_t, bf16ToF32>;
  if (from.isF16() && to.isF32())
    return convertRun<uint16_t, uint32_t, f16ToF32>;
  if (from.isF32() && to.isBF16())
    return convertRun<uint32_t, uint16_t, f32ToBf16>;
  if (from.isF32() && to.isF16())
    return convertRun<uint32_t, uint16_t, f32ToF16>;
  if (from.isF32() && to.isF64())
    return convertRun<uint32_t, uint64_t, f32ToF64>;
  if (from.isF64() && to.isF32())
    return convertRun<uint64_t, uint32_t, f64ToF32>;
  return nullptr;
}

Expected<Evaluator> attn::createConvertEvaluator(ConvertAttr convert, unsigned elementSize, Evaluator source) {
  Type from = source->getType().getElementType(), to = convert.getElementType();
  if (from == to)
    return source;
  return std::make_unique<ConvertEvaluator>(convert, elementSize, std::move(source), lookupRun(from, to));
}
