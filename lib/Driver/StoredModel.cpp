//===- StoredModel.cpp - A model's tables as an attribute -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain dictionaries, arrays and numbers, because they are read by people, too. What is read may have been edited, so
// every step may fail; `ModelInfo::verify` checks the meaning later.
//
//===----------------------------------------------------------------------===//

#include "StoredModel.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace attn;

static constexpr StringLiteral kLibraryAttr = "attn.library";

namespace {

class Writer {
public:
  explicit Writer(MLIRContext *context) : b(context) {}

  DictionaryAttr model(const ModelInfo &model) {
    return dictionary({{"name", text(model.name)},
                       {"prefix", text(model.prefix)},
                       {"entries", list(model.entries, [&](const EntryInfo &info) { return entry(info); })}});
  }

private:
  Attribute text(StringRef value) { return b.getStringAttr(value); }
  Attribute number(int64_t value) { return b.getI64IntegerAttr(value); }

  DictionaryAttr dictionary(ArrayRef<std::pair<StringRef, Attribute>> values) {
    SmallVector<NamedAttribute> attributes;
    for (auto [name, value] : values)
      attributes.push_back(b.getNamedAttr(name, value));
    return b.getDictionaryAttr(attributes);
  }

  template <typename T, typename Fn>
  Attribute list(const std::vector<T> &values, Fn write) {
    SmallVector<Attribute> attributes;
    for (const T &value : values)
      attributes.push_back(write(value));
    return b.getArrayAttr(attributes);
  }

  Attribute tensor(const TensorInfo &info) {
    const ElementType &type = info.type;
    return dictionary({{"name", text(info.name)},
                       {"type", b.getDenseI64ArrayAttr({type.code, type.bits, type.lanes})},
                       {"shape", b.getDenseI64ArrayAttr(info.shape)},
                       {"index_range", b.getDenseI64ArrayAttr({info.indexBegin, info.indexEnd})},
                       {"state", b.getI64IntegerAttr(info.state)}});
  }
  Attribute dim(const DimInfo &info) {
    return dictionary(
        {{"name", text(info.name)},
         {"min", number(info.min)},
         {"max", number(info.max)},
         {"terms", b.getDenseI64ArrayAttr(flatten(info.terms))},
         {"divisor", b.getDenseI64ArrayAttr(info.divisor ? flatten(*info.divisor) : std::vector<int64_t>())},
         {"exact", b.getI64IntegerAttr(info.exact)}});
  }
  Attribute variant(const VariantInfo &info) {
    return dictionary(
        {{"target", text(info.target)},
         {"features", number(info.cpuFeatures)},
         {"workspace", text(info.workspaceSymbol)},
         {"run", text(info.runSymbol)},
         {"strided", b.getDenseI64ArrayAttr(SmallVector<int64_t>(info.strided.begin(), info.strided.end()))},
         {"gpu", text(info.gpuSymbol)}});
  }
  Attribute entry(const EntryInfo &info) {
    auto writeTensor = [&](const TensorInfo &t) { return tensor(t); };
    return dictionary({{"name", text(info.name)},
                       {"dims", list(info.dims, [&](const DimInfo &d) { return dim(d); })},
                       {"inputs", list(info.inputs, writeTensor)},
                       {"outputs", list(info.outputs, writeTensor)},
                       {"variants", list(info.variants, [&](const VariantInfo &v) { return variant(v); })},
                       {"flops", text(info.flops)}});
  }

  Builder b;
};

/// Reads one dictionary. The first missing or wrong value makes the whole reading fail.
class Reader {
public:
  Reader(DictionaryAttr values, bool &ok) : values(values), ok(ok) {}

