# ===- count-tests.py - Add up the results of several test suites -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python count-tests.py SUITE.xml...
#
# CTest, lit and pytest all write JUnit files; this prints a line for each and one
# for all. Exits 1 if a test failed, or a suite is missing or ran nothing.
#
# ===------------------------------------------------------------------------===#
import os
import sys
import xml.etree.ElementTree as xml


def count(path):
    """Passed, failed and skipped test cases of one file; none where it is missing or damaged."""
    try:
        cases = list(xml.parse(path).getroot().iter("testcase"))
    except (OSError, xml.ParseError):
        return 0, 0, 0
    has = lambda case, *tags: any(case.find(tag) is not None for tag in tags)
    failed = sum(has(case, "failure", "error") for case in cases)
    skipped = sum(has(case, "skipped") and not has(case, "failure", "error") for case in cases)
    return len(cases) - failed - skipped, failed, skipped


total, complete = [0, 0], True
for path in sys.argv[1:]:
    passed, failed, skipped = count(path)
    name = os.path.splitext(os.path.basename(path))[0]
    print(f"{name}: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    if passed + failed == 0:
        print(f"{name}: no test ran")
        complete = False
    total = [total[0] + passed, total[1] + failed]
print(f"{total[0]} passed, {total[1]} failed")
sys.exit(0 if complete and total[1] == 0 else 1)
