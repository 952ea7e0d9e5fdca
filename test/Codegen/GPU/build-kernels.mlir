// RUN: %attn-opt %s --attn-build-kernels --split-input-file | FileCheck %s

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#l = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
#wgmma = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8,
                                    stages = 2, order = dynamic>
#mma = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 128, keyBlock = 64, warps = 4>

// Equal kernels are built once, also for tensors of other sizes; the op refers to its kernel.

// CHECK-LABEL: func.func @share
// CHECK:         attn.attention {{.+}} attributes {attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128,
// CHECK:         attn.attention {{.+}} attributes {attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128,
func.func @share(%a: tensor<2x4x77x128xbf16>, %b: tensor<?x?x?x128xbf16>) {
  %0 = attn.attention ins(%a, %a, %a : tensor<2x4x77x128xbf16>, tensor<2x4x77x128xbf16>, tensor<2x4x77x128xbf16>)
    outs(%a : tensor<2x4x77x128xbf16>) -> tensor<2x4x77x128xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #wgmma>}
  %1 = attn.attention ins(%b, %b, %b : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>)
    outs(%b : tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #wgmma>}
  return
}

// What is masked and written makes another kernel, and so does the element type.

// CHECK-LABEL: func.func @differ
// CHECK:         attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128_lse
// CHECK:         attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128_causal
// CHECK:         attn.gpu_kernel = @attn_sm_80::@attention_mma_f16_d64_128x64
func.func @differ(%a: tensor<?x?x?x128xbf16>, %l: tensor<?x?x?xf32>, %b: tensor<?x?x?x64xf16>) {
  %0:2 = attn.attention ins(%a, %a, %a : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>)
    outs(%a, %l : tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>) -> tensor<?x?x?x128xbf16>, tensor<?x?x?xf32>
    maps [#q, #k, #v, #o, #l] attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #wgmma>}
  %1 = attn.attention ins(%a, %a, %a : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>)
    outs(%a : tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #wgmma>} mask {
  ^bb0(%i0: index, %i1: index, %query: index, %key: index):
    %2 = arith.cmpi sge, %query, %key : index
    attn.yield %2 : i1
  }
  %3 = attn.attention ins(%b, %b, %b : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>)
    outs(%b : tensor<?x?x?x64xf16>) -> tensor<?x?x?x64xf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #mma>}
  return
}

// Where rows and heads stand and how many heads share keys is the launch's business: the kernel is that of @share.

// CHECK-LABEL: func.func @layouts
// CHECK:         attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128,
func.func @layouts(%a: tensor<?x?x8x128xbf16>, %b: tensor<?x?x2x128xbf16>) {
  %0 = attn.attention ins(%a, %b, %b : tensor<?x?x8x128xbf16>, tensor<?x?x2x128xbf16>, tensor<?x?x2x128xbf16>)
    outs(%a : tensor<?x?x8x128xbf16>) -> tensor<?x?x8x128xbf16>
    maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #wgmma>}
  return
}

// A kernel says how it is launched.

// CHECK-LABEL: gpu.module @attn_sm_90a [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx80">]
// CHECK:         llvm.mlir.global external @attn_shared_memory() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
// CHECK:         llvm.func @attention_wgmma_bf16_d128_128x128(
// CHECK-SAME:      !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}
// CHECK-SAME:      attn.gpu_launch = #attn.gpu_launch<threads = 384, sharedBytes = 196696, queryBlock = 128, order = dynamic,
// CHECK-SAME:        arguments = [<query_map, rows = 128>, <key_map, rows = 128>, <value_map, rows = 128>, <output_map, rows = 64>,
// CHECK-SAME:        <query_length>, <key_length>, <scale>, <batch>, <heads>, <heads_per_key_head>, <heads_together>, <tile_counter>]>
// CHECK-SAME:      gpu.kernel, nvvm.kernel, nvvm.minctasm = 1 : i32, nvvm.reqntid = array<i32: 384, 1, 1>
// CHECK:         llvm.func @attention_wgmma_bf16_d128_128x128_lse(
// CHECK-SAME:      <output_map, rows = 64>, <log_sum_exp>, <query_length>
// CHECK:         llvm.func @attention_wgmma_bf16_d128_128x128_causal(
// CHECK-NOT:     llvm.func
// CHECK:       gpu.module @attn_sm_80 [#nvvm.target<O = 3, chip = "sm_80", features = "+ptx80">]
// CHECK:         llvm.func @attention_mma_f16_d64_128x64(
// CHECK-SAME:      #attn.gpu_launch<threads = 128, sharedBytes = 32768, queryBlock = 128, order = grid,
// CHECK-SAME:        arguments = [<query>, <key>, <value>, <output>, <query_strides>, <key_strides>, <value_strides>, <output_strides>,

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>

// Ops with another schedule or none are left alone, and no module is made for them.

// CHECK-LABEL: func.func @other
// CHECK-NOT:   attn.gpu_kernel
// CHECK-NOT:   gpu.module
func.func @other(%a: tensor<?x?x?x128xbf16>) {
  %0 = attn.attention ins(%a, %a, %a : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>)
    outs(%a : tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16> maps [#q, #k, #v, #o]
  return
}
