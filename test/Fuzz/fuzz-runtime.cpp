//===- fuzz-runtime.cpp - The calls of a library under a fuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes say one call of the runtime tests' model: which entry, what sizes, and how each descriptor differs from the
// right one. A descriptor only ever names memory that is there, as a caller's must; where it says more than fits, it
// has no data. What is checked beside the absence of crashes: failures have a sentence and leave the outputs as they
// were, and a transposition that succeeds transposes.
//
//===----------------------------------------------------------------------===//

#include "../Unit/Runtime/TestModel.h"
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

using namespace attn::test;

namespace {

[[noreturn]] void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  abort();
}

/// The input's bytes one after another, then zeros.
class Reader {
public:
  Reader(const uint8_t *data, size_t size) : data(data), end(data + size) {}
  uint8_t byte() { return data == end ? 0 : *data++; }
  size_t below(size_t n) { return byte() % n; }
  /// True one time in `n`.
  bool rarely(size_t n) { return byte() % n == n - 1; }
  int64_t number() {
    constexpr int64_t kSpecial[] = {
        0, 1, -1, 2, 3, INT32_MAX, INT64_MAX, INT64_MIN, int64_t(1) << 62, int64_t(1) << 32};
    size_t pick = below(16);
    return pick < std::size(kSpecial) ? kSpecial[pick] : int64_t(int8_t(byte()));
  }

private:
  const uint8_t *data, *end;
};

constexpr size_t kRoom = 2048;
constexpr int kMaxRank = 6;

/// A descriptor with the arrays it points to, and memory.
struct Argument {
  DLTensor tensor{};
  int64_t shape[kMaxRank], strides[kMaxRank];
  std::vector<uint8_t> memory = std::vector<uint8_t>(kRoom), before;
  bool isNull = false, isForeign = false;
};

/// Bytes of the lowest element and past the highest, from where the first one is; false where the memory is too small.
bool findRange(const DLTensor &tensor, int64_t item, int64_t &low, int64_t &high) {
  __int128 first = 0, last = 0, dense = 1;
  for (int i = tensor.ndim; i-- > 0;) {
    __int128 size = tensor.shape[i], stride = tensor.strides ? __int128(tensor.strides[i]) : dense;
    if (size <= 0)
      return low = high = 0, true; // not read
    __int128 reach = (size - 1) * stride;
    (reach < 0 ? first : last) += reach;
    dense *= size;
    if (dense > INT64_MAX || last > INT64_MAX || first < INT64_MIN)
      return false;
  }
  if ((last - first + 1) * item > __int128(kRoom))
    return false;
  low = int64_t(first) * item;
  high = int64_t(last + 1) * item;
  return true;
}

class Call {
public:
  Call(const attn_library *library, Reader &reader) : library(library), reader(reader) {}
  void run();

private:
  Argument &makeArgument(const attn_tensor_desc &desc, const int64_t *sizes, bool isOutput);
  void makeStrides(Argument &argument);
  void place(Argument &argument, int64_t item, bool isOutput);
  const attn_run_options *makeOptions();
  void checkTransposed() const;

  const attn_library *library;
  Reader &reader;
  std::deque<Argument> arguments;
  std::vector<const DLTensor *> inputs;
  std::vector<DLTensor *> outputs;
  attn_run_options options{};
  std::vector<uint8_t> workspace;
};

void Call::makeStrides(Argument &argument) {
  DLTensor &tensor = argument.tensor;
  if (reader.below(3) == 0)
    return;
  tensor.strides = argument.strides;
  int64_t dense = 1;
  for (int i = kMaxRank; i-- > 0;) {
    argument.strides[i] = dense;
    // Of no harm where it overflows: it is one more odd stride.
    if (i < tensor.ndim)
      dense = int64_t(uint64_t(dense) * uint64_t(argument.shape[i]));
  }
  switch (reader.below(5)) {
  case 0: // the last two dimensions swapped
    if (tensor.ndim == 2)
      argument.strides[0] = 1, argument.strides[1] = argument.shape[0];
    break;
  case 1: // holes
    for (int64_t &stride : argument.strides)
      stride = int64_t(uint64_t(stride) * 2);
    break;
  case 2: // backwards
    argument.strides[0] = int64_t(0 - uint64_t(argument.strides[0]));
    break;
  case 3:
    argument.strides[reader.below(3)] = reader.number();
    break;
  }
}

