// RUN: attn-opt %s --attn-verify-memory --split-input-file --verify-diagnostics

func.func @good(%x: memref<4xf32>, %y: memref<4xf32>) {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}

// -----

func.func @tensor(%x: memref<4xf32>) {
  // expected-error @below {{is still on tensors after the stage 'memory'}}
  %0 = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  return
}

// -----

func.func @allocation() {
  // expected-error @below {{allocates after the stage 'memory', where all buffers are in the workspace}}
  %0 = memref.alloca() : memref<4xf32>
  return
}

// -----

func.func @copy(%x: memref<4xf32>, %y: memref<4xf32>) {
  scf.forall (%i) in (4) {
    // expected-error @below {{copies a buffer inside of a task}}
    memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  }
  return
}

// -----

// Rows are brought from one buffer of all tasks to another, but what a task has made isn't copied.
func.func @rows(%x: memref<4x8xf32>, %y: memref<4x8xf32>, %w: memref<128xi8>) {
  scf.forall (%i) in (4) {
    %from = memref.subview %x[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
    %to = memref.subview %y[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
    linalg.copy ins(%from : memref<1x8xf32, strided<[8, 1], offset: ?>>) outs(%to : memref<1x8xf32, strided<[8, 1], offset: ?>>)
    %flat = memref.view %w[%i][] : memref<128xi8> to memref<1x8xf32>
    // expected-error @below {{copies a buffer inside of a task}}
    linalg.copy ins(%flat : memref<1x8xf32>) outs(%to : memref<1x8xf32, strided<[8, 1], offset: ?>>)
  }
  return
}

// -----

// expected-error @below {{a constant of type 'memref<1099511627776xf32>' is larger than 1073741824 bytes; make it a weight (attn.weight), or compute it, for example with linalg.fill}}
memref.global "private" constant @huge : memref<1099511627776xf32> = dense<1.0>
memref.global "private" constant @large : memref<268435456xf32> = dense<1.0>
