//===- Entries.cpp - The entries of a module as plain data -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Entries.h"
#include "Flops.h"
#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Conversion/AttnToLLVM/Symbols.h"
#include "attn/Runtime/ABI.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

/// The caller's elements, of what the IR has for them, as DLPack says it.
static FailureOr<ElementType> elementTypeOf(func::FuncOp entry, Type type, bool isUnsigned) {
  auto small = llvm::TypeSwitch<Type, std::optional<ElementType>>(type)
                   .Case([](Float8E4M3FNType) { return ElementType{kDLFloat8_e4m3fn, 8, 1}; })
                   .Case([](Float8E4M3FNUZType) { return ElementType{kDLFloat8_e4m3fnuz, 8, 1}; })
                   .Case([](Float8E5M2Type) { return ElementType{kDLFloat8_e5m2, 8, 1}; })
                   .Case([](Float8E5M2FNUZType) { return ElementType{kDLFloat8_e5m2fnuz, 8, 1}; })
                   .Case([](Float8E8M0FNUType) { return ElementType{kDLFloat8_e8m0fnu, 8, 1}; })
                   .Case([](Float4E2M1FNType) { return ElementType{kDLFloat4_e2m1fn, 4, 1}; })
                   .Default(std::nullopt);
  if (small)
    return *small;
  if (type.isBF16())
    return ElementType{kDLBfloat, 16, 1};
  if (llvm::isa<Float16Type, Float32Type, Float64Type>(type))
    return ElementType{kDLFloat, uint8_t(type.getIntOrFloatBitWidth()), 1};
  if (type.isInteger(1))
    return ElementType{kDLBool, 8, 1};
  for (unsigned bits : {2, 4, 8, 16, 32, 64})
    if (type.isInteger(bits))
      return ElementType{uint8_t(isUnsigned ? kDLUInt : kDLInt), uint8_t(bits), 1};
  return entry.emitError() << "an entry cannot take or return elements of type " << type;
}

static FailureOr<TensorInfo> describe(func::FuncOp entry, unsigned arg, const EntrySignature &signature) {
  auto type = llvm::cast<ShapedType>(entry.getArgumentTypes()[arg]);
  TensorInfo tensor;
  if (auto name = entry.getArgAttrOfType<StringAttr>(arg, kNameAttr))
    tensor.name = name.str();
  else
    tensor.name = ("arg" + Twine(arg)).str();
  Type given = type.getElementType();
  if (auto storage = entry.getArgAttrOfType<TypeAttr>(arg, kStorageAttr))
    given = storage.getValue();
  else if (isStorageType(given))
    return entry.emitError() << "'" << tensor.name << "' has elements of type " << given
                             << ", which nothing computes with; make them i8 with " << kStorageAttr << " = " << given;
  FailureOr<ElementType> element = elementTypeOf(entry, given, bool(entry.getArgAttr(arg, kUnsignedAttr)));
  if (failed(element))
    return failure();
  tensor.type = *element;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i)) {
      tensor.shape.push_back(type.getDimSize(i));
      continue;
    }
    std::optional<unsigned> dim = signature.getDim(arg, i);
    if (!dim)
      return entry.emitError() << "'" << tensor.name << "' has a dynamic dimension without a symbol in '" << kShapeAttr
                               << "'";
    tensor.shape.push_back(-1 - int64_t(*dim));
  }
  if (auto range = entry.getArgAttrOfType<DenseI64ArrayAttr>(arg, kIndexRangeAttr); range && range.size() == 2) {
    tensor.indexBegin = range[0];
    tensor.indexEnd = range[1];
    if (tensor.type.bits < 8)
      return entry.emitError() << "'" << tensor.name << "' holds indices of " << tensor.type.str()
                               << "; they need at least 8 bits";
  }
  // Inputs come first, so an argument's number is the input's.
  if (auto state = entry.getArgAttrOfType<IntegerAttr>(arg, kStateAttr))
    tensor.state = state.getInt();
  return tensor;
}

