//===- ThreadEmitter.cpp - Emits the code of one GPU thread -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/ThreadEmitter.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value ThreadEmitter::constant(TypedAttr value) {
  Value &cached = constants[value];
  if (!cached) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&function.getBody().front());
    cached = create<LLVM::ConstantOp>(value.getType(), value);
  }
  return cached;
}

Value ThreadEmitter::i32(int64_t value) { return constant(builder.getI32IntegerAttr(static_cast<int32_t>(value))); }
Value ThreadEmitter::i64(int64_t value) { return constant(builder.getI64IntegerAttr(value)); }
Value ThreadEmitter::f32(double value) { return constant(builder.getF32FloatAttr(value)); }

Value ThreadEmitter::constantLike(Value value, int64_t constant) {
  return value.getType().isInteger(64) ? i64(constant) : i32(constant);
}

//===----------------------------------------------------------------------===//
// Integers and conditions
//===----------------------------------------------------------------------===//

Value ThreadEmitter::add(Value a, Value b) const { return create<LLVM::AddOp>(a, b); }
Value ThreadEmitter::add(Value a, int64_t b) { return b == 0 ? a : add(a, constantLike(a, b)); }
Value ThreadEmitter::sub(Value a, Value b) const { return create<LLVM::SubOp>(a, b); }
Value ThreadEmitter::mul(Value a, Value b) const { return create<LLVM::MulOp>(a, b); }
Value ThreadEmitter::mul(Value a, int64_t b) { return mul(a, constantLike(a, b)); }
Value ThreadEmitter::shiftLeft(Value a, int64_t bits) { return create<LLVM::ShlOp>(a, constantLike(a, bits)); }
Value ThreadEmitter::shiftRight(Value a, int64_t bits) { return create<LLVM::LShrOp>(a, constantLike(a, bits)); }
Value ThreadEmitter::bitAnd(Value a, int64_t b) { return create<LLVM::AndOp>(a, constantLike(a, b)); }
Value ThreadEmitter::bitXor(Value a, Value b) const { return create<LLVM::XOrOp>(a, b); }
Value ThreadEmitter::bitXor(Value a, int64_t b) { return bitXor(a, constantLike(a, b)); }
Value ThreadEmitter::divide(Value a, Value b) const { return create<LLVM::UDivOp>(a, b); }
Value ThreadEmitter::divide(Value a, int64_t b) { return divide(a, constantLike(a, b)); }
Value ThreadEmitter::min(Value a, Value b) const { return create<LLVM::SMinOp>(a, b); }
Value ThreadEmitter::max(Value a, int64_t b) { return create<LLVM::SMaxOp>(a, constantLike(a, b)); }
Value ThreadEmitter::extend(Value a) const { return create<LLVM::ZExtOp>(i64(), a); }

Value ThreadEmitter::equal(Value a, Value b) const { return create<LLVM::ICmpOp>(LLVM::ICmpPredicate::eq, a, b); }
Value ThreadEmitter::less(Value a, Value b) const { return create<LLVM::ICmpOp>(LLVM::ICmpPredicate::slt, a, b); }
Value ThreadEmitter::bothOf(Value a, Value b) const { return create<LLVM::AndOp>(a, b); }
Value ThreadEmitter::eitherOf(Value a, Value b) const { return create<LLVM::OrOp>(a, b); }
Value ThreadEmitter::select(Value condition, Value a, Value b) const { return create<LLVM::SelectOp>(condition, a, b); }

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

Value ThreadEmitter::addf(Value a, Value b) const { return create<LLVM::FAddOp>(a, b); }
Value ThreadEmitter::subf(Value a, Value b) const { return create<LLVM::FSubOp>(a, b); }
Value ThreadEmitter::mulf(Value a, Value b) const { return create<LLVM::FMulOp>(a, b); }
Value ThreadEmitter::negf(Value a) const { return create<LLVM::FNegOp>(a); }
Value ThreadEmitter::maxf(Value a, Value b) const { return create<LLVM::MaxNumOp>(a, b); }
// Explicit, since the assembler contracts no multiplication and addition of ours by itself.
Value ThreadEmitter::fma(Value a, Value b, Value c) const { return create<LLVM::FMAOp>(a, b, c); }
Value ThreadEmitter::equalf(Value a, Value b) const { return create<LLVM::FCmpOp>(LLVM::FCmpPredicate::oeq, a, b); }
Value ThreadEmitter::greaterf(Value a, Value b) const { return create<LLVM::FCmpOp>(LLVM::FCmpPredicate::ogt, a, b); }

/// Inline PTX of one result that may be moved and dropped like any arithmetic.
static Value pureAssembly(const ThreadEmitter &emit, Type type, const Twine &text, StringRef constraints,
                          ValueRange operands) {
  auto op = emit.create<LLVM::InlineAsmOp>(type, operands, text.str(), constraints, /*has_side_effects=*/false,
                                           /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                                           LLVM::AsmDialectAttr::get(type.getContext(), LLVM::AsmDialect::AD_ATT),
                                           ArrayAttr());
  return op.getResult(0);
}

// LLVM's own exp2 and log2 take three more instructions for denormals, which no probability needs.
Value ThreadEmitter::unary(StringRef instruction, Value operand) const {
  return pureAssembly(*this, f32(), instruction + " $0, $1;", "=f,f", operand);
}

Value ThreadEmitter::packPair(Value low, Value high, Type type) const {
  StringRef name = type.isBF16() ? "bf16x2" : "f16x2";
  return pureAssembly(*this, i32(), "cvt.rn." + name + ".f32 $0, $1, $2;", "=r,f,f", {high, low});
}

