//===- Packing.cpp - Elements of less than a byte ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Packing.h"
#include "llvm/ADT/STLExtras.h"

std::vector<uint8_t> attn::packElements(llvm::ArrayRef<uint8_t> elements, unsigned bits) {
  unsigned perByte = 8 / bits, mask = (1u << bits) - 1;
  std::vector<uint8_t> bytes((elements.size() + perByte - 1) / perByte, 0);
  for (auto [i, element] : llvm::enumerate(elements))
    bytes[i / perByte] |= (element & mask) << (i % perByte * bits);
  return bytes;
}

void attn::unpackElements(llvm::ArrayRef<uint8_t> bytes, unsigned bits, bool isSigned,
                          llvm::MutableArrayRef<uint8_t> elements) {
  unsigned perByte = 8 / bits, mask = (1u << bits) - 1, sign = isSigned ? 1u << (bits - 1) : 0;
  for (auto [i, element] : llvm::enumerate(elements))
    element = uint8_t((((bytes[i / perByte] >> (i % perByte * bits)) & mask) ^ sign) - sign);
}
