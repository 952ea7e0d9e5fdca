# ===- test_scripts.py - The scripts that people start --------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What can be tested without installing anything: that they parse, and that the
# count at the end of tools/check cannot call a broken run a success.
#
# ===------------------------------------------------------------------------===#
import pathlib
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"


@pytest.mark.parametrize("name", ("setup", "check", "demo"))
def test_scripts_parse_and_are_executable(name):
    script = TOOLS / name
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


def count(*paths):
    run = subprocess.run([sys.executable, TOOLS / "count-tests.py", *paths], capture_output=True, text=True)
    return run.returncode, run.stdout.splitlines()


@pytest.fixture
def suite(tmp_path):
    def write(name, *cases):
        path = tmp_path / f"{name}.xml"
        path.write_text("<testsuites><testsuite>" + "".join(cases) + "</testsuite></testsuites>")
        return path

    return write


GOOD, BAD, ERROR, SKIP = (
    f"<testcase name='x'>{inside}</testcase>" for inside in ("", "<failure/>", "<error/>", "<skipped/>")
)


def test_counts_are_summed(suite):
    assert count(suite("unit", GOOD, GOOD, SKIP), suite("lit", GOOD)) == (
        0,
        ["unit: 2 passed, 0 failed, 1 skipped", "lit: 1 passed, 0 failed", "3 passed, 0 failed"],
    )


def test_failures_fail(suite):
    assert count(suite("unit", GOOD, BAD, ERROR)) == (1, ["unit: 1 passed, 2 failed", "1 passed, 2 failed"])


def test_a_suite_that_did_not_run_fails(suite, tmp_path):
    good = suite("unit", GOOD)
    damaged = tmp_path / "damaged.xml"
    damaged.write_text("<testsuite>")
    for other in (suite("lit"), suite("skipped", SKIP), tmp_path / "none.xml", damaged):
        code, lines = count(good, other)
        assert code == 1
        assert lines[-2:] == [f"{other.stem}: no test ran", "1 passed, 0 failed"]
