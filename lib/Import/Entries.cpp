//===- Entries.cpp - Names and shapes of a module's entries -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The library checks at run time that dimensions with one symbol agree. So the symbols say all that the function's
// operations need and that symbols can say; attn-insert-checks sees to the rest.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/Entries.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/Transforms/Extents.h"
#include "attn/Runtime/Model.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

/// What the runtime's tensors can hold.
static bool isSupported(Type type) {
  if (type.isF16() || type.isBF16() || type.isF32() || type.isF64())
    return true;
  auto integer = llvm::dyn_cast<IntegerType>(type);
  return integer && llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
}

namespace {
/// Completes one entry. Arguments come first, since results take their symbols from them.
class EntryAnnotator {
public:
  explicit EntryAnnotator(func::FuncOp function) : function(function), extents(function) { extents.assume(); }

  LogicalResult run();

private:
  /// An argument or a result: its type, its attributes and the tensor they describe.
  struct Slot {
    bool isResult;
    unsigned index;
    Value value;
    std::string name;
    RankedTensorType type;
    ArrayAttr givenShape;
    SmallVector<Attribute> shape;
  };

  InFlightDiagnostic error(const Slot &slot);
  Attribute getAttr(bool isResult, unsigned index, StringRef name);
  LogicalResult addSlot(bool isResult, unsigned index, Type type, Value value);
  LogicalResult nameSlots();
  LogicalResult collectSymbols();
  LogicalResult shapeArgument(Slot &slot);
  LogicalResult shapeResult(Slot &slot);
  StringRef givenSymbol(const Slot &slot, int64_t dim);

  func::FuncOp function;
  Extents extents;
  SmallVector<Slot> slots;
  /// The symbol of each class that has an argument's dimension, and of which argument it comes.
  llvm::DenseMap<unsigned, std::string> symbols;
  llvm::StringSet<> argumentSymbols;
};
} // namespace

/// The symbol that `symbol` is another name of, by what the entry's `attn.dims` says.
static StringRef originOf(func::FuncOp function, StringRef symbol) {
  llvm::StringSet<> seen;
  while (seen.insert(symbol).second) {
    DimAttr dim = getDim(function, symbol);
    auto only = dim && dim.getTerms() && dim.getTerms().size() == 1 && !dim.getDivisor()
                    ? llvm::cast<ArrayAttr>(dim.getTerms()[0])
                    : ArrayAttr();
    if (!only || only.size() != 2 || llvm::cast<IntegerAttr>(only[0]).getInt() != 1)
      break;
    symbol = llvm::cast<StringAttr>(only[1]).getValue();
  }
  return symbol;
}

InFlightDiagnostic EntryAnnotator::error(const Slot &slot) {
  InFlightDiagnostic diagnostic = function.emitError() << "entry '" << function.getName() << "': ";
  diagnostic << (slot.isResult ? "result " : "argument ") << slot.index;
  if (!slot.name.empty())
    diagnostic << " '" << slot.name << "'";
  diagnostic << ": ";
  return diagnostic;
}

Attribute EntryAnnotator::getAttr(bool isResult, unsigned index, StringRef name) {
  return isResult ? function.getResultAttr(index, name) : function.getArgAttr(index, name);
}

/// The symbol that `attn.shape` gives to a dimension, empty without one.
StringRef EntryAnnotator::givenSymbol(const Slot &slot, int64_t dim) {
  auto symbol = slot.givenShape ? llvm::dyn_cast<StringAttr>(slot.givenShape[dim]) : StringAttr();
  return symbol ? symbol.getValue() : StringRef();
}

LogicalResult EntryAnnotator::addSlot(bool isResult, unsigned index, Type type, Value value) {
  Slot slot{isResult, index, value, "", llvm::dyn_cast<RankedTensorType>(type), {}, {}};
  // The dialect has verified both attributes as far as their types go.
  if (auto name = llvm::dyn_cast_or_null<StringAttr>(getAttr(isResult, index, kNameAttr)))
    slot.name = name.str();
  if (!slot.type || !isSupported(slot.type.getElementType()))
    return error(slot) << "has type " << type
                       << "; entries take and return ranked tensors of f16, bf16, f32, f64, i1, i8, i16, i32 or i64";
  if (slot.type.getRank() > ATTN_MAX_RANK)
    return error(slot) << "has " << slot.type.getRank() << " dimensions; libraries take and return at most "
                       << ATTN_MAX_RANK;
  slot.givenShape = llvm::dyn_cast_or_null<ArrayAttr>(getAttr(isResult, index, kShapeAttr));
  for (int64_t dim = 0; slot.givenShape && dim < slot.type.getRank(); ++dim)
    if (slot.type.isDynamicDim(dim) && !llvm::isa<StringAttr>(slot.givenShape[dim]))
      return error(slot) << "attn.shape has " << slot.givenShape[dim] << " for dimension " << dim << " of " << slot.type
                         << "; name it, or make it static";
  slots.push_back(std::move(slot));
  return success();
}

LogicalResult EntryAnnotator::nameSlots() {
  llvm::StringSet<> taken;
  for (Slot &slot : slots)
    if (!slot.name.empty() && !taken.insert(slot.name).second)
      return error(slot) << "another argument or result has this attn.name too";
  for (Slot &slot : slots) {
    std::string base = (slot.isResult ? "result" : "arg") + std::to_string(slot.index);
    while (slot.name.empty()) {
      if (taken.insert(base).second)
        slot.name = base;
      base += "_";
    }
  }
  return success();
}