void Call::place(Argument &argument, int64_t item, bool isOutput) {
  DLTensor &tensor = argument.tensor;
  int64_t low = 0, high = 0;
  if (!findRange(tensor, item, low, high) || reader.rarely(32))
    return;
  std::vector<uint8_t> *memory = &argument.memory;
  if (isOutput && reader.rarely(16)) {
    memory = &arguments.front().memory;
    argument.isForeign = true;
  }
  // The room that is left before it, mostly a multiple of its elements.
  size_t room = kRoom - size_t(high - low), before = room ? reader.byte() % (room + 1) : 0;
  if (!reader.rarely(16))
    before -= before % size_t(item);
  if (reader.rarely(4))
    tensor.byte_offset = reader.rarely(4) ? uint64_t(reader.number()) : uint64_t(item) * reader.byte();
  uintptr_t first = uintptr_t(memory->data()) + before - uintptr_t(low);
  tensor.data = reinterpret_cast<void *>(first - tensor.byte_offset);
}

Argument &Call::makeArgument(const attn_tensor_desc &desc, const int64_t *sizes, bool isOutput) {
  Argument &argument = arguments.emplace_back();
  DLTensor &tensor = argument.tensor;
  tensor.device = {kDLCPU, 0};
  tensor.dtype = {desc.dtype_code, desc.dtype_bits, desc.dtype_lanes};
  tensor.ndim = desc.rank;
  tensor.shape = argument.shape;
  for (int i = 0; i < kMaxRank; ++i)
    argument.shape[i] = i >= desc.rank ? 1 : desc.shape[i] >= 0 ? desc.shape[i] : sizes[-1 - desc.shape[i]];
  if (reader.rarely(16))
    argument.shape[reader.below(3)] = reader.number();
  makeStrides(argument);
  uint8_t bound = uint8_t(1 + reader.below(16));
  // Packed elements have less than a byte; there is room for one each.
  size_t item = std::max(1, desc.dtype_bits / 8);
  for (size_t i = 0; i < kRoom; i += item)
    argument.memory[i] = uint8_t(i / 8 % bound);
  // Memory for what the table says; a dtype or rank that differs must be found before it is touched.
  place(argument, int64_t(item), isOutput);
  switch (reader.below(64)) {
  case 0:
    tensor.dtype = {reader.byte(), reader.byte(), uint16_t(reader.byte())};
    break;
  case 1:
    tensor.ndim = int32_t(reader.number());
    break;
  case 2:
    tensor.device.device_type = DLDeviceType(reader.below(32));
    break;
  case 3:
    tensor.shape = nullptr;
    break;
  case 4:
    argument.isNull = true;
    break;
  }
  argument.before = argument.memory;
  return argument;
}

const attn_run_options *Call::makeOptions() {
  if (reader.below(3) == 0)
    return nullptr;
  options.size = reader.rarely(16) ? size_t(reader.number()) % (sizeof(options) + 1) : sizeof(options);
  options.threads = reader.rarely(16) ? int32_t(reader.number()) : int32_t(reader.below(4));
  if (reader.rarely(4)) {
    workspace.resize(size_t(reader.byte()) * 64 + 64);
    auto begin = (uintptr_t(workspace.data()) + 63) & ~uintptr_t(63);
    options.workspace = reinterpret_cast<void *>(begin + (reader.rarely(8) ? 4 : 0));
    options.workspace_bytes = workspace.size() - 64;
  }
  if (reader.rarely(4))
    options.parallel_for = [](void *, int64_t n, attn_parallel_body body, void *argument) {
      while (n-- > 0)
        body(argument, n);
    };
  if (reader.rarely(8))
    options.allocate = [](void *user, size_t bytes, size_t alignment) {
      return user || bytes > (1 << 20) ? nullptr
                                       : aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    };
  if (options.allocate ? !reader.rarely(16) : reader.rarely(16))
    options.release = [](void *, void *memory, size_t) { free(memory); };
  if (reader.rarely(8))
    options.allocator_data = this;
  options.reserved = reader.rarely(64);
  return &options;
}

