// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Each constraint of #attn.gpu_attention_kernel, and the schedule around it.

// expected-error @below {{K1: mma needs a headSize of 64, 128 or 256}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 32, queryBlock = 64, keyBlock = 64, warps = 4>}

// -----

// expected-error @below {{K1: mma needs 4 or 8 warps}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 6>}

// -----

// expected-error @below {{K1: mma needs 16 or 32 queries a warp}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 96, keyBlock = 64, warps = 4>}

// -----

// expected-error @below {{K1: mma needs a keyBlock that is a positive multiple of 16 and of warps * 256 / headSize}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 40, warps = 4>}

// -----

// expected-error @below {{K1: mma needs a keyBlock that is a positive multiple of 16 and of warps * 256 / headSize}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 128, keyBlock = 16, warps = 8>}

// -----

// expected-error @below {{K1: mma has one stage, order = grid, no pingpong and no lazyRescale}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4, stages = 2>}

// -----

// expected-error @below {{K2: wgmma needs a headSize that is a multiple of 64 up to 256}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 96, queryBlock = 128, keyBlock = 128, warps = 8, stages = 2>}

// -----

// expected-error @below {{K2: wgmma needs 8 or 12 warps}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 64, keyBlock = 128, warps = 4, stages = 2>}

// -----

// expected-error @below {{K2: wgmma needs 16 queries a warp}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 64, keyBlock = 128, warps = 8, stages = 2>}

// -----

// expected-error @below {{K2: wgmma needs a keyBlock that is a multiple of 16 up to 256}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 264, warps = 8, stages = 2>}

// -----

// expected-error @below {{K2: wgmma needs 2 to 8 stages}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8, stages = 1>}

// -----

// expected-error @below {{K2: lazyRescale is from 0 to 8}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8, stages = 2, lazyRescale = 9>}

// -----

// expected-error @below {{K3: the kernel needs 262264 bytes of shared memory, more than 232448}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8, stages = 3, order = persistent>}

// -----

// expected-error @below {{K3: the kernel needs 147456 bytes of shared memory, more than 101376}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 256, queryBlock = 128, keyBlock = 80, warps = 8>}

// -----

// expected-error @below {{K4: accumulators and probabilities need more registers than a thread has}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 64, queryBlock = 192, keyBlock = 192, warps = 12, stages = 2>}

// -----

// expected-error @below {{K4: the accumulators need more than 255 registers a thread}}
func.func private @f() attributes {k = #attn.gpu_attention_kernel<instruction = mma, headSize = 128, queryBlock = 128, keyBlock = 64, warps = 4>}

// -----

// expected-error @below {{rowBlock is 32, but the kernel's queryBlock is 64}}
func.func private @f() attributes {k = #attn.schedule<rowBlock = 32, kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>>}

// -----

// expected-error @below {{C1: rows are a multiple of 32 a row of warps, columns of 16 a column of warps, both of 8 a warp}}
func.func private @f() attributes {k = #attn.gpu_linear_kernel<rows = 96, columns = 128, warpRows = 4, warpColumns = 4, stages = 3, products = narrow>}

// -----

// expected-error @below {{C1: rows are a multiple of 32 a row of warps, columns of 16 a column of warps, both of 8 a warp}}
func.func private @f() attributes {k = #attn.gpu_linear_kernel<rows = 128, columns = 40, warpRows = 2, warpColumns = 4, stages = 3, products = narrow>}

// -----

// expected-error @below {{C2: 2 to 4 stages are in 48 KiB of shared memory, and hold half of the sums}}
func.func private @f() attributes {k = #attn.gpu_linear_kernel<rows = 128, columns = 128, warpRows = 2, warpColumns = 4, stages = 4, products = narrow>}

// -----

// expected-error @below {{C2: 2 to 4 stages are in 48 KiB of shared memory, and hold half of the sums}}
func.func private @f() attributes {k = #attn.gpu_linear_kernel<rows = 128, columns = 128, warpRows = 2, warpColumns = 4, stages = 1, products = narrow>}

// -----

// expected-error @below {{C3: a thread has at most 128 sums}}
func.func private @f() attributes {k = #attn.gpu_linear_kernel<rows = 64, columns = 128, warpRows = 1, warpColumns = 1, stages = 3, products = narrow>}
