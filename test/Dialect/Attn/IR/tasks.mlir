// RUN: attn-opt %s --split-input-file | attn-opt --split-input-file | FileCheck %s
// RUN: attn-opt %s --split-input-file --mlir-print-op-generic | attn-opt --split-input-file | FileCheck %s

func.func private @task(%begin: index, %end: index, %worker: index, %x: memref<?xf32>)

// CHECK-LABEL: func @tasks
//       CHECK:   %[[N:[a-z0-9_]+]] = attn.num_workers
//       CHECK:   attn.parallel_for @task(%[[N]]) captures(%{{[a-z0-9_#]+}} : memref<?xf32>)
//       CHECK:   attn.check %{{.+}} violates shape
//       CHECK:   attn.check %{{.+}} violates index
//       CHECK:   scf.forall
//       CHECK:     attn.worker
func.func @tasks(%x: memref<?xf32>) {
  %n = attn.num_workers
  attn.parallel_for @task(%n) captures(%x : memref<?xf32>)
  %positive = arith.cmpi sgt, %n, %n : index
  attn.check %positive violates shape
  attn.check %positive violates index
  scf.forall (%i) in (%n) {
    %w = attn.worker
    %c = arith.constant 0.0 : f32
    memref.store %c, %x[%w] : memref<?xf32>
  }
  return
}
