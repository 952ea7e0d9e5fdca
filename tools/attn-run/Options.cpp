//===- Options.cpp - The command line of attn-run ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table of options with the function that takes each value; unknown names are answered with the nearest known one.
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <functional>
#include <vector>

using namespace attn;
using namespace attn::run;
using llvm::StringRef;

StringRef run::helpText() {
  return R"(USAGE: attn-run LIB [options]

Runs an entry of a compiled model. LIB is a shared library that attnc wrote.

What runs:
  --entry NAME            the entry; the first one if not given
  --target NAME           take the code for this target instead of the best one that the processor runs
  --threads N             threads that may work; 0 (the default) means the processors that the process may use

Inputs:
  --input NAME=FILE.npy   read an input from a file
  --input NAME=random     random values: floats in [-1, 1), ids within their bounds, other integers 0 or 1
  --input NAME=zeros|ones
                          Inputs not given are random, but for integers without bounds (masks), which are ones.
  --shape NAME=8x128      the shape of an input; '?' leaves a dimension open
  --dim NAME=8            the size of a symbolic dimension; what nothing fixes is 1
  --seed N                of the random values (1)

What happens:
  --list                  print entries, names, shapes and dtypes, and run nothing
  --output DIR            write each output to DIR/NAME.npy
  --check REF.npz         take arrays named like inputs as inputs, compare those named like outputs; exit 1 above:
  --tolerance X           largest absolute difference that --check accepts (2e-5)
  --bench                 time runs: min, mean and percentiles, GFLOP/s, share of the FMA peak
  --bench-seconds X       how long to time (1)
  --help, --version
)";
}

static llvm::Error bad(StringRef option, StringRef value, StringRef expected) {
  return makeError(option + " expects " + expected + ", not '" + value + "'");
}

/// Splits NAME=VALUE.
static llvm::Error splitPair(StringRef option, StringRef argument, StringRef expected, StringRef &name,
                             StringRef &value) {
  size_t at = argument.rfind('=');
  if (at == StringRef::npos || at == 0 || at + 1 == argument.size())
    return bad(option, argument, expected);
  name = argument.take_front(at);
  value = argument.drop_front(at + 1);
  return llvm::Error::success();
}

template <typename T>
static llvm::Error setInteger(StringRef option, StringRef value, T min, T max, StringRef expected, T &result) {
  T parsed;
  if (value.getAsInteger(10, parsed) || parsed < min || parsed > max)
    return bad(option, value, expected);
  result = parsed;
  return llvm::Error::success();
}

static llvm::Error setNumber(StringRef option, StringRef value, StringRef expected, double &result) {
  double parsed;
  if (value.getAsDouble(parsed) || !(parsed >= 0) || !std::isfinite(parsed))
    return bad(option, value, expected);
  result = parsed;
  return llvm::Error::success();
}

static llvm::Error addInput(Options &options, StringRef argument) {
  StringRef name, value;
  if (auto error = splitPair("--input", argument, "NAME=FILE.npy, NAME=random, NAME=zeros or NAME=ones", name, value))
    return error;
  if (!options.inputs.emplace(name.str(), value.str()).second)
    return makeError("--input gives '" + name + "' twice");
  return llvm::Error::success();
}

static llvm::Error addShape(Options &options, StringRef argument) {
  constexpr StringRef expected = "NAME=8x128";
  StringRef name, value;
  if (auto error = splitPair("--shape", argument, expected, name, value))
    return error;
  llvm::SmallVector<StringRef> parts;
  llvm::SmallVector<int64_t> shape;
  if (value != "scalar")
    value.split(parts, 'x');
  for (StringRef part : parts) {
    int64_t size = -1;
    if (part != "?" && (part.getAsInteger(10, size) || size < 0))
      return bad("--shape", argument, expected);
    shape.push_back(size);
  }
  if (!options.shapes.emplace(name.str(), shape).second)
    return makeError("--shape gives '" + name + "' twice");
  return llvm::Error::success();
}

