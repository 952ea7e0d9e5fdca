// RUN: attn-opt %s --attn-guard-division | FileCheck %s

// The divisor 0 becomes 1, and the quotient 0.

// CHECK-LABEL: func.func @unsigned
// CHECK-SAME: (%[[X:.+]]: i32, %[[Y:.+]]: i32)
func.func @unsigned(%x: i32, %y: i32) -> i32 {
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : i32
  // CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : i32
  // CHECK: %[[IS_ZERO:.+]] = arith.cmpi eq, %[[Y]], %{{.+}} : i32
  // CHECK: %[[SAFE:.+]] = arith.select %[[IS_ZERO]], %[[ONE]], %[[Y]] : i32
  // CHECK: %[[Q:.+]] = arith.divui %[[X]], %[[SAFE]] : i32
  // CHECK: %[[R:.+]] = arith.select %[[IS_ZERO]], %[[ZERO]], %[[Q]] : i32
  // CHECK: return %[[R]]
  %0 = arith.divui %x, %y : i32
  return %0 : i32
}

// The least number by -1 is divided by 1 instead; a remainder by 0 is the dividend. In vectors as well.

// CHECK-LABEL: func.func @signed
// CHECK-SAME: (%[[X:.+]]: vector<4xi16>, %[[Y:.+]]: vector<4xi16>)
func.func @signed(%x: vector<4xi16>, %y: vector<4xi16>) -> vector<4xi16> {
  // CHECK-DAG: %[[ONE:.+]] = arith.constant dense<1> : vector<4xi16>
  // CHECK-DAG: arith.constant dense<-32768> : vector<4xi16>
  // CHECK-DAG: arith.constant dense<-1> : vector<4xi16>
  // CHECK: %[[OVERFLOWS:.+]] = arith.andi
  // CHECK: %[[UNDEFINED:.+]] = arith.ori %[[IS_ZERO:.+]], %[[OVERFLOWS]]
  // CHECK: %[[SAFE:.+]] = arith.select %[[UNDEFINED]], %[[ONE]], %[[Y]]
  // CHECK: %[[R:.+]] = arith.remsi %[[X]], %[[SAFE]]
  // CHECK: arith.select %[[IS_ZERO]], %[[X]], %[[R]]
  %0 = arith.remsi %x, %y : vector<4xi16>
  return %0 : vector<4xi16>
}

// Constants that cannot trap keep their fast code.

// CHECK-LABEL: func.func @constants
// CHECK-NOT: arith.select
// CHECK: return
func.func @constants(%x: index, %v: vector<2xi64>, %u: i8) -> (index, vector<2xi64>, i8) {
  %c7 = arith.constant 7 : index
  %c35 = arith.constant dense<[3, 5]> : vector<2xi64>
  %all = arith.constant -1 : i8
  %0 = arith.floordivsi %x, %c7 : index
  %1 = arith.remsi %v, %c35 : vector<2xi64>
  %2 = arith.divui %u, %all : i8
  return %0, %1, %2 : index, vector<2xi64>, i8
}

// Others do not; and each kind of division is guarded.

// CHECK-LABEL: func.func @all_kinds
// CHECK-COUNT-30: arith.select
// CHECK-NOT: arith.select
func.func @all_kinds(%x: index, %y: index, %v: vector<2xi64>) {
  %c35 = arith.constant dense<[-1, 5]> : vector<2xi64>
  %c0 = arith.constant 0 : index
  %0 = arith.divsi %x, %y : index
  %1 = arith.ceildivsi %x, %y : index
  %2 = arith.floordivsi %x, %y : index
  %3 = arith.remsi %x, %y : index
  %4 = arith.divui %x, %y : index
  %5 = arith.ceildivui %x, %y : index
  %6 = arith.remui %x, %y : index
  %7 = index.divs %x, %y
  %8 = index.ceildivs %x, %y
  %9 = index.floordivs %x, %y
  %10 = index.rems %x, %y
  %11 = index.divu %x, %y
  %12 = index.ceildivu %x, %y
  %13 = index.remu %x, %c0
  %14 = arith.divsi %v, %c35 : vector<2xi64>
  return
}
