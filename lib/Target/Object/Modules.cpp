//===- Modules.cpp - Several code modules at once ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A context may be used by one thread at a time, so the unit of work is all the
// modules of one context.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Modules.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/thread.h"

#include <atomic>

using namespace attn;
using namespace llvm;

static Error compileOne(CodeModule &code, const EmitOptions &options, bool makeObject, CodeBuffer &buffer) {
  auto isCancelled = [&] { return options.cancelled && options.cancelled(); };
  if (isCancelled())
    return createStringError(std::errc::operation_canceled, "cancelled");
  if (Error error = optimizeModule(*code.module, code.target, options.codegen))
    return error;
  if (isCancelled())
    return createStringError(std::errc::operation_canceled, "cancelled");
  if (!makeObject)
    return Error::success();
  Expected<CodeBuffer> result = generateCode(*code.module, code.target, options.codegen, CodeFileKind::Object);
  if (!result)
    return result.takeError();
  buffer = std::move(*result);
  return Error::success();
}

Expected<std::vector<CodeBuffer>> attn::compileModules(MutableArrayRef<CodeModule> modules, const EmitOptions &options,
                                                       bool makeObjects) {
  MapVector<LLVMContext *, SmallVector<size_t>> groups;
  for (auto [i, code] : enumerate(modules))
    groups[&code.module->getContext()].push_back(i);

  std::vector<CodeBuffer> buffers(modules.size());
  std::vector<std::optional<Error>> errors(modules.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t group; (group = next++) < groups.size();)
      for (size_t i : (groups.begin() + group)->second)
        errors[i] = compileOne(modules[i], options, makeObjects, buffers[i]);
  };
  size_t limit = options.threads ? options.threads : std::max(1u, llvm::thread::hardware_concurrency());
  // LLVM's recursions need more stack than some systems give to threads.
  std::vector<llvm::thread> helpers;
  for (size_t i = 1; i < std::min(limit, groups.size()); ++i)
    helpers.emplace_back(std::optional<unsigned>(8 << 20), work);
  work();
  for (llvm::thread &helper : helpers)
    helper.join();

  Error first = Error::success();
  for (auto [i, error] : enumerate(errors)) {
    if (!*error)
      continue;
    if (!first)
      first = createStringError("target '" + modules[i].target.cpu + "': " + toString(std::move(*error)));
    else
      consumeError(std::move(*error));
  }
  if (first)
    return std::move(first);
  return buffers;
}

Expected<std::unique_ptr<Module>> attn::mergeModules(LLVMContext &context, ArrayRef<const Module *> modules) {
  auto merged = std::make_unique<Module>("model", context);
  merged->setSourceFileName("model");
  Linker linker(*merged);
  for (const Module *module : modules) {
    // Bitcode is how a module moves to another context.
    SmallString<0> bitcode;
    raw_svector_ostream os(bitcode);
    WriteBitcodeToFile(*module, os);
    Expected<std::unique_ptr<Module>> copy = parseBitcodeFile(MemoryBufferRef(bitcode, "model"), context);
    if (!copy)
      return copy.takeError();
    if (modules.front() == module) {
      merged->setTargetTriple((*copy)->getTargetTriple());
      merged->setDataLayout((*copy)->getDataLayout());
    }
    if (linker.linkInModule(std::move(*copy)))
      return createStringError("the code of several targets cannot be merged into one module");
  }
  return merged;
}
