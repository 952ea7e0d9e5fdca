//===- Positions.cpp - Where tokens stand -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Positions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

Value attn::huggingface::buildPositionsAfterPadding(ModelBuilder &model, Value ids, int64_t padding) {
  OpBuilder &ops = model.builder();
  Location loc = model.loc();
  Type i64 = ops.getI64Type();
  Value zero = arith::ConstantIndexOp::create(ops, loc, 0), one = arith::ConstantIndexOp::create(ops, loc, 1);
  Value pad = arith::ConstantIntOp::create(ops, loc, i64, padding);
  Value step = arith::ConstantIntOp::create(ops, loc, i64, 1);
  Value batch = tensor::DimOp::create(ops, loc, ids, 0), length = tensor::DimOp::create(ops, loc, ids, 1);
  Value init = tensor::EmptyOp::create(ops, loc, tensor::getMixedSizes(ops, loc, ids), i64);
  auto rows = scf::ForOp::create(
      ops, loc, zero, batch, one, init, [&](OpBuilder &b, Location l, Value row, ValueRange carried) {
        auto tokens =
            scf::ForOp::create(b, l, zero, length, one, ValueRange{carried[0], pad},
                               [&](OpBuilder &b, Location l, Value token, ValueRange carried) {
                                 Value id = tensor::ExtractOp::create(b, l, ids, ValueRange{row, token});
                                 Value isToken = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, id, pad);
                                 Value next = arith::AddIOp::create(b, l, carried[1], step);
                                 Value last = arith::SelectOp::create(b, l, isToken, next, carried[1]);
                                 Value position = arith::SelectOp::create(b, l, isToken, next, pad);
                                 Value written =
                                     tensor::InsertOp::create(b, l, position, carried[0], ValueRange{row, token});
                                 scf::YieldOp::create(b, l, ValueRange{written, last});
                               });
        scf::YieldOp::create(b, l, tokens.getResult(0));
      });
  return rows.getResult(0);
}
