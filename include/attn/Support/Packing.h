//===- Packing.h - Elements of less than a byte -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of 4 or 2 bits stand in bytes one after another, the first one in the lowest bits: in DLPack's tensors, in
// ONNX's files. Unpacked, each has a byte.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_PACKING_H
#define ATTN_SUPPORT_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace attn {

/// The low bits of all elements. What is left of the last byte is 0.
std::vector<uint8_t> packElements(llvm::ArrayRef<uint8_t> elements, unsigned bits);

/// The first elements in `bytes`; a signed one is extended.
void unpackElements(llvm::ArrayRef<uint8_t> bytes, unsigned bits, bool isSigned,
                    llvm::MutableArrayRef<uint8_t> elements);

} // namespace attn

#endif // ATTN_SUPPORT_PACKING_H