void Call::checkTransposed() const {
  const DLTensor &from = *inputs[0], &to = *outputs[0];
  auto at = [](const DLTensor &t, int64_t i, int64_t k) {
    int64_t place = t.strides ? i * t.strides[0] + k * t.strides[1] : i * t.shape[1] + k;
    int32_t value;
    memcpy(&value, reinterpret_cast<const char *>(uintptr_t(t.data) + t.byte_offset) + place * 4, 4);
    return value;
  };
  for (int64_t i = 0; i < from.shape[0]; ++i)
    for (int64_t k = 0; k < from.shape[1]; ++k)
      if (at(from, i, k) != at(to, k, i))
        fail("a transposition that succeeded did not transpose");
}

void Call::run() {
  uint32_t index = uint32_t(reader.below(NumEntries));
  const attn_entry_desc &entry = library->entries[index];
  int64_t sizes[8];
  for (int64_t &size : sizes)
    size = reader.rarely(32) ? reader.number() : int64_t(reader.below(10));
  attn_context *context = nullptr;
  attn_error error;
  if (library->create(library, nullptr, &context, &error))
    fail(error.message);
  for (int i = 0; i < entry.num_inputs; ++i) {
    Argument &argument = makeArgument(entry.inputs[i], sizes, false);
    inputs.push_back(argument.isNull ? nullptr : &argument.tensor);
  }
  std::vector<std::vector<int64_t>> wanted(size_t(entry.num_outputs), std::vector<int64_t>(kMaxRank));
  std::vector<int64_t *> shapes;
  for (auto &shape : wanted)
    shapes.push_back(shape.data());
  bool known = library->output_shapes(context, index, inputs.data(), inputs.size(), shapes.data(), shapes.size()) == 0;
  for (int i = 0; i < entry.num_outputs; ++i) {
    attn_tensor_desc desc = entry.outputs[i];
    if (known)
      desc.shape = wanted[size_t(i)].data();
    Argument &argument = makeArgument(desc, sizes, true);
    outputs.push_back(argument.isNull ? nullptr : &argument.tensor);
  }
  size_t numInputs = inputs.size(), numOutputs = outputs.size(), bytes = 0;
  if (reader.rarely(64))
    numInputs -= 1;
  if (reader.rarely(64))
    numOutputs -= 1;
  if (reader.rarely(64))
    index = uint32_t(reader.number());
  auto *const *constOutputs = reinterpret_cast<const DLTensor *const *>(outputs.data());
  library->workspace_size(context, index, inputs.data(), numInputs, constOutputs, reader.below(2) ? numOutputs : 0,
                          int32_t(reader.below(4)), &bytes);
  const attn_run_options *runOptions = makeOptions();
  // Its workspace is larger than any memory, which is not this fuzzer's to ask for.
  if (index != Huge) {
    attn_code code = library->run(context, index, inputs.data(), numInputs, outputs.data(), numOutputs, runOptions);
    if (code != ATTN_OK && code != ATTN_ERROR_BUSY && !library->last_error(context)->message[0])
      fail("a call was refused without a word");
    bool isComputed = code == ATTN_ERROR_INDEX || code == ATTN_ERROR_SHAPE || code == ATTN_ERROR_OVERFLOW;
    for (const Argument &argument : arguments)
      if (code != ATTN_OK && !isComputed && argument.memory != argument.before)
        fail("a call that failed has written");
    if (code == ATTN_OK && index == Square && !arguments.back().isForeign)
      checkTransposed();
  }
  library->destroy(context);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // The threads go with the last context; one that stays keeps them.
  static attn_context *keeper = [] {
    attn_context *context = nullptr;
    attn_test_library()->create(attn_test_library(), nullptr, &context, nullptr);
    return context;
  }();
  (void)keeper;
  Reader reader(data, size);
  Call(attn_test_library(), reader).run();
  return 0;
}
