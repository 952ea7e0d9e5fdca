//===- Arithmetic.cpp - Integers, floats and predicates ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <limits>

using namespace attn::ptx;
using llvm::StringRef;

namespace {

template <typename T, typename F>
bool unary(Instruction &i, F f) {
  unsigned d = i.operands[0].reg, a = i.operands[1].reg;
  i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
    uint64_t *result = warp.reg(d);
    const uint64_t *x = warp.reg(a);
    forEach(lanes, [&](unsigned lane) { result[lane] = toBits(f(fromBits<T>(x[lane]))); });
  };
  return true;
}

template <typename T, typename F>
bool binary(Instruction &i, F f) {
  unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg;
  i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
    uint64_t *result = warp.reg(d);
    const uint64_t *x = warp.reg(a), *y = warp.reg(b);
    forEach(lanes, [&](unsigned lane) { result[lane] = toBits(f(fromBits<T>(x[lane]), fromBits<T>(y[lane]))); });
  };
  return true;
}

template <typename T, typename C = T, typename F>
bool ternary(Instruction &i, F f) {
  unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg, c = i.operands[3].reg;
  i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
    uint64_t *result = warp.reg(d);
    const uint64_t *x = warp.reg(a), *y = warp.reg(b), *z = warp.reg(c);
    forEach(lanes, [&](unsigned lane) {
      result[lane] = toBits(f(fromBits<T>(x[lane]), fromBits<T>(y[lane]), fromBits<C>(z[lane])));
    });
  };
  return true;
}

float flush(float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }

/// The other one of a number and a NaN; -0 is less than 0.
template <typename T>
T largest(T x, T y) {
  return x == y && x == 0 ? (std::signbit(x) ? y : x) : std::fmax(x, y);
}
template <typename T>
T least(T x, T y) {
  return x == y && x == 0 ? (std::signbit(x) ? x : y) : std::fmin(x, y);
}

/// The canonical NaN where one of two is a NaN.
auto keepNaN(float (*f)(float, float)) {
  return [f](float x, float y) { return x != x || y != y ? llvm::bit_cast<float>(0x7fffffffu) : f(x, y); };
}

/// The specification gives the approximate functions an error bound; these results are the rounded exact ones.
bool decodeFloat(Instruction &i, StringRef op, StringRef type) {
  size_t n = i.operands.size();
  if (type == "f32") {
    if (i.has("rz") || i.has("rm") || i.has("rp") || i.has("sat"))
      return false;
    bool ftz = i.has("ftz");
    auto one = [&](auto f) {
      return n == 2 && unary<float>(i, [=](float x) { return ftz ? flush(f(flush(x))) : f(x); });
    };
    auto two = [&](auto f) {
      return n == 3 && binary<float>(i, [=](float x, float y) { return ftz ? flush(f(flush(x), flush(y))) : f(x, y); });
    };
    if (op == "add")
      return two([](float x, float y) { return x + y; });
    if (op == "sub")
      return two([](float x, float y) { return x - y; });
    if (op == "mul")
      return two([](float x, float y) { return x * y; });
    if (op == "div")
      return two([](float x, float y) { return x / y; });
    if (op == "max")
      return i.has("NaN") ? two(keepNaN(largest<float>)) : two(largest<float>);
    if (op == "min")
      return i.has("NaN") ? two(keepNaN(least<float>)) : two(least<float>);
    if (op == "copysign")
      return two([](float x, float y) { return std::copysign(y, x); });
    if (op == "neg")
      return one([](float x) { return -x; });
    if (op == "abs")
      return one([](float x) { return std::fabs(x); });
    if (op == "ex2")
      return one([](float x) { return std::exp2(x); });
    if (op == "lg2")
      return one([](float x) { return std::log2(x); });
    if (op == "rcp")
      return one([](float x) { return 1 / x; });
    if (op == "sqrt")
      return one([](float x) { return std::sqrt(x); });
    if (op == "rsqrt")
      return one([](float x) { return float(1 / std::sqrt(double(x))); });
    if (op == "sin")
      return one([](float x) { return std::sin(x); });
    if (op == "cos")
      return one([](float x) { return std::cos(x); });
    if (op == "tanh")
      return one([](float x) { return std::tanh(x); });
    if (op == "fma" && n == 4)
      return ternary<float>(i, [=](float x, float y, float z) {
        return ftz ? flush(std::fma(flush(x), flush(y), flush(z))) : std::fma(x, y, z);
      });
    return false;
  }
  if (type != "f64" || i.has("rz") || i.has("rm") || i.has("rp"))
    return false;
  if (op == "add")
    return binary<double>(i, [](double x, double y) { return x + y; });
  if (op == "sub")
    return binary<double>(i, [](double x, double y) { return x - y; });
  if (op == "mul")
    return binary<double>(i, [](double x, double y) { return x * y; });
  if (op == "div")
    return binary<double>(i, [](double x, double y) { return x / y; });
  if (op == "fma")
    return ternary<double>(i, [](double x, double y, double z) { return std::fma(x, y, z); });
  if (op == "max")
    return binary<double>(i, largest<double>);
  if (op == "min")
    return binary<double>(i, least<double>);
  if (op == "copysign")
    return binary<double>(i, [](double x, double y) { return std::copysign(y, x); });
  if (op == "neg")
    return unary<double>(i, [](double x) { return -x; });
  if (op == "abs")
    return unary<double>(i, [](double x) { return std::fabs(x); });
  if (op == "sqrt")
    return unary<double>(i, [](double x) { return std::sqrt(x); });
  return false;
}

