// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-raise-norm,canonicalize))' --split-input-file | FileCheck %s

#full = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#last = affine_map<(i, j) -> (j)>
#one = affine_map<(i) -> (i)>


// The quotient times the scale, and what is added to it.

// CHECK-LABEL: func.func @norm(
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>, %[[SCALE:.+]]: tensor<8xf32>, %[[SHIFT:.+]]: tensor<8xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.+]] = attn.layer_norm ins(%[[X]], %[[SCALE]], %[[SHIFT]] : {{.*}} {epsilon = 9.99{{.*}}E-6 : f64}
// CHECK-NEXT: return %[[Y]]
func.func @norm(%x: tensor<?x8xf32>, %scale: tensor<8xf32>, %shift: tensor<8xf32>, %n: index) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %eight = arith.constant 8.0 : f32
  %epsilon = arith.constant 1.0e-5 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = tensor.empty(%n) : tensor<?x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x8xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%sum : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.divf %a, %eight : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]} ins(%x, %mean : tensor<?x8xf32>, tensor<?xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %d2 = arith.mulf %d, %d : tensor<?x8xf32>
  %sum2 = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]} ins(%d2 : tensor<?x8xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %variance = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%sum2 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.divf %a, %eight : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %more = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%variance : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %epsilon : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %root = math.sqrt %more : tensor<?xf32>
  %q = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]} ins(%d, %root : tensor<?x8xf32>, tensor<?xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %scaled = linalg.generic {indexing_maps = [#full, #last, #full], iterator_types = ["parallel", "parallel"]} ins(%q, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [#full, #last, #full], iterator_types = ["parallel", "parallel"]} ins(%scaled, %shift : tensor<?x8xf32>, tensor<8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A shift is added to a norm's only use; where the norm without it is used, too, it stays.

#full = affine_map<(i, j) -> (i, j)>
#last = affine_map<(i, j) -> (j)>

// CHECK-LABEL: func.func @twice(
// CHECK: %[[N:.+]] = attn.layer_norm
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} ins(%[[N]],
// CHECK: return %[[N]], %[[Y]]
func.func @twice(%x: tensor<4x8xf32>, %scale: tensor<8xf32>, %shift: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %f = tensor.empty() : tensor<4x8xf32>
  %n = attn.layer_norm ins(%x, %scale : tensor<4x8xf32>, tensor<8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  %y = linalg.generic {indexing_maps = [#full, #last, #full], iterator_types = ["parallel", "parallel"]} ins(%n, %shift : tensor<4x8xf32>, tensor<8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %n, %y : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

#full = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#last = affine_map<(i, j) -> (j)>
#one = affine_map<(i) -> (i)>

// Without a mean it is an RMS norm, also of rows that are a product themselves; what is added after it stays.

// CHECK-LABEL: func.func @rms(
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<?x8xf32>, %[[B:[a-z0-9]+]]: tensor<?x8xf32>, %[[SCALE:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[X:.+]] = arith.mulf %[[A]], %[[B]]
// CHECK: %[[Y:.+]] = attn.rms_norm ins(%[[X]], %[[SCALE]] : {{.*}} {epsilon = 9.99{{.*}}E-6 : f64}
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %[[SCALE]] :
func.func @rms(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>, %scale: tensor<8xf32>, %n: index) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %eight = arith.constant 8.0 : f32
  %epsilon = arith.constant 1.0e-5 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = tensor.empty(%n) : tensor<?x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %x = arith.mulf %a, %b : tensor<?x8xf32>
  %square = arith.mulf %x, %x : tensor<?x8xf32>
  %sum = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]} ins(%square : tensor<?x8xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %more = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%sum : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.divf %p, %eight : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%more : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %epsilon : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %inverse = math.rsqrt %mean : tensor<?xf32>
  %q = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]} ins(%x, %inverse : tensor<?x8xf32>, tensor<?xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q0: f32, %o: f32):
    %s = arith.mulf %p, %q0 : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %scaled = linalg.generic {indexing_maps = [#full, #last, #full], iterator_types = ["parallel", "parallel"]} ins(%q, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q0: f32, %o: f32):
    %s = arith.mulf %p, %q0 : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  %shifted = linalg.generic {indexing_maps = [#full, #last, #full], iterator_types = ["parallel", "parallel"]} ins(%scaled, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q0: f32, %o: f32):
    %s = arith.addf %p, %q0 : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %shifted : tensor<?x8xf32>
}
