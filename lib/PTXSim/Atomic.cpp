//===- Atomic.cpp - atom and red --------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"
#include <cmath>

using namespace attn::ptx;

namespace {

/// What is stored for the old value and the operands.
template <typename T>
using Update = T (*)(T old, T b, T c);

template <typename T>
Update<T> integerUpdate(llvm::StringRef op) {
  return op == "add"    ? [](T old, T b, T) { return T(old + b); }
         : op == "min"  ? [](T old, T b, T) { return std::min(old, b); }
         : op == "max"  ? [](T old, T b, T) { return std::max(old, b); }
         : op == "and"  ? [](T old, T b, T) { return T(old & b); }
         : op == "or"   ? [](T old, T b, T) { return T(old | b); }
         : op == "xor"  ? [](T old, T b, T) { return T(old ^ b); }
         : op == "exch" ? [](T, T b, T) { return b; }
         : op == "inc"  ? [](T old, T b, T) { return old >= b ? T(0) : T(old + 1); }
         : op == "dec"  ? [](T old, T b, T) { return old == 0 || old > b ? b : T(old - 1); }
         : op == "cas"  ? [](T old, T b, T c) { return old == b ? c : old; }
                        : Update<T>(nullptr);
}

template <typename T>
bool decodeUpdate(Instruction &i, Update<T> update, Space space) {
  bool returns = i.parts[0] == "atom";
  size_t first = returns;
  if (!update || i.operands.size() < first + 2 || i.operands[first].kind != Operand::Address ||
      i.operands[first + 1].kind != Operand::Register)
    return false;
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    const Operand &at = self.operands[first];
    const Operand &b = self.operands[first + 1], &c = self.operands[std::min(first + 2, self.operands.size() - 1)];
    forEach(lanes, [&](unsigned lane) {
      uint64_t address = warp.reg(at.reg)[lane] + uint64_t(at.offset);
      uint8_t *data = warp.access(space, address, sizeof(T), false, lane);
      if (!data)
        return;
      T old;
      std::memcpy(&old, data, sizeof(T));
      T value = update(old, fromBits<T>(warp.reg(b.reg)[lane]), fromBits<T>(warp.reg(c.reg)[lane]));
      std::memcpy(data, &value, sizeof(T));
      if (returns && self.operands[0].kind == Operand::Register)
        warp.reg(self.operands[0].reg)[lane] = toBits(old);
    });
  };
  return true;
}

} // namespace

bool attn::ptx::decodeAtomic(Instruction &i) {
  if ((i.parts[0] != "atom" && i.parts[0] != "red") || i.has("async") || i.parts.size() < 3)
    return false;
  llvm::StringRef type = i.parts.back(), op = i.parts[i.parts.size() - 2];
  Space space = i.has("global") ? Space::Global : i.has("shared") ? Space::Shared : Space::Generic;
  if (type == "u32" || type == "b32")
    return decodeUpdate(i, integerUpdate<uint32_t>(op), space);
  if (type == "s32")
    return decodeUpdate(i, integerUpdate<int32_t>(op), space);
  if (type == "u64" || type == "b64")
    return decodeUpdate(i, integerUpdate<uint64_t>(op), space);
  if (type == "s64")
    return decodeUpdate(i, integerUpdate<int64_t>(op), space);
  if (type == "f32" && op == "add")
    return decodeUpdate<float>(i, [](float old, float b, float) { return old + b; }, space);
  if (type == "f64" && op == "add")
    return decodeUpdate<double>(i, [](double old, double b, double) { return old + b; }, space);
  return false;
}
