// RUN: attn-opt %s --verify-diagnostics --split-input-file

// parallel_for, C1
func.func @f(%n: index) {
  // expected-error @below {{C1: there is no function @task}}
  attn.parallel_for @task(%n)
  return
}

// -----

// parallel_for, C2
func.func private @task(index, index, index, tensor<4xf32>)
func.func @f(%n: index, %x: tensor<4xf32>) {
  // expected-error @below {{C2: capture 0 is 'tensor<4xf32>', expected no tensor; use scf.forall on tensors}}
  attn.parallel_for @task(%n) captures(%x : tensor<4xf32>)
  return
}

// -----

// worker, C1
func.func @f() {
  // expected-error @below {{C1: it stands outside of any scf.forall, expected inside one, whose body becomes a task}}
  %0 = attn.worker
  return
}

// -----

func.func private @task(index, index, index, f32)
func.func @f(%n: index, %x: memref<4xf32>) {
  // expected-error @below {{C1: task @task has type '(index, index, index, f32) -> ()', expected '(index, index, index, memref<4xf32>) -> ()'}}
  attn.parallel_for @task(%n) captures(%x : memref<4xf32>)
  return
}

// -----

func.func @f(%x: f32) {
  // expected-error @below {{expects parent op to be one of 'attn.linear, attn.attention, attn.online_attention'}}
  attn.yield %x : f32
}

// -----

func.func @f() {
  // expected-error @below {{'attn.worker' op result #0 must be index, but got 'i32'}}
  %0 = "attn.worker"() : () -> i32
  return
}

// -----

func.func @f() {
  // expected-error @below {{'attn.num_workers' op result #0 must be index, but got 'i64'}}
  %0 = "attn.num_workers"() : () -> i64
  return
}
