// Layer norm against double precision, run here: rows of 37 elements with lanes of 8, of random values, of one value, of
// values that differ in their last digits only, and of values whose squares, sums or reciprocals leave the range of f32. No
// result may be a NaN or infinite.
//
// DEFINE: %{lower} = --attn-expand-rows --attn-expand-math --convert-scf-to-cf --expand-strided-metadata --lower-affine \
// DEFINE:   --convert-vector-to-llvm --finalize-memref-to-llvm --convert-math-to-llvm --convert-arith-to-llvm \
// DEFINE:   --convert-index-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts
// RUN: %attn-opt %s %{lower} | mlir-runner -O2 -e main --entry-point-result=i32 | FileCheck %s
//
// 14 kinds of rows with 37 elements.
// CHECK: {{^}}518{{$}}

func.func private @norm(%x: memref<5x37xf32>, %scale: memref<37xf32>, %shift: memref<37xf32>, %y: memref<5x37xf32>, %some: i1) {
  scf.if %some {
    attn.layer_norm ins(%x, %scale, %shift : memref<5x37xf32>, memref<37xf32>, memref<37xf32>) outs(%y : memref<5x37xf32>)
      {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 8>}
  } else {
    attn.layer_norm ins(%x, %scale, %shift : memref<5x37xf32>, memref<37xf32>, memref<37xf32>) outs(%y : memref<5x37xf32>)
      {epsilon = 0.0, kernel = #attn.row_kernel<lanes = 8>}
  }
  return
}

// How many elements of rows base + spread r are right, where r is random in [-1, 1). Beyond `exact` the variance is
// infinite, and only finite results are asked for.
func.func private @check(%base: f32, %spread: f32, %epsilon: f64, %exact: i1, %tolerance: f64) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c37 = arith.constant 37 : index
  %multiplier = arith.constant 1664525 : i32
  %increment = arith.constant 1013904223 : i32
  %shiftRight = arith.constant 8 : i32
  %unit = arith.constant 1.1920929e-7 : f32
  %one = arith.constant 1.0 : f32
  %half = arith.constant 0.5 : f32
  %seed = arith.constant 3 : i32
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %d0 = arith.constant 0.0 : f64
  %size = arith.constant 37.0 : f64
  %largest = arith.constant 3.4028235e38 : f64
  %some = arith.cmpf ogt, %epsilon, %d0 : f64
  %x = memref.alloc() : memref<5x37xf32>
  %y = memref.alloc() : memref<5x37xf32>
  %scale = memref.alloc() : memref<37xf32>
  %shift = memref.alloc() : memref<37xf32>
  %state = scf.for %m = %c0 to %c5 step %c1 iter_args(%row = %seed) -> (i32) {
    %end = scf.for %n = %c0 to %c37 step %c1 iter_args(%s = %row) -> (i32) {
      %0 = arith.muli %s, %multiplier : i32
      %next = arith.addi %0, %increment : i32
      %1 = arith.shrui %next, %shiftRight : i32
      %2 = arith.uitofp %1 : i32 to f32
      %3 = arith.mulf %2, %unit : f32
      %r = arith.subf %3, %one : f32
      %4 = arith.mulf %r, %spread : f32
      %5 = arith.addf %4, %base : f32
      memref.store %5, %x[%m, %n] : memref<5x37xf32>
      %6 = arith.addf %r, %one : f32
      memref.store %6, %scale[%n] : memref<37xf32>
      %7 = arith.mulf %r, %half : f32
      memref.store %7, %shift[%n] : memref<37xf32>
      scf.yield %next : i32
    }
    scf.yield %end : i32
  }
  func.call @norm(%x, %scale, %shift, %y, %some) : (memref<5x37xf32>, memref<37xf32>, memref<37xf32>, memref<5x37xf32>, i1) -> ()
  // The last row comes from the tile of one, the first from the tile of four.
  %rows = arith.subi %c5, %c1 : index
  %good = scf.for %n = %c0 to %c37 step %c1 iter_args(%count = %i0) -> (i32) {
    %right = scf.for %m = %c0 to %c5 step %rows iter_args(%all = %i1) -> (i32) {
      %sum = scf.for %k = %c0 to %c37 step %c1 iter_args(%s = %d0) -> (f64) {
        %0 = memref.load %x[%m, %k] : memref<5x37xf32>
        %1 = arith.extf %0 : f32 to f64
        %2 = arith.addf %s, %1 : f64
        scf.yield %2 : f64
      }
      %mean = arith.divf %sum, %size : f64
      %squares = scf.for %k = %c0 to %c37 step %c1 iter_args(%s = %d0) -> (f64) {
        %0 = memref.load %x[%m, %k] : memref<5x37xf32>
        %1 = arith.extf %0 : f32 to f64
        %2 = arith.subf %1, %mean : f64
        %3 = arith.mulf %2, %2 : f64
        %4 = arith.addf %s, %3 : f64
        scf.yield %4 : f64
      }
      %variance = arith.divf %squares, %size : f64
      %0 = arith.addf %variance, %epsilon : f64
      %deviation = math.sqrt %0 : f64
      %flat = arith.cmpf oeq, %deviation, %d0 : f64
      %1 = memref.load %x[%m, %n] : memref<5x37xf32>
      %2 = arith.extf %1 : f32 to f64
      %difference = arith.subf %2, %mean : f64
      %quotient = arith.divf %difference, %deviation : f64
      %normal = arith.select %flat, %d0, %quotient : f64
      %3 = memref.load %scale[%n] : memref<37xf32>
      %4 = arith.extf %3 : f32 to f64
      %5 = memref.load %shift[%n] : memref<37xf32>
      %6 = arith.extf %5 : f32 to f64
      %7 = arith.mulf %normal, %4 : f64
      %want = arith.addf %7, %6 : f64
      %8 = memref.load %y[%m, %n] : memref<5x37xf32>
      %got = arith.extf %8 : f32 to f64
      %9 = arith.subf %got, %want : f64
      %apart = math.absf %9 : f64
      %near = arith.cmpf ole, %apart, %tolerance : f64
      %magnitude = math.absf %got : f64
      %finite = arith.cmpf ole, %magnitude, %largest : f64
      %ok = arith.select %exact, %near, %finite : i1
      %okInteger = arith.extui %ok : i1 to i32
      %both = arith.andi %all, %okInteger : i32
      scf.yield %both : i32
    }
    %next = arith.addi %count, %right : i32
    scf.yield %next : i32
  }
  memref.dealloc %x : memref<5x37xf32>
  memref.dealloc %y : memref<5x37xf32>
  memref.dealloc %scale : memref<37xf32>
  memref.dealloc %shift : memref<37xf32>
  return %good : i32
}

