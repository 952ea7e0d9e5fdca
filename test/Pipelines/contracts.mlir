// What holds after each stage, of a small encoder that calls a function and loops over a layer.

// RUN: %attnc %s --compile-to=import --target=x86-64-v3 | FileCheck %s --check-prefix=IMPORT
// RUN: %attnc %s --compile-to=fuse --target=x86-64-v3 | FileCheck %s --check-prefix=FUSE
// RUN: %attnc %s --compile-to=schedule --target=x86-64-v4,x86-64-v3 | FileCheck %s --check-prefix=SCHEDULE
// RUN: %attnc %s --compile-to=tile --target=x86-64-v3 | FileCheck %s --check-prefix=TILE --implicit-check-not=schedule
// RUN: %attnc %s --compile-to=memory --target=x86-64-v3 | FileCheck %s --check-prefix=MEMORY --implicit-check-not=memref.alloc
// RUN: %attnc %s --compile-to=kernel --target=x86-64-v3 | FileCheck %s --check-prefix=KERNEL --implicit-check-not=linalg.
// RUN: %attnc %s --compile-to=lower --target=x86-64-v3 --name=lib | FileCheck %s --check-prefix=LOWER --implicit-check-not=func.func

// One entry is left; what it indexes is bounded.
// IMPORT: attn.weight @w : tensor<16x16xf32> = #attn.file<"w.bin", 0 : tensor<16x16xf32>>
// IMPORT: func.func @encode(%{{.+}}: tensor<?x?xi64> {attn.index_range = array<i64: 0, 9>, attn.name = "ids"
// IMPORT-SAME: attn.dims = {s = #attn.dim<max = 7>}
// IMPORT: scf.for
// IMPORT: attn.encoder_layer
// IMPORT-NOT: func.func

// FUSE-NOT: attn.encoder_layer
// FUSE: attn.weight @{{.+}} : tensor<48x16xf32> = #attn.concat<0,
// FUSE: attn.key_ranges
// FUSE: scf.for
// FUSE: attn.linear
// FUSE: attn.attention
// FUSE: attn.layer_norm

// SCHEDULE: module @x86_64_v4 attributes {attn.target = #attn.target<"x86-64-v4">}
// SCHEDULE: attn.linear {{.*}}schedule = #attn.schedule<
// SCHEDULE: module @x86_64_v3 attributes {attn.target = #attn.target<"x86-64-v3">}

// TILE: scf.forall
// TILE: attn.embedding {{.*}}kernel =
// TILE: scf.for
// TILE: attn.online_attention
// TILE: attn.online_finish

// MEMORY: func.func private @encode.workspace(
// MEMORY: func.func @encode(%{{.+}}: memref<?x?xi64> {{.*}}, %{{.+}}: memref<?x?x16xf32> {{{.*}}attn.output{{.*}}}, %{{.+}}: memref<?xi8> {attn.workspace})
// MEMORY-NOT: tensor.

// KERNEL: vector.fma
// KERNEL-NOT: attn.linear
// KERNEL-NOT: attn.online_attention

// LOWER: llvm.mlir.global external hidden constant @lib.weight.
// LOWER: llvm.func @"lib.encode.x86-64-v3.run"
// LOWER: llvm.func @"lib.encode.x86-64-v3.workspace"

attn.weight @w : tensor<16x16xf32> = #attn.file<"w.bin", 0 : tensor<16x16xf32>>
attn.weight @k : tensor<16x16xf32> = #attn.file<"w.bin", 4 : tensor<16x16xf32>>
attn.weight @v : tensor<16x16xf32> = #attn.file<"w.bin", 8 : tensor<16x16xf32>>
attn.weight @up : tensor<24x16xf32> = #attn.file<"w.bin", 1024 : tensor<24x16xf32>>
attn.weight @down : tensor<16x24xf32> = #attn.file<"w.bin", 1024 : tensor<16x24xf32>>
attn.weight @b : tensor<16xf32> = #attn.file<"w.bin", 0 : tensor<16xf32>>
attn.weight @words : tensor<9x16xf32> = #attn.file<"w.bin", 0 : tensor<9x16xf32>>
attn.weight @places : tensor<7x16xf32> = #attn.file<"w.bin", 0 : tensor<7x16xf32>>

func.func @encode(%ids: tensor<?x?xi64> {attn.name = "ids", attn.shape = ["b", "s"]}, %mask: tensor<?x?xi64> {attn.name = "mask", attn.shape = ["b", "s"]})
    -> (tensor<?x?x16xf32> {attn.name = "y", attn.shape = ["b", "s", 16]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %x = func.call @embed(%ids) : (tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %w = attn.get_weight @w : tensor<16x16xf32>
  %k = attn.get_weight @k : tensor<16x16xf32>
  %v = attn.get_weight @v : tensor<16x16xf32>
  %b = attn.get_weight @b : tensor<16xf32>
  %up = attn.get_weight @up : tensor<24x16xf32>
  %down = attn.get_weight @down : tensor<16x24xf32>
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<?x?x16xf32> {
    %0 = attn.encoder_layer %a, mask(%mask : tensor<?x?xi64>) query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
        key_projection(%k, %b : tensor<16x16xf32>, tensor<16xf32>) value_projection(%v, %b : tensor<16x16xf32>, tensor<16xf32>)
        output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
        attention_norm(%b, %b : tensor<16xf32>, tensor<16xf32>) up(%up : tensor<24x16xf32>) down(%down : tensor<16x24xf32>)
        output_norm(%b, %b : tensor<16xf32>, tensor<16xf32>)
        {num_heads = 2 : i64, epsilon = 1.0e-5 : f64} : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
    scf.yield %0 : tensor<?x?x16xf32>
  }
  return %y : tensor<?x?x16xf32>
}

func.func private @embed(%ids: tensor<?x?xi64>) -> tensor<?x?x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %s = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %words = attn.get_weight @words : tensor<9x16xf32>
  %places = attn.get_weight @places : tensor<7x16xf32>
  %e = tensor.empty(%b, %s) : tensor<?x?x16xf32>
  %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%words : tensor<9x16xf32>) positions(%places : tensor<7x16xf32>)
      outs(%e : tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %0 : tensor<?x?x16xf32>
}
