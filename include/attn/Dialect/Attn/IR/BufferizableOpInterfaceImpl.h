//===- BufferizableOpInterfaceImpl.h - Tensors to memrefs -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One-shot bufferization of the dialect's ops, as external models so that the dialect itself does not need
// bufferization.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_BUFFERIZABLEOPINTERFACEIMPL_H
#define ATTN_DIALECT_ATTN_IR_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace attn {

/// Makes the destination-style ops and `attn.get_weight` bufferizable. Destinations are overwritten without being read,
/// except those of `attn.online_attention`; the memory of a weight is never written.
void registerBufferizableOpInterfaceExternalModels(mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_BUFFERIZABLEOPINTERFACEIMPL_H
