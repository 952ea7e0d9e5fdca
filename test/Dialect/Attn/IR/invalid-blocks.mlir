// RUN: attn-opt %s --verify-diagnostics --split-input-file

// multi_head_attention, C1
func.func @f(%q: tensor<8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C1: query is 'tensor<8x16xf32>', expected [B, S, E]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %c: tensor<2x8x16xf16>, %w: tensor<16x16xf32>) {
  // expected-error @below {{C1: key has elements of type 'f16', expected 'f32'}}
  %0 = attn.multi_head_attention %x, key(%c : tensor<2x8x16xf16>) query_projection(%w : tensor<16x16xf32>) key_projection(%w : tensor<16x16xf32>)
      value_projection(%w : tensor<16x16xf32>) output_projection(%w : tensor<16x16xf32>) {num_heads = 2} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %c: tensor<2x8x16xf16>, %w: tensor<16x16xf32>) {
  // expected-error @below {{C1: value has elements of type 'f16', expected 'f32'}}
  %0 = attn.multi_head_attention %x, value(%c : tensor<2x8x16xf16>) query_projection(%w : tensor<16x16xf32>) key_projection(%w : tensor<16x16xf32>)
      value_projection(%w : tensor<16x16xf32>) output_projection(%w : tensor<16x16xf32>) {num_heads = 2} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %k: tensor<3x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C1: key is 'tensor<3x8x16xf32>', expected [B = 2, T, Ek]}}
  %0 = attn.multi_head_attention %q, key(%k : tensor<3x8x16xf32>)
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %k: tensor<2x8x16xf32>, %v: tensor<2x9x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C1: value is 'tensor<2x9x16xf32>', expected [B = 2, T = 8, Ev]}}
  %0 = attn.multi_head_attention %q, key(%k : tensor<2x8x16xf32>), value(%v : tensor<2x9x16xf32>)
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xi32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C1: query has elements of type 'i32', expected a floating-point type}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xi32> -> tensor<2x8x12xf32>
  return
}

// -----

// multi_head_attention, C2
func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x15xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C2: query_weight is 'tensor<32x15xf32>', expected [Eq, E = 16]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x15xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<16xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C2: query_bias is 'tensor<16xf32>', expected [Eq = 32]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<16xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<16x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C2: key_weight is 'tensor<16x16xf32>', expected [Eq = 32, Ek = 16]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<16x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x32xf32>) {
  // expected-error @below {{C2: output_weight is 'tensor<12x32xf32>', expected [Eo, rows of Wv = 24]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x32xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf16>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C2: value_weight has elements of type 'f16', expected 'f32'}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf16>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

// multi_head_attention, C3
func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C3: num_heads is 5, expected a divisor of Eq = 32}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 5} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C3: num_heads is 16, expected a divisor of rows of Wv = 24}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 16} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C3: num_heads is 0, expected a positive number}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 0} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

// multi_head_attention, C4
func.func @f(%q: tensor<2x8x16xf32>, %m: tensor<2x9xi64>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C4: mask is 'tensor<2x9xi64>', expected [B = 2, T = 8]}}
  %0 = attn.multi_head_attention %q, mask(%m : tensor<2x9xi64>)
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xui8>, %w: tensor<16x16xf32>) {
  // expected-error @below {{C4: mask has elements of type 'ui8', expected an integer type without a sign, such as i64}}
  %0 = attn.multi_head_attention %x, mask(%m : tensor<2x8xui8>) query_projection(%w : tensor<16x16xf32>) key_projection(%w : tensor<16x16xf32>)
      value_projection(%w : tensor<16x16xf32>) output_projection(%w : tensor<16x16xf32>) {num_heads = 2} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %m: tensor<2x8xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C4: mask has elements of type 'f32', expected an integer type}}
  %0 = attn.multi_head_attention %q, mask(%m : tensor<2x8xf32>)
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf32>
  return
}

// -----

// multi_head_attention, C5
func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C5: the result is 'tensor<2x8x16xf32>', expected [B = 2, S = 8, Eo = 12]}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x16xf32>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x16xf32>, %wv: tensor<24x16xf32>, %wo: tensor<12x24xf32>) {
  // expected-error @below {{C5: the result has elements of type 'f16', expected 'f32'}}
  %0 = attn.multi_head_attention %q
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x16xf32>) value_projection(%wv : tensor<24x16xf32>) output_projection(%wo : tensor<12x24xf32>)
      {num_heads = 4} : tensor<2x8x16xf32> -> tensor<2x8x12xf16>
  return
}

// -----

