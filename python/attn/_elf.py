# ===- _elf.py - Whether a library's file is whole --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The system's loader maps the segments that a file says it has. Where the file was
# cut, touching such a page ends the process instead of raising an error.
#
# ===------------------------------------------------------------------------===#
import os
import struct

_HEADER = struct.Struct("<16x H H I Q Q Q I H H H")
_SEGMENT = struct.Struct("<I I Q Q Q Q Q Q")


def why_truncated(path):
    """Why the file lacks bytes that its headers speak of, or None. What is no 64-bit ELF file the loader refuses."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = file.read(_HEADER.size)
            if header[:6] != b"\x7fELF\x02\x01" or len(header) < _HEADER.size:
                return None
            fields = _HEADER.unpack_from(header)
            table, entry_bytes, count = fields[4], fields[8], fields[9]
            ends = [table + entry_bytes * count]
            if ends[0] <= size and entry_bytes >= _SEGMENT.size:
                file.seek(table)
                segments = file.read(entry_bytes * count)
                for i in range(count):
                    _, _, offset, _, _, file_bytes, _, _ = _SEGMENT.unpack_from(segments, i * entry_bytes)
                    ends.append(offset + file_bytes)
    except OSError:
        return None  # the loader has a better message
    if max(ends) <= size:
        return None
    return f"it is truncated: the file has {size} bytes, and its headers speak of {max(ends)}"
