// RUN: attn-opt %s --attn-verify-kernel --split-input-file --verify-diagnostics

func.func @good(%x: memref<8xf32>) -> index {
  %0 = attn.num_workers
  scf.forall (%i) in (4) {
    %1 = attn.worker
    %2 = vector.load %x[%1] : memref<8xf32>, vector<4xf32>
    vector.store %2, %x[%i] : memref<8xf32>, vector<4xf32>
  }
  return %0 : index
}

// -----

func.func @linalg(%x: memref<4xf32>, %v: f32) {
  // expected-error @below {{is left after the stage 'kernel', which expands it}}
  linalg.fill ins(%v : f32) outs(%x : memref<4xf32>)
  return
}

// -----

func.func @tensor() -> tensor<4xf32> {
  // expected-error @below {{is left after the stage 'kernel', which expands it}}
  %0 = tensor.empty() : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @attn(%x: memref<?x4xf32>, %y: memref<?x4x16xf32>) {
  // expected-error @below {{has no kernel that expands it}}
  attn.pack ins(%x : memref<?x4xf32>) outs(%y : memref<?x4x16xf32>)
  return
}
