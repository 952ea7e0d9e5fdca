//===- fuzz-onnx.cpp - The ONNX importer under a fuzzer ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Most changed bytes are no protobuf any more, so most mutations change a model's fields: any field of any message in
// it, found by protobuf's reflection.
//
// A crossing appends one graph to another, whose results it takes: node tests have few nodes, and what becomes known
// of a tensor is used by the next.
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "FuzzImport.h"
#include "attn/Import/ONNX/Importer.h"
#include "fuzz_onnx.pb.h"
#include <random>

using namespace attn;
using namespace attn::fuzz;
using attn::fuzz::onnx::GraphProto;
using attn::fuzz::onnx::ModelProto;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {

/// One change of a model.
class Mutation {
public:
  explicit Mutation(unsigned seed) : random(seed) {}

  void apply(ModelProto &model) {
    collect(model);
    Message &message = *messages[below(messages.size())];
    std::vector<const FieldDescriptor *> fields;
    message.GetReflection()->ListFields(message, &fields);
    // Rarely one that isn't there yet.
    if (fields.empty() || below(8) == 0)
      fields = {message.GetDescriptor()->field(int(below(message.GetDescriptor()->field_count())))};
    change(message, *fields[below(fields.size())]);
  }

private:
  size_t below(size_t n) { return n ? random() % n : 0; }

  void collect(Message &message) {
    messages.push_back(&message);
    const Reflection &reflection = *message.GetReflection();
    std::vector<const FieldDescriptor *> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor *field : fields) {
      if (field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated())
        texts.push_back(reflection.GetString(message, field));
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
        continue;
      if (!field->is_repeated())
        collect(*reflection.MutableMessage(&message, field));
      for (int i = 0, e = field->is_repeated() ? reflection.FieldSize(message, field) : 0; i < e; ++i)
        collect(*reflection.MutableRepeatedMessage(&message, field, i));
    }
  }

  int64_t number(int64_t old) {
    constexpr int64_t kSpecial[] = {0, 1, -1, 2, 3, -2, 7, 8, 64, 1 << 20, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    return below(2) ? kSpecial[below(std::size(kSpecial))] : int64_t(uint64_t(old) + below(5) - 2);
  }

  std::string text(std::string old) {
    // Mostly another name of the same model: that is how graphs get cut and cyclic.
    if (!texts.empty() && below(4))
      return texts[below(texts.size())];
    old.resize(old.size() + 8);
    old.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(old.data()), old.size() - 8, old.size()));
    return old;
  }

  void change(Message &message, const FieldDescriptor &field) {
    const Reflection &reflection = *message.GetReflection();
    int size = field.is_repeated() ? reflection.FieldSize(message, &field) : 0;
    if (field.is_repeated() && size > 0 && below(3) == 0) { // one less, or in another order
      reflection.SwapElements(&message, &field, int(below(size)), size - 1);
      if (below(2))
        reflection.RemoveLast(&message, &field);
      return;
    }
    if (!field.is_repeated() && below(8) == 0)
      return reflection.ClearField(&message, &field);
    bool isNew = field.is_repeated() && (size == 0 || below(3) == 0);
    int at = field.is_repeated() && size > 0 ? int(below(size)) : 0;
    switch (field.cpp_type()) {
#define ATTN_FUZZ_CASE(KIND, NAME, TYPE, EXPRESSION)                                                                   \
  case FieldDescriptor::KIND: {                                                                                        \
    TYPE old = !field.is_repeated() ? reflection.Get##NAME(message, &field)                                            \
               : size > 0           ? reflection.GetRepeated##NAME(message, &field, at)                                \
                                    : TYPE();                                                                          \
    TYPE next = EXPRESSION;                                                                                            \
    if (!field.is_repeated())                                                                                          \
      reflection.Set##NAME(&message, &field, next);                                                                    \
    else if (isNew)                                                                                                    \
      reflection.Add##NAME(&message, &field, next);                                                                    \
    else                                                                                                               \
      reflection.SetRepeated##NAME(&message, &field, at, next);                                                        \
    return;                                                                                                            \
  }
      ATTN_FUZZ_CASE(CPPTYPE_INT32, Int32, int32_t, int32_t(number(old)))
      ATTN_FUZZ_CASE(CPPTYPE_INT64, Int64, int64_t, number(old))
      ATTN_FUZZ_CASE(CPPTYPE_UINT32, UInt32, uint32_t, uint32_t(number(old)))
      ATTN_FUZZ_CASE(CPPTYPE_UINT64, UInt64, uint64_t, uint64_t(number(int64_t(old))))
      ATTN_FUZZ_CASE(CPPTYPE_FLOAT, Float, float, old * 0.5f + float(below(3)) - 1)
      ATTN_FUZZ_CASE(CPPTYPE_DOUBLE, Double, double, old * 0.5 + double(below(3)) - 1)
      ATTN_FUZZ_CASE(CPPTYPE_BOOL, Bool, bool, !old)
      ATTN_FUZZ_CASE(CPPTYPE_STRING, String, std::string, text(old))
#undef ATTN_FUZZ_CASE
    case FieldDescriptor::CPPTYPE_ENUM: {
      int next = field.enum_type()->value(int(below(field.enum_type()->value_count())))->number();
      if (!field.is_repeated())
        reflection.SetEnumValue(&message, &field, next);
      else
        reflection.AddEnumValue(&message, &field, next);
      return;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (!field.is_repeated()) {
        reflection.MutableMessage(&message, &field);
        return;
      }
      Message *added = reflection.AddMessage(&message, &field);
      if (size > 0)
        added->CopyFrom(reflection.GetRepeatedMessage(message, &field, at));
      return;
    }
    }
  }

  std::mt19937 random;
  std::vector<Message *> messages;
  std::vector<std::string> texts;
};

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  ModelProto model;
  if (seed % 16 == 0 || !model.ParseFromArray(data, int(size)))
    return LLVMFuzzerMutate(data, size, maxSize);
  for (unsigned i = 0; i < 1 + seed % 3; ++i)
    Mutation(seed + i).apply(model);
  if (model.ByteSizeLong() > maxSize)
    return size;
  size_t length = model.ByteSizeLong();
  model.SerializeToArray(data, int(length));
  return length;
}

