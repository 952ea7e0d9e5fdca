// RUN: attn-opt %s --attn-plan-workspace --canonicalize --split-input-file --allow-unregistered-dialect | FileCheck %s
// RUN: attn-opt %s --attn-plan-workspace='alignment=4096' --canonicalize --split-input-file --allow-unregistered-dialect | FileCheck %s --check-prefix=PAGES

// A buffer is a view of the workspace, which follows the other arguments. The size function computes the same sizes from the
// symbols' values, checks them, and is the sum rounded up to the alignment; -1 where it doesn't fit.

// CHECK-LABEL: func.func private @one.workspace(
// CHECK-SAME: %[[M:.+]]: index, %[[WORKERS:.+]]: index) -> i64
// CHECK: %[[M64:.+]] = arith.index_cast %[[M]] : index to i64
// CHECK: %[[LOW:.+]], %[[HIGH:.+]] = arith.mului_extended %[[M64]], %c32_i64
// CHECK: arith.cmpi ne, %[[HIGH]], %c0_i64
// CHECK: arith.cmpi slt, %[[LOW]], %c0_i64
// CHECK: arith.divui %{{.+}}, %c64
// CHECK: %[[SIZE:.+]] = arith.select %{{.+}}, %c-1_i64, %{{.+}} : i64
// CHECK: return %[[SIZE]]
// CHECK-LABEL: func.func @one(
// CHECK-SAME: %[[X:.+]]: memref<?x8xf32> {attn.shape = ["m", 8]}, %[[W:.+]]: memref<?xi8> {attn.workspace})
// CHECK: %[[DIM:.+]] = memref.dim %[[X]], %c0
// CHECK: %[[VIEW:.+]] = memref.view %[[W]][%c0][%[[DIM]]] : memref<?xi8> to memref<?x8xf32>
// CHECK: "test.use"(%[[VIEW]])
// PAGES-LABEL: func.func private @one.workspace(
// PAGES: arith.divui %{{.+}}, %c4096
func.func @one(%x: memref<?x8xf32> {attn.shape = ["m", 8]}) {
  %c0 = arith.constant 0 : index
  %m = memref.dim %x, %c0 : memref<?x8xf32>
  %a = memref.alloc(%m) : memref<?x8xf32>
  "test.use"(%a) : (memref<?x8xf32>) -> ()
  return
}

// -----

// Buffers that don't live at the same time share a slot; a view of a buffer keeps it alive.

// CHECK-LABEL: func.func @slots(
// CHECK-DAG: %[[A:.+]] = memref.view %{{.+}}[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK: "test.use"(%[[A]])
// CHECK-DAG: %[[B:.+]] = memref.view %{{.+}}[%c64][] : memref<?xi8> to memref<16xf32>
// CHECK: "test.both"(%{{.+}}, %[[B]])
// CHECK-DAG: %[[C:.+]] = memref.view %{{.+}}[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK: "test.both"(%[[B]], %[[C]])
func.func @slots() {
  %a = memref.alloc() : memref<16xf32>
  "test.use"(%a) : (memref<16xf32>) -> ()
  %s = memref.subview %a[0] [4] [1] : memref<16xf32> to memref<4xf32>
  %b = memref.alloc() : memref<16xf32>
  "test.both"(%s, %b) : (memref<4xf32>, memref<16xf32>) -> ()
  %c = memref.alloc() : memref<16xf32>
  "test.both"(%b, %c) : (memref<16xf32>, memref<16xf32>) -> ()
  return
}

// -----

// A buffer that is used in a loop lives until the loop's end, also where the use comes first in it.

// CHECK-LABEL: func.func @in_loop(
// CHECK-DAG: memref.view %{{.+}}[%c0][] : memref<?xi8> to memref<16xf32>
// CHECK-DAG: memref.view %{{.+}}[%c64][] : memref<?xi8> to memref<16xf32>
func.func @in_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<16xf32>
  scf.for %i = %c0 to %n step %c1 {
    "test.use"(%a) : (memref<16xf32>) -> ()
    %b = memref.alloc() : memref<16xf32>
    "test.use"(%b) : (memref<16xf32>) -> ()
  }
  return
}

// -----

// A task's buffers lie in its worker's area, behind the entry's; loops share the areas.

