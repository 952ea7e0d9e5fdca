//===- MemoryAccess.cpp - Loads, stores and copies --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::ptx;
using llvm::StringRef;

namespace {

Space spaceOf(const Instruction &i) {
  for (StringRef part : i.parts) {
    if (part == "global" || part == "const")
      return Space::Global;
    if (part.starts_with("shared"))
      return Space::Shared;
    if (part == "local")
      return Space::Local;
    if (part.starts_with("param"))
      return Space::Param;
  }
  return Space::Generic;
}

bool decodeLoadStore(Instruction &i, bool load) {
  if (i.operands.size() != 2)
    return false;
  const Operand &value = i.operands[load ? 0 : 1];
  if (i.operands[load ? 1 : 0].kind != Operand::Address ||
      (value.kind != Operand::Register && value.kind != Operand::Vector))
    return false;
  StringRef type = i.parts.back();
  unsigned bits = 0;
  if (type.drop_while([](char c) { return c < '0' || c > '9'; }).getAsInteger(10, bits) || bits < 8 || bits > 64)
    return false;
  unsigned bytes = bits / 8, count = value.kind == Operand::Vector ? unsigned(value.elements.size()) : 1;
  bool isSigned = type.starts_with("s");
  Space space = spaceOf(i);
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    const Operand &at = self.operands[load ? 1 : 0], &value = self.operands[load ? 0 : 1];
    forEach(lanes, [&](unsigned lane) {
      uint64_t address = warp.reg(at.reg)[lane] + uint64_t(at.offset);
      if (space == Space::Shared)
        address = uint32_t(address);
      uint8_t *data = warp.access(space, address, bytes * count, !load, lane);
      if (!data)
        return;
      for (unsigned e = 0; e < count; ++e, data += bytes) {
        const Operand &element = count == 1 && value.elements.empty() ? value : value.elements[e];
        if (!load) {
          std::memcpy(data, warp.reg(element.reg) + lane, bytes);
          continue;
        }
        uint64_t loaded = 0;
        std::memcpy(&loaded, data, bytes);
        if (isSigned && bits < 64 && loaded >> (bits - 1))
          loaded |= ~uint64_t(0) << bits;
        if (element.kind == Operand::Register)
          warp.reg(element.reg)[lane] = loaded;
      }
    });
  };
  return true;
}

/// Ends the copies of lanes, all but those of their last groups.
void finishCopies(Warp &warp, Mask lanes, uint64_t groupsLeft) {
  llvm::erase_if(warp.copies, [&](const Copy &copy) {
    if (!(lanes >> copy.lane & 1) || copy.group + groupsLeft >= warp.closedGroups[copy.lane])
      return false;
    if (uint8_t *to = warp.access(Space::Shared, copy.to, copy.bytes, true, copy.lane))
      std::memcpy(to, copy.data, copy.bytes);
    return true;
  });
}

/// The source is read at once, and what is written appears when its lane waits for it, the latest that is allowed;
/// until then nothing counts as written there.
bool decodeCopy(Instruction &i) {
  bool closes = i.has("commit_group") || i.has("wait_all"), waits = i.has("wait_group") || i.has("wait_all");
  if (!i.has("bulk") && (closes || waits)) {
    if (i.has("wait_group") && (i.operands.size() != 1 || i.operands[0].kind != Operand::Register))
      return false;
    i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
      forEach(lanes, [&](unsigned lane) { warp.closedGroups[lane] += closes; });
      if (waits)
        finishCopies(warp, lanes, closes ? 0 : warp.reg(self.operands[0].reg)[llvm::countr_zero(lanes)]);
    };
    return true;
  }
  if (i.has("bulk") || (!i.has("ca") && !i.has("cg")) || i.operands.size() < 3 || i.operands.size() > 4 ||
      i.operands[0].kind != Operand::Address || i.operands[1].kind != Operand::Address)
    return false;
  i.execute = [](Warp &warp, const Instruction &self, Mask lanes) {
    const auto &o = self.operands;
    forEach(lanes, [&](unsigned lane) {
      uint64_t bytes = warp.reg(o[2].reg)[lane];
      uint64_t read = o.size() == 4 ? uint32_t(warp.reg(o[3].reg)[lane]) : bytes;
      if ((bytes != 4 && bytes != 8 && bytes != 16) || read > bytes)
        return warp.fault(lane, "a copy of " + llvm::Twine(read) + " of " + llvm::Twine(bytes) + " bytes");
      uint64_t source = warp.reg(o[1].reg)[lane] + uint64_t(o[1].offset);
      uint64_t to = uint32_t(warp.reg(o[0].reg)[lane] + uint64_t(o[0].offset));
      if (!warp.access(Space::Shared, to, unsigned(bytes), true, lane))
        return;
      auto written = warp.block.sharedWritten.begin() + long(to);
      std::fill(written, written + long(bytes), false);
      Copy copy = {lane, warp.closedGroups[lane], unsigned(bytes), to, {}};
      if (source % bytes)
        return warp.fault(lane, "a misaligned source at address " + llvm::Twine(source));
      if (read)
        if (const uint8_t *from = warp.access(Space::Global, source, unsigned(read), false, lane, 1))
          std::memcpy(copy.data, from, read);
      warp.copies.push_back(copy);
    });
  };
  return true;
}

} // namespace

bool attn::ptx::decodeMemory(Instruction &i) {
  StringRef op = i.parts[0];
  if (op == "ld" || op == "ldu")
    return decodeLoadStore(i, true);
  if (op == "st")
    return decodeLoadStore(i, false);
  if (op == "cp" && i.parts.size() > 1 && i.parts[1] == "async")
    return decodeCopy(i);
  if (op == "prefetch" || op == "prefetchu" || op == "discard") {
    i.execute = [](Warp &, const Instruction &, Mask) {};
    return true;
  }
  return false;
}
