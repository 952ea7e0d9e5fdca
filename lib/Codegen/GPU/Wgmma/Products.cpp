//===- Products.cpp - Matrix products of a warpgroup ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As inline PTX: nvvm.wgmma.mma_async takes no factor from registers, and its results are memory effects rather than
// values that a wait could be tied to.
//
//===----------------------------------------------------------------------===//

#include "Products.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

/// Channels, or rows of values, that one instruction sums over.
static constexpr int64_t kDepth = 16;
static constexpr int64_t kChannelsPerBox = 64;

/// Operands `first`, `first + 1`, ... in braces.
static std::string operandList(unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i == 0 ? "$" : ", $") + std::to_string(first + i);
  return text + "}";
}

WarpgroupProducts::WarpgroupProducts(KernelFunction &kernel, const AttentionKernelSpec &spec, Value group)
    : emit(kernel.getEmitter()), spec(spec), layout(spec.schedule) {
  constexpr int64_t kGroupBytes = 64 * 128; // 64 rows of a box
  Value firstRow = emit.add(kernel.sharedAddress(layout.query), emit.mul(group, kGroupBytes));
  queries = descriptor(firstRow, /*leadingBytes=*/16);
  keys = descriptor(kernel.sharedAddress(layout.key), /*leadingBytes=*/16);
  values = descriptor(kernel.sharedAddress(layout.value), /*leadingBytes=*/layout.keyBox);
}

Value WarpgroupProducts::descriptor(Value address, int64_t leadingBytes) {
  constexpr int64_t kStrideBytes = 1024, kSwizzle128 = int64_t(1) << 62;
  int64_t fields = kSwizzle128 | (kStrideBytes / 16) << 32 | (leadingBytes / 16) << 16;
  Value encoded = emit.bitAnd(emit.shiftRight(address, 4), 0x3fff);
  return emit.create<LLVM::OrOp>(emit.extend(encoded), emit.i64(fields));
}

Value WarpgroupProducts::advance(Value descriptor, int64_t bytes) { return emit.add(descriptor, bytes / 16); }

Value WarpgroupProducts::ofStage(Value descriptor, Value stage) {
  return emit.add(descriptor, emit.extend(emit.mul(stage, layout.keyTile / 16)));
}

std::string WarpgroupProducts::instruction(int64_t columns) const {
  StringRef type = spec.elementType.isBF16() ? "bf16" : "f16";
  return llvm::formatv("wgmma.mma_async.sync.aligned.m64n{0}k16.f32.{1}.{1} ", columns, type);
}

void WarpgroupProducts::fence() { emit.create<NVVM::WgmmaFenceAlignedOp>(); }
void WarpgroupProducts::commit() { emit.create<NVVM::WgmmaGroupSyncAlignedOp>(); }

Fragment WarpgroupProducts::multiplyKeys(Value stage) {
  int64_t columns = spec.schedule.getKeyBlock();
  unsigned count = columns / 2;
  Value stageKeys = ofStage(keys, stage);
  Fragment scores;
  for (int64_t channel = 0; channel < spec.schedule.getHeadSize(); channel += kDepth) {
    int64_t box = channel / kChannelsPerBox, inBox = channel % kChannelsPerBox * 2;
    Value factors[] = {advance(queries, inBox + box * layout.queryBox),
                       advance(stageKeys, inBox + box * layout.keyBox)};
    // After the accumulators: both descriptors, whether to add to the accumulators, signs, and both factors K-major.
    bool first = scores.empty();
    unsigned next = first ? count : 2 * count;
    std::string text = instruction(columns) + operandList(0, count) +
                       llvm::formatv(", ${0}, ${1}, {2}, 1, 1, 0, 0;", next, next + 1, first ? 0 : 1).str();
    SmallVector<Type> types(first ? count : 0, emit.f32());
    scores = emit.assembly(text, types, scores, factors);
  }
  return scores;
}

Fragment WarpgroupProducts::multiplyValues(const Fragment &outputs, ValueRange probabilities, Value stage) {
  int64_t columns = spec.schedule.getHeadSize();
  unsigned count = columns / 2;
  constexpr unsigned kRegisters = 4; // of probabilities, for one instruction
  Value stageValues = ofStage(values, stage);
  // After the accumulators: probabilities, the descriptor, add, signs, and values MN-major.
  std::string text = instruction(columns) + operandList(0, count) + ", " + operandList(2 * count, kRegisters) +
                     llvm::formatv(", ${0}, 1, 1, 1, 1;", 2 * count + kRegisters).str();
  Fragment sums = outputs;
  for (int64_t step = 0; step < spec.schedule.getKeyBlock() / kDepth; ++step) {
    Values factors(probabilities.slice(step * kRegisters, kRegisters));
    factors.push_back(advance(stageValues, step * kDepth * 128));
    sums = emit.assembly(text, {}, sums, factors);
  }
  return sums;
}

Values WarpgroupProducts::wait(int64_t pending, ValueRange values) {
  return emit.assembly("wgmma.wait_group.sync.aligned " + Twine(pending) + ";", {}, values, {});
}
