// Long sums of attn.linear against double precision, run here: 1537 terms in seven blocks of which the last is shorter. Taken
// in one piece they would exceed both bounds.
//
// DEFINE: %{lower} = --attn-expand-linear --attn-expand-math --convert-scf-to-cf --expand-strided-metadata --lower-affine \
// DEFINE:   --convert-vector-to-llvm --finalize-memref-to-llvm --convert-math-to-llvm --convert-arith-to-llvm \
// DEFINE:   --convert-index-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts
// RUN: %attn-opt %s %{lower} | mlir-runner -O2 -e main --entry-point-result=i32 | FileCheck %s
//
// 7 rows of 27 columns off by at most 1.5e-5, and the root of their mean square by at most 5e-6 (in one piece: 4.3e-5, 9.8e-6).
// CHECK: {{^}}190{{$}}

func.func private @fill(%x: memref<?xf32>, %seed: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %multiplier = arith.constant 1664525 : i32
  %increment = arith.constant 1013904223 : i32
  %shift = arith.constant 8 : i32
  %scale = arith.constant 1.1920929e-7 : f32
  %one = arith.constant 1.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%state = %seed) -> (i32) {
    %0 = arith.muli %state, %multiplier : i32
    %next = arith.addi %0, %increment : i32
    %1 = arith.shrui %next, %shift : i32
    %2 = arith.uitofp %1 : i32 to f32
    %3 = arith.mulf %2, %scale : f32
    %4 = arith.subf %3, %one : f32
    memref.store %4, %x[%i] : memref<?xf32>
    scf.yield %next : i32
  }
  return
}

func.func @main() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c16 = arith.constant 16 : index
  %c27 = arith.constant 27 : index
  %c1537 = arith.constant 1537 : index
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %d0 = arith.constant 0.0 : f64
  %count = arith.constant 189.0 : f64
  %bound = arith.constant 1.5e-5 : f64
  %meanBound = arith.constant 5.0e-6 : f64
  %seedX = arith.constant 21 : i32
  %seedW = arith.constant 22 : i32
  %sizeX = arith.constant 10759 : index
  %sizeW = arith.constant 49184 : index
  %flatX = memref.alloc(%sizeX) : memref<?xf32>
  %flatW = memref.alloc(%sizeW) : memref<?xf32>
  %y = memref.alloc() : memref<7x27xf32>
  call @fill(%flatX, %seedX) : (memref<?xf32>, i32) -> ()
  call @fill(%flatW, %seedW) : (memref<?xf32>, i32) -> ()
  %x = memref.reinterpret_cast %flatX to offset: [0], sizes: [7, 1537], strides: [1537, 1] : memref<?xf32> to memref<7x1537xf32>
  %w = memref.reinterpret_cast %flatW to offset: [0], sizes: [2, 1537, 16], strides: [24592, 16, 1] : memref<?xf32> to memref<2x1537x16xf32>

  attn.linear ins(%x, %w : memref<7x1537xf32>, memref<2x1537x16xf32>) outs(%y : memref<7x27xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 4, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }

  %good:2 = scf.for %m = %c0 to %c7 step %c1 iter_args(%outer = %i0, %squares = %d0) -> (i32, f64) {
    %row:2 = scf.for %n = %c0 to %c27 step %c1 iter_args(%right = %outer, %square = %squares) -> (i32, f64) {
      %panel = arith.divui %n, %c16 : index
      %lane = arith.remui %n, %c16 : index
      %want = scf.for %k = %c0 to %c1537 step %c1 iter_args(%s = %d0) -> (f64) {
        %a = memref.load %x[%m, %k] : memref<7x1537xf32>
        %b = memref.load %w[%panel, %k, %lane] : memref<2x1537x16xf32>
        %c = arith.extf %a : f32 to f64
        %d = arith.extf %b : f32 to f64
        %p = arith.mulf %c, %d : f64
        %t = arith.addf %s, %p : f64
        scf.yield %t : f64
      }
      %got = memref.load %y[%m, %n] : memref<7x27xf32>
      %wide = arith.extf %got : f32 to f64
      %difference = arith.subf %want, %wide : f64
      %magnitude = math.absf %difference : f64
      %near = arith.cmpf ole, %magnitude, %bound : f64
      %one = arith.select %near, %i1, %i0 : i32
      %next = arith.addi %right, %one : i32
      %2 = arith.mulf %difference, %difference : f64
      %3 = arith.addf %square, %2 : f64
      scf.yield %next, %3 : i32, f64
    }
    scf.yield %row#0, %row#1 : i32, f64
  }
  %mean = arith.divf %good#1, %count : f64
  %root = math.sqrt %mean : f64
  %small = arith.cmpf ole, %root, %meanBound : f64
  %one = arith.select %small, %i1, %i0 : i32
  %total = arith.addi %good#0, %one : i32
  return %total : i32
}
