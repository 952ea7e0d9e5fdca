# ===- test_scripts.py - The scripts that people start --------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What can be tested without installing anything: that they parse, what setup does
# about Python where the tools that it calls are stand-ins, and that the count at the
# end of tools/check cannot call a broken run a success.
#
# ===------------------------------------------------------------------------===#
import os
import pathlib
import shutil
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


# All packages are installed; a build does nothing; an interpreter makes environments whose pip does nothing.
STANDINS = {
    "dpkg-query": "echo installed",
    "cmake": "touch build/build.ninja",
    "ninja": "true",
    "good-python": """
        echo "$*" >> calls
        if [ "$2" = venv ]; then mkdir -p .venv/bin && cp "$0" .venv/bin/python; fi""",
    "old-python": "exit 1",
}


@pytest.fixture
def setup(tmp_path):
    """Runs a copy of tools/setup in an empty project; returns its code, its errors and what Python was called for."""
    (tmp_path / "tools").mkdir()
    for name in ("setup", "requirements.txt"):
        shutil.copy(TOOLS / name, tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    for name, text in STANDINS.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + text + "\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(python):
        (tmp_path / "calls").write_text("")
        path = str(tmp_path / "bin") + os.pathsep + os.environ["PATH"]
        environment = {**os.environ, "PATH": path, "ATTN_PYTHON": python}
        done = subprocess.run([tmp_path / "tools/setup"], env=environment, capture_output=True, text=True)
        return done.returncode, done.stderr.splitlines(), (tmp_path / "calls").read_text()

    run.root = tmp_path
    return run


def test_setup_without_a_usable_python(setup):
    for python in ("old-python", "no-such-python"):
        code, errors, _ = setup(python)
        assert (code, len(errors)) == (1, 1)
        assert errors[0].startswith(f"setup: {python}: no Python 3.11 or newer with venv; install python3-venv")


def test_setup_makes_a_half_made_environment_anew(setup):
    (setup.root / ".venv/bin").mkdir(parents=True)
    python = setup.root / ".venv/bin/python"
    python.write_text("#!/bin/sh\nexit 1\n")  # as one without pip
    python.chmod(0o755)
    code, errors, calls = setup("good-python")
    assert (code, errors) == (0, [])
    assert "-m venv --clear .venv" in calls and "-m pip install" in calls
    # It is complete now.
    assert setup("old-python") == (0, [], "")


def test_setup_goes_on_with_an_environment_that_has_pip(setup):
    (setup.root / ".venv/bin").mkdir(parents=True)
    shutil.copy(setup.root / "bin/good-python", setup.root / ".venv/bin/python")
    code, errors, calls = setup("old-python")
    assert (code, errors) == (0, []) and "venv" not in calls and "-m pip install" in calls


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