/// Rounded to odd, so that rounding the result once more is rounding once.
float narrow(double x) {
  float rounded = float(x);
  if (std::isnan(x) || double(rounded) == x || llvm::bit_cast<uint32_t>(rounded) & 1)
    return rounded;
  return std::nextafter(rounded, x > rounded ? INFINITY : -INFINITY);
}

/// f16 and bf16: computed in double, rounded once.
bool decodeNarrowFloat(Instruction &i, StringRef op, StringRef type) {
  if (i.has("ftz") || i.has("sat") || i.has("relu"))
    return false;
  auto read = type == "f16" ? fromHalf : fromBfloat;
  auto write = type == "f16" ? toHalf : toBfloat;
  auto two = [&](auto f) {
    return i.operands.size() == 3 && binary<uint16_t>(i, [=](uint16_t x, uint16_t y) {
             return write(narrow(f(double(read(x)), double(read(y)))));
           });
  };
  if (op == "add")
    return two([](double x, double y) { return x + y; });
  if (op == "sub")
    return two([](double x, double y) { return x - y; });
  if (op == "mul")
    return two([](double x, double y) { return x * y; });
  return op == "fma" && i.operands.size() == 4 && ternary<uint16_t>(i, [=](uint16_t x, uint16_t y, uint16_t z) {
           return write(narrow(double(read(x)) * double(read(y)) + double(read(z))));
         });
}

