// The polynomials against the C library in double precision, on a dense grid, and their values at the ends. The bounds are
// those that the pass documents.
//
// DEFINE: %{lower} = --attn-expand-math --convert-math-to-llvm --convert-math-to-libm --convert-scf-to-cf --convert-arith-to-llvm \
// DEFINE:   --convert-index-to-llvm --convert-cf-to-llvm --convert-func-to-llvm --reconcile-unrealized-casts
// RUN: %attn-opt %s %{lower} | mlir-runner -O2 -e main --entry-point-result=i32 | FileCheck %s
//
// Seven functions at 100000 points and the ends in @ends.
// CHECK: {{^}}700042{{$}}

// 1 where |got - want| <= bound * unit.
func.func private @near(%got: f32, %want: f64, %unit: f64, %bound: f64) -> i32 {
  %0 = arith.extf %got : f32 to f64
  %1 = arith.subf %0, %want : f64
  %2 = math.absf %1 : f64
  %3 = math.absf %unit : f64
  %4 = arith.mulf %bound, %3 : f64
  %5 = arith.cmpf ole, %2, %4 : f64
  %6 = arith.extui %5 : i1 to i32
  return %6 : i32
}

func.func private @exp_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -86.0 : f32
  %step = arith.constant 1.7470000000e-03 : f32
  %bound = arith.constant 1.0e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = math.exp %x : f32
    %d = arith.extf %x : f32 to f64
    %want = math.exp %d : f64
    %good = func.call @near(%got, %want, %want, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @exp2_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -124.9 : f32
  %step = arith.constant 2.5280000000e-03 : f32
  %bound = arith.constant 1.0e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = math.exp2 %x : f32
    %d = arith.extf %x : f32 to f64
    %want = math.exp2 %d : f64
    %good = func.call @near(%got, %want, %want, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @log_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant 0.001 : f32
  %step = arith.constant 3.9999900000e-03 : f32
  %bound = arith.constant 1.0e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = math.log %x : f32
    %d = arith.extf %x : f32 to f64
    %want = math.log %d : f64
    %good = func.call @near(%got, %want, %want, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @tanh_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -12.0 : f32
  %step = arith.constant 2.4000000000e-04 : f32
  %bound = arith.constant 2.0e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = math.tanh %x : f32
    %d = arith.extf %x : f32 to f64
    %want = math.tanh %d : f64
    %good = func.call @near(%got, %want, %want, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @erf_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -6.0 : f32
  %step = arith.constant 1.2000000000e-04 : f32
  %bound = arith.constant 2.4e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = math.erf %x : f32
    %d = arith.extf %x : f32 to f64
    %unit = arith.constant 1.0 : f64
    %want = math.erf %d : f64
    %good = func.call @near(%got, %want, %unit, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @gelu_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -12.0 : f32
  %step = arith.constant 2.4000000000e-04 : f32
  %bound = arith.constant 1.2e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = attn.gelu %x : f32
    %d = arith.extf %x : f32 to f64
    %root = arith.constant 0.70710678118654752 : f64
    %half = arith.constant 0.5 : f64
    %one = arith.constant 1.0 : f64
    %3 = arith.mulf %d, %root : f64
    %4 = math.erf %3 : f64
    %5 = arith.addf %4, %one : f64
    %6 = arith.mulf %d, %half : f64
    %want = arith.mulf %6, %5 : f64
    %good = func.call @near(%got, %want, %d, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

func.func private @gelu_tanh_points() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %i0 = arith.constant 0 : i32
  %begin = arith.constant -12.0 : f32
  %step = arith.constant 2.4000000000e-04 : f32
  %bound = arith.constant 1.2e-7 : f64
  %total = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %i0) -> (i32) {
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %1, %step : f32
    %x = arith.addf %2, %begin : f32
    %got = attn.gelu approximate %x : f32
    %d = arith.extf %x : f32 to f64
    %factor = arith.constant 0.79788456080286536 : f64
    %cubic = arith.constant 0.044715 : f64
    %half = arith.constant 0.5 : f64
    %one = arith.constant 1.0 : f64
    %3 = arith.mulf %d, %d : f64
    %4 = arith.mulf %3, %cubic : f64
    %5 = arith.addf %4, %one : f64
    %6 = arith.mulf %5, %d : f64
    %7 = arith.mulf %6, %factor : f64
    %8 = math.tanh %7 : f64
    %9 = arith.addf %8, %one : f64
    %10 = arith.mulf %d, %half : f64
    %want = arith.mulf %10, %9 : f64
    %good = func.call @near(%got, %want, %d, %bound) : (f32, f64, f64, f64) -> i32
    %next = arith.addi %sum, %good : i32
    scf.yield %next : i32
  }
  return %total : i32
}

// 1 where the values are equal or both are NaN.
func.func private @same(%got: f32, %want: f32) -> i32 {
  %0 = arith.cmpf ueq, %got, %want : f32
  %1 = arith.cmpf uno, %got, %got : f32
  %2 = arith.cmpf uno, %want, %want : f32
  %3 = arith.cmpi eq, %1, %2 : i1
  %4 = arith.andi %0, %3 : i1
  %5 = arith.extui %4 : i1 to i32
  return %5 : i32
}

func.func private @ends() -> i32 {
  %sum0 = arith.constant 0 : i32
  %x0 = arith.constant 0.0 : f32
  %want0 = arith.constant 1.0 : f32
  %got0 = math.exp %x0 : f32
  %good0 = call @same(%got0, %want0) : (f32, f32) -> i32
  %sum1 = arith.addi %sum0, %good0 : i32
  %x1 = arith.constant 0x7F800000 : f32
  %want1 = arith.constant 0x7F800000 : f32
  %got1 = math.exp %x1 : f32
  %good1 = call @same(%got1, %want1) : (f32, f32) -> i32
  %sum2 = arith.addi %sum1, %good1 : i32
  %x2 = arith.constant 0xFF800000 : f32
  %want2 = arith.constant 0.0 : f32
  %got2 = math.exp %x2 : f32
  %good2 = call @same(%got2, %want2) : (f32, f32) -> i32
  %sum3 = arith.addi %sum2, %good2 : i32
  %x3 = arith.constant 0x7FC00000 : f32
  %want3 = arith.constant 0x7FC00000 : f32
  %got3 = math.exp %x3 : f32
  %good3 = call @same(%got3, %want3) : (f32, f32) -> i32
  %sum4 = arith.addi %sum3, %good3 : i32
  %x4 = arith.constant 100.0 : f32
  %want4 = arith.constant 0x7F800000 : f32
  %got4 = math.exp %x4 : f32
  %good4 = call @same(%got4, %want4) : (f32, f32) -> i32
  %sum5 = arith.addi %sum4, %good4 : i32
  %x5 = arith.constant -100.0 : f32
  %want5 = arith.constant 0.0 : f32
  %got5 = math.exp %x5 : f32
  %good5 = call @same(%got5, %want5) : (f32, f32) -> i32
  %sum6 = arith.addi %sum5, %good5 : i32
  %x6 = arith.constant -3.0e38 : f32
  %want6 = arith.constant 0.0 : f32
  %got6 = math.exp %x6 : f32
  %good6 = call @same(%got6, %want6) : (f32, f32) -> i32
  %sum7 = arith.addi %sum6, %good6 : i32
  %x7 = arith.constant 10.0 : f32
  %want7 = arith.constant 1024.0 : f32
  %got7 = math.exp2 %x7 : f32
  %good7 = call @same(%got7, %want7) : (f32, f32) -> i32
  %sum8 = arith.addi %sum7, %good7 : i32
  %x8 = arith.constant 128.0 : f32
  %want8 = arith.constant 0x7F800000 : f32
  %got8 = math.exp2 %x8 : f32
  %good8 = call @same(%got8, %want8) : (f32, f32) -> i32
  %sum9 = arith.addi %sum8, %good8 : i32
  %x9 = arith.constant -200.0 : f32
  %want9 = arith.constant 0.0 : f32
  %got9 = math.exp2 %x9 : f32
  %good9 = call @same(%got9, %want9) : (f32, f32) -> i32
  %sum10 = arith.addi %sum9, %good9 : i32
  %x10 = arith.constant 1.0 : f32
  %want10 = arith.constant 0.0 : f32
  %got10 = math.log %x10 : f32
  %good10 = call @same(%got10, %want10) : (f32, f32) -> i32
  %sum11 = arith.addi %sum10, %good10 : i32
  %x11 = arith.constant 0x7F800000 : f32
  %want11 = arith.constant 0x7F800000 : f32
  %got11 = math.log %x11 : f32
  %good11 = call @same(%got11, %want11) : (f32, f32) -> i32
  %sum12 = arith.addi %sum11, %good11 : i32
  %x12 = arith.constant 0xFF800000 : f32
  %want12 = arith.constant 0x7FC00000 : f32
  %got12 = math.log %x12 : f32
  %good12 = call @same(%got12, %want12) : (f32, f32) -> i32
  %sum13 = arith.addi %sum12, %good12 : i32
  %x13 = arith.constant 0.0 : f32
  %want13 = arith.constant 0xFF800000 : f32
  %got13 = math.log %x13 : f32
  %good13 = call @same(%got13, %want13) : (f32, f32) -> i32
  %sum14 = arith.addi %sum13, %good13 : i32
  %x14 = arith.constant -1.0 : f32
  %want14 = arith.constant 0x7FC00000 : f32
  %got14 = math.log %x14 : f32
  %good14 = call @same(%got14, %want14) : (f32, f32) -> i32
  %sum15 = arith.addi %sum14, %good14 : i32
  %x15 = arith.constant 0x7FC00000 : f32
  %want15 = arith.constant 0x7FC00000 : f32
  %got15 = math.log %x15 : f32
  %good15 = call @same(%got15, %want15) : (f32, f32) -> i32
  %sum16 = arith.addi %sum15, %good15 : i32
  %x16 = arith.constant 0.0 : f32
  %want16 = arith.constant 0.0 : f32
  %got16 = math.tanh %x16 : f32
  %good16 = call @same(%got16, %want16) : (f32, f32) -> i32
  %sum17 = arith.addi %sum16, %good16 : i32
  %x17 = arith.constant 0x7F800000 : f32
  %want17 = arith.constant 1.0 : f32
  %got17 = math.tanh %x17 : f32
  %good17 = call @same(%got17, %want17) : (f32, f32) -> i32
  %sum18 = arith.addi %sum17, %good17 : i32
  %x18 = arith.constant 0xFF800000 : f32
  %want18 = arith.constant -1.0 : f32
  %got18 = math.tanh %x18 : f32
  %good18 = call @same(%got18, %want18) : (f32, f32) -> i32
  %sum19 = arith.addi %sum18, %good18 : i32
  %x19 = arith.constant 0x7FC00000 : f32
  %want19 = arith.constant 0x7FC00000 : f32
  %got19 = math.tanh %x19 : f32
  %good19 = call @same(%got19, %want19) : (f32, f32) -> i32
  %sum20 = arith.addi %sum19, %good19 : i32
  %x20 = arith.constant 0x7F800000 : f32
  %want20 = arith.constant 1.0 : f32
  %got20 = math.erf %x20 : f32
  %good20 = call @same(%got20, %want20) : (f32, f32) -> i32
  %sum21 = arith.addi %sum20, %good20 : i32
  %x21 = arith.constant 0xFF800000 : f32
  %want21 = arith.constant -1.0 : f32
  %got21 = math.erf %x21 : f32
  %good21 = call @same(%got21, %want21) : (f32, f32) -> i32
  %sum22 = arith.addi %sum21, %good21 : i32
  %x22 = arith.constant 0x7FC00000 : f32
  %want22 = arith.constant 0x7FC00000 : f32
  %got22 = math.erf %x22 : f32
  %good22 = call @same(%got22, %want22) : (f32, f32) -> i32
  %sum23 = arith.addi %sum22, %good22 : i32
  %x23 = arith.constant 30.0 : f32
  %want23 = arith.constant 30.0 : f32
  %got23 = attn.gelu %x23 : f32
  %good23 = call @same(%got23, %want23) : (f32, f32) -> i32
  %sum24 = arith.addi %sum23, %good23 : i32
  %x24 = arith.constant -30.0 : f32
  %want24 = arith.constant 0.0 : f32
  %got24 = attn.gelu %x24 : f32
  %good24 = call @same(%got24, %want24) : (f32, f32) -> i32
  %sum25 = arith.addi %sum24, %good24 : i32
  %x25 = arith.constant 0x7F800000 : f32
  %want25 = arith.constant 0x7F800000 : f32
  %got25 = attn.gelu %x25 : f32
  %good25 = call @same(%got25, %want25) : (f32, f32) -> i32
  %sum26 = arith.addi %sum25, %good25 : i32
  %x26 = arith.constant 0x7FC00000 : f32
  %want26 = arith.constant 0x7FC00000 : f32
  %got26 = attn.gelu %x26 : f32
  %good26 = call @same(%got26, %want26) : (f32, f32) -> i32
  %sum27 = arith.addi %sum26, %good26 : i32
  %x27 = arith.constant 30.0 : f32
  %want27 = arith.constant 30.0 : f32
  %got27 = attn.gelu approximate %x27 : f32
  %good27 = call @same(%got27, %want27) : (f32, f32) -> i32
  %sum28 = arith.addi %sum27, %good27 : i32
  %x28 = arith.constant -30.0 : f32
  %want28 = arith.constant 0.0 : f32
  %got28 = attn.gelu approximate %x28 : f32
  %good28 = call @same(%got28, %want28) : (f32, f32) -> i32
  %sum29 = arith.addi %sum28, %good28 : i32
  %x29 = arith.constant 1.0e30 : f32
  %want29 = arith.constant 1.0e30 : f32
  %got29 = attn.gelu %x29 : f32
  %good29 = call @same(%got29, %want29) : (f32, f32) -> i32
  %sum30 = arith.addi %sum29, %good29 : i32
  %x30 = arith.constant -1.0e30 : f32
  %want30 = arith.constant 0.0 : f32
  %got30 = attn.gelu %x30 : f32
  %good30 = call @same(%got30, %want30) : (f32, f32) -> i32
  %sum31 = arith.addi %sum30, %good30 : i32
  %x31 = arith.constant 3.4e38 : f32
  %want31 = arith.constant 3.4e38 : f32
  %got31 = attn.gelu %x31 : f32
  %good31 = call @same(%got31, %want31) : (f32, f32) -> i32
  %sum32 = arith.addi %sum31, %good31 : i32
  %x32 = arith.constant -3.4e38 : f32
  %want32 = arith.constant 0.0 : f32
  %got32 = attn.gelu %x32 : f32
  %good32 = call @same(%got32, %want32) : (f32, f32) -> i32
  %sum33 = arith.addi %sum32, %good32 : i32
  %x33 = arith.constant 5.5 : f32
  %want33 = arith.constant 5.5 : f32
  %got33 = attn.gelu %x33 : f32
  %good33 = call @same(%got33, %want33) : (f32, f32) -> i32
  %sum34 = arith.addi %sum33, %good33 : i32
  %x34 = arith.constant -5.5 : f32
  %want34 = arith.constant 0.0 : f32
  %got34 = attn.gelu %x34 : f32
  %good34 = call @same(%got34, %want34) : (f32, f32) -> i32
  %sum35 = arith.addi %sum34, %good34 : i32
  %x35 = arith.constant 0.0 : f32
  %want35 = arith.constant 0.0 : f32
  %got35 = attn.gelu %x35 : f32
  %good35 = call @same(%got35, %want35) : (f32, f32) -> i32
  %sum36 = arith.addi %sum35, %good35 : i32
  %x36 = arith.constant 1.0e-40 : f32
  %want36 = arith.constant 5.0e-41 : f32
  %got36 = attn.gelu %x36 : f32
  %good36 = call @same(%got36, %want36) : (f32, f32) -> i32
  %sum37 = arith.addi %sum36, %good36 : i32
  %x37 = arith.constant 1.0e30 : f32
  %want37 = arith.constant 1.0e30 : f32
  %got37 = attn.gelu approximate %x37 : f32
  %good37 = call @same(%got37, %want37) : (f32, f32) -> i32
  %sum38 = arith.addi %sum37, %good37 : i32
  %x38 = arith.constant -1.0e30 : f32
  %want38 = arith.constant 0.0 : f32
  %got38 = attn.gelu approximate %x38 : f32
  %good38 = call @same(%got38, %want38) : (f32, f32) -> i32
  %sum39 = arith.addi %sum38, %good38 : i32
  %x39 = arith.constant 3.4e38 : f32
  %want39 = arith.constant 3.4e38 : f32
  %got39 = attn.gelu approximate %x39 : f32
  %good39 = call @same(%got39, %want39) : (f32, f32) -> i32
  %sum40 = arith.addi %sum39, %good39 : i32
  %x40 = arith.constant -3.4e38 : f32
  %want40 = arith.constant 0.0 : f32
  %got40 = attn.gelu approximate %x40 : f32
  %good40 = call @same(%got40, %want40) : (f32, f32) -> i32
  %sum41 = arith.addi %sum40, %good40 : i32
  %x41 = arith.constant 1.0e-40 : f32
  %want41 = arith.constant 5.0e-41 : f32
  %got41 = attn.gelu approximate %x41 : f32
  %good41 = call @same(%got41, %want41) : (f32, f32) -> i32
  %sum42 = arith.addi %sum41, %good41 : i32
  return %sum42 : i32
}

func.func @main() -> i32 {
  %exp = call @exp_points() : () -> i32
  %exp2 = call @exp2_points() : () -> i32
  %log = call @log_points() : () -> i32
  %tanh = call @tanh_points() : () -> i32
  %erf = call @erf_points() : () -> i32
  %gelu = call @gelu_points() : () -> i32
  %gelu_tanh = call @gelu_tanh_points() : () -> i32
  %ends = call @ends() : () -> i32
  %total0 = arith.addi %exp, %exp2 : i32
  %total1 = arith.addi %total0, %log : i32
  %total2 = arith.addi %total1, %tanh : i32
  %total3 = arith.addi %total2, %erf : i32
  %total4 = arith.addi %total3, %gelu : i32
  %total5 = arith.addi %total4, %gelu_tanh : i32
  %total6 = arith.addi %total5, %ends : i32
  return %total6 : i32
}
