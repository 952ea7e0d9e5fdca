// RUN: attn-opt %s --attn-outline-tasks --split-input-file --verify-diagnostics

func.func @results(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{a parallel loop still has tensor results}}
  %0 = scf.forall (%i) in (4) shared_outs(%o = %x) -> (tensor<4xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %x into %o[0] [4] [1] : tensor<4xf32> into tensor<4xf32>
    }
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @steps(%n: index) {
  // expected-error @below {{a parallel loop needs lower bounds 0 and steps 1}}
  scf.forall (%i) = (0) to (%n) step (2) {
  }
  return
}
