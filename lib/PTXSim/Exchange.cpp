//===- Exchange.cpp - Shuffles, votes and elections -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"

using namespace attn::ptx;

namespace {

/// shfl.sync.mode.b32 d[|p], a, b, c, membermask, by the formulas of the specification.
bool decodeShuffle(Instruction &i) {
  if (i.operands.size() != 5 || !i.has("b32"))
    return false;
  bool up = i.has("up"), down = i.has("down"), butterfly = i.has("bfly");
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    const auto &o = self.operands;
    unsigned first = unsigned(llvm::countr_zero(lanes));
    if (!warp.together(lanes, Mask(warp.reg(o[4].reg)[first])))
      return;
    bool pair = o[0].kind == Operand::Pair;
    const Operand &result = pair ? o[0].elements[0] : o[0];
    uint64_t old[32];
    std::copy_n(warp.reg(o[1].reg), 32, old);
    forEach(lanes, [&](unsigned lane) {
      unsigned b = warp.reg(o[2].reg)[lane] & 31, c = unsigned(warp.reg(o[3].reg)[lane]);
      unsigned clamp = c & 31, segment = c >> 8 & 31;
      unsigned maxLane = (lane & segment) | (clamp & ~segment), minLane = lane & segment;
      unsigned source = up ? lane - b : down ? lane + b : butterfly ? lane ^ b : minLane | (b & ~segment);
      bool valid = up ? int(source) >= int(maxLane) : source <= maxLane;
      if (!valid)
        source = lane;
      if (!(lanes >> source & 1))
        return warp.fault(lane, "a value from lane " + llvm::Twine(source) + ", which does not take part,");
      if (result.kind == Operand::Register)
        warp.reg(result.reg)[lane] = uint32_t(old[source]);
      if (pair)
        warp.reg(o[0].elements[1].reg)[lane] = valid;
    });
  };
  return true;
}

bool decodeVote(Instruction &i) {
  if (i.operands.size() != 3)
    return false;
  bool all = i.has("all"), any = i.has("any"), ballot = i.has("ballot");
  if (!all && !any && !ballot)
    return false;
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    const auto &o = self.operands;
    unsigned first = unsigned(llvm::countr_zero(lanes));
    if (!warp.together(lanes, Mask(warp.reg(o[2].reg)[first])))
      return;
    Mask set = 0;
    forEach(lanes, [&](unsigned lane) { set |= Mask((warp.reg(o[1].reg)[lane] != 0) != o[1].negated) << lane; });
    forEach(lanes, [&](unsigned lane) { warp.reg(o[0].reg)[lane] = ballot ? set : all ? set == lanes : set != 0; });
  };
  return true;
}

} // namespace

bool attn::ptx::decodeWarp(Instruction &i) {
  llvm::StringRef op = i.parts[0];
  if (op == "shfl" && i.has("sync"))
    return decodeShuffle(i);
  if (op == "vote" && i.has("sync"))
    return decodeVote(i);
  if (op == "elect" && i.operands.size() == 2 && i.operands[0].kind == Operand::Pair) {
    i.execute = [](Warp &warp, const Instruction &self, Mask lanes) {
      const Operand &lane0 = self.operands[0].elements[0], &elected = self.operands[0].elements[1];
      unsigned first = unsigned(llvm::countr_zero(lanes));
      if (!warp.together(lanes, Mask(warp.reg(self.operands[1].reg)[first])))
        return;
      forEach(lanes, [&](unsigned lane) {
        if (lane0.kind == Operand::Register)
          warp.reg(lane0.reg)[lane] = first;
        warp.reg(elected.reg)[lane] = lane == first;
      });
    };
    return true;
  }
  if (op == "activemask" && i.operands.size() == 1) {
    i.execute = [](Warp &warp, const Instruction &self, Mask lanes) {
      forEach(lanes, [&](unsigned lane) { warp.reg(self.operands[0].reg)[lane] = lanes; });
    };
    return true;
  }
  if ((op == "bar" || op == "barrier") && i.has("warp") && i.operands.size() == 1) {
    i.execute = [](Warp &warp, const Instruction &self, Mask lanes) {
      unsigned first = unsigned(llvm::countr_zero(lanes));
      warp.together(lanes, Mask(warp.reg(self.operands[0].reg)[first]));
    };
    return true;
  }
  return false;
}
