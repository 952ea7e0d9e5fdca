// RUN: attn-opt %s --attn-map-to-threads --split-input-file --verify-diagnostics

func.func @value(%n: memref<i64>, %x: memref<8xf32>) {
  // expected-error @below {{a size, branch or loop of this model depends on values, which GPU targets do not support; compile it for a CPU target}}
  %count = memref.load %n[] : memref<i64>
  %times = arith.index_cast %count : i64 to index
  return
}

// -----

func.func @unknown(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'vector.load' has no code for GPU targets; compile the model for a CPU target}}
  %v = vector.load %x[%c0] : memref<8xf32>, vector<8xf32>
  return
}
