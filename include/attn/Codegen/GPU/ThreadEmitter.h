//===- ThreadEmitter.h - Emits the code of one GPU thread -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What GPU kernels are written with: 32-bit integers and floats in registers, memory by address, inline PTX for what
// has no op, and control flow as blocks. Kernels are emitted in the LLVM dialect at once, since which values are live
// across which wait decides whether the assembler keeps the tensor cores busy, and no pass between should move them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_THREADEMITTER_H
#define ATTN_CODEGEN_GPU_THREADEMITTER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

namespace attn {

/// Emits at the insertion point of a builder, inside one function.
class ThreadEmitter {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<mlir::Value>;

  /// The address spaces of pointers.
  enum AddressSpace : unsigned { Generic = 0, Global = 1, Shared = 3, Cluster = 7 };

  ThreadEmitter(mlir::OpBuilder &builder, mlir::LLVM::LLVMFuncOp function)
      : builder(builder), loc(function.getLoc()), function(function) {}

  mlir::OpBuilder &getBuilder() const { return builder; }
  mlir::Location getLoc() const { return loc; }

  /// Makes an op of LLVM's or NVVM's.
  template <typename OpTy, typename... Args>
  OpTy create(Args &&...args) const {
    return OpTy::create(builder, loc, std::forward<Args>(args)...);
  }

  //===--- Types and constants ---===//
  mlir::Type i1() const { return builder.getI1Type(); }
  mlir::Type i32() const { return builder.getI32Type(); }
  mlir::Type i64() const { return builder.getI64Type(); }
  mlir::Type f32() const { return builder.getF32Type(); }
  mlir::Type pointer(AddressSpace space) const { return mlir::LLVM::LLVMPointerType::get(builder.getContext(), space); }
  /// Constants stand in the function's first block, each once.
  Value i32(int64_t value);
  Value i64(int64_t value);
  Value f32(double value);

  //===--- Integers: of 32 bits, or of 64 where both operands are ---===//
  Value add(Value a, Value b) const;
  Value add(Value a, int64_t b);
  Value sub(Value a, Value b) const;
  Value sub(Value a, int64_t b) { return add(a, -b); }
  Value mul(Value a, Value b) const;
  Value mul(Value a, int64_t b);
  Value shiftLeft(Value a, int64_t bits);
  Value shiftRight(Value a, int64_t bits); ///< Of an unsigned value.
  Value bitAnd(Value a, int64_t b);
  Value bitXor(Value a, Value b) const;
  Value bitXor(Value a, int64_t b);
  Value divide(Value a, Value b) const; ///< Of unsigned values.
  Value divide(Value a, int64_t b);
  Value ceilDivide(Value a, int64_t b) { return divide(add(a, b - 1), b); }
  Value min(Value a, Value b) const; ///< Of signed values.
  Value min(Value a, int64_t b) { return min(a, constantLike(a, b)); }
  Value max(Value a, int64_t b);
  Value extend(Value a) const; ///< From 32 bits, unsigned, to 64.

  //===--- Conditions ---===//
  Value equal(Value a, Value b) const;
  Value equal(Value a, int64_t b) { return equal(a, constantLike(a, b)); }
  Value less(Value a, Value b) const; ///< Of signed integers.
  Value less(Value a, int64_t b) { return less(a, constantLike(a, b)); }
  Value bothOf(Value a, Value b) const;
  Value eitherOf(Value a, Value b) const;
  Value select(Value condition, Value a, Value b) const;

  //===--- Floats ---===//
  Value addf(Value a, Value b) const;
  Value subf(Value a, Value b) const;
  Value mulf(Value a, Value b) const;
  Value negf(Value a) const;
  Value maxf(Value a, Value b) const;
  Value fma(Value a, Value b, Value c) const;
  Value equalf(Value a, Value b) const;
  Value greaterf(Value a, Value b) const;
  /// One instruction each, denormals flushed to zero; relative errors of 2^-22 or so.
  Value exp2(Value a) const { return unary("ex2.approx.ftz.f32", a); }
  Value log2(Value a) const { return unary("lg2.approx.ftz.f32", a); }
  Value reciprocal(Value a) const { return unary("rcp.approx.ftz.f32", a); }
  /// Two floats as elements of `type`, f16 or bf16, in a register: `low` in the lower half.
  Value packPair(Value low, Value high, mlir::Type type) const;
  /// Combines pairwise: two chains, joined.
  Value reduce(llvm::ArrayRef<Value> values, llvm::function_ref<Value(Value, Value)> combine) const;

  //===--- Memory ---===//
  Value address(Value base, Value bytes) const;
  Value address(Value base, int64_t bytes);
  Value load(mlir::Type type, Value address) const;
  void store(Value value, Value address) const;
  /// The same where another thread's accesses must be seen or see it.
  Value loadVolatile(mlir::Type type, Value address) const;
  void storeVolatile(Value value, Value address) const;
  Value atomicAdd(Value address, int64_t value);

  //===--- Inline PTX, never moved or dropped ---===//
  /// In `text`, $0, $1, ... are first the results: those of `types`, then one for each of `tied`, which are at once
  /// inputs; then `inputs`.
  Values assembly(const llvm::Twine &text, mlir::TypeRange types, mlir::ValueRange tied, mlir::ValueRange inputs) const;

  //===--- Control flow ---===//
  using Body = llvm::function_ref<void()>;
  void ifThen(Value condition, Body body);
  void ifElse(Value condition, Body thenBody, Body elseBody);
  /// While `condition` of the carried values holds, they become those of `body`. The values that end the loop.
  Values loopWhile(mlir::ValueRange initial, llvm::function_ref<Value(mlir::ValueRange)> condition,
                   llvm::function_ref<Values(mlir::ValueRange)> body);
  /// `condition` chooses between the carried values as they are and those of `body`.
  Values ifChange(Value condition, mlir::ValueRange values, llvm::function_ref<Values()> body);

private:
  Value constantLike(Value value, int64_t constant);
  Value constant(mlir::TypedAttr value);
  Value unary(llvm::StringRef instruction, Value operand) const;
  mlir::Block *appendBlock(mlir::Block *block);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::LLVM::LLVMFuncOp function;
  llvm::DenseMap<mlir::Attribute, Value> constants;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_THREADEMITTER_H
