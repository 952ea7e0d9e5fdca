// The kernel of attn.linear against three nested loops, run here: every number of rows up to two tiles and their tails,
// a last panel with a full vector and a masked one, a bias and a residual; nothing beside the result is written. The same
// from a copy of five rows at a time.
//
// DEFINE: %{lower} = --attn-expand-linear --attn-expand-math --convert-scf-to-cf --expand-strided-metadata --lower-affine \
// DEFINE:   --convert-vector-to-llvm --finalize-memref-to-llvm --convert-math-to-llvm --convert-arith-to-llvm \
// DEFINE:   --convert-index-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts
// RUN: %attn-opt %s %{lower} | mlir-runner -O2 -e main --entry-point-result=i32 | FileCheck %s
//
// 14 numbers of rows from 0 to 13, 91 * 59 elements, twice, and four places behind each result that must not change.
// CHECK: {{^}}10794{{$}}

#column = affine_map<(m, n) -> (n)>
#element = affine_map<(m, n) -> (m, n)>

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

// How many elements of the result are right for `rows` rows, and how many behind it are as before.
func.func private @check(%rows: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c59 = arith.constant 59 : index
  %c37 = arith.constant 37 : index
  %c32 = arith.constant 32 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %untouched = arith.constant 77.0 : f32
  %tolerance = arith.constant 2.0e-5 : f32
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %seedX = arith.constant 1 : i32
  %seedW = arith.constant 2 : i32
  %seedB = arith.constant 3 : i32
  %seedR = arith.constant 4 : i32

  %sizeX = arith.muli %rows, %c37 : index
  %sizeY = arith.muli %rows, %c59 : index
  %sizeGuarded = arith.addi %sizeY, %c4 : index
  %sizeW = arith.constant 2368 : index
  %flatX = memref.alloc(%sizeX) : memref<?xf32>
  %flatW = memref.alloc(%sizeW) : memref<?xf32>
  %flatB = memref.alloc(%c59) : memref<?xf32>
  %flatR = memref.alloc(%sizeY) : memref<?xf32>
  %flatY = memref.alloc(%sizeGuarded) : memref<?xf32>
  func.call @fill(%flatX, %seedX) : (memref<?xf32>, i32) -> ()
  func.call @fill(%flatW, %seedW) : (memref<?xf32>, i32) -> ()
  func.call @fill(%flatB, %seedB) : (memref<?xf32>, i32) -> ()
  func.call @fill(%flatR, %seedR) : (memref<?xf32>, i32) -> ()
  scf.for %i = %c0 to %sizeGuarded step %c1 {
    memref.store %untouched, %flatY[%i] : memref<?xf32>
  }
  %x = memref.reinterpret_cast %flatX to offset: [0], sizes: [%rows, 37], strides: [37, 1] : memref<?xf32> to memref<?x37xf32, strided<[37, 1]>>
  %w = memref.reinterpret_cast %flatW to offset: [0], sizes: [2, 37, 32], strides: [1184, 32, 1] : memref<?xf32> to memref<2x37x32xf32>
  %b = memref.reinterpret_cast %flatB to offset: [0], sizes: [59], strides: [1] : memref<?xf32> to memref<59xf32>
  %r = memref.reinterpret_cast %flatR to offset: [0], sizes: [%rows, 59], strides: [59, 1] : memref<?xf32> to memref<?x59xf32, strided<[59, 1]>>
  %y = memref.reinterpret_cast %flatY to offset: [0], sizes: [%rows, 59], strides: [59, 1] : memref<?xf32> to memref<?x59xf32, strided<[59, 1]>>

  attn.linear ins(%x, %w : memref<?x37xf32, strided<[37, 1]>>, memref<2x37x32xf32>)
      extras(%b, %r : memref<59xf32>, memref<?x59xf32, strided<[59, 1]>>) outs(%y : memref<?x59xf32, strided<[59, 1]>>)
      maps [#column, #element] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %bias: f32, %residual: f32):
    %0 = arith.addf %sum, %bias : f32
    %1 = arith.addf %0, %residual : f32
    attn.yield %1 : f32
  }

  %copied = memref.alloc(%rows) : memref<?x59xf32>
  %scratch = memref.alloc() : memref<5x45xf32>
  attn.linear ins(%x, %w : memref<?x37xf32, strided<[37, 1]>>, memref<2x37x32xf32>)
      extras(%b, %r : memref<59xf32>, memref<?x59xf32, strided<[59, 1]>>) outs(%copied : memref<?x59xf32>)
      scratch(%scratch : memref<5x45xf32>)
      maps [#column, #element] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8, copiedRows = 5>} {
  ^bb0(%sum: f32, %bias: f32, %residual: f32):
    %0 = arith.addf %sum, %bias : f32
    %1 = arith.addf %0, %residual : f32
    attn.yield %1 : f32
  }

  %good = scf.for %m = %c0 to %rows step %c1 iter_args(%outer = %i0) -> (i32) {
    %inner = scf.for %n = %c0 to %c59 step %c1 iter_args(%count = %outer) -> (i32) {
      %panel = arith.divui %n, %c32 : index
      %lane = arith.remui %n, %c32 : index
      %sum = scf.for %k = %c0 to %c37 step %c1 iter_args(%s = %zero) -> (f32) {
        %a = memref.load %x[%m, %k] : memref<?x37xf32, strided<[37, 1]>>
        %e = memref.load %w[%panel, %k, %lane] : memref<2x37x32xf32>
        %p = arith.mulf %a, %e : f32
        %t = arith.addf %s, %p : f32
        scf.yield %t : f32
      }
      %bias = memref.load %b[%n] : memref<59xf32>
      %residual = memref.load %r[%m, %n] : memref<?x59xf32, strided<[59, 1]>>
      %0 = arith.addf %sum, %bias : f32
      %want = arith.addf %0, %residual : f32
      %got = memref.load %y[%m, %n] : memref<?x59xf32, strided<[59, 1]>>
      %difference = arith.subf %want, %got : f32
      %magnitude = math.absf %difference : f32
      %near = arith.cmpf ole, %magnitude, %tolerance : f32
      %one = arith.select %near, %i1, %i0 : i32
      %again = memref.load %copied[%m, %n] : memref<?x59xf32>
      %same = arith.cmpf oeq, %got, %again : f32
      %two = arith.select %same, %i1, %i0 : i32
      %sofar = arith.addi %count, %one : i32
      %next = arith.addi %sofar, %two : i32
      scf.yield %next : i32
    }
    scf.yield %inner : i32
  }
  %all = scf.for %i = %sizeY to %sizeGuarded step %c1 iter_args(%count = %good) -> (i32) {
    %value = memref.load %flatY[%i] : memref<?xf32>
    %same = arith.cmpf oeq, %value, %untouched : f32
    %one = arith.select %same, %i1, %i0 : i32
    %next = arith.addi %count, %one : i32
    scf.yield %next : i32
  }
  memref.dealloc %flatX : memref<?xf32>
  memref.dealloc %flatW : memref<?xf32>
  memref.dealloc %flatB : memref<?xf32>
  memref.dealloc %flatR : memref<?xf32>
  memref.dealloc %flatY : memref<?xf32>
  memref.dealloc %copied : memref<?x59xf32>
  memref.dealloc %scratch : memref<5x45xf32>
  return %all : i32
}

func.func @main() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c14 = arith.constant 14 : index
  %i0 = arith.constant 0 : i32
  %total = scf.for %rows = %c0 to %c14 step %c1 iter_args(%sum = %i0) -> (i32) {
    %good = func.call @check(%rows) : (index) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}
