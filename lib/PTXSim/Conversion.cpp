//===- Conversion.cpp - mov and cvt -----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"
#include <cmath>

using namespace attn::ptx;
using llvm::StringRef;

float attn::ptx::fromHalf(uint16_t bits) { return float(fromBits<_Float16>(bits)); }
uint16_t attn::ptx::toHalf(float value) { return uint16_t(toBits(_Float16(value))); }
float attn::ptx::fromBfloat(uint16_t bits) { return fromBits<float>(uint64_t(bits) << 16); }
uint16_t attn::ptx::toBfloat(float value) {
  uint32_t bits = uint32_t(toBits(value));
  if (std::isnan(value))
    return 0x7fff;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

namespace {

/// mov with vectors packs or unpacks; otherwise it copies bits.
bool decodeMove(Instruction &i) {
  if (i.operands.size() != 2)
    return false;
  unsigned bits = 64;
  if (i.parts.back().drop_front().getAsInteger(10, bits))
    bits = 64;
  const Operand &to = i.operands[0], &from = i.operands[1];
  if (to.kind == Operand::Vector || from.kind == Operand::Vector) {
    bool pack = from.kind == Operand::Vector;
    const auto &elements = pack ? from.elements : to.elements;
    unsigned width = bits / unsigned(elements.size());
    if (bits > 64 || (pack ? to : from).kind != Operand::Register)
      return false;
    uint64_t mask = (uint64_t(1) << width) - 1;
    i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
      const auto &elements = self.operands[pack].elements;
      unsigned whole = self.operands[!pack].reg;
      forEach(lanes, [&](unsigned lane) {
        uint64_t value = pack ? 0 : warp.reg(whole)[lane];
        for (unsigned e = 0; e < elements.size(); ++e) {
          if (pack)
            value |= (warp.reg(elements[e].reg)[lane] & mask) << (e * width);
          else if (elements[e].kind == Operand::Register)
            warp.reg(elements[e].reg)[lane] = value >> (e * width) & mask;
        }
        if (pack)
          warp.reg(whole)[lane] = value;
      });
    };
    return true;
  }
  if (to.kind != Operand::Register || from.kind != Operand::Register)
    return false;
  uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  unsigned d = to.reg, a = from.reg;
  i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
    forEach(lanes, [&](unsigned lane) { warp.reg(d)[lane] = warp.reg(a)[lane] & mask; });
  };
  return true;
}

/// Integers of a width from the bits of a register.
int64_t readInteger(uint64_t bits, unsigned width, bool isSigned) {
  if (width == 64)
    return int64_t(bits);
  bits &= (uint64_t(1) << width) - 1;
  return isSigned && bits >> (width - 1) ? int64_t(bits | ~uint64_t(0) << width) : int64_t(bits);
}

template <typename F>
bool convert(Instruction &i, F f) {
  unsigned d = i.operands[0].reg, a = i.operands[1].reg;
  i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
    forEach(lanes, [&](unsigned lane) { warp.reg(d)[lane] = f(warp.reg(a)[lane]); });
  };
  return true;
}

struct Integer {
  unsigned width = 0;
  bool isSigned = false;
};

Integer integerType(StringRef type) {
  Integer result;
  if ((type.starts_with("s") || type.starts_with("u") || type.starts_with("b")) &&
      !type.drop_front().getAsInteger(10, result.width))
    result.isSigned = type.starts_with("s");
  else
    result.width = 0;
  return result;
}

double readFloat(uint64_t bits, StringRef type) {
  return type == "f16"    ? fromHalf(uint16_t(bits))
         : type == "bf16" ? fromBfloat(uint16_t(bits))
         : type == "f32"  ? fromBits<float>(bits)
                          : fromBits<double>(bits);
}

bool isFloat(StringRef type) { return type == "f16" || type == "bf16" || type == "f32" || type == "f64"; }

