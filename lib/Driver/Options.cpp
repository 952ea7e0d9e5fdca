//===- Options.cpp - The command line of attnc -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Options.h"
#include "Outputs.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"

using namespace attn;
using namespace llvm::opt;

namespace {

enum ID {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

#define OPTTABLE_STR_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

constexpr OptTable::Info kInfos[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

class Table : public GenericOptTable {
public:
  Table() : GenericOptTable(OptionStrTable, OptionPrefixesTable, kInfos) {}
};

llvm::Error fail(const llvm::Twine &message) { return llvm::createStringError(message); }

llvm::Expected<Stage> stageOf(llvm::StringRef option, llvm::StringRef value) {
  if (std::optional<Stage> stage = parseStage(value))
    return *stage;
  return fail("unknown stage '" + value + "' in " + option + "; the stages are " + stageNames());
}

llvm::Expected<std::vector<std::string>> parseTargets(llvm::StringRef list) {
  std::vector<std::string> targets;
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  for (llvm::StringRef name : names) {
    name = name.trim();
    if (name == "host") {
      llvm::Expected<const Target *> host = hostTarget();
      if (!host)
        return host.takeError();
      name = (*host)->name;
    }
    if (!lookupTarget(name))
      return fail("unknown target '" + name + "'; the targets are host, " + targetNames());
    if (llvm::is_contained(targets, name))
      return fail("target '" + name + "' is named twice in --target");
    targets.push_back(name.str());
  }
  // The runtime takes the first that the processor runs, so the more capable of a family comes first.
  llvm::sort(targets, [](const std::string &a, const std::string &b) { return lookupTarget(a) < lookupTarget(b); });
  llvm::StringRef triple = lookupTarget(targets.front())->triple;
  for (const std::string &name : targets)
    if (lookupTarget(name)->triple != triple)
      return fail("targets '" + targets.front() + "' and '" + name +
                  "' are different architectures; write one library "
                  "for each");
  return targets;
}

/// --diagnostics, --progress and --quiet.
llvm::Error readMessageOptions(const InputArgList &args, CompilationOptions &options) {
  llvm::StringRef format = args.getLastArgValue(OPT_diagnostics_EQ, "text");
  if (format != "text" && format != "json")
    return fail("unknown format '" + format + "' in --diagnostics; the formats are text and json");
  options.diagnostics = format == "json" ? DiagnosticFormat::Json : DiagnosticFormat::Text;

  llvm::StringRef style = args.getLastArgValue(OPT_progress_EQ, "auto");
  auto parsed = llvm::StringSwitch<std::optional<ProgressStyle>>(style)
                    .Case("auto", ProgressStyle::Auto)
                    .Case("line", ProgressStyle::Line)
                    .Case("plain", ProgressStyle::Plain)
                    .Case("none", ProgressStyle::None)
                    .Default(std::nullopt);
  if (!parsed)
    return fail("unknown style '" + style + "' in --progress; the styles are auto, line, plain and none");
  options.progress = *parsed;
  if (args.hasArg(OPT_quiet)) {
    if (args.hasArg(OPT_progress_EQ) && options.progress != ProgressStyle::None)
      return fail("--quiet contradicts --progress=" + style);
    options.progress = ProgressStyle::None;
  }
  return llvm::Error::success();
}

/// --before-stage=STAGE:PIPELINE, any number of times.
llvm::Error readExtraPipelines(const InputArgList &args, CompilationOptions &options) {
  for (const std::string &value : args.getAllArgValues(OPT_before_stage_EQ)) {
    auto [flag, pipeline] = llvm::StringRef(value).split(':');
    llvm::Expected<Stage> stage = stageOf("--before-stage", flag);
    if (!stage)
      return stage.takeError();
    if (*stage == Stage::Import || *stage == Stage::Emit)
      return fail("--before-stage=" + flag + ": there is no module before import, and emit takes what lower leaves");
    if (pipeline.empty())
      return fail("--before-stage=" + value + " names no passes; write --before-stage=" + flag +
                  ":'builtin.module(…)'");
    if (*stage > options.to || (options.fromGiven && *stage <= options.from))
      return fail("--before-stage=" + flag + " names a stage that does not run");
    options.beforeStage.push_back({*stage, pipeline.str()});
  }
  return llvm::Error::success();
}

/// --shape=NAME=1x?x384, any number of times.
llvm::Error readShapes(const InputArgList &args, CompilationOptions &options) {
  for (const std::string &value : args.getAllArgValues(OPT_shape_EQ)) {
    auto [name, list] = llvm::StringRef(value).rsplit('=');
    InputShape shape{name.str(), {}};
    llvm::SmallVector<llvm::StringRef> sizes;
    if (!list.empty())
      list.split(sizes, 'x');
    for (llvm::StringRef size : sizes) {
      int64_t number = 0;
      bool isNumber = !size.getAsInteger(10, number) && number >= 0;
      if (!isNumber && size != "?")
        return fail("--shape=" + value + ": '" + size + "' is no size; write NAME=SIZES such as ids=1x?x384");
      shape.sizes.push_back(isNumber ? std::optional(number) : std::nullopt);
    }
    if (shape.name.empty())
      return fail("--shape=" + value + " names no input; write NAME=SIZES such as ids=1x?x384");
    for (const InputShape &other : options.shapes)
      if (other.name == shape.name)
        return fail("--shape is given twice for input '" + shape.name + "'");
    options.shapes.push_back(std::move(shape));
  }
  if (!options.shapes.empty() && options.fromGiven && options.from != Stage::Import)
    return fail("--shape contradicts --compile-from: inputs get their sizes in the stage import");
  return llvm::Error::success();
}

llvm::Error readOptions(const InputArgList &args, CompilationOptions &options) {
  if (llvm::Error error = readMessageOptions(args, options))
    return error;
  options.models = args.getAllArgValues(OPT_INPUT);
  if (options.models.empty())
    return fail("no model given; name a model directory or file, or see --help");

  llvm::StringRef kind = args.getLastArgValue(OPT_emit_EQ, "shared");
  auto parsed = llvm::StringSwitch<std::optional<OutputKind>>(kind)
                    .Case("shared", OutputKind::Shared)
                    .Case("static", OutputKind::Static)
                    .Case("object", OutputKind::Object)
                    .Case("asm", OutputKind::Assembly)
                    .Case("llvm", OutputKind::LLVM)
                    .Case("mlir", OutputKind::MLIR)
                    .Default(std::nullopt);
  if (!parsed)
    return fail("unknown kind '" + kind + "' in --emit; the kinds are shared, static, object, asm, llvm and mlir");
  options.kind = *parsed;

  if (const Arg *arg = args.getLastArg(OPT_compile_from_EQ)) {
    llvm::Expected<Stage> stage = stageOf("--compile-from", arg->getValue());
    if (!stage)
      return stage.takeError();
    if (*stage == Stage::Emit)
      return fail("--compile-from=emit: nothing follows that stage");
    options.from = *stage;
    options.fromGiven = true;
  }
  if (const Arg *arg = args.getLastArg(OPT_compile_to_EQ)) {
    llvm::Expected<Stage> stage = stageOf("--compile-to", arg->getValue());
    if (!stage)
      return stage.takeError();
    options.to = *stage;
    if (*stage != Stage::Emit) {
      if (args.hasArg(OPT_emit_EQ) && options.kind != OutputKind::MLIR)
        return fail("--compile-to=" + llvm::Twine(arg->getValue()) + " writes MLIR and contradicts --emit=" + kind);
      options.kind = OutputKind::MLIR;
    }
  } else if (options.kind == OutputKind::MLIR) {
    options.to = Stage::Lower;
  }
  if (options.to == Stage::Emit && options.kind == OutputKind::MLIR)
    return fail("--emit=mlir contradicts --compile-to=emit");
  if (options.fromGiven && options.to < options.from)
    return fail("--compile-to=" + llvm::Twine(infoOf(options.to).flag) +
                " comes before --compile-from=" + infoOf(options.from).flag);

  if (options.models.size() > 1 && options.from != Stage::Import)
    return fail("--compile-from=" + llvm::Twine(infoOf(options.from).flag) + " goes on with one module, got " +
                llvm::Twine(options.models.size()));
  options.listOps = args.hasArg(OPT_list_ops);
  options.output = args.getLastArgValue(OPT_output).str();
  if (options.output.empty() && (options.kind == OutputKind::MLIR || options.listOps))
    options.output = "-";
  if (options.output.empty())
    return fail("no output given; add -o OUT, for example -o libmodel.so");
  bool isText =
      options.kind == OutputKind::MLIR || options.kind == OutputKind::Assembly || options.kind == OutputKind::LLVM;
  if (options.output == "-" && !isText && !options.listOps)
    return fail("--emit=" + kind + " is not text and needs a file; add -o OUT");

  llvm::Expected<std::vector<std::string>> targets = parseTargets(args.getLastArgValue(OPT_target_EQ, "host"));
  if (!targets)
    return targets.takeError();
  options.targets = std::move(*targets);
  if (args.hasArg(OPT_target_EQ) && options.from > Stage::Schedule)
    return fail("--target contradicts --compile-from=" + llvm::Twine(infoOf(options.from).flag) +
                ": targets are assigned in the stage schedule");
  if (llvm::Error error = readShapes(args, options))
    return error;
  options.name = args.getLastArgValue(OPT_name_EQ).str();
  options.dumpStages = args.getLastArgValue(OPT_dump_stages_EQ).str();
  options.report = args.getLastArgValue(OPT_report_EQ).str();
  options.explain = args.hasArg(OPT_explain);
  llvm::StringRef paddedRows = args.getLastArgValue(OPT_padded_rows_EQ, "computed");
  if (paddedRows != "computed" && paddedRows != "undefined")
    return fail("--padded-rows is '" + paddedRows + "', expected computed or undefined");
  options.undefinedPaddedRows = paddedRows == "undefined";
  for (const std::string &name : options.targets)
    if (options.undefinedPaddedRows && lookupTarget(name)->isGpu())
      return fail("--padded-rows=undefined: the code for " + llvm::Twine(name) +
                  " computes all rows, as that of all GPUs does");
  if (options.undefinedPaddedRows && options.fromGiven && options.from >= Stage::Fuse)
    return fail("--padded-rows contradicts --compile-from=" + llvm::Twine(infoOf(options.from).flag) +
                ": padding is removed in the stage fuse");
  options.time = args.hasArg(OPT_time);
  if (!options.report.empty() && (options.to < Stage::Memory || (options.fromGiven && options.from >= Stage::Kernel)))
    return fail("--report describes the ops as the stage memory leaves them, and that stage does not run");
  if (const Arg *arg = args.getLastArg(OPT_crash_in_EQ)) {
    llvm::Expected<Stage> stage = stageOf("--crash-in", arg->getValue());
    if (!stage)
      return stage.takeError();
    options.crashIn = *stage;
  }
  // Progress between the lines of a text helps nobody.
  if (options.progress == ProgressStyle::Auto && options.output == "-")
    options.progress = ProgressStyle::None;
  if (llvm::Error error = readExtraPipelines(args, options))
    return error;
  return options.listOps ? llvm::Error::success() : checkDistinctOutputs(options);
}

} // namespace

llvm::Expected<ParsedCommandLine> attn::parseCommandLine(llvm::ArrayRef<const char *> arguments) {
  Table table;
  unsigned missingIndex = 0, missingCount = 0;
  InputArgList args = table.ParseArgs(arguments, missingIndex, missingCount);
  if (missingCount)
    return fail("option '" + llvm::StringRef(args.getArgString(missingIndex)) + "' needs a value");
  for (const Arg *arg : args.filtered(OPT_UNKNOWN)) {
    std::string option = arg->getAsString(args), nearest;
    if (table.findNearest(option, nearest) <= 2)
      return fail("unknown option '" + option + "'; did you mean '" + nearest + "'?");
    return fail("unknown option '" + option + "'; see --help");
  }
  ParsedCommandLine parsed;
  if (args.hasArg(OPT_help))
    parsed.request = Request::Help;
  else if (args.hasArg(OPT_version))
    parsed.request = Request::Version;
  else if (args.hasArg(OPT_list_targets))
    parsed.request = Request::ListTargets;
  else if (args.hasArg(OPT_list_ops) && !args.hasArg(OPT_INPUT))
    parsed.request = Request::ListOps;
  else if (llvm::Error error = readOptions(args, parsed.options))
    return error;
  return parsed;
}

DiagnosticFormat attn::peekDiagnosticFormat(llvm::ArrayRef<const char *> arguments) {
  bool json = false;
  for (llvm::StringRef argument : arguments)
    if (argument.consume_front("--diagnostics="))
      json = argument == "json";
  return json ? DiagnosticFormat::Json : DiagnosticFormat::Text;
}

void attn::printHelp(llvm::raw_ostream &os) {
  Table().printHelp(os, "attnc MODEL -o OUT [options]", "attnc: compiles an attention model to a native library");
  os << "\nSTAGES:\n";
  for (const StageInfo &info : allStages())
    os << "  " << llvm::left_justify(info.flag, 10) << info.what << "\n";
  os << "\nMLIR that is written is there to be compiled further: it names the model's files by the paths that MODEL "
        "led "
        "to.\nLibraries hold no paths.\n";
}
