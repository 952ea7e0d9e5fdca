//===- SharedTest.cpp - Shared libraries ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads what was linked, and looks at its symbols as a loader does.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"

#include <set>

using namespace attn;
using namespace attn::test;
using namespace llvm;

static EmitOptions optionsFor(const std::string &output) {
  EmitOptions options;
  options.output = output;
  return options;
}

#ifdef __x86_64__
TEST(Shared, RunsOnEachTarget) {
  TemporaryDirectory directory;
  std::string path = directory.file("libsmall.so");
  ASSERT_EQ(message(emitLibrary(makeModel("small"), makeModules(), makeWeights(), optionsFor(path))), "");
  checkLibrary(path, nullptr);
  checkLibrary(path, "x86-64");
  EXPECT_EQ(directory.list(), (std::vector<std::string>{"libsmall.so", "small.h", "small.json"}));
}

TEST(Shared, RunsWithFarWeights) {
  TemporaryDirectory directory;
  EmitOptions options = optionsFor(directory.file("libfar.so"));
  options.farWeightsThreshold = 1;
  ASSERT_EQ(message(emitLibrary(makeModel("far"), makeModules(), makeWeights(), options)), "");
  checkLibrary(options.output, "x86-64");
}

// 3 GiB of distance, which 32-bit offsets cannot cross.
TEST(Shared, LinksBeyondTwoGigabytes) {
  constexpr StringLiteral text = R"(
@first = external global [64 x float]
@last = external global [64 x float]
@middle = external global [4 x i8]
define i64 @workspace_v1(ptr %dims, i64 %threads) {
  ret i64 0
}
define i32 @run_v1(ptr %call) {
  %a = load volatile float, ptr @first
  %b = load volatile float, ptr @last
  %c = load volatile i8, ptr @middle
  ret i32 0
}
)";
  TemporaryDirectory directory;
  ModelInfo model = makeModel("huge");
  model.entries[0].variants.erase(model.entries[0].variants.begin());
  std::vector<CodeModule> modules;
  modules.push_back(parseModule(text, {"x86_64-unknown-linux-gnu", "x86-64", ""}));
  int blocks = 0;
  WeightBlob middle{"middle", uint64_t(3) << 30, [&](uint64_t, MutableArrayRef<char>) {
                      return ++blocks < 3 ? Error::success() : createStringError("stop here");
                    }};
  std::vector<WeightBlob> weights = {makeWeight("first", 1, 1), middle, makeWeight("last", 2, 1)};
  // The weights are written after the link, so to get there means that the link went well.
  EXPECT_EQ(message(emitLibrary(model, std::move(modules), weights, optionsFor(directory.file("libhuge.so")))),
            "weight 'middle': stop here");
  EXPECT_TRUE(directory.list().empty());
}
#endif

TEST(Shared, SameBytesWhereverItIsWritten) {
  TemporaryDirectory one, other;
  EmitOptions first = optionsFor(one.file("libsmall.so")), second = optionsFor(other.file("somewhere_else.so"));
  second.threads = 1;
  ASSERT_EQ(message(emitLibrary(makeModel("small"), makeModules(), makeWeights(), first)), "");
  ASSERT_EQ(message(emitLibrary(makeModel("small"), makeModules(), makeWeights(), second)), "");
  std::string bytes = readFile(first.output);
  EXPECT_EQ(bytes, readFile(second.output));
  EXPECT_EQ(readFile(one.file("small.h")), readFile(other.file("small.h")));
  EXPECT_EQ(readFile(one.file("small.json")), readFile(other.file("small.json")));
  EXPECT_EQ(bytes.find("attn-target-test"), std::string::npos);
}

namespace {
struct Loaded {
  std::set<std::string> exported, undefined, needed;
  std::string soname;
  bool hasTextRelocations = false;
};
} // namespace

