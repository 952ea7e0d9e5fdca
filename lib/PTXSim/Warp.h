//===- Warp.h - The state that instructions work on -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_PTXSIM_WARP_H
#define ATTN_PTXSIM_WARP_H

#include "attn/PTXSim/Machine.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include <cstring>

namespace attn::ptx {

/// Where generic addresses of the spaces that are not global begin.
constexpr uint64_t sharedWindow = uint64_t(0x71) << 56, localWindow = uint64_t(0x72) << 56,
                   paramWindow = uint64_t(0x73) << 56;

enum class Space { Generic, Global, Shared, Local, Param };

/// One of a block's sixteen barriers.
struct NamedBarrier {
  unsigned arrived = 0, expected = 0, phase = 0;
};

/// A block of threads.
struct Block {
  const Module &module;
  const Kernel &kernel;
  const Launch &launch;
  Memory &memory;
  unsigned index[3];
  std::vector<uint8_t> shared;
  std::vector<bool> sharedWritten;
  NamedBarrier barriers[16];
  std::string fault;
};

/// Lanes that are at the same instruction.
struct Group {
  unsigned pc = 0;
  Mask lanes = 0;
  /// Set while it waits for a barrier's phase to end, or for lanes that an instruction names.
  int barrier = -1;
  unsigned phase = 0;
  bool collecting = false;
};

/// A cp.async on its way, by the lane that must wait for it.
struct Copy {
  unsigned lane, group, bytes;
  uint64_t to;
  uint8_t data[16];
};

class Warp {
public:
  Warp(Block &block, unsigned number, Mask lanes);

  uint64_t *reg(unsigned index) { return &registers[size_t(index) * 32]; }

  /// Reports what the current instruction does wrong; the first report stands.
  void fault(unsigned lane, const llvm::Twine &what);

  /// The bytes of an access, or null after a fault: misaligned, out of bounds or, for reads, never written.
  uint8_t *access(Space space, uint64_t address, unsigned bytes, bool write, unsigned lane, unsigned alignment = 0);

  /// Whether the lanes that an instruction names execute it together. If not, they wait for each other, or one that
  /// can never take part is reported.
  bool together(Mask active, Mask named);

  /// Lets lanes of the current group go on elsewhere, or end.
  void branch(Mask lanes, unsigned target);
  void exit(Mask lanes);

  /// Runs some instructions; false if nothing could.
  bool advance(unsigned &steps);

  Block &block;
  unsigned number;
  std::vector<Group> groups;
  /// The group that executes, of which instructions change the state.
  Group *current = nullptr;
  Mask exited = 0;
  unsigned nextPC = 0;
  std::vector<Copy> copies;
  /// Groups of copies that each lane has closed.
  unsigned closedGroups[32] = {};

private:
  void step(size_t which);
  void merge();

  std::vector<uint64_t> registers;
  std::vector<uint8_t> local;
  unsigned localBytes;
};

/// Calls `body` with the number of each lane.
template <typename Body>
inline void forEach(Mask lanes, Body body) {
  if (lanes == ~0u) {
    for (unsigned lane = 0; lane < 32; ++lane)
      body(lane);
    return;
  }
  for (; lanes; lanes &= lanes - 1)
    body(unsigned(llvm::countr_zero(lanes)));
}

template <typename T>
inline T fromBits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
template <typename T>
inline uint64_t toBits(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

float fromHalf(uint16_t bits);
uint16_t toHalf(float value);
float fromBfloat(uint16_t bits);
uint16_t toBfloat(float value);

/// Each finds out how to execute an instruction of its kind; false for those of other kinds.
bool decodeArithmetic(Instruction &instruction);
bool decodeConversion(Instruction &instruction);
bool decodeControl(Instruction &instruction);
bool decodeMemory(Instruction &instruction);
bool decodeAtomic(Instruction &instruction);
bool decodeWarp(Instruction &instruction);
bool decodeMatrix(Instruction &instruction);

} // namespace attn::ptx

#endif // ATTN_PTXSIM_WARP_H
