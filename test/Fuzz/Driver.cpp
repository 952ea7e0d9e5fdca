//===- Driver.cpp - Runs a fuzzer without libFuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A main for the fuzzers in builds that are not instrumented, so that every build runs them: it takes a seed, changes
// it a few times, and runs the target on it. Nothing says what was new, so what it finds lies near the seeds; in return
// it needs no build of its own. The same seed makes the same inputs. Options are libFuzzer's:
//
//   fuzz-NAME [-seed=N] [-max_total_time=SECONDS] [-runs=N] [-max_len=BYTES] [-timeout=SECONDS] FILE|DIRECTORY...
//
// Exits with a signal where the target does, or where one run takes too long; the input is then in the file that the
// last line names. Exits 77 where there are no seeds.
//
//===----------------------------------------------------------------------===//

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Compiler.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using llvm::StringRef;

using Bytes = std::vector<uint8_t>;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                                                unsigned seed);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomCrossOver(const uint8_t *left, size_t leftSize,
                                                                  const uint8_t *right, size_t rightSize, uint8_t *out,
                                                                  size_t maxSize, unsigned seed);

static std::mt19937 &generator() {
  static std::mt19937 result;
  return result;
}

static size_t below(size_t n) { return n ? generator()() % n : 0; }

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize) {
  size_t at = below(size);
  switch (size == 0 ? 1 : below(5)) {
  case 0: // another byte
    data[at] = below(2) ? uint8_t(below(256)) : uint8_t(data[at] ^ (1 << below(8)));
    return size;
  case 1: // one more
    if (size == maxSize)
      return size;
    memmove(data + at + 1, data + at, size - at);
    data[at] = uint8_t(below(256));
    return size + 1;
  case 2: { // a few less
    size_t count = std::min(1 + below(8), size - at);
    memmove(data + at, data + at + count, size - at - count);
    return size - count;
  }
  case 3: { // a part over another
    size_t from = below(size);
    memmove(data + at, data + from, std::min(1 + below(32), size - std::max(at, from)));
    return size;
  }
  default: { // a part twice
    size_t count = std::min({1 + below(32), size - at, maxSize - size});
    memmove(data + at + count, data + at, size - at);
    return size + count;
  }
  }
}

namespace {

struct Options {
  uint64_t seed = 1, seconds = 60, runs = std::numeric_limits<uint64_t>::max(), maxSize = 65536, timeout = 20;
  std::vector<Bytes> seeds;
};

/// What runs, for the handler of signals.
const Bytes *current;
char crashFile[] = "fuzz-crash-XXXXXX";

} // namespace

static void keepInput(int signal) {
  if (int file = mkstemp(crashFile); current && file >= 0) {
    (void)!write(file, current->data(), current->size());
    (void)!write(STDERR_FILENO, "\nthe input is in ", 17);
    (void)!write(STDERR_FILENO, crashFile, sizeof(crashFile) - 1);
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

static void readSeed(StringRef path, Options &options) {
  if (auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false);
      file && (*file)->getBufferSize() <= options.maxSize)
    options.seeds.emplace_back((*file)->getBuffer().bytes_begin(), (*file)->getBuffer().bytes_end());
}

static bool readOption(StringRef argument, Options &options) {
  struct Option {
    StringRef name;
    uint64_t Options::*member;
  };
  for (auto [name, member] : {Option{"-seed=", &Options::seed},
                              {"-max_total_time=", &Options::seconds},
                              {"-runs=", &Options::runs},
                              {"-max_len=", &Options::maxSize},
                              {"-timeout=", &Options::timeout}})
    if (StringRef value = argument; value.consume_front(name))
      return !value.getAsInteger(10, options.*member);
  if (!llvm::sys::fs::is_directory(argument)) {
    readSeed(argument, options);
    return llvm::sys::fs::exists(argument);
  }
  std::error_code error;
  std::vector<std::string> files; // a directory has no order of its own
  for (llvm::sys::fs::directory_iterator entry(argument, error), end; entry != end && !error; entry.increment(error))
    files.push_back(entry->path());
  llvm::sort(files);
  for (const std::string &file : files)
    readSeed(file, options);
  return !error;
}

static void run(const Bytes &input, const Options &options) {
  current = &input;
  alarm(unsigned(options.timeout));
  LLVMFuzzerTestOneInput(input.data(), input.size());
  alarm(0);
}

/// Some seed, changed a few times.
static Bytes makeInput(const Options &options) {
  Bytes input = options.seeds[below(options.seeds.size())];
  size_t size = input.size();
  input.resize(options.maxSize);
  if (LLVMFuzzerCustomCrossOver && below(4) == 0) {
    const Bytes &left = options.seeds[below(options.seeds.size())], &right = options.seeds[below(options.seeds.size())];
    if (size_t crossed = LLVMFuzzerCustomCrossOver(left.data(), left.size(), right.data(), right.size(), input.data(),
                                                   input.size(), generator()()))
      size = crossed;
  }
  for (size_t i = 0, e = 1 + below(4); i < e; ++i)
    size = LLVMFuzzerCustomMutator ? LLVMFuzzerCustomMutator(input.data(), size, input.size(), generator()())
                                   : LLVMFuzzerMutate(input.data(), size, input.size());
  input.resize(size);
  input.shrink_to_fit(); // so that a sanitizer sees its end
  return input;
}

int main(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i)
    if (!readOption(argv[i], options)) {
      llvm::errs() << "cannot read '" << argv[i] << "'\n";
      return 2;
    }
  if (options.seeds.empty()) {
    llvm::errs() << "there are no seeds\n";
    return 77;
  }
  for (int signal : {SIGABRT, SIGALRM, SIGTERM})
    std::signal(signal, keepInput);
#if !LLVM_ADDRESS_SANITIZER_BUILD
  // A sanitizer takes these itself, and then aborts.
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    std::signal(signal, keepInput);
  // What a model makes the importer allocate is bounded; 8 GiB are far above it.
  rlimit memory{8ull << 30, 8ull << 30};
  setrlimit(RLIMIT_AS, &memory);
#endif

  generator().seed(options.seed);
  auto begin = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  uint64_t runs = 0;
  for (const Bytes &seed : options.seeds) {
    run(seed, options);
    ++runs;
  }
  for (; runs < options.runs && elapsed() < double(options.seconds); ++runs)
    run(makeInput(options), options);
  llvm::outs() << runs << " executions in " << unsigned(elapsed()) << " seconds, " << options.seeds.size()
               << " of seeds\n";
  return 0;
}