bool decodeConvert(Instruction &i) {
  if (i.parts.size() < 3 || i.has("sat"))
    return false;
  StringRef from = i.parts.back(), to = i.parts[i.parts.size() - 2];
  bool relu = i.has("relu");
  if ((to == "bf16x2" || to == "f16x2") && from == "f32" && i.has("rn") && i.operands.size() == 3) {
    unsigned d = i.operands[0].reg, a = i.operands[1].reg, b = i.operands[2].reg;
    auto round = to == "bf16x2" ? toBfloat : toHalf;
    i.execute = [=](Warp &warp, const Instruction &, Mask lanes) {
      auto element = [&](unsigned reg, unsigned lane) {
        float x = fromBits<float>(warp.reg(reg)[lane]);
        return uint64_t(round(relu && x < 0 ? 0 : x));
      };
      forEach(lanes, [&](unsigned lane) { warp.reg(d)[lane] = element(a, lane) << 16 | element(b, lane); });
    };
    return true;
  }
  if (i.operands.size() != 2 || relu)
    return false;
  if (to == "tf32" && from == "f32" && i.has("rna")) // To nearest, ties away from zero; the lowest 13 bits are zeros.
    return convert(
        i, [](uint64_t x) -> uint64_t { return std::isfinite(fromBits<float>(x)) ? (x + 0x1000) & 0xffffe000 : x; });
  Integer source = integerType(from), result = integerType(to);
  if (source.width && result.width)
    return convert(i, [=](uint64_t x) {
      uint64_t value = uint64_t(readInteger(x, source.width, source.isSigned));
      return result.width == 64 ? value : value & ((uint64_t(1) << result.width) - 1);
    });
  if (isFloat(from) && result.width) {
    bool down = i.has("rmi"), up = i.has("rpi"), zero = i.has("rzi");
    std::string type = from.str();
    // Out of range gives the nearest bound, and so NaN gives 0.
    double lowest = result.isSigned ? -std::ldexp(1.0, int(result.width) - 1) : 0;
    double beyond = std::ldexp(1.0, int(result.width) - int(result.isSigned));
    return convert(i, [=](uint64_t x) -> uint64_t {
      double value = readFloat(x, type);
      value = down ? std::floor(value) : up ? std::ceil(value) : zero ? std::trunc(value) : std::nearbyint(value);
      uint64_t mask = result.width == 64 ? ~uint64_t(0) : (uint64_t(1) << result.width) - 1;
      if (std::isnan(value))
        return 0;
      if (value >= beyond)
        return result.isSigned ? mask >> 1 : mask;
      value = std::max(value, lowest);
      return (value < 0 ? uint64_t(int64_t(value)) : uint64_t(value)) & mask;
    });
  }
  if (!isFloat(to))
    return false;
  std::string type = from.str(), kind = to.str();
  bool rounds = i.has("rni") || i.has("rmi") || i.has("rpi") || i.has("rzi");
  if (i.has("rz") || i.has("rm") || i.has("rp") || (!source.width && !isFloat(from)) || (rounds && source.width) ||
      (type == "f64" && (kind == "f16" || kind == "bf16")))
    return false;
  bool down = i.has("rmi"), up = i.has("rpi"), zero = i.has("rzi");
  return convert(i, [=](uint64_t x) -> uint64_t {
    if (source.width && kind == "f32") {
      int64_t value = readInteger(x, source.width, source.isSigned);
      return toBits(source.isSigned ? float(value) : float(uint64_t(value)));
    }
    double value = source.width ? source.isSigned ? double(readInteger(x, source.width, true))
                                                  : double(uint64_t(readInteger(x, source.width, false)))
                                : readFloat(x, type);
    if (rounds)
      value = down ? std::floor(value) : up ? std::ceil(value) : zero ? std::trunc(value) : std::nearbyint(value);
    return kind == "f16"    ? toHalf(float(value))
           : kind == "bf16" ? toBfloat(float(value))
           : kind == "f32"  ? toBits(float(value))
                            : toBits(value);
  });
}

} // namespace

bool attn::ptx::decodeConversion(Instruction &i) {
  if (i.parts[0] == "mov")
    return decodeMove(i);
  if (i.parts[0] == "cvt")
    return decodeConvert(i);
  if (i.parts[0] != "cvta" || i.operands.size() != 2 || i.operands[1].kind != Operand::Register)
    return false;
  // Global addresses are the same in both spaces.
  uint64_t window = i.has("shared") || i.has("shared::cta") || i.has("shared::cluster") ? sharedWindow
                    : i.has("local")                                                    ? localWindow
                    : i.has("param")                                                    ? paramWindow
                                                                                        : 0;
  if (!window && !i.has("global"))
    return false;
  if (i.has("to"))
    return convert(i, [=](uint64_t x) { return window ? x & ~(uint64_t(0xff) << 56) : x; });
  return convert(i, [=](uint64_t x) { return x | window; });
}
