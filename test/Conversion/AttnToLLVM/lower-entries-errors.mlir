// RUN: attn-opt %s --attn-lower-entries --split-input-file --allow-unregistered-dialect --verify-diagnostics

// expected-error @below {{the module has no 'attn.target'}}
module {
  func.func @f() {
    return
  }
}

// -----

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func private @f.workspace(%w: index) -> i64 {
    %c0 = arith.constant 0 : i64
    return %c0 : i64
  }
  // expected-error @below {{argument 0 has a dynamic dimension without a symbol in 'attn.shape'}}
  func.func @f(%x: memref<?xf32>) {
    return
  }
}

// -----

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    %0 = "test.value"() : () -> tuple<i32>
    // expected-error @below {{a task captures a value of type 'tuple<i32>'}}
    attn.parallel_for @task(%c1) captures(%0 : tuple<i32>)
    return
  }
  func.func private @task(%b: index, %e: index, %w: index, %x: tuple<i32>) {
    return
  }
}