Value ThreadEmitter::reduce(ArrayRef<Value> values, llvm::function_ref<Value(Value, Value)> combine) const {
  Value chains[2] = {};
  for (auto [i, value] : llvm::enumerate(values)) {
    Value &chain = chains[i % 2];
    chain = chain ? combine(chain, value) : value;
  }
  return chains[1] ? combine(chains[0], chains[1]) : chains[0];
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value ThreadEmitter::address(Value base, Value bytes) const {
  return create<LLVM::GEPOp>(base.getType(), builder.getI8Type(), base, ValueRange(bytes));
}

Value ThreadEmitter::address(Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  bool isShared = cast<LLVM::LLVMPointerType>(base.getType()).getAddressSpace() == Shared;
  return address(base, isShared ? i32(bytes) : i64(bytes));
}

Value ThreadEmitter::load(Type type, Value address) const { return create<LLVM::LoadOp>(type, address); }
void ThreadEmitter::store(Value value, Value address) const { create<LLVM::StoreOp>(value, address); }

Value ThreadEmitter::loadVolatile(Type type, Value address) const {
  return create<LLVM::LoadOp>(type, address, /*alignment=*/0, /*isVolatile=*/true);
}

void ThreadEmitter::storeVolatile(Value value, Value address) const {
  create<LLVM::StoreOp>(value, address, /*alignment=*/0, /*isVolatile=*/true);
}

Value ThreadEmitter::atomicAdd(Value address, int64_t value) {
  return create<LLVM::AtomicRMWOp>(LLVM::AtomicBinOp::add, address, i32(value), LLVM::AtomicOrdering::monotonic);
}

//===----------------------------------------------------------------------===//
// Inline PTX
//===----------------------------------------------------------------------===//

/// The letter of a register of this type.
static StringRef constraintOf(Type type) {
  if (type.isF32())
    return "f";
  if (type.isInteger(1))
    return "b";
  return type.isInteger(64) ? "l" : "r"; // i32, and pointers into shared memory, which have 32 bits
}

Values ThreadEmitter::assembly(const Twine &text, TypeRange types, ValueRange tied, ValueRange inputs) const {
  SmallVector<Type> results(types);
  llvm::append_range(results, tied.getTypes());
  SmallVector<std::string> constraints;
  for (Type type : results)
    constraints.push_back(("=" + constraintOf(type)).str());
  for (unsigned i = 0; i < tied.size(); ++i)
    constraints.push_back(std::to_string(types.size() + i));
  for (Type type : inputs.getTypes())
    constraints.push_back(constraintOf(type).str());

  Values operands(tied);
  llvm::append_range(operands, inputs);
  SmallVector<Type, 1> opTypes;
  if (results.size() == 1)
    opTypes.push_back(results.front());
  else if (!results.empty())
    opTypes.push_back(LLVM::LLVMStructType::getLiteral(builder.getContext(), results));
  auto op = create<LLVM::InlineAsmOp>(
      TypeRange(opTypes), operands, text.str(), llvm::join(constraints, ","), /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
      LLVM::AsmDialectAttr::get(builder.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
  if (results.size() < 2)
    return Values(op->getResults());
  Values values;
  for (unsigned i = 0; i < results.size(); ++i)
    values.push_back(create<LLVM::ExtractValueOp>(op->getResult(0), ArrayRef<int64_t>{i}));
  return values;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

/// Puts `block` at the function's end and goes on there.
Block *ThreadEmitter::appendBlock(Block *block) {
  function.getBody().push_back(block);
  builder.setInsertionPointToStart(block);
  return block;
}

void ThreadEmitter::ifThen(Value condition, Body body) {
  auto *inside = new Block, *after = new Block;
  create<LLVM::CondBrOp>(condition, inside, after);
  appendBlock(inside);
  body();
  create<LLVM::BrOp>(ValueRange(), after);
  appendBlock(after);
}

void ThreadEmitter::ifElse(Value condition, Body thenBody, Body elseBody) {
  auto *thenBlock = new Block, *elseBlock = new Block, *after = new Block;
  create<LLVM::CondBrOp>(condition, thenBlock, elseBlock);
  appendBlock(thenBlock);
  thenBody();
  create<LLVM::BrOp>(ValueRange(), after);
  appendBlock(elseBlock);
  elseBody();
  create<LLVM::BrOp>(ValueRange(), after);
  appendBlock(after);
}

Values ThreadEmitter::ifChange(Value condition, ValueRange values, llvm::function_ref<Values()> body) {
  auto *inside = new Block, *after = new Block;
  for (Value value : values)
    after->addArgument(value.getType(), loc);
  create<LLVM::CondBrOp>(condition, inside, ValueRange(), after, values);
  appendBlock(inside);
  Values changed = body();
  create<LLVM::BrOp>(changed, after);
  appendBlock(after);
  return Values(after->getArguments());
}

Values ThreadEmitter::loopWhile(ValueRange initial, llvm::function_ref<Value(ValueRange)> condition,
                                llvm::function_ref<Values(ValueRange)> body) {
  auto *header = new Block, *inside = new Block, *after = new Block;
  for (Value value : initial)
    header->addArgument(value.getType(), loc);
  create<LLVM::BrOp>(initial, header);
  appendBlock(header);
  Values carried(header->getArguments());
  create<LLVM::CondBrOp>(condition(carried), inside, after);
  appendBlock(inside);
  Values next = body(carried);
  create<LLVM::BrOp>(next, header);
  appendBlock(after);
  return carried;
}