/// Calls `rename` with all names of values in `graph` and the graphs in it.
template <typename Rename>
static void renameValues(GraphProto &graph, Rename rename) {
  for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (auto &value : *values)
      rename(*value.mutable_name());
  for (auto &tensor : *graph.mutable_initializer())
    rename(*tensor.mutable_name());
  for (auto &node : *graph.mutable_node()) {
    for (auto *names : {node.mutable_input(), node.mutable_output()})
      for (std::string &name : *names)
        rename(name);
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        renameValues(*attribute.mutable_g(), rename);
  }
}

/// Appends `next`, an input of which becomes an output of `model`, mostly its last.
static void append(ModelProto &model, ModelProto next, unsigned seed) {
  GraphProto &graph = *model.mutable_graph(), &added = *next.mutable_graph();
  renameValues(added, [](std::string &name) {
    if (!name.empty())
      name += '_';
  });
  if (added.input_size() > 0 && graph.output_size() > 0) {
    int input = int(seed % added.input_size());
    std::string from = added.input(input).name(), to = graph.output(int(seed / 7 % graph.output_size())).name();
    added.mutable_input()->DeleteSubrange(input, 1);
    renameValues(added, [&](std::string &name) {
      if (name == from)
        name = to;
    });
  }
  if (seed % 2)
    graph.clear_output();
  graph.MergeFrom(added);
  model.mutable_functions()->MergeFrom(next.functions());
  for (const auto &set : next.opset_import()) {
    bool isKnown = false;
    for (auto &own : *model.mutable_opset_import())
      if (own.domain() == set.domain()) {
        own.set_version(std::max(own.version(), set.version()));
        isKnown = true;
      }
    if (!isKnown)
      *model.add_opset_import() = set;
  }
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *left, size_t leftSize, const uint8_t *right,
                                            size_t rightSize, uint8_t *out, size_t maxSize, unsigned seed) {
  ModelProto model, next;
  if (!model.ParseFromArray(left, int(leftSize)) || !next.ParseFromArray(right, int(rightSize)))
    return 0;
  append(model, std::move(next), seed);
  size_t size = model.ByteSizeLong();
  if (size > maxSize)
    return 0;
  model.SerializeToArray(out, int(size));
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzFile file("model.onnx");
  static ImportRunner runner(createONNXImporter());
  file.write(data, size);
  runner.run(file.path());
  return 0;
}