  std::string text(StringRef name) {
    auto attribute = get<StringAttr>(name);
    return attribute ? attribute.str() : std::string();
  }
  int64_t number(StringRef name) {
    auto attribute = get<IntegerAttr>(name);
    return attribute && attribute.getType().isInteger(64) ? attribute.getInt() : 0;
  }
  ArrayRef<int64_t> numbers(StringRef name) {
    auto attribute = get<DenseI64ArrayAttr>(name);
    return attribute ? attribute.asArrayRef() : ArrayRef<int64_t>();
  }
  template <typename T>
  std::vector<T> list(StringRef name, T (*read)(Reader)) {
    std::vector<T> result;
    if (auto array = get<ArrayAttr>(name))
      for (Attribute value : array) {
        auto dictionary = llvm::dyn_cast<DictionaryAttr>(value);
        ok &= bool(dictionary);
        if (dictionary)
          result.push_back(read(Reader(dictionary, ok)));
      }
    return result;
  }
  void require(bool condition) { ok &= condition; }

private:
  template <typename T>
  T get(StringRef name) {
    T attribute = values.getAs<T>(name);
    ok &= bool(attribute);
    return attribute;
  }

  DictionaryAttr values;
  bool &ok;
};

} // namespace

static TensorInfo readTensor(Reader reader) {
  TensorInfo info;
  info.name = reader.text("name");
  info.shape.assign(reader.numbers("shape").begin(), reader.numbers("shape").end());
  ArrayRef<int64_t> type = reader.numbers("type"), range = reader.numbers("index_range");
  reader.require(type.size() == 3 && range.size() == 2);
  if (type.size() == 3)
    info.type = {uint8_t(type[0]), uint8_t(type[1]), uint16_t(type[2])};
  if (range.size() == 2) {
    info.indexBegin = range[0];
    info.indexEnd = range[1];
  }
  info.state = int32_t(reader.number("state"));
  return info;
}

static std::vector<DimInfo::Term> readTerms(Reader reader, StringRef name) {
  std::vector<DimInfo::Term> terms;
  for (ArrayRef<int64_t> rest = reader.numbers(name); !rest.empty();) {
    bool whole = rest.size() >= 2 && rest[1] >= 0 && rest[1] <= int64_t(rest.size()) - 2;
    reader.require(whole);
    if (!whole)
      break;
    terms.push_back({rest[0], rest.slice(2, rest[1]).vec()});
    rest = rest.drop_front(2 + rest[1]);
  }
  return terms;
}

static DimInfo readDim(Reader reader) {
  DimInfo info;
  info.name = reader.text("name");
  info.min = reader.number("min");
  info.max = reader.number("max");
  info.terms = readTerms(reader, "terms");
  std::vector<DimInfo::Term> divisor = readTerms(reader, "divisor");
  reader.require(divisor.size() <= 1);
  if (!divisor.empty())
    info.divisor = divisor.front();
  info.exact = reader.number("exact") != 0;
  return info;
}

static VariantInfo readVariant(Reader reader) {
  ArrayRef<int64_t> strided = reader.numbers("strided");
  return {reader.text("target"), uint64_t(reader.number("features")), reader.text("workspace"),
          reader.text("run"),    {strided.begin(), strided.end()},    reader.text("gpu")};
}

static EntryInfo readEntry(Reader reader) {
  return {reader.text("name"),
          reader.list("dims", readDim),
          reader.list("inputs", readTensor),
          reader.list("outputs", readTensor),
          reader.list("variants", readVariant),
          reader.text("flops")};
}

void attn::storeModel(ModuleOp module, const ModelInfo &model) {
  module->setAttr(kLibraryAttr, Writer(module.getContext()).model(model));
}

bool attn::hasStoredModel(ModuleOp module) { return module->hasAttr(kLibraryAttr); }

FailureOr<ModelInfo> attn::loadModel(ModuleOp module) {
  auto values = module->getAttrOfType<DictionaryAttr>(kLibraryAttr);
  if (!values)
    return module.emitError() << "the module has no '" << kLibraryAttr
                              << "', which the stage kernel writes; start from that dump or an earlier "
                                 "stage's";
  bool ok = true;
  Reader reader(values, ok);
  ModelInfo model;
  model.name = reader.text("name");
  model.prefix = reader.text("prefix");
  model.entries = reader.list("entries", readEntry);
  if (!ok)
    return module.emitError() << "'" << kLibraryAttr << "' is not what the stage kernel writes";
  return model;
}
