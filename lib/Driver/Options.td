//===- Options.td - The command line of attnc -----------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parsed by LLVM's option library, which keeps no state: compilations in several threads have options of their own.
//
//===----------------------------------------------------------------------===//

include "llvm/Option/OptParser.td"

def output_group : OptionGroup<"<output>">, HelpText<"Output">;
def target_group : OptionGroup<"<target>">, HelpText<"Target">;
def stage_group : OptionGroup<"<stage>">, HelpText<"Stages">;
def insight_group : OptionGroup<"<insight>">, HelpText<"Insight">;
def general_group : OptionGroup<"<general>">, HelpText<"General">;

class Value<string name, string help, string meta, OptionGroup group> : Joined<["--"], name # "=">, HelpText<help>,
    MetaVarName<meta>, Group<group>;
class Flag_<string name, string help, OptionGroup group> : Flag<["--"], name>, HelpText<help>, Group<group>;

def output : JoinedOrSeparate<["-"], "o">, HelpText<"Write the output to this file; '-' is standard output for text">,
    MetaVarName<"OUT">, Group<output_group>;
def emit_EQ : Value<"emit", "What to write: shared (default), static, object, asm, llvm or mlir", "KIND", output_group>;
def name_EQ : Value<"name", "Prefix of symbols and of the header's name (default: OUT's stem without lib)", "PREFIX",
                    output_group>;
def shape_EQ : Value<"shape", "Sizes of an input of an ONNX model, such as ids=1x?; '?' leaves one as it is", "NAME=SIZES",
                     target_group>;
def target_EQ : Value<"target", "Targets, best first: host (default) or names, separated by commas", "NAMES",
                      target_group>;
def padded_rows_EQ : Value<"padded-rows", "Rows of outputs after a sequence's end, as the attention mask says it: computed "
                                          "(default), or undefined, so that they cost no time", "HOW",
                           target_group>;
def compile_to_EQ : Value<"compile-to", "Stop after this stage and write MLIR", "STAGE", stage_group>;
def compile_from_EQ : Value<"compile-from", "MODEL is MLIR text as written after this stage", "STAGE", stage_group>;
def dump_stages_EQ : Value<"dump-stages", "Write the module after each stage to this folder", "DIR", stage_group>;
def before_stage_EQ : Value<"before-stage", "Run passes before a stage's own, such as tile:'builtin.module(cse)'",
                            "STAGE:PIPELINE", stage_group>;
def crash_in_EQ : Joined<["--"], "crash-in=">, Flags<[HelpHidden]>, MetaVarName<"STAGE">, Group<stage_group>,
                  HelpText<"Crash when this stage begins">;
def explain : Flag_<"explain", "Say what was fused and scheduled, what was not, and why", insight_group>;
def report_EQ : Value<"report", "Write how each op runs (kernel, vectorized, scalar) to this file as JSON", "FILE",
                      insight_group>;
def time : Flag_<"time", "Print how long each stage took", insight_group>;
def list_ops : Flag_<"list-ops", "Print MODEL's ops with their counts, or without MODEL all attn ops, and exit",
                     insight_group>;
def diagnostics_EQ : Value<"diagnostics", "How messages are printed: text (default) or json, an object a line", "FORMAT",
                           insight_group>;
def progress_EQ : Value<"progress", "Progress as one line that changes (line), as a line for each step (plain), none, or "
                                    "auto (default): line on a terminal, else plain", "STYLE", insight_group>;
def quiet : Flag_<"quiet", "The same as --progress=none", insight_group>;
def list_targets : Flag_<"list-targets", "Print the names of the targets and exit", target_group>;
def help : Flag_<"help", "Print this and exit", general_group>;
def version : Flag_<"version", "Print the version and exit", general_group>;
