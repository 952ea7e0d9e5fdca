//===- attn-ptx-sim.cpp - Runs a kernel of a .ptx file without a GPU *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/PTXSim/Machine.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace llvm;
namespace ptx = attn::ptx;

static cl::OptionCategory category("attn-ptx-sim options");
static cl::opt<std::string> input(cl::Positional, cl::desc("<file.ptx>"), cl::Required, cl::cat(category));
static cl::opt<std::string> kernelName("kernel", cl::desc("The kernel; by default the file's only one"),
                                       cl::cat(category));
static cl::list<unsigned> grid("grid", cl::desc("Blocks: x,y,z"), cl::CommaSeparated, cl::cat(category));
static cl::list<unsigned> block("block", cl::desc("Threads of a block: x,y,z"), cl::CommaSeparated, cl::cat(category));
static cl::opt<uint64_t> shared("shared", cl::desc("Bytes of dynamic shared memory"), cl::cat(category));
static cl::opt<uint64_t> steps("steps", cl::desc("Instructions of warps after which a kernel counts as hanging"),
                               cl::init(uint64_t(1) << 32), cl::cat(category));
static cl::list<std::string>
    arguments("arg",
              cl::desc("The next parameter: an integer, a number with a point (f32), @FILE for a buffer of a "
                       "file's bytes, or buffer:BYTES for one that nothing has written"),
              cl::cat(category));
static cl::list<std::string> dumps("dump", cl::desc("N=FILE: write the buffer of parameter N after the run"),
                                   cl::cat(category));
static cl::list<std::string> prints("print", cl::desc("N=TYPE: print the buffer of parameter N as u32, s32 or f32"),
                                    cl::cat(category));

namespace {
struct Buffer {
  uint64_t address = 0, bytes = 0;
};
} // namespace

static bool fail(const Twine &what) {
  WithColor::error(errs(), "attn-ptx-sim") << what << '\n';
  return false;
}

/// A parameter's bytes from the command line's word for it.
static bool readArgument(StringRef text, ptx::Memory &memory, Buffer &buffer, MutableArrayRef<uint8_t> to) {
  uint64_t bits = 0;
  int64_t integer = 0;
  double real = 0;
  if (text.consume_front("@")) {
    auto file = MemoryBuffer::getFile(text, false, false);
    if (!file)
      return fail("cannot read '" + text + "': " + file.getError().message());
    buffer = {memory.allocate((*file)->getBufferSize()), (*file)->getBufferSize()};
    std::memcpy(reinterpret_cast<void *>(buffer.address), (*file)->getBufferStart(), buffer.bytes);
    memory.markWritten(buffer.address, buffer.bytes);
    bits = buffer.address;
  } else if (text.consume_front("buffer:")) {
    if (text.getAsInteger(0, buffer.bytes) || !(buffer.address = memory.allocate(buffer.bytes)))
      return fail("no buffer of '" + text + "' bytes");
    bits = buffer.address;
  } else if (!text.getAsInteger(0, integer)) {
    bits = uint64_t(integer);
  } else if (!text.getAsDouble(real)) {
    float single = float(real);
    std::memcpy(&bits, &single, sizeof(single));
  } else {
    return fail("cannot read the argument '" + text + "'");
  }
  if (to.size() > 8 || (buffer.address && to.size() != 8))
    return fail("the argument '" + text + "' does not fit a parameter of " + Twine(to.size()) + " bytes");
  std::memcpy(to.data(), &bits, to.size());
  return true;
}

static bool dimensions(const cl::list<unsigned> &from, unsigned (&to)[3]) {
  if (from.size() > 3)
    return fail("a grid and a block have up to three dimensions");
  llvm::copy(from, to);
  return true;
}

static bool writeResults(ArrayRef<Buffer> buffers, const ptx::Memory &memory) {
  auto split = [&](StringRef text, StringRef &rest) -> const Buffer * {
    size_t index = 0;
    auto [number, value] = text.split('=');
    rest = value;
    if (number.getAsInteger(10, index) || index >= buffers.size() || !buffers[index].address)
      return fail("parameter '" + number + "' is not a buffer"), nullptr;
    return &buffers[index];
  };
  StringRef rest;
  for (const std::string &text : dumps) {
    const Buffer *buffer = split(text, rest);
    if (!buffer)
      return false;
    std::error_code code;
    raw_fd_ostream file(rest, code);
    if (code)
      return fail("cannot write '" + rest + "': " + code.message());
    file << StringRef(reinterpret_cast<const char *>(buffer->address), buffer->bytes);
  }
  for (const std::string &text : prints) {
    const Buffer *buffer = split(text, rest);
    if (!buffer)
      return false;
    if (rest != "u32" && rest != "s32" && rest != "f32")
      return fail("cannot print as '" + rest + "'");
    outs() << text.substr(0, text.find('=')) << ":";
    for (uint64_t at = 0; at + 4 <= buffer->bytes; at += 4) {
      const void *from = reinterpret_cast<const void *>(buffer->address + at);
      uint32_t bits;
      float single;
      std::memcpy(&bits, from, 4);
      std::memcpy(&single, from, 4);
      if (!memory.initialised(buffer->address + at, 4))
        outs() << " ?";
      else if (rest == "f32")
        outs() << formatv(" {0}", single);
      else if (rest == "u32")
        outs() << ' ' << bits;
      else
        outs() << ' ' << int32_t(bits);
    }
    outs() << '\n';
  }
  return true;
}

static bool runKernel() {
  auto text = MemoryBuffer::getFile(input, true);
  if (!text)
    return fail("cannot read '" + input + "': " + text.getError().message());
  auto module = ptx::parse((*text)->getBuffer(), input);
  if (!module)
    return fail(toString(module.takeError()));
  const ptx::Kernel *kernel = (*module)->lookup(kernelName);
  if (kernelName.empty() && (*module)->kernels.size() == 1)
    kernel = &(*module)->kernels.front();
  if (!kernel)
    return fail("'" + input + "' has no kernel '" + kernelName + "'");
  if (arguments.size() != kernel->parameters.size())
    return fail("kernel '" + kernel->name + "' has " + Twine(kernel->parameters.size()) + " parameters, not " +
                Twine(arguments.size()));
  ptx::Memory memory;
  std::vector<Buffer> buffers(arguments.size());
  std::vector<uint8_t> bytes(kernel->parameterBytes);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ptx::Parameter &parameter = kernel->parameters[i];
    if (!readArgument(arguments[i], memory, buffers[i],
                      MutableArrayRef<uint8_t>(bytes).slice(parameter.offset, parameter.size)))
      return false;
  }
  ptx::Launch launch;
  if (!dimensions(grid, launch.grid) || !dimensions(block, launch.block))
    return false;
  launch.dynamicSharedBytes = shared;
  launch.parameters = bytes;
  launch.stepLimit = steps;
  if (Error error = ptx::run(**module, *kernel, launch, memory))
    return fail(toString(std::move(error)));
  return writeResults(buffers, memory);
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Executes a kernel of a PTX file by the PTX specification, without a GPU.\n");
  return runKernel() ? 0 : 1;
}
