//===- Machine.cpp - Warps, blocks and memory -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lanes of a warp that are at one instruction make a group and step together; the group that is furthest behind goes
// first, so that lanes which a branch parted meet again. Any order is allowed by the specification, since threads are
// scheduled independently.
//
//===----------------------------------------------------------------------===//

#include "Warp.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace attn::ptx;

uint64_t Memory::allocate(uint64_t bytes) {
  if (bytes > (uint64_t(1) << 40))
    return 0;
  std::unique_ptr<uint8_t[]> storage(new (std::nothrow) uint8_t[bytes + 256]);
  if (!storage)
    return 0;
  uint64_t address = llvm::alignTo(reinterpret_cast<uint64_t>(storage.get()), 256);
  allocations[address] = {std::move(storage), bytes, std::vector<bool>(bytes)};
  return address;
}

bool Memory::release(uint64_t address) { return allocations.erase(address) != 0; }

const std::pair<const uint64_t, Memory::Allocation> *Memory::find(uint64_t address, uint64_t bytes) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  const auto &entry = *std::prev(after);
  uint64_t offset = address - entry.first;
  return offset <= entry.second.bytes && bytes <= entry.second.bytes - offset ? &entry : nullptr;
}

bool Memory::contains(uint64_t address, uint64_t bytes) const { return find(address, bytes); }

bool Memory::initialised(uint64_t address, uint64_t bytes) const {
  const auto *entry = find(address, bytes);
  for (uint64_t i = address - entry->first, end = i + bytes; i < end; ++i)
    if (!entry->second.written[i])
      return false;
  return true;
}

void Memory::markWritten(uint64_t address, uint64_t bytes) {
  auto *entry = const_cast<std::pair<const uint64_t, Allocation> *>(find(address, bytes));
  if (!entry)
    return;
  auto begin = entry->second.written.begin() + long(address - entry->first);
  std::fill(begin, begin + long(bytes), true);
}

Warp::Warp(Block &block, unsigned number, Mask lanes)
    : block(block), number(number), registers(size_t(block.kernel.registers) * 32), local(block.kernel.localBytes * 32),
      localBytes(unsigned(block.kernel.localBytes)) {
  groups.reserve(33); // No more than there are lanes, so that pointers stay valid.
  groups.push_back({});
  groups[0].lanes = lanes;
  exited = ~lanes;
  for (auto [index, value] : block.kernel.constants)
    std::fill_n(reg(index), 32, value);
  const unsigned *n = block.launch.block;
  for (auto [index, special] : block.kernel.specials)
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned thread = number * 32 + lane, kind = unsigned(special);
      uint64_t tid[3] = {thread % n[0], thread / n[0] % n[1], thread / n[0] / n[1]};
      uint64_t &value = reg(index)[lane];
      if (special == Special::Lane)
        value = lane;
      else if (special == Special::Warp)
        value = number;
      else
        value = kind < 3   ? tid[kind]
                : kind < 6 ? n[kind - 3]
                : kind < 9 ? block.index[kind - 6]
                           : block.launch.grid[kind - 9];
    }
}

void Warp::fault(unsigned lane, const llvm::Twine &what) {
  if (!block.fault.empty())
    return;
  const Instruction &instruction = block.kernel.body[current->pc];
  block.fault = (block.module.file + ":" + llvm::Twine(instruction.line) + ": " + what + " in '" + instruction.text +
                 "' of block (" + llvm::Twine(block.index[0]) + ", " + llvm::Twine(block.index[1]) + ", " +
                 llvm::Twine(block.index[2]) + "), thread " + llvm::Twine(number * 32 + lane))
                    .str();
}

