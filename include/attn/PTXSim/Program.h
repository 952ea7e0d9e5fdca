//===- Program.h - A PTX module, ready to be executed -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_PTXSIM_PROGRAM_H
#define ATTN_PTXSIM_PROGRAM_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace attn::ptx {

class Warp;
struct Instruction;

/// A set of a warp's lanes.
using Mask = uint32_t;

/// Every value is in a register: immediates, addresses of variables and special registers have one each, which is
/// filled before the first instruction.
struct Operand {
  enum Kind { Register, Vector, Address, Pair, Sink, Label };
  Kind kind = Sink;
  bool negated = false;
  unsigned reg = 0;
  int64_t offset = 0;
  /// Of a vector and a pair; an address has its coordinates here.
  std::vector<Operand> elements;
  std::string label;
};

struct Instruction {
  unsigned line = 0;
  /// The opcode, and the same cut at its dots.
  std::string text;
  llvm::SmallVector<llvm::StringRef, 8> parts;
  std::vector<Operand> operands;
  int guard = -1;
  bool guardNegated = false;
  unsigned scope = 0;
  /// Of a branch.
  unsigned target = 0;
  /// All lanes that are named must execute it together.
  bool collective = false;
  std::function<void(Warp &, const Instruction &, Mask)> execute;

  bool has(llvm::StringRef part) const { return llvm::is_contained(parts, part); }
};

struct Parameter {
  std::string name;
  unsigned offset = 0, size = 0;
};

struct Variable {
  std::string name;
  uint64_t offset = 0, size = 0;
  bool external = false;
};

enum class Special { TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaX, CtaY, CtaZ, NctaX, NctaY, NctaZ, Lane, Warp };

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  unsigned parameterBytes = 0;
  std::vector<Instruction> body;
  unsigned registers = 0;
  std::vector<std::pair<unsigned, uint64_t>> constants;
  std::vector<std::pair<unsigned, Special>> specials;
  uint64_t sharedBytes = 0, localBytes = 0;
  unsigned requiredThreads[3] = {0, 0, 0};
};

struct Module {
  std::string file, target;
  std::vector<Kernel> kernels;
  /// Initial bytes of variables in global and constant memory, which a device copies.
  std::vector<uint8_t> globals;
  const Kernel *lookup(llvm::StringRef name) const;
};

/// Parses and decodes a module; an error names the file and the line.
llvm::Expected<std::unique_ptr<Module>> parse(llvm::StringRef text, llvm::StringRef file);

} // namespace attn::ptx

#endif // ATTN_PTXSIM_PROGRAM_H
