//===- Matrix.cpp - ldmatrix, stmatrix and mma.sync -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"

using namespace attn::ptx;

namespace {

/// Matrices of 8x8 elements of 16 bits: lane 8 n + r gives the address of row r of matrix n, and lane l has elements
/// 2 (l mod 4) and the next of row l / 4. Transposed, rows and columns change places.
bool decodeMatrixAccess(Instruction &i, bool load) {
  bool transposed = i.has("trans");
  unsigned count = i.has("x4") ? 4 : i.has("x2") ? 2 : i.has("x1") ? 1 : 0;
  if (!count || !i.has("b16") || !i.has("m8n8") || i.operands.size() != 2)
    return false;
  const Operand &values = i.operands[load ? 0 : 1];
  if (values.kind == Operand::Vector ? values.elements.size() != count : count != 1)
    return false;
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    if (!warp.together(lanes, ~0u))
      return;
    const Operand &at = self.operands[load ? 1 : 0], &values = self.operands[load ? 0 : 1];
    Space space = self.has("shared") || self.has("shared::cta") ? Space::Shared : Space::Generic;
    for (unsigned matrix = 0; matrix < count; ++matrix) {
      uint16_t *rows[8];
      for (unsigned row = 0; row < 8; ++row) {
        unsigned lane = matrix * 8 + row;
        uint64_t address = warp.reg(at.reg)[lane] + uint64_t(at.offset);
        rows[row] = reinterpret_cast<uint16_t *>(warp.access(space, address, 16, !load, lane));
        if (!rows[row])
          return;
      }
      uint64_t *value = warp.reg(values.kind == Operand::Vector ? values.elements[matrix].reg : values.reg);
      for (unsigned lane = 0; lane < 32; ++lane) {
        unsigned row = lane / 4, column = lane % 4 * 2;
        uint16_t &low = transposed ? rows[column][row] : rows[row][column];
        uint16_t &high = transposed ? rows[column + 1][row] : rows[row][column + 1];
        if (load) {
          value[lane] = uint32_t(high) << 16 | low;
        } else {
          low = uint16_t(value[lane]);
          high = uint16_t(value[lane] >> 16);
        }
      }
    }
  };
  return true;
}

/// D = A B + C of 16x8 with A 16xk, for k = 8 or 16, in f16 or bf16, or k = 8 in tf32, with sums in f32. Fragments: the
/// specification's figures for mma.m16n8k8 and mma.m16n8k16. The order and rounding of the sums is the machine's own
/// affair; here they are taken in f32, k rising.
bool decodeMultiply(Instruction &i) {
  unsigned depth = i.has("m16n8k16") ? 16 : i.has("m16n8k8") ? 8 : 0;
  size_t n = i.parts.size();
  if (!depth || n < 8 || i.operands.size() != 4 || i.parts[n - 1] != "f32" || i.parts[n - 4] != "f32" ||
      i.parts[n - 2] != i.parts[n - 3])
    return false;
  llvm::StringRef type = i.parts[n - 2];
  bool isTF32 = type == "tf32";
  if (isTF32 ? depth != 8 : type != "bf16" && type != "f16")
    return false;
  // Elements of tf32 have a register each, others share one in pairs.
  const size_t sizes[] = {4, isTF32 ? 4 : depth / 4, isTF32 ? 2 : depth / 8, 4};
  for (unsigned o = 0; o < 4; ++o)
    if (i.operands[o].kind != Operand::Vector || i.operands[o].elements.size() != sizes[o])
      return false;
  auto widen = type == "bf16" ? fromBfloat : fromHalf;
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    if (!warp.together(lanes, ~0u))
      return;
    const auto &o = self.operands;
    float a[16][16], b[16][8];
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned group = lane / 4, pair = lane % 4 * 2;
      if (isTF32) {
        // The lowest 13 bits do not count.
        auto element = [&](const Operand &operand, unsigned r) {
          return fromBits<float>(warp.reg(operand.elements[r].reg)[lane] & 0xffffe000);
        };
        for (unsigned r = 0; r < 4; ++r)
          a[group + r % 2 * 8][lane % 4 + r / 2 * 4] = element(o[1], r);
        for (unsigned r = 0; r < 2; ++r)
          b[lane % 4 + r * 4][group] = element(o[2], r);
        continue;
      }
      for (unsigned r = 0; r < o[1].elements.size(); ++r) {
        uint64_t value = warp.reg(o[1].elements[r].reg)[lane];
        unsigned row = group + r % 2 * 8, column = pair + r / 2 * 8;
        a[row][column] = widen(uint16_t(value)), a[row][column + 1] = widen(uint16_t(value >> 16));
      }
      for (unsigned r = 0; r < o[2].elements.size(); ++r) {
        uint64_t value = warp.reg(o[2].elements[r].reg)[lane];
        b[pair + r * 8][group] = widen(uint16_t(value)), b[pair + r * 8 + 1][group] = widen(uint16_t(value >> 16));
      }
    }
    float sums[16][8];
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned r = 0; r < 4; ++r)
        sums[lane / 4 + r / 2 * 8][lane % 4 * 2 + r % 2] = fromBits<float>(warp.reg(o[3].elements[r].reg)[lane]);
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned k = 0; k < depth; ++k)
        for (unsigned column = 0; column < 8; ++column)
          sums[row][column] += a[row][k] * b[k][column];
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned r = 0; r < 4; ++r)
        warp.reg(o[0].elements[r].reg)[lane] = toBits(sums[lane / 4 + r / 2 * 8][lane % 4 * 2 + r % 2]);
  };
  return true;
}

} // namespace

bool attn::ptx::decodeMatrix(Instruction &i) {
  llvm::StringRef op = i.parts[0];
  if (op == "ldmatrix")
    return decodeMatrixAccess(i, true);
  if (op == "stmatrix")
    return decodeMatrixAccess(i, false);
  return op == "mma" && i.has("row") && i.has("col") && decodeMultiply(i);
}
