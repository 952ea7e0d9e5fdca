# ===- compiler.py - The compiler, in this process ------------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# attn.compile is attnc's command line with Python's spelling: an option x_y=v is
# --x-y=v, so what attnc learns, this function can.
#
# ===------------------------------------------------------------------------===#
import atexit
import ctypes as c
import logging
import os
import pathlib
import shutil
import tempfile

from .errors import Error

_MESSAGE = c.CFUNCTYPE(None, c.c_char_p, c.c_void_p)
_log = logging.getLogger("attn")
_library = None


def _candidates():
    """Where the compiler's library may be: the build that was asked for, the wheel's, the source tree's."""
    here = pathlib.Path(__file__).resolve().parent
    build = os.environ.get("ATTN_BUILD_DIR")
    if build:
        yield pathlib.Path(build) / "lib"
        return
    yield here / "lib"
    yield here.parent.parent / "build" / "lib"


def _load():
    global _library
    if _library is None:
        tried = [directory / "libAttnC.so" for directory in _candidates()]
        path = next((path for path in tried if path.exists()), None)
        if path is None:
            raise Error(
                "COMPILE",
                "the compiler's library is missing, looked for "
                + ", ".join(map(str, tried))
                + "; build the project, or set ATTN_BUILD_DIR to its build directory",
            )
        try:
            library = c.CDLL(str(path))
        except OSError as error:
            raise Error("COMPILE", f"cannot load the compiler's library: {error}") from None
        library.attnCompile.argtypes = [c.c_int, c.POINTER(c.c_char_p), _MESSAGE, c.c_void_p]
        library.attnCompile.restype = c.c_int
        _library = library
    return _library


def _scratch():
    """A directory that goes when the interpreter does."""
    directory = tempfile.mkdtemp(prefix="attn-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return pathlib.Path(directory)


def _flags(options):
    for key, value in options.items():
        flag = "--" + key.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            yield flag
        elif isinstance(value, dict):  # shape={"x": (1, None, 384)}
            for name, sizes in value.items():
                yield f"{flag}={name}=" + "x".join("?" if size is None else str(size) for size in sizes)
        elif isinstance(value, (list, tuple)):
            yield f"{flag}=" + ",".join(map(str, value))
        else:
            yield f"{flag}={os.fspath(value) if isinstance(value, os.PathLike) else value}"


def compile(path, output=None, *, target=None, name=None, emit="shared", on_message=None, **options):
    """Compiles a model and returns the path of what was written.

    path         the model: a Hugging Face directory, MLIR text or bytecode; or a list of files
    output       the file to write; None: a temporary one that lives as long as the interpreter
    target       a target's name or several, the first choice first; None: this machine
    name         prefix of the C symbols; None: the output's stem without "lib"
    emit         "shared", "static", "object", "asm", "llvm" or "mlir"
    on_message   is called with each message of a compilation that succeeds, progress included; None: remarks go to
                 the logger "attn"
    options      attnc's other options with '_' for '-': explain=True, shape={"x": (1, None, 384)}

    Raises Error with the compiler's messages.
    """
    models = [os.fspath(p) for p in (path if isinstance(path, (list, tuple)) else [path])]
    if output is None:
        stem = name or pathlib.Path(models[0]).resolve().stem
        suffix = {"shared": ".so", "static": ".a", "object": ".o", "asm": ".s", "llvm": ".ll"}.get(emit, "." + emit)
        output = _scratch() / f"lib{stem}{suffix}"
    output = pathlib.Path(output)
    flags = _flags({"quiet": on_message is None, "name": name, "target": target, "emit": emit, **options})
    arguments = [os.fsencode(a) for a in ("attnc", *models, "-o", os.fspath(output), *flags)]
    messages = []
    library = _load()
    report = _MESSAGE(lambda text, _: messages.append(text.decode("utf-8", "replace")))
    code = library.attnCompile(len(arguments), (c.c_char_p * len(arguments))(*arguments), report, None)
    if code:
        raise Error("COMPILE", "\n".join(messages) or f"the compiler stopped with code {code} and no message")
    for message in messages:
        (on_message or _log.info)(message)
    return output
