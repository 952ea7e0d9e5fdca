# ===- conftest.py - What the Python tests share ----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The package comes from the source tree, the libraries from the build that
# ATTN_BUILD_DIR names (build/ if it is not set).
#
# ===------------------------------------------------------------------------===#
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ATTN_BUILD_DIR", ROOT / "build"))
os.environ["ATTN_BUILD_DIR"] = str(BUILD)


def pytest_configure():
    """Python must have AddressSanitizer's runtime preloaded to load a library that needs it."""
    cache = BUILD / "CMakeCache.txt"
    if cache.exists() and "-fsanitize=address" in cache.read_text() and "asan" not in os.environ.get("LD_PRELOAD", ""):
        pytest.exit(f"{BUILD} has AddressSanitizer: cmake --build {BUILD} --target check-attn-python", returncode=1)


@pytest.fixture(scope="session")
def test_library():
    """A hand-written model; its entry `add` computes y = x + ids and total = the sum of y over each row."""
    path = BUILD / "test" / "unit" / "libAttnRuntimeTestPlugin.so"
    assert path.exists(), f"{path} is missing: build the target AttnRuntimeTestPlugin"
    return path


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    """A small random BERT: its directory, its config and its tensors."""
    import random_bert

    directory = tmp_path_factory.mktemp("bert")
    config = random_bert.config_of()
    tensors = random_bert.weights_of(config)
    random_bert.write(str(directory), config, tensors)
    return directory, config, tensors


@pytest.fixture(scope="session")
def bert_library(bert, tmp_path_factory):
    """The same, compiled by attn.compile for this machine."""
    import attn

    return attn.compile(bert[0], tmp_path_factory.mktemp("library") / "libbert.so")
