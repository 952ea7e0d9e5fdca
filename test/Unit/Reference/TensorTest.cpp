//===- TensorTest.cpp - tensor and linalg ops by hand -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indices and shapes at run time, and the errors where they don't fit.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

TEST(Tensors, SlicesAndReshapes) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<2x?xf32>, %o: index) -> (tensor<2xf32>, tensor<?x2x1xf32>, tensor<2x?xf32>, index) {
      %c1 = arith.constant 1 : index
      %d = tensor.dim %x, %c1 : tensor<2x?xf32>
      %column = tensor.extract_slice %x[0, %o] [2, 1] [1, 1] : tensor<2x?xf32> to tensor<2xf32>
      %flat = tensor.collapse_shape %x [[0, 1]] : tensor<2x?xf32> into tensor<?xf32>
      %three = tensor.expand_shape %flat [[0, 1, 2]] output_shape [%d, 2, 1] : tensor<?xf32> into tensor<?x2x1xf32>
      %first = tensor.insert_slice %column into %x[0, 0] [2, 1] [1, 1] : tensor<2xf32> into tensor<2x?xf32>
      return %column, %three, %first, %d : tensor<2xf32>, tensor<?x2x1xf32>, tensor<2x?xf32>, index
    })",
                              {Tensor::of({2, 3}, {0, 1, 2, 3, 4, 5}), Tensor::ofIntegers({}, {2})});
  ASSERT_EQ(results.size(), 4u);
  expectFloats(results[0], {2}, {2, 5});
  expectFloats(results[1], {3, 2, 1}, {0, 1, 2, 3, 4, 5});
  expectFloats(results[2], {2, 3}, {2, 1, 2, 5, 4, 5});
  EXPECT_EQ(results[3].integers[0], 3);
}

TEST(Tensors, SliceOutOfBoundsIsAnError) {
  std::string message = Runner().error(R"(
    func.func @f(%x: tensor<?xf32>, %o: index) -> tensor<2xf32> {
      %0 = tensor.extract_slice %x[%o] [2] [1] : tensor<?xf32> to tensor<2xf32>
      return %0 : tensor<2xf32>
    })",
                                       {Tensor::of({3}, {0, 1, 2}), Tensor::ofIntegers({}, {2})});
  EXPECT_NE(message.find("tensor.extract_slice: the slice [2, 2 elements] leaves an extent of 3"), std::string::npos)
      << message;
}

TEST(Tensors, UnwrittenElementsAreNaN) {
  auto results = Runner().run(R"(
    func.func @f() -> tensor<2xf32> {
      %0 = tensor.empty() : tensor<2xf32>
      return %0 : tensor<2xf32>
    })",
                              {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(std::isnan(results[0].floats[0]));
}

TEST(Tensors, PadAndGenerate) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<2xf32>, %n: index) -> (tensor<5xf32>, tensor<?xindex>) {
      %zero = arith.constant 0.0 : f32
      %0 = tensor.pad %x low[1] high[2] {
      ^bb0(%i: index):
        tensor.yield %zero : f32
      } : tensor<2xf32> to tensor<5xf32>
      %1 = tensor.generate %n {
      ^bb0(%i: index):
        %2 = index.mul %i, %i
        tensor.yield %2 : index
      } : tensor<?xindex>
      return %0, %1 : tensor<5xf32>, tensor<?xindex>
    })",
                              {Tensor::of({2}, {1, 2}), Tensor::ofIntegers({}, {4})});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {5}, {0, 1, 2, 0, 0});
  expectIntegers(results[1], {4}, {0, 1, 4, 9});
}

TEST(Linalg, GenericWithIndexAndReduction) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<?x?xf32>, %init: tensor<?xf32>) -> tensor<?xf32> {
      %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                           iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
      ^bb0(%a: f32, %sum: f32):
        %j = linalg.index 1 : index
        %1 = arith.index_cast %j : index to i64
        %2 = arith.sitofp %1 : i64 to f32
        %3 = arith.mulf %a, %2 : f32
        %4 = arith.addf %sum, %3 : f32
        linalg.yield %4 : f32
      } -> tensor<?xf32>
      return %0 : tensor<?xf32>
    })",
                              {Tensor::of({2, 3}, {1, 2, 3, 4, 5, 6}), Tensor::of({2}, {100, 200})});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {2}, {108, 217});
}

TEST(Linalg, NamedOps) {
  auto results = Runner().run(R"(
    func.func @f(%a: tensor<2x2xf32>, %b: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2x2xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
      %0 = linalg.matmul ins(%a, %b : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
      %1 = linalg.transpose ins(%a : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
      return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
    })",
                              {Tensor::of({2, 2}, {1, 2, 3, 4}), Tensor::of({2, 2}, {5, 6, 7, 8})});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {2, 2}, {19, 22, 43, 50});
  expectFloats(results[1], {2, 2}, {1, 3, 2, 4});
}

TEST(Linalg, DisagreeingExtentsAreAnError) {
  std::string message = Runner().error(R"(
    func.func @f(%x: tensor<?xf32>, %init: tensor<?xf32>) -> tensor<?xf32> {
      %0 = linalg.copy ins(%x : tensor<?xf32>) outs(%init : tensor<?xf32>) -> tensor<?xf32>
      return %0 : tensor<?xf32>
    })",
                                       {Tensor::of({3}, {1, 2, 3}), Tensor::of({2}, {0, 0})});
  EXPECT_NE(message.find("operands disagree about loop 0: 3 and 2"), std::string::npos) << message;
}
