// RUN: attn-opt %s --attn-launch-kernels --split-input-file --verify-diagnostics

// Whoever names a kernel by hand is told why there is no launch of it.

module @sm_80 attributes {attn.target = #attn.target<"sm_80">} {
  gpu.module @kernels {
    llvm.func @attention() attributes {attn.gpu_launch = #attn.gpu_launch<threads = 128, sharedBytes = 1024, queryBlock = 128, order = grid, arguments = [<query>]>, gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }
  // Keys have no batch.
  func.func @shared_keys(%q: memref<2x8x4x64xf16>, %k: memref<8x4x64xf16>) {
    // expected-error @below {{cannot be launched: GPU attention needs tensors of batch, head, row and, innermost, channel}}
    attn.attention ins(%q, %k, %k : memref<2x8x4x64xf16>, memref<8x4x64xf16>, memref<8x4x64xf16>)
      outs(%q : memref<2x8x4x64xf16>)
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (k, h, d)>,
            affine_map<(b, h, q, k, d, e) -> (k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
      attributes {attn.gpu_kernel = @kernels::@attention}
    return
  }
}

// -----

module @sm_80 attributes {attn.target = #attn.target<"sm_80">} {
  func.func @no_kernel(%q: memref<2x8x4x64xf16>) {
    // expected-error @below {{only an attention on buffers that refers to a kernel can be launched}}
    attn.attention ins(%q, %q, %q : memref<2x8x4x64xf16>, memref<2x8x4x64xf16>, memref<2x8x4x64xf16>)
      outs(%q : memref<2x8x4x64xf16>)
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
      attributes {attn.gpu_kernel = @kernels::@attention}
    return
  }
}