/// The entry's dimensions, and what `attn.dims` says of them.
static FailureOr<std::vector<DimInfo>> describeDims(func::FuncOp entry, const EntrySignature &signature) {
  std::vector<DimInfo> dims;
  auto readTerm = [&](ArrayAttr term) -> FailureOr<DimInfo::Term> {
    DimInfo::Term result{llvm::cast<IntegerAttr>(term[0]).getInt(), {}};
    for (Attribute factor : term.getValue().drop_front()) {
      const auto *at = llvm::find(signature.getDims(), llvm::cast<StringAttr>(factor).getValue());
      if (at == signature.getDims().end())
        return entry.emitError() << "dimension '" << dims.back().name << "' is computed from " << factor
                                 << ", which is no dimension of the entry";
      result.factors.push_back(at - signature.getDims().begin());
    }
    return result;
  };
  for (const std::string &name : signature.getDims()) {
    DimInfo &dim = dims.emplace_back();
    dim.name = name;
    DimAttr known = getDim(entry, name);
    if (!known)
      continue;
    dim.min = known.getMin();
    dim.max = known.getMax();
    dim.exact = known.getExact();
    for (Attribute term : known.getTerms() ? known.getTerms().getValue() : ArrayRef<Attribute>()) {
      FailureOr<DimInfo::Term> read = readTerm(llvm::cast<ArrayAttr>(term));
      if (failed(read))
        return failure();
      dim.terms.push_back(std::move(*read));
    }
    if (!known.getDivisor())
      continue;
    FailureOr<DimInfo::Term> divisor = readTerm(known.getDivisor());
    if (failed(divisor))
      return failure();
    dim.divisor = std::move(*divisor);
  }
  return dims;
}

FailureOr<std::vector<EntryInfo>> attn::describeEntries(ModuleOp module, StringRef prefix) {
  SmallVector<ModuleOp> targets(module.getOps<ModuleOp>());
  std::vector<EntryInfo> entries;
  if (targets.empty())
    return module.emitError("there is no target");
  for (func::FuncOp entry : targets.front().getOps<func::FuncOp>()) {
    if (!entry.isPublic() || entry.isExternal())
      continue;
    EntryInfo info;
    info.name = entry.getName().str();
    if (auto flops = entry->getAttrOfType<StringAttr>(kFlopsAttr))
      info.flops = flops.str();
    EntrySignature signature(entry);
    FailureOr<std::vector<DimInfo>> dims = describeDims(entry, signature);
    if (failed(dims))
      return failure();
    info.dims = std::move(*dims);
    for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg) {
      if (entry.getArgAttr(arg, kWorkspaceAttr))
        continue;
      FailureOr<TensorInfo> tensor = describe(entry, arg, signature);
      if (failed(tensor))
        return failure();
      (entry.getArgAttr(arg, kOutputAttr) ? info.outputs : info.inputs).push_back(*tensor);
    }
    for (ModuleOp nested : targets) {
      auto attr = nested->getAttrOfType<TargetAttr>(kTargetAttr);
      const Target *target = attr ? lookupTarget(attr.getName()) : nullptr;
      if (!target)
        return nested.emitError() << "the module has no known target in '" << kTargetAttr << "'";
      VariantInfo variant;
      variant.target = target->name.str();
      variant.cpuFeatures = target->cpuFeatures;
      variant.runSymbol = runSymbol(prefix, info.name, target->name);
      variant.workspaceSymbol = workspaceSymbol(prefix, info.name, target->name);
      auto code = nested.lookupSymbol<func::FuncOp>(entry.getName());
      for (unsigned arg = 0, e = code.getNumArguments(); arg < e; ++arg)
        if (!code.getArgAttr(arg, kWorkspaceAttr))
          variant.strided.push_back(isStrided(code.getArgumentTypes()[arg]));
      if (llvm::none_of(variant.strided, [](uint8_t strided) { return strided; }))
        variant.strided.clear();
      if (target->isGpu())
        variant.gpuSymbol = gpuCodeSymbol(prefix, target->name);
      info.variants.push_back(variant);
    }
    entries.push_back(std::move(info));
  }
  if (entries.empty())
    return module.emitError("the module has no public function with a body, so there is nothing to compile");
  return entries;
}