// CHECK-LABEL: func.func private @tasks.workspace(
// CHECK-SAME: %[[WORKERS:.+]]: index) -> i64
// CHECK: arith.mului_extended %{{.+}}, %c128_i64
// CHECK-LABEL: func.func @tasks(
// CHECK-SAME: %[[W:.+]]: memref<?xi8> {attn.workspace})
// CHECK: scf.forall
// CHECK:   %[[ME:.+]] = attn.worker
// CHECK:   %[[MINE:.+]] = arith.muli %[[ME]], %c128
// CHECK:   %[[AT:.+]] = arith.addi %[[MINE]], %c64
// CHECK:   memref.view %[[W]][%[[AT]]][] : memref<?xi8> to memref<3xf32>
// CHECK: scf.forall
// CHECK:   %[[ME:.+]] = attn.worker
// CHECK:   %[[MINE:.+]] = arith.muli %[[ME]], %c128
// CHECK:   %[[AT:.+]] = arith.addi %[[MINE]], %c64
// CHECK-DAG: memref.view %[[W]][%[[AT]]][] : memref<?xi8> to memref<16xf32>
// CHECK-DAG: %[[NEXT:.+]] = arith.addi %[[MINE]], %c128
// CHECK-DAG: memref.view %[[W]][%[[NEXT]]][] : memref<?xi8> to memref<2xf32>
func.func @tasks() {
  %o = memref.alloc() : memref<5xf32>
  scf.forall (%i) in (4) {
    %t = memref.alloc() : memref<3xf32>
    "test.both"(%t, %o) : (memref<3xf32>, memref<5xf32>) -> ()
  }
  scf.forall (%i) in (4) {
    %t = memref.alloc() : memref<16xf32>
    %u = memref.alloc() : memref<2xf32>
    "test.both"(%t, %u) : (memref<16xf32>, memref<2xf32>) -> ()
  }
  "test.use"(%o) : (memref<5xf32>) -> ()
  return
}

// -----

// Sizes are computed at the begin, also those of buffers in loops; a product of dimensions is checked like any size.

// CHECK-LABEL: func.func private @product.workspace(
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[M:[a-z0-9]+]]: index, %{{.+}}: index) -> i64
// CHECK-DAG: %[[N64:.+]] = arith.index_cast %[[N]]
// CHECK-DAG: %[[M64:.+]] = arith.index_cast %[[M]]
// CHECK: %[[LOW:.+]], %[[HIGH:.+]] = arith.mului_extended %[[N64]], %[[M64]]
// CHECK-LABEL: func.func @product(
// CHECK: %[[SIZE:.+]] = affine.apply
// CHECK: scf.for
// CHECK: memref.view %{{.+}}[%c0][%[[SIZE]]]
func.func @product(%x: memref<?xf32> {attn.shape = ["n"]}, %y: memref<?xf32> {attn.shape = ["m"]}, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %k step %c1 {
    %n = memref.dim %x, %c0 : memref<?xf32>
    %m = memref.dim %y, %c0 : memref<?xf32>
    %nm = affine.apply affine_map<()[s0, s1] -> (s0 * s1)>()[%n, %m]
    %a = memref.alloc(%nm) : memref<?xf32>
    "test.use"(%a) : (memref<?xf32>) -> ()
  }
  return
}

// -----

// An entry without buffers has a workspace of 0 bytes.

// CHECK-LABEL: func.func private @none.workspace(%{{.+}}: index) -> i64
// CHECK: return %c0_i64
// CHECK-LABEL: func.func @none(%{{.+}}: memref<4xf32>, %{{.+}}: memref<?xi8> {attn.workspace})
func.func @none(%x: memref<4xf32>) {
  return
}

// -----

// A task's last block is shorter, but its buffer has room for a full one. The view is as large as the block there is.

// CHECK-LABEL: func.func private @blocks.workspace(
// CHECK-SAME: %[[M:.+]]: index, %{{.+}}: index) -> i64
// CHECK: %[[BLOCK:.+]] = arith.ceildivui %[[M]], %c4
// CHECK: arith.index_cast %[[BLOCK]] : index to i64
// CHECK-LABEL: func.func @blocks(
// CHECK: scf.forall
// CHECK:   %[[SIZE:.+]] = arith.minui
// CHECK:   memref.view %{{.+}}[%{{.+}}][%[[SIZE]]]
func.func @blocks(%x: memref<?xf32> {attn.shape = ["m"]}) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %m = memref.dim %x, %c0 : memref<?xf32>
  %block = arith.ceildivui %m, %c4 : index
  scf.forall (%i) in (4) {
    %begin = arith.muli %i, %block : index
    %left = arith.subi %m, %begin : index
    %size = arith.minui %left, %block : index
    %a = memref.alloc(%size) : memref<?xf32>
    "test.use"(%a) : (memref<?xf32>) -> ()
  }
  return
}

// -----

// What a branch yields is as large as the larger side.

// CHECK-LABEL: func.func private @branch.workspace(
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[M:[a-z0-9]+]]: index, %{{.+}}: index) -> i64
// CHECK: %[[MAX:.+]] = arith.maxui %[[N]], %[[M]]
// CHECK: arith.index_cast %[[MAX]] : index to i64
// CHECK-LABEL: func.func @branch(
// CHECK: %[[EITHER:.+]] = arith.select %{{.+}} : memref<?xf32>
// CHECK: %[[SIZE:.+]] = memref.dim %[[EITHER]]
// CHECK: memref.view %{{.+}}[%c0][%[[SIZE]]]
func.func @branch(%x: memref<?xf32> {attn.shape = ["n"]}, %y: memref<?xf32> {attn.shape = ["m"]}, %c: i1) {
  %c0 = arith.constant 0 : index
  %0 = scf.if %c -> memref<?xf32> {
    scf.yield %x : memref<?xf32>
  } else {
    scf.yield %y : memref<?xf32>
  }
  %size = memref.dim %0, %c0 : memref<?xf32>
  %a = memref.alloc(%size) : memref<?xf32>
  "test.both"(%a, %0) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}