uint8_t *Warp::access(Space space, uint64_t address, unsigned bytes, bool write, unsigned lane, unsigned alignment) {
  if (space == Space::Generic) {
    uint64_t window = address & (uint64_t(0xff) << 56);
    space = window == sharedWindow  ? Space::Shared
            : window == localWindow ? Space::Local
            : window == paramWindow ? Space::Param
                                    : Space::Global;
  }
  if (space != Space::Global)
    address &= (uint64_t(1) << 56) - 1;
  const char *names[] = {"generic", "global", "shared", "local", "parameter"};
  auto at = [&](const char *what) {
    fault(lane, (write ? "write of " : "read of ") + llvm::Twine(bytes) + " bytes " + what + " at address " +
                    llvm::Twine(address) + " of " + names[unsigned(space)] + " memory");
    return nullptr;
  };
  if (address % (alignment ? alignment : bytes))
    return at("misaligned");
  auto within = [&](uint64_t size) { return address <= size && bytes <= size - address; };
  switch (space) {
  case Space::Global:
    if (!block.memory.contains(address, bytes))
      return at("out of bounds");
    if (write)
      block.memory.markWritten(address, bytes);
    else if (!block.memory.initialised(address, bytes))
      return at("that nothing has written");
    return reinterpret_cast<uint8_t *>(address);
  case Space::Shared: {
    if (!within(block.shared.size()))
      return at("out of bounds");
    auto begin = block.sharedWritten.begin() + long(address), end = begin + bytes;
    if (write)
      std::fill(begin, end, true);
    else if (std::find(begin, end, false) != end)
      return at("that nothing has written");
    return &block.shared[address];
  }
  case Space::Local:
    return within(localBytes) ? &local[size_t(lane) * localBytes + address] : at("out of bounds");
  case Space::Param:
    if (write || !within(block.launch.parameters.size()))
      return at("out of bounds");
    return const_cast<uint8_t *>(block.launch.parameters.data()) + address;
  case Space::Generic:
    break;
  }
  return nullptr;
}

bool Warp::together(Mask active, Mask named) {
  if (Mask others = active & ~named)
    fault(unsigned(llvm::countr_zero(others)), "a lane that the mask does not name");
  Mask needed = named & ~exited;
  if ((active & needed) == needed)
    return block.fault.empty();
  if (Mask off = needed & current->lanes & ~active)
    fault(unsigned(llvm::countr_zero(off)), "divergence: the predicate keeps out a lane that must take part");
  current->collecting = true;
  return false;
}

void Warp::branch(Mask lanes, unsigned target) {
  if (lanes == current->lanes) {
    nextPC = target;
    return;
  }
  current->lanes &= ~lanes;
  groups.push_back({});
  groups.back().pc = target;
  groups.back().lanes = lanes;
}

void Warp::exit(Mask lanes) {
  current->lanes &= ~lanes;
  exited |= lanes;
  for (Group &group : groups)
    group.collecting = false;
}

void Warp::merge() {
  for (size_t i = 0; i < groups.size(); ++i)
    for (size_t j = groups.size() - 1; j > i; --j)
      if (groups[i].pc == groups[j].pc && groups[i].barrier < 0 && groups[j].barrier < 0) {
        groups[i].lanes |= groups[j].lanes;
        groups[i].collecting = false;
        groups.erase(groups.begin() + long(j));
      }
}

void Warp::step(size_t which) {
  current = &groups[which];
  if (current->pc >= block.kernel.body.size()) {
    exit(current->lanes);
    groups.erase(groups.begin() + long(which));
    return;
  }
  const Instruction &instruction = block.kernel.body[current->pc];
  Mask active = current->lanes;
  if (instruction.guard >= 0) {
    const uint64_t *guard = reg(unsigned(instruction.guard));
    Mask set = 0;
    forEach(active, [&](unsigned lane) { set |= Mask(guard[lane] != instruction.guardNegated) << lane; });
    active &= set;
  }
  nextPC = current->pc + 1;
  if (active)
    instruction.execute(*this, instruction, active);
  if (!block.fault.empty())
    return;
  // A branch has taken its lanes out of the group, and so has an exit.
  for (size_t i = 0; i < groups.size(); ++i)
    if (&groups[i] == current) {
      if (!current->lanes)
        groups.erase(groups.begin() + long(i));
      else if (!current->collecting)
        current->pc = nextPC;
      break;
    }
}

bool Warp::advance(unsigned &steps) {
  unsigned quantum = 256;
  bool progress = false;
  for (; quantum && !groups.empty() && block.fault.empty(); --quantum, ++steps) {
    if (groups.size() > 1)
      merge();
    size_t best = groups.size();
    for (size_t i = 0; i < groups.size(); ++i) {
      Group &group = groups[i];
      if (group.barrier >= 0 && block.barriers[group.barrier].phase != group.phase)
        group.barrier = -1;
      if (group.barrier < 0 && !group.collecting && (best == groups.size() || group.pc < groups[best].pc))
        best = i;
    }
    if (best == groups.size())
      break;
    step(best);
    progress = true;
  }
  return progress;
}

