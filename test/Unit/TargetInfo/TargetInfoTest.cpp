//===- TargetInfoTest.cpp - The table of targets ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every row of the table has to keep, so that a new one that is half filled in fails here.
//
//===----------------------------------------------------------------------===//

#include "attn/TargetInfo/TargetInfo.h"
#include "attn/Runtime/Model.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Triple.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

TEST(TargetInfoTest, NamesAreUniqueAndFound) {
  llvm::StringSet<> seen;
  ASSERT_FALSE(allTargets().empty());
  for (const Target &target : allTargets()) {
    EXPECT_TRUE(seen.insert(target.name).second) << target.name.str();
    EXPECT_EQ(lookupTarget(target.name), &target);
    EXPECT_NE(targetNames().find(target.name.str()), std::string::npos);
  }
  EXPECT_EQ(lookupTarget("x86-64-v5"), nullptr);
  EXPECT_EQ(lookupTarget(""), nullptr);
  EXPECT_EQ(lookupTarget("X86-64-V3"), nullptr);
}

TEST(TargetInfoTest, DescriptionsAreComplete) {
  for (const Target &target : allTargets()) {
    SCOPED_TRACE(target.name.str());
    llvm::Triple triple(target.triple);
    EXPECT_NE(triple.getArch(), llvm::Triple::UnknownArch);
    EXPECT_TRUE(triple.isOSLinux());
    EXPECT_FALSE(target.cpu.empty());
    EXPECT_TRUE(target.cpuFeatures || target.isGpu()) << "the run time could not tell whether a machine runs this";
    if (target.isGpu())
      continue;
    EXPECT_TRUE(llvm::isPowerOf2_32(target.vectorBits));
    EXPECT_GE(target.vectorBits, 128u);
    EXPECT_GE(target.vectorRegisters, 16u);
    EXPECT_EQ(target.lanes(32) * 32, int64_t(target.vectorBits));
    EXPECT_EQ(target.lanes(16), 2 * target.lanes(32));
    EXPECT_GE(target.l1Bytes, 16 << 10);
    EXPECT_GT(target.l2Bytes, target.l1Bytes);
  }
}

// A library takes the first variant that the machine runs, so the order is from special to general.
TEST(TargetInfoTest, MoreCapableTargetsComeFirst) {
  for (const Target &target : allTargets())
    for (const Target &other : allTargets()) {
      bool sameFamily = target.triple == other.triple && !target.isGpu() && !other.isGpu();
      bool needsLess = other.cpuFeatures != target.cpuFeatures &&
                       (other.cpuFeatures & target.cpuFeatures) == other.cpuFeatures;
      if (sameFamily && needsLess)
        EXPECT_LT(&target, &other) << target.name.str() << " needs all of " << other.name.str() << " and more";
    }
}

TEST(TargetInfoTest, GpusComeBeforeCpusAndNewerOnesFirst) {
  for (const Target &target : allTargets())
    for (const Target &other : allTargets())
      if (target.computeCapability > other.computeCapability)
        EXPECT_LT(&target, &other) << target.name.str() << " runs on fewer machines than " << other.name.str();
}

TEST(TargetInfoTest, GpusAreNamedByTheirCapability) {
  for (const Target &target : allTargets()) {
    if (!target.isGpu())
      continue;
    std::string name = "sm_" + std::to_string(target.computeCapability) + (target.exactCapability ? "a" : "");
    EXPECT_EQ(target.name.str(), name);
    EXPECT_EQ(target.ptx.str(), "+ptx80");
  }
}

TEST(TargetInfoTest, CapabilitiesOfX86) {
  const Target *v4 = lookupTarget("x86-64-v4"), *v3 = lookupTarget("x86-64-v3");
  ASSERT_TRUE(v4 && v3);
  EXPECT_TRUE(v4->hasAvx512());
  EXPECT_FALSE(v3->hasAvx512());
  EXPECT_EQ(v4->lanes(32), 16);
  EXPECT_EQ(v3->lanes(32), 8);
  EXPECT_EQ(v4->cpuFeatures, uint64_t(ATTN_CPU_AVX2_FMA | ATTN_CPU_AVX512));
  EXPECT_EQ(v3->cpuFeatures, uint64_t(ATTN_CPU_AVX2_FMA));
}

TEST(TargetInfoTest, HostIsATarget) {
  llvm::Expected<const Target *> host = hostTarget();
  if (!host) {
    // The sentence says what to do.
    EXPECT_NE(llvm::toString(host.takeError()).find("--target"), std::string::npos);
    return;
  }
  EXPECT_EQ(lookupTarget((*host)->name), *host);
}

} // namespace
