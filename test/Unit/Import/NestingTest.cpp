//===- NestingTest.cpp - What counts as a level -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/MLIR/Nesting.h"
#include <gtest/gtest.h>
#include <string>

using namespace attn;

namespace {
/// The smallest limit that `text` keeps.
unsigned depthOf(const std::string &text) {
  unsigned depth = 0;
  while (findDeepNesting(text, depth))
    ++depth;
  return depth;
}

TEST(NestingTest, Brackets) {
  EXPECT_EQ(depthOf(""), 0u);
  EXPECT_EQ(depthOf("({[<>]})"), 4u);
  EXPECT_EQ(depthOf("()[]{}<>()"), 1u);
  EXPECT_EQ(findDeepNesting("[[[[", 2), 2u);
}

TEST(NestingTest, StringsCommentsAndArrowsAreNoBrackets) {
  EXPECT_EQ(depthOf("(\"[[\\\"[[\")"), 1u);
  EXPECT_EQ(depthOf("// ((((\n()"), 1u);
  EXPECT_EQ(depthOf("affine_map<(d0) -> (d0)>"), 2u);
  EXPECT_EQ(depthOf("affine_set<(d0) : (d0 >= 0)>"), 2u);
  EXPECT_EQ(depthOf("\"never closed"), 0u);
}

TEST(NestingTest, ClosersWithoutOpeners) {
  EXPECT_EQ(depthOf(")]}>()"), 1u);
  // A < that is no bracket ends with what it stands in.
  EXPECT_EQ(depthOf("(<)()"), 2u);
}

TEST(NestingTest, OperatorsOfAnExpression) {
  EXPECT_EQ(depthOf("(d0 + d1 - d2 floordiv 2)"), 4u);
  EXPECT_EQ(depthOf("(---d0)"), 4u);
  EXPECT_EQ(depthOf("[-1, -2, -3, -4]"), 2u);
  EXPECT_EQ(depthOf("{ a = -1 b = -1 c = -1 }"), 1u);
}

TEST(NestingTest, AliasesCountWhereTheyAreUsed) {
  EXPECT_EQ(depthOf("!a = tuple<i1>\n!b = tuple<!a>\n!c = tuple<!b>\n"), 5u);
  EXPECT_EQ(depthOf("#a = [1]\n#b = [#a]\nop {x = #b}"), 5u);
  // What follows a definition is no part of it, wherever lines end.
  EXPECT_EQ(depthOf("#a = [1]\nop {{{{}}}}\nop {x = #a}"), 4u);
  EXPECT_EQ(depthOf("!a = tuple\n<i1> !b =\ntuple<!a>"), 3u);
  EXPECT_EQ(depthOf("#a = 1 : i1 %0 = op {{{}}} \"op\"() {x = #a}"), 3u);
  // A dialect's own attributes are no aliases.
  EXPECT_EQ(depthOf("#a = [[[1]]]\nop {x = #a.b<1>}"), 3u);
}
} // namespace