static Loaded load(StringRef path) {
  Loaded result;
  Expected<object::OwningBinary<object::ObjectFile>> file = object::ObjectFile::createObjectFile(path);
  if (!file) {
    ADD_FAILURE() << message(file.takeError());
    return result;
  }
  auto &elf = cast<object::ELF64LEObjectFile>(*file->getBinary());
  for (const object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators()) {
    std::string name = cantFail(symbol.getName()).str();
    bool undefined = cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined;
    (undefined ? result.undefined : result.exported).insert(name);
  }
  const auto &contents = elf.getELFFile();
  StringRef strings;
  for (const auto &section : cantFail(contents.sections()))
    if (cantFail(contents.getSectionName(section)) == ".dynstr")
      strings = StringRef(reinterpret_cast<const char *>(contents.base() + section.sh_offset), section.sh_size);
  for (const auto &entry : cantFail(contents.dynamicEntries())) {
    if (entry.d_tag == ELF::DT_NEEDED)
      result.needed.insert(strings.drop_front(entry.d_un.d_val).data());
    if (entry.d_tag == ELF::DT_SONAME)
      result.soname = strings.drop_front(entry.d_un.d_val).data();
    if (entry.d_tag == ELF::DT_TEXTREL)
      result.hasTextRelocations = true;
  }
  return result;
}

static void checkSymbols(StringRef path) {
  Loaded loaded = load(path);
  EXPECT_EQ(loaded.exported, (std::set<std::string>{"attn_library_v1", "small_library"}));
  EXPECT_EQ(loaded.soname, "libsmall.so");
  EXPECT_FALSE(loaded.hasTextRelocations);
  EXPECT_TRUE(loaded.needed.count("libc.so.6"));
  for (const std::string &name : loaded.needed)
    EXPECT_TRUE(name == "libc.so.6" || name == "libpthread.so.0") << name;
  for (const std::string &name : loaded.undefined)
    EXPECT_EQ(name.find("attn"), std::string::npos) << name;
}

TEST(Shared, ExportsTwoSymbolsAndNeedsLibc) {
  TemporaryDirectory directory;
  EmitOptions options = optionsFor(directory.file("libsmall.so"));
  ASSERT_EQ(message(emitLibrary(makeModel("small"), makeModules(), makeWeights(), options)), "");
  checkSymbols(options.output);
}

TEST(Shared, LinksForAArch64) {
  TemporaryDirectory directory;
  EmitOptions options = optionsFor(directory.file("libsmall.so"));
  ModelInfo model = makeModel("small");
  model.entries[0].variants = {{"aarch64", 0, "workspace_v1", "run_v1", {}, ""}};
  std::vector<CodeModule> modules;
  modules.push_back(makeModule({"aarch64-unknown-linux-gnu", "", ""}, "v1"));
  ASSERT_EQ(message(emitLibrary(model, std::move(modules), makeWeights(), options)), "");
  checkSymbols(options.output);
}

TEST(Shared, NeedsMathOnlyIfUsed) {
  constexpr StringLiteral text = R"(
declare float @tanhf(float)
define i64 @workspace_v1(ptr %dims, i64 %threads) {
  ret i64 0
}
define i32 @run_v1(ptr %call) {
  %a = load float, ptr %call
  %b = call float @tanhf(float %a)
  store float %b, ptr %call
  ret i32 0
}
)";
  TemporaryDirectory directory;
  ModelInfo model = makeModel("small");
  model.entries[0].variants.erase(model.entries[0].variants.begin());
  std::vector<CodeModule> modules;
  modules.push_back(parseModule(text, {"x86_64-unknown-linux-gnu", "x86-64", ""}));
  EmitOptions options = optionsFor(directory.file("libsmall.so"));
  ASSERT_EQ(message(emitLibrary(model, std::move(modules), {}, options)), "");
  Loaded loaded = load(options.output);
  EXPECT_TRUE(loaded.needed.count("libm.so.6"));
  EXPECT_TRUE(loaded.undefined.count("tanhf"));
}

TEST(Shared, LeavesOutUnusedAndEqualWeights) {
  TemporaryDirectory directory;
  std::vector<WeightBlob> weights = {makeWeight("scale", 3, 1), makeWeight("unused_weight", 7, 1),
                                     makeWeight("shift", 3, 1)};
  EmitOptions options = optionsFor(directory.file("libsmall.so"));
  EmitReport report;
  options.report = &report;
  ASSERT_EQ(message(emitLibrary(makeModel("small"), makeModules(), weights, options)), "");
  EXPECT_EQ(report.weights, 512u);
  EXPECT_EQ(report.storedWeights, 256u);
  uint64_t size = 0;
  ASSERT_FALSE(sys::fs::file_size(options.output, size));
  EXPECT_EQ(report.file, size);
}
