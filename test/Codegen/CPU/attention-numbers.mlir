// Tiled attention against softmax(scale Q K^T) V in double precision, run here: 13 queries in a tile of 16, keys in blocks of
// 16 that begin with an empty one, with a mask with holes, one that leaves no key, scores so far apart that their powers
// vanish, and scores of 1e30 and of 1e-39, also where all of them are equal.
//
// DEFINE: %{lower} = --attn-expand-attention --attn-expand-math --convert-scf-to-cf --expand-strided-metadata --lower-affine \
// DEFINE:   --convert-vector-to-llvm --finalize-memref-to-llvm --convert-math-to-llvm --convert-arith-to-llvm \
// DEFINE:   --convert-index-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts
// RUN: %attn-opt %s %{lower} | mlir-runner -O2 -e main --entry-point-result=i32 | FileCheck %s
//
// Nine kinds of keys, 13 rows of 11 channels and a logarithm of the sum.
// CHECK: {{^}}1404{{$}}

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

// How many results are right where key k counts if k % %modulus != 0 and is key k % %period times %spread.
// The logarithm may also be off by rounding errors of scores of their size.
func.func private @check(%modulus: index, %period: index, %spread: f32, %scale: f64, %tolerance: f64) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c11 = arith.constant 11 : index
  %c13 = arith.constant 13 : index
  %c16 = arith.constant 16 : index
  %c37 = arith.constant 37 : index
  %zero = arith.constant 0.0 : f32
  %unit = arith.constant 1.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %m0 = arith.constant 0 : i64
  %m1 = arith.constant 1 : i64
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %d0 = arith.constant 0.0 : f64
  %dninf = arith.constant 0xFFF0000000000000 : f64
  %rounding = arith.constant 2.0e-7 : f64
  %positive = arith.cmpf ogt, %scale, %d0 : f64
  %seedQ = arith.constant 11 : i32
  %seedK = arith.constant 12 : i32
  %seedV = arith.constant 13 : i32
  %sizeQ = arith.constant 65 : index
  %sizeK = arith.constant 185 : index
  %sizeV = arith.constant 407 : index

  %flatQ = memref.alloc(%sizeQ) : memref<?xf32>
  %flatK = memref.alloc(%sizeK) : memref<?xf32>
  %flatV = memref.alloc(%sizeV) : memref<?xf32>
  func.call @fill(%flatQ, %seedQ) : (memref<?xf32>, i32) -> ()
  func.call @fill(%flatK, %seedK) : (memref<?xf32>, i32) -> ()
  func.call @fill(%flatV, %seedV) : (memref<?xf32>, i32) -> ()
  scf.for %i = %c0 to %sizeK step %c1 {
    %size = arith.muli %period, %c5 : index
    %first = arith.cmpi ult, %i, %size : index
    %j = arith.remui %i, %size : index
    %0 = memref.load %flatK[%j] : memref<?xf32>
    %factor = arith.select %first, %spread, %unit : f32
    %1 = arith.mulf %0, %factor : f32
    memref.store %1, %flatK[%i] : memref<?xf32>
  }
  %q = memref.reinterpret_cast %flatQ to offset: [0], sizes: [13, 5], strides: [5, 1] : memref<?xf32> to memref<13x5xf32>
  %k = memref.reinterpret_cast %flatK to offset: [0], sizes: [37, 5], strides: [5, 1] : memref<?xf32> to memref<37x5xf32>
  %v = memref.reinterpret_cast %flatV to offset: [0], sizes: [37, 11], strides: [11, 1] : memref<?xf32> to memref<37x11xf32>
  %mask = memref.alloc() : memref<37xi64>
  scf.for %i = %c0 to %c37 step %c1 {
    %0 = arith.remui %i, %modulus : index
    %1 = arith.cmpi ne, %0, %c0 : index
    %2 = arith.select %1, %m1, %m0 : i64
    memref.store %2, %mask[%i] : memref<37xi64>
  }

  %packed = memref.alloc() : memref<1x5x16xf32>
  %acc = memref.alloc() : memref<16x11xf32>
  %max = memref.alloc() : memref<16xf32>
  %sum = memref.alloc() : memref<16xf32>
  %scores = memref.alloc() : memref<16x16xf32>
  %factors = memref.alloc() : memref<16xf32>
  %out = memref.alloc() : memref<13x11xf32>
  %lse = memref.alloc() : memref<13xf32>
  scf.for %i = %c0 to %c16 step %c1 {
    memref.store %ninf, %max[%i] : memref<16xf32>
    memref.store %zero, %sum[%i] : memref<16xf32>
    scf.for %j = %c0 to %c11 step %c1 {
      memref.store %zero, %acc[%i, %j] : memref<16x11xf32>
    }
  }
  attn.pack ins(%q : memref<13x5xf32>) outs(%packed : memref<1x5x16xf32>) {kernel = #attn.row_kernel<lanes = 8>}
  // The first block is [0, 0).
  %end = arith.constant 53 : index
  scf.for %stop = %c0 to %end step %c16 {
    %before = arith.subi %stop, %c16 : index
    %first = arith.maxsi %before, %c0 : index
    %last = arith.minsi %stop, %c37 : index
    %count = arith.subi %last, %first : index
    %kb = memref.subview %k[%first, 0] [%count, 5] [1, 1] : memref<37x5xf32> to memref<?x5xf32, strided<[5, 1], offset: ?>>
    %vb = memref.subview %v[%first, 0] [%count, 11] [1, 1] : memref<37x11xf32> to memref<?x11xf32, strided<[11, 1], offset: ?>>
    %mb = memref.subview %mask[%first] [%count] [1] : memref<37xi64> to memref<?xi64, strided<[1], offset: ?>>
    scf.if %positive {
      attn.online_attention
        ins(%packed, %kb, %vb : memref<1x5x16xf32>, memref<?x5xf32, strided<[5, 1], offset: ?>>, memref<?x11xf32, strided<[11, 1], offset: ?>>)
        key_mask(%mb : memref<?xi64, strided<[1], offset: ?>>)
        outs(%acc, %max, %sum : memref<16x11xf32>, memref<16xf32>, memref<16xf32>)
        scratch(%scores, %factors : memref<16x16xf32>, memref<16xf32>)
        {scale = 0.4, kernel = #attn.attention_kernel<queries = 16, keyRows = 6, valueRows = 6, valueColumns = 8, keyBlock = 16, lanes = 8>}
    } else {
      attn.online_attention
        ins(%packed, %kb, %vb : memref<1x5x16xf32>, memref<?x5xf32, strided<[5, 1], offset: ?>>, memref<?x11xf32, strided<[11, 1], offset: ?>>)
        key_mask(%mb : memref<?xi64, strided<[1], offset: ?>>)
        outs(%acc, %max, %sum : memref<16x11xf32>, memref<16xf32>, memref<16xf32>)
        scratch(%scores, %factors : memref<16x16xf32>, memref<16xf32>)
        {scale = -0.4, kernel = #attn.attention_kernel<queries = 16, keyRows = 6, valueRows = 6, valueColumns = 8, keyBlock = 16, lanes = 8>}
    }
  }
  attn.online_finish ins(%acc, %max, %sum : memref<16x11xf32>, memref<16xf32>, memref<16xf32>)
    outs(%out, %lse : memref<13x11xf32>, memref<13xf32>) {kernel = #attn.row_kernel<lanes = 8>}

  %s = memref.alloc() : memref<37xf64>
  %good = scf.for %i = %c0 to %c13 step %c1 iter_args(%outer = %i0) -> (i32) {
    %maximum = scf.for %j = %c0 to %c37 step %c1 iter_args(%m = %dninf) -> (f64) {
      %dot = scf.for %d = %c0 to %c5 step %c1 iter_args(%t = %d0) -> (f64) {
        %0 = memref.load %q[%i, %d] : memref<13x5xf32>
        %1 = memref.load %k[%j, %d] : memref<37x5xf32>
        %2 = arith.extf %0 : f32 to f64
        %3 = arith.extf %1 : f32 to f64
        %4 = arith.mulf %2, %3 : f64
        %5 = arith.addf %t, %4 : f64
        scf.yield %5 : f64
      }
      %scaled = arith.mulf %dot, %scale : f64
      %e = memref.load %mask[%j] : memref<37xi64>
      %counts = arith.cmpi ne, %e, %m0 : i64
      %score = arith.select %counts, %scaled, %dninf : f64
      memref.store %score, %s[%j] : memref<37xf64>
      %larger = arith.cmpf ogt, %score, %m : f64
      %next = arith.select %larger, %score, %m : f64
      scf.yield %next : f64
    }
    %none = arith.cmpf oeq, %maximum, %dninf : f64
    %total = scf.for %j = %c0 to %c37 step %c1 iter_args(%t = %d0) -> (f64) {
      %0 = memref.load %s[%j] : memref<37xf64>
      %1 = arith.subf %0, %maximum : f64
      %2 = math.exp %1 : f64
      %3 = arith.select %none, %d0, %2 : f64
      memref.store %3, %s[%j] : memref<37xf64>
      %4 = arith.addf %t, %3 : f64
      scf.yield %4 : f64
    }
    %channels = scf.for %n = %c0 to %c11 step %c1 iter_args(%count = %outer) -> (i32) {
      %dot = scf.for %j = %c0 to %c37 step %c1 iter_args(%t = %d0) -> (f64) {
        %0 = memref.load %s[%j] : memref<37xf64>
        %1 = memref.load %v[%j, %n] : memref<37x11xf32>
        %2 = arith.extf %1 : f32 to f64
        %3 = arith.mulf %0, %2 : f64
        %4 = arith.addf %t, %3 : f64
        scf.yield %4 : f64
      }
      %quotient = arith.divf %dot, %total : f64
      %want = arith.select %none, %d0, %quotient : f64
      %got = memref.load %out[%i, %n] : memref<13x11xf32>
      %wide = arith.extf %got : f32 to f64
      %difference = arith.subf %want, %wide : f64
      %magnitude = math.absf %difference : f64
      %near = arith.cmpf ole, %magnitude, %tolerance : f64
      %one = arith.select %near, %i1, %i0 : i32
      %next = arith.addi %count, %one : i32
      scf.yield %next : i32
    }
    %logarithm = math.log %total : f64
    %sumOf = arith.addf %maximum, %logarithm : f64
    %wantLse = arith.select %none, %dninf, %sumOf : f64
    %gotLse = memref.load %lse[%i] : memref<13xf32>
    %wideLse = arith.extf %gotLse : f32 to f64
    %differenceLse = arith.subf %wantLse, %wideLse : f64
    %magnitudeLse = math.absf %differenceLse : f64
    %size = arith.extf %spread : f32 to f64
    %relative = arith.mulf %size, %rounding : f64
    %bound = arith.maximumf %relative, %tolerance : f64
    %nearLse = arith.cmpf ole, %magnitudeLse, %bound : f64
    %equal = arith.cmpf oeq, %wantLse, %wideLse : f64
    %right = arith.ori %nearLse, %equal : i1
    %oneLse = arith.select %right, %i1, %i0 : i32
    %result = arith.addi %channels, %oneLse : i32
    scf.yield %result : i32
  }
  return %good : i32
}

func.func @main() -> i32 {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c37 = arith.constant 37 : index
  %near = arith.constant 2.0 : f32
  %far = arith.constant 60.0 : f32
  %huge = arith.constant 1.0e30 : f32
  %tiny = arith.constant 1.0e-39 : f32
  %positive = arith.constant 0.4 : f64
  %negative = arith.constant -0.4 : f64
  %tight = arith.constant 1.0e-6 : f64
  %loose = arith.constant 2.0e-5 : f64
  %holes = call @check(%c3, %c37, %near, %positive, %tight) : (index, index, f32, f64, f64) -> i32
  %none = call @check(%c1, %c37, %near, %positive, %tight) : (index, index, f32, f64, f64) -> i32
  %spread = call @check(%c3, %c37, %far, %positive, %loose) : (index, index, f32, f64, f64) -> i32
  %flipped = call @check(%c3, %c37, %near, %negative, %tight) : (index, index, f32, f64, f64) -> i32
  %vast = call @check(%c3, %c37, %huge, %positive, %tight) : (index, index, f32, f64, f64) -> i32
  %vastFlipped = call @check(%c3, %c37, %huge, %negative, %tight) : (index, index, f32, f64, f64) -> i32
  %equal = call @check(%c3, %c1, %huge, %positive, %tight) : (index, index, f32, f64, f64) -> i32
  %equalFlipped = call @check(%c3, %c1, %huge, %negative, %tight) : (index, index, f32, f64, f64) -> i32
  %small = call @check(%c3, %c37, %tiny, %positive, %tight) : (index, index, f32, f64, f64) -> i32
  %0 = arith.addi %holes, %none : i32
  %1 = arith.addi %0, %spread : i32
  %2 = arith.addi %1, %flipped : i32
  %3 = arith.addi %2, %vast : i32
  %4 = arith.addi %3, %vastFlipped : i32
  %5 = arith.addi %4, %equal : i32
  %6 = arith.addi %5, %equalFlipped : i32
  %7 = arith.addi %6, %small : i32
  return %7 : i32
}
