# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the lines of a README's example occur in the named program, in their order.

python readme_lines.py README.md PROGRAM: the block is the one after `<!-- example: …/PROGRAM -->`; indentation is free.
"""

import re
import sys


def main():
    readme, program = sys.argv[1:]
    with open(readme) as file:
        text = file.read()
    name = re.escape(program.rsplit("/", 1)[-1])
    block = re.search(rf"<!-- example: \S*{name} -->\s*```\w*\n(.*?)```", text, re.DOTALL)
    if not block:
        sys.exit(f"{readme} has no example that names {program}")
    with open(program) as file:
        lines = iter([line.strip() for line in file])
    wanted = [line.strip() for line in block.group(1).splitlines() if line.strip()]
    for line in wanted:
        if line not in lines:  # goes on behind the line that was found before
            sys.exit(f"{program} does not have the README's line, or not there: {line}")
    print(f"{len(wanted)} lines of the README are in {program}")


if __name__ == "__main__":
    main()
