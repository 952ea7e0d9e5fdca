// RUN: attn-opt %s --attn-plan-workspace --split-input-file --verify-diagnostics

func.func @data(%x: memref<1xindex>) {
  %c0 = arith.constant 0 : index
  %n = memref.load %x[%c0] : memref<1xindex>
  // expected-error @below {{the size of this buffer is not known at entry: it depends on memref.load}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

func.func @iteration(%x: memref<9xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  scf.for %i = %c0 to %c9 step %c1 {
    // expected-error @below {{the size of this buffer is not known at entry: it depends on scf.for}}
    %a = memref.alloc(%i) : memref<?xf32>
  }
  return
}

// -----

// expected-error @below {{argument 0 has a dynamic dimension without a symbol in 'attn.shape'}}
func.func @no_symbol(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %a = memref.alloc(%n) : memref<?xf32>
  return
}
