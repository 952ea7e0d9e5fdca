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
import sys
import tempfile
import threading

from .errors import Error

_MESSAGE = c.CFUNCTYPE(None, c.c_char_p, c.c_void_p)
_LISTS = ("help", "version", "list_targets", "list_ops")
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
        library.attnCancellationCreate.restype = c.c_void_p
        library.attnCancellationDestroy.argtypes = library.attnCancel.argtypes = [c.c_void_p]
        library.attnCancellationDestroy.restype = library.attnCancel.restype = None
        library.attnCompileCancellable.argtypes = [c.c_int, c.POINTER(c.c_char_p), _MESSAGE, c.c_void_p, c.c_void_p]
        library.attnCompileCancellable.restype = c.c_int
        _library = library
    return _library


def _scratch():
    """A directory that goes when the interpreter does."""
    directory = tempfile.mkdtemp(prefix="attn-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return pathlib.Path(directory)


class _Run:
    """One run of attnc's command line, in a thread of its own: Python handles signals only between its own
    instructions, and so in a thread that waits, but not in one that compiles."""

    def __init__(self, arguments):
        self.library, self.code = _load(), None
        self.arguments = (c.c_char_p * len(arguments))(*arguments)
        self.messages = messages = []
        self.report = _MESSAGE(lambda text, _: messages.append(text.decode("utf-8", "replace")))
        self.cancellation = self.library.attnCancellationCreate()
        self.done = threading.Event()

    def __del__(self):
        if hasattr(self, "cancellation"):
            self.library.attnCancellationDestroy(self.cancellation)

    def _run(self):
        try:
            self.code = self.library.attnCompileCancellable(
                len(self.arguments), self.arguments, self.report, None, self.cancellation
            )
        finally:
            self.done.set()

    def wait(self):
        """Returns when it has ended. What a signal's handler raises, Ctrl-C's KeyboardInterrupt above all, cancels it
        and is raised when it has ended."""
        thread = threading.Thread(target=self._run, name="attn.compile")
        raised = None
        try:
            thread.start()
            self.done.wait()
        except BaseException as error:
            raised = error
        if raised is not None:
            self.library.attnCancel(self.cancellation)
            if thread.ident is not None:
                self.done.wait()
            raise raised


def _flags(options):
    for key, value in options.items():
        flag = "--" + key.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            yield flag
        else:
            for one in value if isinstance(value, (list, tuple)) else [value]:
                yield f"{flag}={os.fsdecode(one) if isinstance(one, os.PathLike) else one}"


def _suffix(emit, options):
    """What the name of a temporary output ends with."""
    if emit is None:
        emit = "shared" if options.get("compile_to") in (None, "emit") else "mlir"
    return {"shared": ".so", "static": ".a", "object": ".o", "asm": ".s", "llvm": ".ll"}.get(emit, f".{emit}")


def _is_module(model):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def compile(path, *args, **options):
    """Compiles a model and returns the path of what was written.

        compile(path, output=None, *, target=None, name=None, emit=None, on_message=None, **options)
        compile(module, example_inputs, *, dynamic_shapes=None, output=None, ...)

    path         the model: a Hugging Face directory, or a file of ONNX or MLIR
    module       a torch.nn.Module, and what it is called with; see attn.torch.export
    output       the file to write; None: a temporary one that lives as long as the interpreter
    target       a target's name or several, the first choice first; None: this machine
    name         prefix of the C symbols; None: the output's stem without "lib"
    emit         "shared", "static", "object", "asm", "llvm" or "mlir"; None: "shared", or "mlir" with compile_to=
    on_message   is called with each message of a compilation that succeeds, progress included; None: remarks go to
                 the logger "attn"
    options      attnc's other options with '_' for '-': explain=True, report="report.json"; a list gives an option
                 more than once: before_stage=["fuse:cse", "tile:cse"]

    Raises Error with the compiler's messages. Ctrl-C cancels the compilation, and then nothing was written.
    """
    if _is_module(path):
        from . import torch

        return torch.compile(path, *args, **options)
    return _compile(path, *args, **options)


def _compile(path, output=None, *, target=None, name=None, emit=None, on_message=None, **options):
    try:
        model = os.fsdecode(path)
        output = None if output is None else pathlib.Path(os.fsdecode(output))
    except TypeError as error:
        raise Error("INVALID_ARGUMENT", f"the path of one model and of one output are wanted: {error}") from None
    for option in _LISTS:
        if options.get(option):
            flag = option.replace("_", "-")
            raise Error("INVALID_ARGUMENT", f"{option} asks for a text, not for a compilation: use attnc --{flag}")
    if output is None:
        output = _scratch() / f"lib{name or pathlib.Path(os.path.abspath(model)).stem}{_suffix(emit, options)}"
    if isinstance(target, (list, tuple)):
        target = ",".join(map(str, target))
    quiet = on_message is None and not options.get("progress")
    flags = _flags({"quiet": quiet, "name": name, "target": target, "emit": emit, **options})
    arguments = [os.fsencode(argument) for argument in ("attnc", model, "-o", str(output), *flags)]
    if any(b"\0" in argument for argument in arguments):
        raise Error("INVALID_ARGUMENT", "a path or an option has a zero byte, which the system's names cannot")
    run = _Run(arguments)
    run.wait()
    if run.code:
        raise Error("COMPILE", "\n".join(run.messages) or f"the compiler stopped with code {run.code} and no message")
    for message in run.messages:
        (on_message or _log.info)(message)
    return output
