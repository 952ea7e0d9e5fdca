//===- Registration.h - Everything a tool registers, once -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PIPELINES_REGISTRATION_H
#define ATTN_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace attn {

/// The attn dialect with its external interfaces: for hosts that register upstream's dialects themselves.
void registerAttnDialect(mlir::DialectRegistry &registry);

/// The attn dialect, the upstream dialects that the stages use, and the external interfaces of both.
void registerAllAttnDialects(mlir::DialectRegistry &registry);

/// The passes of our rooms and the pipelines of the stages, by their command-line flags: for hosts that register
/// upstream's passes themselves.
void registerAttnPasses();

/// Our passes and pipelines and all of upstream's.
void registerAllAttnPasses();

} // namespace attn

#endif // ATTN_PIPELINES_REGISTRATION_H