func.func @main() -> i32 {
  %e = arith.constant 1.0e-12 : f64
  %z = arith.constant 0.0 : f64
  %true = arith.constant true
  %false = arith.constant false
  %sum = arith.constant 0 : i32
  %k0 = arith.constant 0.0 : f32
  %k1 = arith.constant 1.0 : f32
  %k2 = arith.constant 1.0e-6 : f64
  %k3 = arith.constant 1000.0 : f32
  %k4 = arith.constant 2.0e-6 : f64
  %k5 = arith.constant 1.0e6 : f32
  %k6 = arith.constant 2.0e-6 : f64
  %k7 = arith.constant 0.0 : f64
  %k8 = arith.constant 0.1 : f32
  %k9 = arith.constant 100.3 : f32
  %k10 = arith.constant 1.0e30 : f32
  %k11 = arith.constant -3.0e37 : f32
  %k12 = arith.constant 1.0e18 : f32
  %k13 = arith.constant 1.0e38 : f32
  %k14 = arith.constant 1.0e-39 : f32
  %good0 = call @check(%k0, %k1, %e, %true, %k2) : (f32, f32, f64, i1, f64) -> i32
  %sum0 = arith.addi %sum, %good0 : i32
  %good1 = call @check(%k1, %k1, %e, %true, %k2) : (f32, f32, f64, i1, f64) -> i32
  %sum1 = arith.addi %sum0, %good1 : i32
  %good2 = call @check(%k3, %k1, %e, %true, %k4) : (f32, f32, f64, i1, f64) -> i32
  %sum2 = arith.addi %sum1, %good2 : i32
  %good3 = call @check(%k5, %k1, %e, %true, %k6) : (f32, f32, f64, i1, f64) -> i32
  %sum3 = arith.addi %sum2, %good3 : i32
  %good4 = call @check(%k0, %k0, %e, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum4 = arith.addi %sum3, %good4 : i32
  %good5 = call @check(%k8, %k0, %e, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum5 = arith.addi %sum4, %good5 : i32
  %good6 = call @check(%k9, %k0, %e, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum6 = arith.addi %sum5, %good6 : i32
  %good7 = call @check(%k10, %k0, %e, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum7 = arith.addi %sum6, %good7 : i32
  %good8 = call @check(%k11, %k0, %e, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum8 = arith.addi %sum7, %good8 : i32
  %good9 = call @check(%k9, %k0, %z, %true, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum9 = arith.addi %sum8, %good9 : i32
  %good10 = call @check(%k0, %k12, %e, %true, %k2) : (f32, f32, f64, i1, f64) -> i32
  %sum10 = arith.addi %sum9, %good10 : i32
  %good11 = call @check(%k0, %k10, %e, %false, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum11 = arith.addi %sum10, %good11 : i32
  %good12 = call @check(%k0, %k13, %e, %false, %k7) : (f32, f32, f64, i1, f64) -> i32
  %sum12 = arith.addi %sum11, %good12 : i32
  %good13 = call @check(%k0, %k14, %e, %true, %k2) : (f32, f32, f64, i1, f64) -> i32
  %sum13 = arith.addi %sum12, %good13 : i32
  return %sum13 : i32
}
