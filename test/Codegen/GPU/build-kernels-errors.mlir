// RUN: %attn-opt %s --attn-build-kernels --split-input-file --verify-diagnostics

// What the kernels cannot do is said at the op.

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) {
  // expected-error @below {{GPU attention needs queries, keys, values and outputs all in bf16 or all in f16}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>)
    outs(%v : tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) {
  // expected-error @below {{GPU attention with a score region is not supported}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
    outs(%v : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %s : f32
  }
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>, %m: tensor<?x?xi64>) {
  // expected-error @below {{GPU attention with ranges, key masks, or operands or offsets of regions is not supported}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) key_mask(%m : tensor<?x?xi64>)
    outs(%v : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) {
  // expected-error @below {{GPU attention knows no mask but the causal one: key <= query}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
    outs(%v : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>} mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %1 = arith.cmpi slt, %j, %i : index
    attn.yield %1 : i1
  }
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) {
  // expected-error @below {{GPU attention needs a known positive scale}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
    outs(%v : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {scale = -1.0 : f64, schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x32xbf16>) {
  // expected-error @below {{GPU attention needs one static head size for keys and values}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x32xbf16>)
    outs(%v : tensor<?x?x?x32xbf16>) -> tensor<?x?x?x32xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x32xbf16>, %v: tensor<?x?x?x32xbf16>) {
  // expected-error @below {{a head size of 32 does not fit the kernel's, 64}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x32xbf16>, tensor<?x?x?x32xbf16>, tensor<?x?x?x32xbf16>)
    outs(%v : tensor<?x?x?x32xbf16>) -> tensor<?x?x?x32xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h floordiv 2, k, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) {
  // expected-error @below {{GPU attention needs tensors of batch, head, row and, innermost, channel, keys and values with the same heads, and log-sum-exps [batch, head, query]}}
  %0 = attn.attention ins(%q, %q, %v : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
    outs(%v : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, h, d, k)>
#v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 64, keyBlock = 64, warps = 4>

func.func @f(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x64x?xbf16>) {
  // expected-error @below {{GPU attention needs tensors of batch, head, row and, innermost, channel}}
  %0 = attn.attention ins(%q, %k, %q : tensor<?x?x?x64xbf16>, tensor<?x?x64x?xbf16>, tensor<?x?x?x64xbf16>)
    outs(%q : tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16> maps [#q, #k, #v, #o]
    attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #kernel>}
  return
}
