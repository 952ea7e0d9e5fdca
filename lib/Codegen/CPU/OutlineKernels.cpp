//===- OutlineKernels.cpp - Each distinct kernel op a function --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel is large once it is expanded, and a model has few distinct ones: sharing them keeps code size and compile
// time independent of the number of layers. Two ops share a function if the functions made for them are equal.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Types and names
//===----------------------------------------------------------------------===//

/// The operands whose number of rows differs from use to use of a kernel.
static SmallVector<Value> operandsOfAnyRows(Operation *op) {
  SmallVector<Value> values;
  auto append = [&](auto &&range) { llvm::append_range(values, range); };
  auto add = [&](Value value) {
    if (value)
      values.push_back(value);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](LinearOp linear) {
        add(linear.getInput());
        add(linear.getInit());
        for (auto [extra, map] : llvm::zip(linear.getExtras(), linear.getExtraMaps()))
          if (cast<AffineMapAttr>(map).getValue().isFunctionOfDim(0))
            add(extra);
      })
      .Case([&](NormOpInterface norm) {
        add(norm.getInput());
        add(norm.getInit());
      })
      .Case([&](EmbeddingOp embedding) {
        append(embedding.getIndices());
        add(embedding.getInit());
      })
      .Case([&](KeyRangesOp ranges) {
        add(ranges.getMask());
        add(ranges.getInit());
      })
      .Case([&](OnlineAttentionOp attention) {
        add(attention.getKey());
        add(attention.getValue());
        add(attention.getKeyMask());
        append(attention.getMapped());
      })
      .Case([&](OnlineFinishOp finish) {
        add(finish.getInit());
        add(finish.getLogSumExp());
      })
      .Case([&](PackOp pack) { add(pack.getSource()); });
  return values;
}

/// `type` with what may vary made dynamic: offsets, strides of outer dimensions, and the number of rows where
/// `anyRows`. The size and stride of a row stay: inner loops address with them.
static MemRefType generalize(MemRefType type, bool anyRows) {
  int64_t offset;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return type;
  SmallVector<int64_t> shape(type.getShape());
  bool whole = type.hasStaticShape() && type.getLayout().isIdentity();
  if (whole && !anyRows)
    return type;
  int64_t rank = type.getRank();
  for (int64_t i = 0; i < rank; ++i) {
    // A vector's only dimension counts as rows.
    if (anyRows && (i < rank - 1 || rank == 1))
      shape[i] = ShapedType::kDynamic;
    if (i < rank - 2)
      strides[i] = ShapedType::kDynamic;
  }
  auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(shape, type.getElementType(), layout, type.getMemorySpace());
}

/// What the function of a kernel is called, before a number makes it unique: op and sizes.
static std::string describe(Operation *op) {
  auto size = [](Value value, int64_t dimension) {
    int64_t extent = cast<MemRefType>(value.getType()).getDimSize(dimension);
    return ShapedType::isDynamic(extent) ? std::string("n") : std::to_string(extent);
  };
  auto last = [&](Value value) { return size(value, cast<MemRefType>(value.getType()).getRank() - 1); };
  std::string sizes = llvm::TypeSwitch<Operation *, std::string>(op)
                          .Case([&](LinearOp op) { return last(op.getInput()) + "x" + last(op.getInit()); })
                          .Case([&](NormOpInterface op) { return last(op.getInit()); })
                          .Case([&](EmbeddingOp op) { return last(op.getInit()); })
                          .Case([&](OnlineAttentionOp op) { return last(op.getKey()) + "x" + last(op.getValue()); })
                          .Case([&](OnlineFinishOp op) { return last(op.getInit()); })
                          .Case([&](PackOp op) { return size(op.getInit(), 1) + "x" + last(op.getInit()); })
                          .Default([](Operation *) { return std::string(); });
  std::string name = op->getName().getStringRef().str();
  llvm::replace(name, '.', '_');
  return sizes.empty() ? name : name + "_" + sizes;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// True for a function that holds one op, as this pass makes them.
static bool isKernelFunction(func::FuncOp function) {
  return function && function.isPrivate() && llvm::hasNItems(function.getBody().front(), 2);
}

namespace {

/// The kernel functions of one module.
class Kernels {
public:
  explicit Kernels(ModuleOp module) : module(module), symbols(module) {}

  /// Replaces `op` by a call.
  void outline(Operation *op) {
    SmallVector<Value> rows = operandsOfAnyRows(op);
    SmallVector<Type> types;
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      types.push_back(type ? generalize(type, llvm::is_contained(rows, operand)) : operand.getType());
    }
    func::FuncOp function = getOrCreate(op, types);

    OpBuilder builder(op);
    SmallVector<Value> arguments;
    for (auto [operand, type] : llvm::zip(op->getOperands(), types))
      arguments.push_back(operand.getType() == type ? operand
                                                    : memref::CastOp::create(builder, op->getLoc(), type, operand));
    func::CallOp::create(builder, op->getLoc(), function, arguments);
    op->erase();
  }

  int64_t size() const { return functions.size(); }

private:
  func::FuncOp getOrCreate(Operation *op, TypeRange types) {
    func::FuncOp candidate = create(op, types);
    for (func::FuncOp function : functions) {
      if (function.getFunctionType() == candidate.getFunctionType() &&
          OperationEquivalence::isRegionEquivalentTo(&function.getBody(), &candidate.getBody(),
                                                     OperationEquivalence::IgnoreLocations)) {
        candidate.erase();
        return function;
      }
    }
    std::string base = describe(&candidate.getBody().front().front());
    candidate.setSymName(base + "_" + std::to_string(counts[base]++));
    symbols.insert(candidate);
    functions.push_back(candidate);
    return candidate;
  }

  static func::FuncOp create(Operation *op, TypeRange types) {
    MLIRContext *context = op->getContext();
    OpBuilder builder(context);
    auto function =
        func::FuncOp::create(builder, op->getLoc(), "kernel", FunctionType::get(context, types, TypeRange()));
    function.setPrivate();
    // For MLIR's inliner and for LLVM's, which a conversion of functions doesn't tell of the former.
    function.setNoInline(true);
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
    builder.setInsertionPointToStart(function.addEntryBlock());
    IRMapping mapping;
    for (auto [operand, argument] : llvm::zip(op->getOperands(), function.getArguments()))
      mapping.map(operand, argument);
    Operation *copy = builder.clone(*op, mapping);
    // One value may be given for two operands, in different types.
    copy->setOperands(function.getArguments());
    copy->removeAttr("schedule");
    func::ReturnOp::create(builder, op->getLoc());
    return function;
  }

  ModuleOp module;
  SymbolTable symbols;
  SmallVector<func::FuncOp> functions;
  llvm::StringMap<int64_t> counts;
};

struct OutlineKernelsPass final : attn::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](KernelOpInterface op) {
      bool onMemRefs = llvm::all_of(op->getOperandTypes(), llvm::IsaPred<MemRefType, IndexType>);
      if (op.getKernelAttribute() && onMemRefs && !isKernelFunction(op->getParentOfType<func::FuncOp>()))
        ops.push_back(op);
    });
    llvm::MapVector<ModuleOp, std::unique_ptr<Kernels>> modules;
    for (Operation *op : ops) {
      auto module = op->getParentOfType<ModuleOp>();
      std::unique_ptr<Kernels> &kernels = modules[module];
      if (!kernels)
        kernels = std::make_unique<Kernels>(module);
      kernels->outline(op);
    }
    numKernelOps += ops.size();
    for (auto &[module, kernels] : modules)
      numFunctions += kernels->size();
  }
};

} // namespace
