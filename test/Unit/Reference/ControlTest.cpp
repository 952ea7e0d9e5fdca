//===- ControlTest.cpp - Loops, conditions, calls, inputs -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tasks see the outputs as they were before the loop.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

TEST(Control, ForAndIf) {
  auto results = Runner().run(R"(
    func.func @f(%n: index) -> (index, index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %0:2 = scf.for %i = %c0 to %n step %c1 iter_args(%even = %c0, %odd = %c0) -> (index, index) {
        %r = arith.remui %i, %c2 : index
        %isEven = arith.cmpi eq, %r, %c0 : index
        %1:2 = scf.if %isEven -> (index, index) {
          %2 = arith.addi %even, %i : index
          scf.yield %2, %odd : index, index
        } else {
          %2 = func.call @add(%odd, %i) : (index, index) -> index
          scf.yield %even, %2 : index, index
        }
        scf.yield %1#0, %1#1 : index, index
      }
      return %0#0, %0#1 : index, index
    }
    func.func @add(%a: index, %b: index) -> index {
      %0 = arith.addi %a, %b : index
      return %0 : index
    })",
                              {Tensor::ofIntegers({}, {6})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].integers[0], 6);
  EXPECT_EQ(results[1].integers[0], 9);
}

TEST(Control, ForallWithTail) {
  auto results = Runner().run(R"(
    #tail = affine_map<(d0)[s0] -> (2, s0 - d0)>
    func.func @f(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> {
      %c0 = arith.constant 0 : index
      %n = tensor.dim %x, %c0 : tensor<?xf32>
      %0 = scf.forall (%i) = (0) to (%n) step (2) shared_outs(%o = %out) -> tensor<?xf32> {
        %size = affine.min #tail(%i)[%n]
        %s = tensor.extract_slice %x[%i] [%size] [1] : tensor<?xf32> to tensor<?xf32>
        %y = arith.addf %s, %s : tensor<?xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %y into %o[%i] [%size] [1] : tensor<?xf32> into tensor<?xf32>
        }
      }
      return %0 : tensor<?xf32>
    })",
                              {Tensor::of({5}, {1, 2, 3, 4, 5}), Tensor({5}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {5}, {2, 4, 6, 8, 10});
}

TEST(Control, InputsMustFit) {
  llvm::StringRef source = "func.func @f(%x: tensor<?x4xf32>, %n: tensor<2xi64>) { return }";
  Tensor x({3, 4}, true), n({2}, false);
  EXPECT_NE(Runner().error(source, {x}).find("there are 1 inputs for 2 arguments"), std::string::npos);
  EXPECT_NE(Runner().error(source, {Tensor({3, 5}, true), n}).find("input 0 has extent 5 in dimension 1, expected 4"),
            std::string::npos);
  EXPECT_NE(Runner().error(source, {Tensor({4}, true), n}).find("input 0 has 1 dimensions"), std::string::npos);
  EXPECT_NE(Runner().error(source, {x, Tensor({2}, true)}).find("input 1 holds floating-point numbers"),
            std::string::npos);
}

TEST(Control, UnknownOpsAreErrors) {
  std::string message = Runner().error(R"(
    func.func @f(%m: memref<4xf32>) {
      %c0 = arith.constant 0 : index
      %0 = memref.load %m[%c0] : memref<4xf32>
      return
    })",
                                       {Tensor::of({}, {0})});
  EXPECT_NE(message.find("memref.load: the reference does not know this op"), std::string::npos) << message;
}
