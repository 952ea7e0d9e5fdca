// RUN: attn-opt %s --attn-verify-lower --split-input-file --verify-diagnostics

llvm.func @good(%x: i64) -> i64 {
  llvm.return %x : i64
}

// -----

llvm.func @left() {
  // expected-error @below {{is left after the stage 'lower', which converts it to the LLVM dialect}}
  %0 = arith.constant 0 : i64
  llvm.return
}