/// Finds the symbol of each class of argument dimensions: first those that are given, then defaults for the others.
LogicalResult EntryAnnotator::collectSymbols() {
  for (Slot &slot : slots)
    for (int64_t dim = 0; !slot.isResult && dim < slot.type.getRank(); ++dim) {
      StringRef given = givenSymbol(slot, dim);
      if (given.empty())
        continue;
      argumentSymbols.insert(given);
      auto [entry, inserted] = symbols.try_emplace(extents.classOf(slot.value, dim), given);
      if (!inserted && entry->second != given)
        return error(slot) << "attn.shape names dimension " << dim << " \"" << given << "\", but the function needs it "
                           << "to be equal to \"" << entry->second << "\"; give both one name";
    }
  for (Slot &slot : slots)
    for (int64_t dim = 0; !slot.isResult && dim < slot.type.getRank(); ++dim) {
      if (!slot.type.isDynamicDim(dim) || symbols.count(extents.classOf(slot.value, dim)))
        continue;
      std::string symbol = slot.name + "_" + std::to_string(dim);
      while (!argumentSymbols.insert(symbol).second)
        symbol += "_";
      symbols[extents.classOf(slot.value, dim)] = symbol;
    }
  return success();
}

LogicalResult EntryAnnotator::shapeArgument(Slot &slot) {
  Builder builder(function.getContext());
  for (int64_t dim = 0; dim < slot.type.getRank(); ++dim) {
    if (!slot.type.isDynamicDim(dim)) {
      slot.shape.push_back(builder.getI64IntegerAttr(slot.type.getDimSize(dim)));
      continue;
    }
    unsigned id = extents.classOf(slot.value, dim);
    if (std::optional<int64_t> size = extents.constantOf(id))
      return error(slot) << "dimension " << dim << " is dynamic, but the function needs it to be " << *size
                         << "; make it static";
    slot.shape.push_back(builder.getStringAttr(symbols[id]));
  }
  return success();
}

LogicalResult EntryAnnotator::shapeResult(Slot &slot) {
  Builder builder(function.getContext());
  for (int64_t dim = 0; dim < slot.type.getRank(); ++dim) {
    if (!slot.type.isDynamicDim(dim)) {
      slot.shape.push_back(builder.getI64IntegerAttr(slot.type.getDimSize(dim)));
      continue;
    }
    unsigned id = extents.classOf(slot.value, dim);
    StringRef given = givenSymbol(slot, dim);
    if (std::optional<int64_t> size = extents.constantOf(id))
      return error(slot) << "dimension " << dim << " is dynamic, but is always " << *size << "; make it static";
    auto derived = symbols.find(id);
    if (derived != symbols.end()) {
      StringRef own = originOf(function, given), other = originOf(function, derived->second);
      DimAttr known = getDim(function, own);
      bool sameTerms = own == other || (known && known.getTerms() && known == getDim(function, other));
      if (!given.empty() && given != derived->second && !sameTerms)
        return error(slot) << "attn.shape names dimension " << dim << " \"" << given << "\", but it is \""
                           << derived->second << "\"";
      slot.shape.push_back(builder.getStringAttr(derived->second));
      continue;
    }
    if (given.empty())
      return error(slot) << "dimension " << dim << " of " << slot.type << " can't be derived from the arguments' "
                         << "dimensions; name it with attn.shape";
    DimAttr known = getDim(function, given);
    if (!argumentSymbols.contains(given) && !(known && known.getTerms()))
      return error(slot) << "attn.shape names dimension " << dim << " \"" << given
                         << "\", which is no dimension of an argument";
    slot.shape.push_back(builder.getStringAttr(given));
  }
  return success();
}

LogicalResult EntryAnnotator::run() {
  Block &body = function.getBody().front();
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    if (failed(addSlot(/*isResult=*/false, i, argument.getType(), argument)))
      return failure();
  auto returned = llvm::dyn_cast<func::ReturnOp>(function.getBody().back().getTerminator());
  if (!returned || !function.getBody().hasOneBlock())
    return function.emitError() << "entry '" << function.getName()
                                << "': must be one block that ends with func.return; use scf for control flow";
  for (auto [i, value] : llvm::enumerate(returned.getOperands()))
    if (failed(addSlot(/*isResult=*/true, i, value.getType(), value)))
      return failure();

  if (failed(nameSlots()) || failed(collectSymbols()))
    return failure();
  Builder builder(function.getContext());
  for (Slot &slot : slots) {
    if (failed(slot.isResult ? shapeResult(slot) : shapeArgument(slot)))
      return failure();
    if (slot.isResult) {
      function.setResultAttr(slot.index, kNameAttr, builder.getStringAttr(slot.name));
      function.setResultAttr(slot.index, kShapeAttr, builder.getArrayAttr(slot.shape));
    } else {
      function.setArgAttr(slot.index, kNameAttr, builder.getStringAttr(slot.name));
      function.setArgAttr(slot.index, kShapeAttr, builder.getArrayAttr(slot.shape));
    }
  }
  return success();
}

LogicalResult attn::annotateEntries(ModuleOp module) {
  bool any = false;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic())
      continue;
    any = true;
    if (failed(EntryAnnotator(function).run()))
      return failure();
  }
  if (!any)
    return module.emitError() << "the module has no entry: no public func.func";
  return success();
}
