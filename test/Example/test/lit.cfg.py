# ===- lit.cfg.py - The example's tests -------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
import os

import lit.formats

config.name = "attn-example"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.example_build, "test")
config.environment["PATH"] = os.pathsep.join((config.example_build, config.llvm_tools, os.environ.get("PATH", "")))