template <typename T, typename Wide>
bool decodeInteger(Instruction &i, StringRef op) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned bits = sizeof(T) * 8;
  bool wide = i.has("wide"), high = i.has("hi");
  if (i.has("sat") || i.has("cc"))
    return false;
  if (op == "add")
    return binary<U>(i, [](U x, U y) { return U(x + y); });
  if (op == "sub")
    return binary<U>(i, [](U x, U y) { return U(x - y); });
  if constexpr (bits < 64) {
    if (op == "mul" && wide)
      return binary<T>(i, [](T x, T y) { return Wide(Wide(x) * Wide(y)); });
    if (op == "mad" && wide)
      return ternary<T, Wide>(i, [](T x, T y, Wide z) { return Wide(Wide(x) * Wide(y) + z); });
  }
  if (wide && bits == 64)
    return false;
  if (op == "mul" && high)
    return binary<T>(i, [](T x, T y) { return T((Wide(x) * Wide(y)) >> bits); });
  if (op == "mul")
    return binary<U>(i, [](U x, U y) { return U(uint64_t(x) * y); });
  if (op == "mad" && !high)
    return ternary<U>(i, [](U x, U y, U z) { return U(uint64_t(x) * y + z); });
  if (op == "div")
    return binary<T>(i, [](T x, T y) { return y == 0 ? T(-1) : y == T(-1) && T(-1) < 0 ? T(U(0) - U(x)) : T(x / y); });
  if (op == "rem")
    return binary<T>(i, [](T x, T y) { return y == 0 ? x : y == T(-1) && T(-1) < 0 ? T(0) : T(x % y); });
  if (op == "min")
    return binary<T>(i, [](T x, T y) { return std::min(x, y); });
  if (op == "max")
    return binary<T>(i, [](T x, T y) { return std::max(x, y); });
  if (op == "neg")
    return unary<U>(i, [](U x) { return U(0 - x); });
  if (op == "abs")
    return unary<T>(i, [](T x) { return x < 0 ? T(U(0) - U(x)) : x; });
  if (op == "and")
    return binary<U>(i, [](U x, U y) { return U(x & y); });
  if (op == "or")
    return binary<U>(i, [](U x, U y) { return U(x | y); });
  if (op == "xor")
    return binary<U>(i, [](U x, U y) { return U(x ^ y); });
  if (op == "not")
    return unary<U>(i, [](U x) { return U(~x); });
  if (op == "popc")
    return unary<U>(i, [](U x) { return uint32_t(llvm::popcount(x)); });
  if (op == "clz")
    return unary<U>(i, [](U x) { return uint32_t(llvm::countl_zero(x)); });
  if (op == "brev")
    return unary<U>(i, [](U x) {
      U y = 0;
      for (unsigned bit = 0; bit < bits; ++bit)
        y = U(y << 1 | (x >> bit & 1));
      return y;
    });
  if (op == "shl" || op == "shr") {
    // The amount is 32 bits whatever the type, and clamped.
    bool left = op == "shl";
    unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg;
    i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
      forEach(lanes, [&](unsigned lane) {
        T x = fromBits<T>(warp.reg(a)[lane]);
        uint32_t amount = uint32_t(warp.reg(b)[lane]);
        T over = left || x >= 0 ? T(0) : T(-1);
        warp.reg(d)[lane] = toBits(amount >= bits ? over : left ? T(U(x) << amount) : T(x >> amount));
      });
    };
    return true;
  }
  if (op == "bfe" && bits >= 32) {
    unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg, c = i.operands[3].reg;
    i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
      forEach(lanes, [&](unsigned lane) {
        T x = fromBits<T>(warp.reg(a)[lane]);
        unsigned start = warp.reg(b)[lane] & 0xff, count = warp.reg(c)[lane] & 0xff;
        U y = 0;
        bool sign = T(-1) < 0 && count && (U(x) >> std::min(start + count - 1, bits - 1) & 1);
        for (unsigned bit = 0; bit < bits; ++bit)
          y |= U(bit < count && start + bit < bits ? U(x) >> (start + bit) & 1 : U(sign)) << bit;
        warp.reg(d)[lane] = toBits(y);
      });
    };
    return true;
  }
  return false;
}

/// prmt.b32 without a mode.
uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (unsigned n = 0; n < 4; ++n) {
    unsigned nibble = selector >> (4 * n) & 15;
    uint8_t byte = uint8_t(bytes >> (8 * (nibble & 7)));
    if (nibble & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= uint32_t(byte) << (8 * n);
  }
  return result;
}

template <typename T>
bool isNaN(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}

template <typename T>
bool decodeSetp(Instruction &i, StringRef compare) {
  auto with = [&](auto f) {
    bool pair = i.operands[0].kind == Operand::Pair;
    if (pair || i.operands.size() != 3)
      return false;
    return binary<T>(i, [=](T x, T y) { return uint8_t(f(x, y)); });
  };
  bool unordered = compare.size() == 3 && compare.ends_with("u");
  if (unordered)
    compare = compare.drop_back();
  auto either = [&](auto f) {
    return with([=](T x, T y) { return f(x, y) || (unordered && (isNaN(x) || isNaN(y))); });
  };
  if (compare == "eq")
    return either([](T x, T y) { return x == y; });
  if (compare == "ne")
    return either([](T x, T y) { return x != y && !isNaN(x) && !isNaN(y); });
  if (compare == "lt" || compare == "lo")
    return either([](T x, T y) { return x < y; });
  if (compare == "le" || compare == "ls")
    return either([](T x, T y) { return x <= y; });
  if (compare == "gt" || compare == "hi")
    return either([](T x, T y) { return x > y; });
  if (compare == "ge" || compare == "hs")
    return either([](T x, T y) { return x >= y; });
  if (compare == "nan")
    return with([](T x, T y) { return isNaN(x) || isNaN(y); });
  if (compare == "num")
    return with([](T x, T y) { return !isNaN(x) && !isNaN(y); });
  return false;
}

