//===- LaunchKernels.cpp - Launches of ops that have a kernel ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/AttentionKernel.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Codegen/Schedule/GPUSupport.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_LAUNCHKERNELS
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Computes on the host what the kernel of an attention is launched with.
class AttentionLaunch {
public:
  AttentionLaunch(AttentionOp op, GPULaunchAttr launch) : op(op), launch(launch), b(op), loc(op.getLoc()) {}

  /// Fails where the kernel needs something that there is no value for.
  FailureOr<gpu::LaunchFuncOp> run(SymbolRefAttr kernel) {
    SmallVector<Value> operands;
    for (GPUArgumentAttr argument : launch.getArguments())
      if (failed(append(argument.getKind(), operands)))
        return op.emitError() << "there is no launch with an argument '" << stringifyGPUArgumentKind(argument.getKind())
                              << "'";
    Value blocks = arith::CeilDivUIOp::create(b, loc, queryExtent(AttentionOp::Query), index(launch.getQueryBlock()));
    for (auto dim : {AttentionOp::Head, AttentionOp::Batch})
      blocks = arith::MulIOp::create(b, loc, blocks, queryExtent(dim));
    Value one = index(1);
    Value shared = arith::ConstantIntOp::create(b, loc, b.getI32Type(), launch.getSharedBytes());
    return gpu::LaunchFuncOp::create(b, loc, kernel, gpu::KernelDim3{blocks, one, one},
                                     gpu::KernelDim3{index(launch.getThreads()), one, one}, shared, operands);
  }

private:
  LogicalResult append(GPUArgumentKind kind, SmallVector<Value> &operands) {
    using Kind = GPUArgumentKind;
    switch (kind) {
    case Kind::Query:
      return append(address(op.getQuery()), operands);
    case Kind::Key:
      return append(address(op.getKey()), operands);
    case Kind::Value:
      return append(address(op.getValue()), operands);
    case Kind::Output:
      return append(address(op.getInit()), operands);
    case Kind::QueryStrides:
      return appendStrides(op.getQuery(), op.getQueryMap(), AttentionOp::Query, operands);
    case Kind::KeyStrides:
      return appendStrides(op.getKey(), op.getKeyMap(), AttentionOp::Key, operands);
    case Kind::ValueStrides:
      return appendStrides(op.getValue(), op.getValueMap(), AttentionOp::Key, operands);
    case Kind::OutputStrides:
      return appendStrides(op.getInit(), op.getInitMap(), AttentionOp::Query, operands);
    case Kind::QueryLength:
      return append(toInteger(queryExtent(AttentionOp::Query), b.getI32Type()), operands);
    case Kind::KeyLength:
      return append(toInteger(extent(op.getKey(), op.getKeyMap(), AttentionOp::Key), b.getI32Type()), operands);
    case Kind::Batch:
      return append(toInteger(queryExtent(AttentionOp::Batch), b.getI32Type()), operands);
    case Kind::Heads:
      return append(toInteger(queryExtent(AttentionOp::Head), b.getI32Type()), operands);
    case Kind::HeadsPerKeyHead:
      return append(toInteger(index(getHeadsPerKeyHead(op)), b.getI32Type()), operands);
    case Kind::HeadsTogether: // Leaves no processor idle at the end, whatever the number of heads.
      return append(toInteger(index(1), b.getI32Type()), operands);
    case Kind::Scale: {
      FailureOr<double> scale = op.getScaleOrDefault();
      if (failed(scale))
        return failure();
      return append(arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(*scale * llvm::numbers::log2e))),
                    operands);
    }
    default:
      return failure();
    }
  }

  static LogicalResult append(Value value, SmallVector<Value> &operands) {
    operands.push_back(value);
    return success();
  }

  /// Elements from one batch row, head and row to the next.
  LogicalResult appendStrides(Value operand, AffineMap map, unsigned row, SmallVector<Value> &operands) {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, operand);
    for (unsigned dim : {unsigned(AttentionOp::Batch), unsigned(AttentionOp::Head), row})
      operands.push_back(toInteger(metadata.getStrides()[positionOf(map, dim)], b.getI64Type()));
    return success();
  }

  /// Where `dim` stands in an operand, perhaps divided.
  static unsigned positionOf(AffineMap map, unsigned dim) {
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (expr.isFunctionOfDim(dim))
        return position;
    llvm_unreachable("the op has a kernel, so its operands have all dimensions");
  }

  Value extent(Value operand, AffineMap map, unsigned dim) {
    return memref::DimOp::create(b, loc, operand, positionOf(map, dim));
  }
  Value queryExtent(unsigned dim) { return extent(op.getQuery(), op.getQueryMap(), dim); }

  /// The address of an operand's first element, as an i64.
  Value address(Value operand) {
    auto type = cast<MemRefType>(operand.getType());
    Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, operand);
    Value offset = memref::ExtractStridedMetadataOp::create(b, loc, operand).getOffset();
    Value bytes = arith::MulIOp::create(b, loc, offset, index(type.getElementTypeBitWidth() / 8));
    return toInteger(arith::AddIOp::create(b, loc, base, bytes), b.getI64Type());
  }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value toInteger(Value index, Type type) { return arith::IndexCastOp::create(b, loc, type, index); }

  AttentionOp op;
  GPULaunchAttr launch;
  OpBuilder b;
  Location loc;
};

struct LaunchKernels final : attn::impl::LaunchKernelsBase<LaunchKernels> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTableCollection symbols;
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      auto reference = op->getAttrOfType<SymbolRefAttr>(kGPUKernelAttr);
      if (!reference)
        continue;
      Operation *kernel = symbols.lookupNearestSymbolFrom(op, reference);
      auto launch = kernel ? kernel->getAttrOfType<GPULaunchAttr>(kGPULaunchAttr) : GPULaunchAttr();
      if (!launch || op->getNumResults() > 0) {
        op.emitError() << "only an attention on buffers that refers to a kernel can be launched";
        return signalPassFailure();
      }
      if (std::string reason = whyNotOnTensorCores(op); !reason.empty()) {
        op.emitError() << "cannot be launched: " << reason;
        return signalPassFailure();
      }
      if (failed(AttentionLaunch(op, launch).run(reference)))
        return signalPassFailure();
      op.erase();
      ++numLaunches;
    }
  }
};

} // namespace
