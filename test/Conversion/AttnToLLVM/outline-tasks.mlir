// RUN: attn-opt %s --attn-outline-tasks --split-input-file --allow-unregistered-dialect | FileCheck %s

// The body becomes a function over a range of tasks; constants and weights move along, everything else is captured.

// CHECK-LABEL: func.func private @f.task.0(
// CHECK-SAME: %[[BEGIN:.+]]: index, %[[END:.+]]: index, %[[WORKER:.+]]: index, %[[X:.+]]: memref<?x8xf32>)
// CHECK-DAG: %[[C7:.+]] = arith.constant 7 : index
// CHECK-DAG: %[[W:.+]] = attn.get_weight @w
// CHECK: scf.for %[[I:.+]] = %[[BEGIN]] to %[[END]] step %c1
// CHECK:   "test.use"(%[[X]], %[[I]], %[[C7]], %[[W]], %[[WORKER]])
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.+]]: memref<?x8xf32>, %[[N:.+]]: index)
// CHECK-NOT: scf.forall
// CHECK: attn.parallel_for @f.task.0(%[[N]]) captures(%[[X]] : memref<?x8xf32>)
attn.weight @w : tensor<8xf32> = #attn.file<"w.bin", 0 : tensor<8xf32>>
func.func @f(%x: memref<?x8xf32>, %n: index) {
  %c7 = arith.constant 7 : index
  %w = attn.get_weight @w : memref<8xf32>
  scf.forall (%i) in (%n) {
    %me = attn.worker
    "test.use"(%x, %i, %c7, %w, %me) : (memref<?x8xf32>, index, index, memref<8xf32>, index) -> ()
  }
  return
}

// -----

// Several dimensions are one range, the last running fastest. Each loop has its number.

// CHECK-LABEL: func.func private @f.task.0(
// CHECK-LABEL: func.func private @f.task.1(
// CHECK-SAME: %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %[[N:.+]]: index, %[[K:.+]]: index)
// CHECK: scf.for %[[T:.+]] =
// CHECK:   %[[J:.+]] = arith.remui %[[T]], %[[K]]
// CHECK:   %[[I:.+]] = arith.divui %[[T]], %[[K]]
// CHECK:   "test.use"(%[[I]], %[[J]])
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[N:.+]]: index, %[[K:.+]]: index)
// CHECK: attn.parallel_for @f.task.0(%[[N]])
// CHECK: %[[NK:.+]] = arith.muli %{{.+}}, %[[K]]
// CHECK: attn.parallel_for @f.task.1(%[[NK]]) captures(%[[N]], %[[K]] : index, index)
func.func @f(%n: index, %k: index) {
  scf.forall (%i) in (%n) {
    "test.use"(%i) : (index) -> ()
  }
  scf.forall (%i, %j) in (%n, %k) {
    "test.use"(%i, %j) : (index, index) -> ()
  }
  return
}

// -----

// In a loop of the entry, what an iteration computes is captured, too.

// CHECK-LABEL: func.func private @f.task.0(
// CHECK-SAME: %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-LABEL: func.func @f(
// CHECK: scf.for %[[I:.+]] =
// CHECK:   attn.parallel_for @f.task.0(%{{.+}}) captures(%[[I]] : index)
func.func @f(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.forall (%j) in (%n) {
      "test.use"(%i, %j) : (index, index) -> ()
    }
  }
  return
}
