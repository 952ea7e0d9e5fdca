//===- ConvertTest.cpp - Conversion against APFloat -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every 16-bit pattern widened; patterns around every rounding decision narrowed.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "llvm/ADT/APFloat.h"

using namespace attn;
using namespace llvm;

namespace {
class ConvertTest : public ExpressionTest {
protected:
  static const fltSemantics &semantics(StringRef type) {
    if (type == "f16")
      return APFloat::IEEEhalf();
    if (type == "bf16")
      return APFloat::BFloat();
    return type == "f32" ? APFloat::IEEEsingle() : APFloat::IEEEdouble();
  }

  /// Converts all `patterns` and compares bit by bit; of a NaN only that it is a quiet one of the right sign.
  template <typename From, typename To>
  void compare(StringRef from, StringRef to, ArrayRef<From> patterns) {
    write(StringRef(reinterpret_cast<const char *>(patterns.data()), patterns.size() * sizeof(From)));
    std::string type = std::to_string(patterns.size()) + "x" + from.str();
    auto evaluator = create("#attn.convert<#attn.file<@, 0 : tensor<" + type + ">> to " + to.str() + ">");
    ASSERT_TRUE(bool(evaluator)) << toString(evaluator.takeError());
    std::string bytes = fill(**evaluator, 0, (*evaluator)->getNumBytes());
    ASSERT_EQ(bytes.size(), patterns.size() * sizeof(To));
    for (size_t i = 0; i < patterns.size(); ++i) {
      To got;
      memcpy(&got, bytes.data() + i * sizeof(To), sizeof(To));
      APFloat value(semantics(from), APInt(sizeof(From) * 8, patterns[i]));
      bool losesInfo;
      value.convert(semantics(to), APFloat::rmNearestTiesToEven, &losesInfo);
      if (value.isNaN()) {
        APFloat nan(semantics(to), APInt(sizeof(To) * 8, got));
        ASSERT_TRUE(nan.isNaN() && !nan.isSignaling() && nan.isNegative() == value.isNegative())
            << from.str() << " " << uint64_t(patterns[i]);
        continue;
      }
      ASSERT_EQ(got, To(value.bitcastToAPInt().getZExtValue())) << from.str() << " " << uint64_t(patterns[i]);
    }
  }

  /// Values next to and half way between neighbours of the narrow type, for all of its exponents, and some at random.
  template <typename Wide>
  static std::vector<Wide> interesting(unsigned droppedBits) {
    std::vector<Wide> result;
    std::mt19937_64 random(2);
    for (unsigned i = 0; i < 200000; ++i) {
      Wide high = Wide(random()) >> droppedBits << droppedBits, half = Wide(1) << (droppedBits - 1);
      for (Wide low : {Wide(0), Wide(1), half - 1, half, half + 1, (half << 1) - 1})
        result.push_back(high | low);
      result.push_back(Wide(random()));
    }
    return result;
  }
};

TEST_F(ConvertTest, Widening) {
  std::vector<uint16_t> all;
  for (unsigned i = 0; i < 65536; ++i)
    all.push_back(i);
  compare<uint16_t, uint32_t>("f16", "f32", all);
  compare<uint16_t, uint32_t>("bf16", "f32", all);
  compare<uint16_t, uint64_t>("f16", "f64", all);
  compare<uint32_t, uint64_t>("f32", "f64", interesting<uint32_t>(16));
}

TEST_F(ConvertTest, Narrowing) {
  compare<uint32_t, uint16_t>("f32", "bf16", interesting<uint32_t>(16));
  compare<uint32_t, uint16_t>("f32", "f16", interesting<uint32_t>(13));
  compare<uint64_t, uint32_t>("f64", "f32", interesting<uint64_t>(29));
  // A value that two roundings, through f32, would get wrong: just above a tie of f16.
  compare<uint64_t, uint16_t>("f64", "f16", {0x3ff0020000000001, 0x3ff0020000000000, 0x3ff001ffffffffff});
  compare<uint64_t, uint16_t>("f64", "bf16", {0x3ff0100000000001, 0x3ff0100000000000, 0xbff00fffffffffff});
}

TEST_F(ConvertTest, F16Subnormals) {
  // f32 values of every f16 subnormal, half way between them and beside.
  std::vector<uint32_t> patterns;
  for (unsigned i = 0; i < 2100; ++i) {
    uint32_t bits = llvm::bit_cast<uint32_t>(float(i) * 0x1p-25f);
    for (uint32_t x : {bits, bits + 1, bits ? bits - 1 : 0})
      patterns.push_back(x), patterns.push_back(x | 0x80000000u);
  }
  compare<uint32_t, uint16_t>("f32", "f16", patterns);
}

TEST_F(ConvertTest, SameType) {
  std::string bytes = writeRandom(64);
  EXPECT_EQ(evaluate("#attn.convert<#attn.file<@, 0 : tensor<16xf32>> to f32>"), bytes);
}
} // namespace
