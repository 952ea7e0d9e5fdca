//===- Metadata.cpp - A model's tables as LLVM constants --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes field by field what Runtime/Model.h and ABI.h declare. The assertions
// below break the build when a struct changes and this file does not.
//
//===----------------------------------------------------------------------===//

#include "attn/Target/Object/Metadata.h"

#include "attn/Runtime/Model.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/IRBuilder.h"

#include <cstddef>

using namespace attn;
using namespace llvm;

// These layouts hold for every 64-bit target.
static_assert(sizeof(attn_dim_desc) == 56 && offsetof(attn_dim_desc, max) == 16);
static_assert(sizeof(attn_tensor_desc) == 48 && offsetof(attn_tensor_desc, dtype_lanes) == 10 &&
              offsetof(attn_tensor_desc, rank) == 12 && offsetof(attn_tensor_desc, shape) == 16 &&
              offsetof(attn_tensor_desc, index_end) == 32 && offsetof(attn_tensor_desc, state) == 40);
static_assert(sizeof(attn_variant) == 48 && offsetof(attn_variant, cpu_features) == 8 &&
              offsetof(attn_variant, run) == 24 && offsetof(attn_variant, strided) == 32 &&
              offsetof(attn_variant, gpu) == 40);
static_assert(sizeof(attn_entry_desc) == 56 && offsetof(attn_entry_desc, num_variants) == 20 &&
              offsetof(attn_entry_desc, variants) == 48);
static_assert(sizeof(attn_model_desc) == 24 && offsetof(attn_model_desc, name) == 8 &&
              offsetof(attn_model_desc, entries) == 16);
static_assert(sizeof(attn_library) == 112 && offsetof(attn_library, name) == 8 &&
              offsetof(attn_library, entries) == 16 && offsetof(attn_library, reserved) == 28 &&
              offsetof(attn_library, model) == 32 && offsetof(attn_library, create) == 40 &&
              offsetof(attn_library, code_name) == 104);

namespace {
class MetadataBuilder {
public:
  MetadataBuilder(LLVMContext &context, const ModelInfo &model)
      : context(context), model(model), module(std::make_unique<Module>("model", context)),
        pointer(PointerType::getUnqual(context)) {
    module->setSourceFileName("model");
  }

  std::unique_ptr<Module> build(bool exportGeneric) {
    std::vector<Constant *> entries;
    for (const EntryInfo &entry : model.entries)
      entries.push_back(makeEntry(entry));
    Constant *entryTable = makeTable("entries", entries);
    Constant *name = makeString(model.name);
    Constant *desc = makeGlobal("model", makeStruct({i32(ATTN_ABI_VERSION), i32(entries.size()), name, entryTable}));

    SmallVector<Constant *> fields = {
        i32(ATTN_ABI_VERSION), i32(sizeof(attn_library)), name, entryTable, i32(entries.size()), i32(0), desc};
    for (StringRef function :
         {"create", "destroy", "run", "output_shapes", "workspace_size", "status", "last_error", "target", "code_name"})
      fields.push_back(getHidden(("attn_rt_v" + Twine(ATTN_ABI_VERSION) + "_" + function).str()));
    Constant *library = makeGlobal("library", makeStruct(fields));
    makeAccessor(getLibraryFunctionName(model), library);
    if (exportGeneric)
      makeAccessor(sharedLibraryFunctionName, library);
    return std::move(module);
  }

private:
  Constant *integer(unsigned bits, uint64_t value) {
    // Bounds and shapes are signed, features are not; all are written as they lie in memory.
    return ConstantInt::get(context, APInt(bits, value, /*isSigned=*/false, /*implicitTrunc=*/true));
  }
  Constant *i32(uint64_t value) { return integer(32, value); }
  Constant *i64(uint64_t value) { return integer(64, value); }
  Constant *null() { return ConstantPointerNull::get(pointer); }
  Constant *makeStruct(ArrayRef<Constant *> fields) { return ConstantStruct::getAnon(context, fields); }

  Constant *makeGlobal(const Twine &name, Constant *value) {
    auto *global = new GlobalVariable(*module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage,
                                      value, "attn." + name);
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }

  Constant *makeTable(const Twine &name, ArrayRef<Constant *> values) {
    if (values.empty())
      return null();
    return makeGlobal(name, ConstantArray::get(ArrayType::get(values[0]->getType(), values.size()), values));
  }

  Constant *makeString(StringRef text) {
    Constant *&global = strings[text];
    if (!global)
      global = makeGlobal("string", ConstantDataArray::getString(context, text));
    return global;
  }

  // A function of this file's linkage unit; its type does not matter for taking the address.
  Constant *getHidden(StringRef name) {
    Function *function = module->getFunction(name);
    if (!function) {
      function = Function::Create(FunctionType::get(Type::getVoidTy(context), false), GlobalValue::ExternalLinkage,
                                  name, module.get());
      function->setVisibility(GlobalValue::HiddenVisibility);
      function->setDSOLocal(true);
    }
    return function;
  }

  Constant *makeTensor(const TensorInfo &tensor) {
    std::vector<Constant *> shape;
    for (int64_t size : tensor.shape)
      shape.push_back(i64(size));
    return makeStruct({makeString(tensor.name), integer(8, tensor.type.code), integer(8, tensor.type.bits),
                       integer(16, tensor.type.lanes), i32(tensor.shape.size()), makeTable("shape", shape),
                       i64(tensor.indexBegin), i64(tensor.indexEnd), i32(tensor.state + 1)});
  }

  Constant *makeEntry(const EntryInfo &entry) {
    std::vector<Constant *> dims, inputs, outputs, variants;
    for (const DimInfo &dim : entry.dims) {
      auto table = [&](StringRef name, ArrayRef<DimInfo::Term> terms) {
        std::vector<Constant *> values;
        for (int64_t value : flatten(terms))
          values.push_back(i64(value));
        return makeTable(name, values);
      };
      ArrayRef<DimInfo::Term> divisor = dim.divisor ? ArrayRef(*dim.divisor) : ArrayRef<DimInfo::Term>();
      dims.push_back(makeStruct({makeString(dim.name), i64(dim.min), i64(dim.max), table("terms", dim.terms),
                                 i64(dim.terms.size()), table("divisor", divisor), i32(dim.exact)}));
    }
    for (const TensorInfo &tensor : entry.inputs)
      inputs.push_back(makeTensor(tensor));
    for (const TensorInfo &tensor : entry.outputs)
      outputs.push_back(makeTensor(tensor));
    for (const VariantInfo &variant : entry.variants) {
      std::vector<Constant *> strided;
      for (uint8_t isStrided : variant.strided)
        strided.push_back(integer(8, isStrided));
      variants.push_back(
          makeStruct({makeString(variant.target), i64(variant.cpuFeatures), getHidden(variant.workspaceSymbol),
                      getHidden(variant.runSymbol), makeTable("strided", strided),
                      variant.gpuSymbol.empty() ? null() : getHidden(variant.gpuSymbol)}));
    }
    return makeStruct({makeString(entry.name), i32(dims.size()), i32(inputs.size()), i32(outputs.size()),
                       i32(variants.size()), makeTable("dims", dims), makeTable("inputs", inputs),
                       makeTable("outputs", outputs), makeTable("variants", variants)});
  }

  void makeAccessor(StringRef name, Constant *library) {
    auto *function =
        Function::Create(FunctionType::get(pointer, false), GlobalValue::ExternalLinkage, name, module.get());
    function->setDSOLocal(true);
    function->addFnAttr(Attribute::NoUnwind);
    IRBuilder<>(BasicBlock::Create(context, "", function)).CreateRet(library);
  }

  LLVMContext &context;
  const ModelInfo &model;
  std::unique_ptr<Module> module;
  PointerType *pointer;
  StringMap<Constant *> strings;
};
} // namespace

std::string attn::getLibraryFunctionName(const ModelInfo &model) { return model.prefix + "_library"; }

std::unique_ptr<Module> attn::buildMetadata(LLVMContext &context, const ModelInfo &model, bool exportGeneric) {
  return MetadataBuilder(context, model).build(exportGeneric);
}
