# ===- test_install.py - What a wheel holds ---------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The wheel's backend copies the package and installs the component `python` into
# the same place; here CMake does that without the backend and without a network.
#
# ===------------------------------------------------------------------------===#
import os
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Runs Python where only the installed package can be found."""
    prefix = tmp_path_factory.mktemp("site packages")
    shutil.copytree(ROOT / "python" / "attn", prefix / "attn", ignore=shutil.ignore_patterns("__pycache__"))
    command = ["cmake", "--install", BUILD, "--component", "python", "--prefix", prefix]
    subprocess.run(command, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(prefix), "PATH": os.defpath}
    del environment["ATTN_BUILD_DIR"]

    def run(code, *arguments):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, env=environment, cwd=prefix, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.prefix = prefix
    return run


def test_contents(installed):
    files = {str(path.relative_to(installed.prefix)) for path in installed.prefix.rglob("*") if path.is_file()}
    sources = {f"attn/{path.name}" for path in (ROOT / "python" / "attn").glob("*.py")}
    assert files == sources | {"attn/lib/libAttnC.so", "attn/bin/attnc", "attn/bin/attn-run"}


def test_compiles_and_runs(installed, bert, tmp_path):
    code = """if True:
        import sys, numpy, attn
        assert attn.__file__.startswith(sys.argv[3]), attn.__file__
        with attn.load(attn.compile(sys.argv[1], sys.argv[2])) as model:
            ids = numpy.ones((1, 3), numpy.int64)
            print(model(ids, ids, 0 * ids).last_hidden_state.shape)
    """
    hidden = bert[1]["hidden_size"]
    assert installed(code, bert[0], tmp_path / "libbert.so", installed.prefix) == f"(1, 3, {hidden})\n"


def scripts():
    """The console scripts of pyproject.toml: name and function."""
    lines = (ROOT / "pyproject.toml").read_text().split("[project.scripts]")[1].split("[")[0].split("\n")
    return [tuple(part.strip(' "') for part in line.split("=")) for line in lines if line]


def test_console_scripts(installed):
    assert [name for name, _ in scripts()] == ["attnc", "attn-run"]
    for name, target in scripts():
        module, function = target.split(":")
        assert installed(f"import {module}; {module}.{function}()", "--version").startswith(name + " ")


def test_a_package_without_its_tools():
    code = "import attn._tools; attn._tools.attnc()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "this package was not installed as a wheel" in done.stderr