/// Calls with a value of the C++ type.
template <typename F>
bool withType(StringRef type, F f) {
  if (type == "u16" || type == "b16")
    return f(uint16_t());
  if (type == "s16")
    return f(int16_t());
  if (type == "u32" || type == "b32")
    return f(uint32_t());
  if (type == "s32")
    return f(int32_t());
  if (type == "u64" || type == "b64")
    return f(uint64_t());
  if (type == "s64")
    return f(int64_t());
  return false;
}

} // namespace

bool attn::ptx::decodeArithmetic(Instruction &i) {
  StringRef op = i.parts[0], type = i.parts.back();
  size_t n = i.operands.size();
  auto registers = [&] {
    return llvm::all_of(i.operands, [](const Operand &o) { return o.kind == Operand::Register; });
  };
  if (n < 2 || n > 4 || !registers())
    return false;
  if (op == "setp") {
    StringRef compare = i.parts[1];
    if (type == "f32")
      return decodeSetp<float>(i, compare);
    if (type == "f64")
      return decodeSetp<double>(i, compare);
    return withType(type, [&](auto zero) { return decodeSetp<decltype(zero)>(i, compare); });
  }
  if (op == "selp" && n == 4) {
    unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg, p = i.operands[3].reg;
    i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
      forEach(lanes, [&](unsigned lane) { warp.reg(d)[lane] = warp.reg(warp.reg(p)[lane] ? a : b)[lane]; });
    };
    return true;
  }
  if (type == "pred") {
    if (op == "not")
      return unary<uint8_t>(i, [](uint8_t x) { return uint8_t(!x); });
    if (op == "mov")
      return unary<uint8_t>(i, [](uint8_t x) { return x; });
    if (op == "and")
      return binary<uint8_t>(i, [](uint8_t x, uint8_t y) { return uint8_t(x & y); });
    if (op == "or")
      return binary<uint8_t>(i, [](uint8_t x, uint8_t y) { return uint8_t(x | y); });
    if (op == "xor")
      return binary<uint8_t>(i, [](uint8_t x, uint8_t y) { return uint8_t(x ^ y); });
    return false;
  }
  if (op == "prmt" && i.parts.size() == 2 && n == 4)
    return ternary<uint32_t>(i, permute);
  if (op == "shf" && n == 4 && i.has("wrap")) {
    bool left = i.has("l");
    return ternary<uint32_t>(i, [=](uint32_t low, uint32_t high, uint32_t amount) {
      uint64_t both = uint64_t(high) << 32 | low;
      amount &= 31;
      return left ? uint32_t(both << amount >> 32) : uint32_t(both >> amount);
    });
  }
  if (type == "f32" || type == "f64")
    return op != "mov" && decodeFloat(i, op, type);
  if (type == "f16" || type == "bf16")
    return decodeNarrowFloat(i, op, type);
  size_t expected = op == "neg" || op == "not" || op == "abs" || op == "popc" || op == "clz" || op == "brev" ? 2
                    : op == "mad" || op == "bfe"                                                             ? 4
                                                                                                             : 3;
  if (n != expected)
    return false;
  return withType(type, [&](auto zero) {
    using T = decltype(zero);
    using Signed = std::conditional_t<sizeof(T) == 2, int32_t, std::conditional_t<sizeof(T) == 4, int64_t, __int128>>;
    using Unsigned =
        std::conditional_t<sizeof(T) == 2, uint32_t, std::conditional_t<sizeof(T) == 4, uint64_t, unsigned __int128>>;
    return decodeInteger<T, std::conditional_t<std::is_signed_v<T>, Signed, Unsigned>>(i, op);
  });
}