/// Where each group of a block waits, for the report of a deadlock.
static std::string describe(const Block &block, const std::vector<Warp> &warps) {
  std::string text;
  unsigned told = 0;
  for (const Warp &warp : warps)
    for (const Group &group : warp.groups)
      if (told++ < 8) {
        const Instruction &instruction = block.kernel.body[group.pc - (group.barrier >= 0)];
        text += "\n  " + block.module.file + ":" + std::to_string(instruction.line) + ": warp " +
                std::to_string(warp.number) + ", lanes 0x" + llvm::utohexstr(group.lanes) + " at '" + instruction.text +
                "'";
      }
  return text;
}

static void runBlock(Block &block, uint64_t &budget) {
  const unsigned *n = block.launch.block;
  unsigned threads = n[0] * n[1] * n[2];
  std::vector<Warp> warps;
  for (unsigned first = 0; first < threads; first += 32)
    warps.emplace_back(block, first / 32, threads - first >= 32 ? ~0u : (1u << (threads - first)) - 1);
  for (bool live = true; live && block.fault.empty();) {
    bool progress = live = false;
    unsigned steps = 0;
    for (Warp &warp : warps) {
      progress |= warp.advance(steps);
      live |= !warp.groups.empty();
    }
    if (!block.fault.empty() || !live)
      return;
    std::string where = block.module.file + ": in block (" + std::to_string(block.index[0]) + ", " +
                        std::to_string(block.index[1]) + ", " + std::to_string(block.index[2]) + "), ";
    bool divergent = llvm::any_of(warps, [](const Warp &warp) {
      return llvm::any_of(warp.groups, [](const Group &group) { return group.collecting; });
    });
    if (!progress)
      block.fault = where +
                    (divergent ? "a divergent collective: lanes wait for others that do not come"
                               : "a deadlock: no thread can go on") +
                    describe(block, warps);
    else if (steps > budget)
      block.fault = where + "the limit on instructions is reached" + describe(block, warps);
    else
      budget -= steps;
  }
}

llvm::Error attn::ptx::run(const Module &module, const Kernel &kernel, const Launch &launch, Memory &memory) {
  const unsigned *n = launch.block;
  uint64_t threads = uint64_t(n[0]) * n[1] * n[2];
  auto refuse = [&](const llvm::Twine &what) {
    return llvm::createStringError(module.file + ": kernel '" + kernel.name + "': " + what);
  };
  if (threads == 0 || n[0] > 1024 || n[1] > 1024 || n[2] > 64 || threads > 1024)
    return refuse("a block has 1 to 1024 threads, not " + llvm::Twine(threads));
  for (unsigned i = 0; i < 3; ++i)
    if (kernel.requiredThreads[i] && kernel.requiredThreads[i] != n[i])
      return refuse("its .reqntid is not the block's size");
  if (launch.parameters.size() != kernel.parameterBytes)
    return refuse("its parameters take " + llvm::Twine(kernel.parameterBytes) + " bytes, not " +
                  llvm::Twine(launch.parameters.size()));
  uint64_t sharedBytes = kernel.sharedBytes + launch.dynamicSharedBytes;
  if (sharedBytes > 227 * 1024)
    return refuse("it needs " + llvm::Twine(sharedBytes) + " bytes of shared memory; a block has 232448");
  uint64_t budget = launch.stepLimit;
  for (unsigned z = 0; z < launch.grid[2]; ++z)
    for (unsigned y = 0; y < launch.grid[1]; ++y)
      for (unsigned x = 0; x < launch.grid[0]; ++x) {
        Block block{module, kernel, launch, memory, {x, y, z}, {}, {}, {}, {}};
        block.shared.resize(sharedBytes);
        block.sharedWritten.resize(sharedBytes);
        runBlock(block, budget);
        if (!block.fault.empty())
          return llvm::createStringError(block.fault);
      }
  return llvm::Error::success();
}
