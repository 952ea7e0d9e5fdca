//===- Control.cpp - Branches and barriers ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warp.h"

using namespace attn::ptx;

namespace {

/// All threads that take part arrive, and those that wait go on once there are as many as the barrier expects. What
/// counts is whole warps.
bool decodeBarrier(Instruction &i) {
  bool waits = i.has("sync"), all = i.operands.size() == 1;
  if ((!waits && !i.has("arrive")) || i.operands.empty() || i.operands.size() > 2)
    return false;
  i.collective = true;
  i.execute = [=](Warp &warp, const Instruction &self, Mask lanes) {
    if (!warp.together(lanes, ~0u))
      return;
    unsigned lane = unsigned(llvm::countr_zero(lanes));
    uint64_t id = uint32_t(warp.reg(self.operands[0].reg)[lane]);
    const unsigned *n = warp.block.launch.block;
    uint64_t expected = all ? (n[0] * n[1] * n[2] + 31) / 32 * 32 : uint32_t(warp.reg(self.operands[1].reg)[lane]);
    if (id > 15)
      return warp.fault(lane, "there are barriers 0 to 15, not " + llvm::Twine(id));
    if (expected == 0 || expected % 32)
      return warp.fault(lane, "a barrier's threads are a multiple of 32, not " + llvm::Twine(expected));
    NamedBarrier &barrier = warp.block.barriers[id];
    if (barrier.arrived && barrier.expected != expected)
      return warp.fault(lane, "others expect " + llvm::Twine(barrier.expected) + " threads at this barrier, not " +
                                  llvm::Twine(expected));
    barrier.expected = unsigned(expected);
    barrier.arrived += 32;
    if (waits) {
      warp.current->barrier = int(id);
      warp.current->phase = barrier.phase;
    }
    if (barrier.arrived >= expected) {
      barrier.arrived = 0;
      ++barrier.phase;
    }
  };
  return true;
}

} // namespace

bool attn::ptx::decodeControl(Instruction &i) {
  llvm::StringRef op = i.parts[0];
  if (op == "bra" && i.operands.size() == 1 && i.operands[0].kind == Operand::Label) {
    i.execute = [](Warp &warp, const Instruction &self, Mask lanes) { warp.branch(lanes, self.target); };
    return true;
  }
  if (op == "ret" || op == "exit") {
    i.execute = [](Warp &warp, const Instruction &, Mask lanes) { warp.exit(lanes); };
    return true;
  }
  if (op == "trap") {
    i.execute = [](Warp &warp, const Instruction &, Mask lanes) {
      warp.fault(unsigned(llvm::countr_zero(lanes)), "a trap");
    };
    return true;
  }
  if ((op == "bar" || op == "barrier") && !i.has("warp") && !i.has("cluster") && !i.has("red"))
    return decodeBarrier(i);
  // One thread's accesses are in order here, so that these order nothing more.
  if (op == "membar" || op == "fence" || op == "nanosleep") {
    i.execute = [](Warp &, const Instruction &, Mask) {};
    return true;
  }
  return false;
}
