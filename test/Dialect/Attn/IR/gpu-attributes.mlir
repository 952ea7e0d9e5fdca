// RUN: %attn-opt %s --verify-roundtrip | FileCheck %s

// Defaults are not printed.

// CHECK-LABEL: @wgmma
//  CHECK-SAME:   kernel = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8, stages = 2, order = dynamic, pingpong = true, lazyRescale = 8>
func.func private @wgmma() attributes {
  kernel = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8,
                                      stages = 2, order = dynamic, pingpong = true, lazyRescale = 8>}

// CHECK-LABEL: @mma
//  CHECK-SAME:   schedule = #attn.schedule<rowBlock = 64, kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>>
func.func private @mma() attributes {
  schedule = #attn.schedule<rowBlock = 64, kernel = #attn.gpu_attention_kernel<
    instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4, stages = 1, order = grid>>}

// CHECK-LABEL: @launch
//  CHECK-SAME:   #attn.gpu_launch<threads = 384, sharedBytes = 1024, queryBlock = 128, order = persistent, arguments = [<query_map, rows = 128>, <log_sum_exp>]>
func.func private @launch() attributes {
  attn.gpu_launch = #attn.gpu_launch<threads = 384, sharedBytes = 1024, queryBlock = 128, order = persistent,
                                     arguments = [<query_map, rows = 128>, <log_sum_exp>]>}

// CHECK-LABEL: @linear
//  CHECK-SAME:   #attn.gpu_linear_kernel<rows = 128, columns = 64, warpRows = 2, warpColumns = 2, stages = 3, products = split_tf32>
func.func private @linear() attributes {
  kernel = #attn.gpu_linear_kernel<rows = 128, columns = 64, warpRows = 2, warpColumns = 2, stages = 3, products = split_tf32>}
