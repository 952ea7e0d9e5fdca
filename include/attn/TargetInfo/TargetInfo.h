//===- TargetInfo.h - Machines as plain structs -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code generation asks about a machine: capabilities and sizes, never a model number. A target is named as on the
// command line; the names of x86-64 levels are those of the psABI.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TARGETINFO_TARGETINFO_H
#define ATTN_TARGETINFO_TARGETINFO_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace attn {

/// A kind of machine that code can be generated for: a CPU, or a GPU beside a CPU of the triple's baseline.
struct Target {
  llvm::StringLiteral name;      ///< As in `--target=`.
  llvm::StringLiteral triple;    ///< LLVM's target triple of what the CPU runs.
  llvm::StringLiteral cpu;       ///< LLVM's name of the CPU.
  llvm::StringLiteral features;  ///< LLVM's feature string beyond the CPU's own.
  uint64_t cpuFeatures;          ///< ATTN_CPU_* bits that the machine must have at run time.
  unsigned vectorBits;           ///< Width of a vector register.
  unsigned vectorRegisters;      ///< How many there are.
  int64_t l1Bytes;               ///< First-level data cache of a core.
  int64_t l1Ways;                ///< Its lines in one set.
  int64_t l2Bytes;               ///< Second-level cache of a core.
  int32_t computeCapability = 0; ///< Of a GPU, ten times the number: 80 is 8.0. 0: the target is a CPU.
  bool exactCapability = false;  ///< Its code runs on GPUs of just this capability, not on later ones.
  llvm::StringLiteral ptx = "";  ///< LLVM's feature for the version of PTX that its code is written in.

  /// Lanes of a vector register for elements of `bits`.
  int64_t lanes(unsigned bits) const { return vectorBits / bits; }
  /// Has AVX-512 F, BW, CD, DQ and VL, thus masks, 32 registers and scalef.
  bool hasAvx512() const { return vectorBits == 512; }
  /// The time goes into kernels on a GPU; the CPU launches them.
  bool isGpu() const { return computeCapability != 0; }
};

/// All targets, the most capable of a family first, GPUs before CPUs.
llvm::ArrayRef<Target> allTargets();

/// The target of this name, null if there is none.
const Target *lookupTarget(llvm::StringRef name);

/// The most capable target that this machine runs; an error where it runs none.
llvm::Expected<const Target *> hostTarget();

/// The names of all targets, separated by commas: for messages.
std::string targetNames();

} // namespace attn

#endif // ATTN_TARGETINFO_TARGETINFO_H