static llvm::Error addDim(Options &options, StringRef argument) {
  StringRef name, value;
  int64_t size = 0;
  if (auto error = splitPair("--dim", argument, "NAME=8", name, value))
    return error;
  if (auto error = setInteger<int64_t>("--dim", value, 0, INT64_MAX, "a size of at least 0", size))
    return error;
  if (!options.dims.emplace(name.str(), size).second)
    return makeError("--dim gives '" + name + "' twice");
  return llvm::Error::success();
}

namespace {
struct Option {
  StringRef name;
  bool *flag; ///< For options without a value.
  std::function<llvm::Error(StringRef)> take;
};
} // namespace

static std::vector<Option> optionTable(Options &o) {
  auto text = [](std::string &target) {
    return [&target](StringRef value) {
      target = value.str();
      return llvm::Error::success();
    };
  };
  return {
      {"entry", nullptr, text(o.entry)},
      {"input", nullptr, [&](StringRef v) { return addInput(o, v); }},
      {"shape", nullptr, [&](StringRef v) { return addShape(o, v); }},
      {"dim", nullptr, [&](StringRef v) { return addDim(o, v); }},
      {"output", nullptr, text(o.output)},
      {"check", nullptr, text(o.check)},
      {"target", nullptr, text(o.target)},
      {"tolerance", nullptr, [&](StringRef v) { return setNumber("--tolerance", v, "a number >= 0", o.tolerance); }},
      {"threads", nullptr,
       [&](StringRef v) { return setInteger<int32_t>("--threads", v, 0, 4096, "a number from 0 to 4096", o.threads); }},
      {"seed", nullptr,
       [&](StringRef v) { return setInteger<uint64_t>("--seed", v, 0, UINT64_MAX, "a number", o.seed); }},
      {"bench-seconds", nullptr,
       [&](StringRef v) { return setNumber("--bench-seconds", v, "a number of seconds", o.benchSeconds); }},
      {"bench", &o.bench, {}},
      {"list", &o.list, {}},
      {"help", &o.help, {}},
      {"version", &o.version, {}},
  };
}

static llvm::Error unknown(StringRef argument, StringRef name, const std::vector<Option> &table) {
  const Option *nearest = nullptr;
  unsigned best = 3;
  for (const Option &option : table)
    if (unsigned distance = name.edit_distance(option.name, true, best); distance < best) {
      best = distance;
      nearest = &option;
    }
  if (nearest)
    return makeError("unknown option '" + argument + "'; did you mean '--" + nearest->name + "'?");
  return makeError("unknown option '" + argument + "'; --help lists all");
}

llvm::Expected<Options> run::parseOptions(llvm::ArrayRef<const char *> arguments) {
  Options options;
  std::vector<Option> table = optionTable(options);
  for (size_t i = 0; i < arguments.size(); ++i) {
    StringRef argument = arguments[i];
    if (!argument.starts_with("-") || argument == "-") {
      if (!options.library.empty())
        return makeError("one library at a time: got '" + options.library + "' and '" + argument + "'");
      if (argument.empty())
        return makeError("the library's name is empty");
      options.library = argument.str();
      continue;
    }
    bool hasValue = argument.contains('=');
    StringRef name = argument.ltrim('-').split('=').first, value = argument.split('=').second;
    auto option = llvm::find_if(table, [&](const Option &o) { return o.name == name; });
    if (option == table.end())
      return unknown(argument, name, table);
    if (option->flag) {
      if (hasValue)
        return makeError("--" + name + " takes no value");
      *option->flag = true;
      continue;
    }
    if (!hasValue) {
      if (++i == arguments.size())
        return makeError("--" + name + " needs a value");
      value = arguments[i];
    }
    if (value.empty())
      return makeError("--" + name + " needs a value");
    if (llvm::Error error = option->take(value))
      return std::move(error);
  }
  if (options.library.empty() && !options.help && !options.version)
    return makeError("no library given; usage: attn-run LIB [options], --help lists all");
  return options;
}