// feed_forward, C1
func.func @f(%x: tensor<2x16xf32>, %u: tensor<64x15xf32>, %d: tensor<8x64xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{C1: up_weight is 'tensor<64x15xf32>', expected [F, E = 16]}}
  %0 = attn.feed_forward %x up(%u : tensor<64x15xf32>) down(%d, %b : tensor<8x64xf32>, tensor<8xf32>) : tensor<2x16xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x16xi32>, %u: tensor<64x16xi32>, %d: tensor<8x64xi32>) {
  // expected-error @below {{C1: input has elements of type 'i32', expected a floating-point type}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xi32>) down(%d : tensor<8x64xi32>) : tensor<2x16xi32> -> tensor<2x8xi32>
  return
}

// -----

func.func @f(%x: tensor<2x16xf32>, %u: tensor<64x16xf32>, %d: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{C1: down_weight is 'tensor<8x32xf32>', expected [E', F = 64]}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xf32>) down(%d, %b : tensor<8x32xf32>, tensor<8xf32>) : tensor<2x16xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x16xf32>, %u: tensor<64x16xf32>, %d: tensor<8x64xf32>, %b: tensor<16xf32>) {
  // expected-error @below {{C1: down_bias is 'tensor<16xf32>', expected [E' = 8]}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xf32>) down(%d, %b : tensor<8x64xf32>, tensor<16xf32>) : tensor<2x16xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x16xf32>, %u: tensor<64x16xf32>, %d: tensor<8x64xf32>, %b: tensor<8xf16>) {
  // expected-error @below {{C1: down_bias has elements of type 'f16', expected 'f32'}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xf32>) down(%d, %b : tensor<8x64xf32>, tensor<8xf16>) : tensor<2x16xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<f32>, %u: tensor<64x16xf32>, %d: tensor<8x64xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{C1: input is 'tensor<f32>', expected at least 1 dimension}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xf32>) down(%d, %b : tensor<8x64xf32>, tensor<8xf32>) : tensor<f32> -> tensor<2x8xf32>
  return
}

// -----

// feed_forward, C2
func.func @f(%x: tensor<2x16xf32>, %u: tensor<64x16xf32>, %d: tensor<8x64xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{C2: the result is 'tensor<2x16xf32>', expected [m0 = 2, E' = 8]}}
  %0 = attn.feed_forward %x up(%u : tensor<64x16xf32>) down(%d, %b : tensor<8x64xf32>, tensor<8xf32>) : tensor<2x16xf32> -> tensor<2x16xf32>
  return
}

// -----

// encoder_layer, C1
func.func @f(%x: tensor<8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C1: input is 'tensor<8x16xf32>', expected [B, S, E]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<8x16xf32> -> tensor<8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xi32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C1: input has elements of type 'i32', expected a floating-point type}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xi32> -> tensor<2x8x16xi32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C1: the result is 'tensor<2x?x16xf32>', expected the type of input, 'tensor<2x8x16xf32>'}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x?x16xf32>
  return
}

// -----

// encoder_layer, C2
func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x8xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C2: query_weight is 'tensor<16x8xf32>', expected [E = 16, E = 16]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x8xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x8xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x8xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x8xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<8xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C2: query_bias is 'tensor<8xf32>', expected [E = 16]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<8xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<8xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<8xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<8xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x32xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C2: down_weight is 'tensor<16x32xf32>', expected [E = 16, F = 64]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x32xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf16>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C2: up_weight has elements of type 'f16', expected 'f32'}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf16>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C2: num_heads is 3, expected a divisor of E = 16}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 3, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

// encoder_layer, C3
func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<8xf32>) {
  // expected-error @below {{C3: attention_norm_scale is 'tensor<8xf32>', expected [E = 16]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<8xf32>, tensor<8xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<8xf32>, tensor<8xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf16>) {
  // expected-error @below {{C3: attention_norm_scale has elements of type 'f16', expected 'f32'}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf16>, tensor<16xf16>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf16>, tensor<16xf16>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error-re @below {{C3: epsilon is -1.0{{.*}}, expected a number that is not negative}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = -1.0} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

// encoder_layer, C4
func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x16xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C4: mask is 'tensor<2x16xi64>', expected [B = 2, S = 8]}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x16xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %m: tensor<2x8xf32>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %u: tensor<64x16xf32>, %d: tensor<16x64xf32>, %n: tensor<16xf32>) {
  // expected-error @below {{C4: mask has elements of type 'f32', expected an integer type}}
  %0 = attn.encoder_layer %x, mask(%m : tensor<2x8xf32>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>) up(%u : tensor<64x16xf32>) down(%d : tensor<16x64xf32>) output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
      {num_heads = 2, epsilon = 0.125} : tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}
