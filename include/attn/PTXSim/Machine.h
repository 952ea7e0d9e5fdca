//===- Machine.h - Executes kernels -----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_PTXSIM_MACHINE_H
#define ATTN_PTXSIM_MACHINE_H

#include "attn/PTXSim/Program.h"
#include "llvm/ADT/ArrayRef.h"
#include <map>
#include <memory>

namespace attn::ptx {

/// Global memory: allocations at addresses of this process, with what of them has been written.
class Memory {
public:
  /// 0 where there is no such memory. Addresses are multiples of 256.
  uint64_t allocate(uint64_t bytes);
  bool release(uint64_t address);
  /// Whether all bytes belong to one allocation.
  bool contains(uint64_t address, uint64_t bytes) const;
  bool initialised(uint64_t address, uint64_t bytes) const;
  void markWritten(uint64_t address, uint64_t bytes);

private:
  struct Allocation {
    std::unique_ptr<uint8_t[]> storage;
    uint64_t bytes;
    std::vector<bool> written;
  };
  const std::pair<const uint64_t, Allocation> *find(uint64_t address, uint64_t bytes) const;
  std::map<uint64_t, Allocation> allocations;
};

struct Launch {
  unsigned grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
  uint64_t dynamicSharedBytes = 0;
  /// The parameters as the kernel lays them out.
  llvm::ArrayRef<uint8_t> parameters;
  /// Instructions of all warps together after which a kernel counts as hanging.
  uint64_t stepLimit = uint64_t(1) << 40;
};

/// Executes a kernel, block after block. A fault names the file, the line, the block and the thread.
llvm::Error run(const Module &module, const Kernel &kernel, const Launch &launch, Memory &memory);

} // namespace attn::ptx

#endif // ATTN_PTXSIM_MACHINE_H
