# ===- library.py - A compiled model as Python objects --------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Entries are callables (entry.py). A context serves one thread at a time, so calls
# take one from a pool, and calls from several threads run side by side.
#
# The system's loader knows a library by its name: a file that was compiled anew
# under the name of a loaded one would not even be opened. So every load spells the
# path in a way of its own, and the loader goes by the file itself.
#
# ===------------------------------------------------------------------------===#
import ctypes as c
import itertools
import os
import sys
import threading
import weakref
from _ctypes import dlclose

from . import _abi, _elf, gpu_arrays
from .entry import Entry, text, thread_count
from .errors import Error

_loads = itertools.count(1)
_loading = threading.Lock()
_live = weakref.WeakSet()  # the libraries that were opened


def _own_spelling(path):
    """The path of the same file, in a spelling that no load before this one had."""
    directory, name = os.path.split(path)
    return directory + "/" + "".join("./" if digit == "1" else "/" for digit in f"{next(_loads):b}") + name


def _device(name):
    """The fields of the create options for "cpu", "cuda", "cuda:1", "auto" or None."""
    kind, colon, number = (name if isinstance(name, str) else "").partition(":")
    if name is None or name == "auto":
        return 0, 0, int(name == "auto")
    if kind == "cuda" and (not colon or number.isdecimal() and int(number) < 2**31):
        return _abi.CUDA, int(number or 0), 0
    if name == "cpu":
        return _abi.CPU, 0, 0
    raise Error("INVALID_ARGUMENT", f"device is {name!r}, expected 'cpu', 'cuda', 'cuda:NUMBER' or 'auto'")


class _Borrowed:
    """A context for the time of a with block."""

    def __init__(self, library, stream):
        self.library, self.stream = library, stream

    def __enter__(self):
        self.context = self.library._take(self.stream)
        return self.context

    def __exit__(self, *_):
        self.library._give(self.context, self.stream)


class Library:
    """A loaded model. Entries are items (`library["minilm"]`) and, where their names allow, attributes; a model with one
    entry can be called itself.

    close(), a with block, or the garbage collector unloads it.
    """

    def __init__(self, path, target=None, threads=None, device=None):
        self._handle = None
        try:
            self.path = os.path.abspath(os.fsdecode(path))
        except TypeError as error:
            raise Error("INVALID_ARGUMENT", f"the path of a library is wanted: {error}") from None
        if not isinstance(target, (str, type(None))):
            raise Error("INVALID_ARGUMENT", f"target is {target!r}, expected a name")
        # Contexts that nobody uses, by the stream that their last run may still be at work on; None on the CPU.
        self._lock, self._free, self._busy = threading.Lock(), {}, 0
        self._create = _abi.CreateOptions(
            c.sizeof(_abi.CreateOptions), None if target is None else target.encode(), thread_count(threads), 0, *_device(device)
        )
        self._open()
        try:
            self.name = text(self._table.name)
            entries = [Entry(self, i, self._table.entries[i]) for i in range(self._table.num_entries)]
            self.entries = {entry.name: entry for entry in entries}
            # Says now, not at the first call, that this processor cannot run the model.
            with self._context() as context:
                target = self._table.target(context, 0) if entries else b""
            # The number of the GPU that contexts run on, None for the CPU.
            self._gpu = self._create.device_id if target.startswith(b"sm_") else None
        except BaseException:
            self.close()
            raise

    def _open(self):
        if truncated := _elf.why_truncated(self.path):
            raise Error("LOAD", f"cannot load '{self.path}': {truncated}")
        if not os.path.isfile(self.path):
            raise Error("LOAD", f"cannot load '{self.path}': no such file")
        path = _own_spelling(self.path)
        with _loading:
            try:
                status = os.stat(path)
                self._file = (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns)
                for other in _live:
                    if other._handle is not None and other._file[0] == self._file[0] and other._file != self._file:
                        raise OSError(
                            "it was written over while it was loaded; close the library before, or write to another "
                            "file and rename that, as the compiler does"
                        )
                self._handle = c.CDLL(path)
            except OSError as error:
                reason = str(error).removeprefix(path + ": ")
                raise Error("LOAD", f"cannot load '{self.path}': {reason}") from None
            _live.add(self)
        try:
            get = self._handle.attn_library_v1
        except AttributeError:
            self._unload()
            raise Error(
                "LOAD", f"cannot load '{self.path}': it is no compiled model (it does not export attn_library_v1)"
            ) from None
        get.restype, get.argtypes = c.POINTER(_abi.Library), []
        table = get()
        wrong = None
        if not table:
            wrong = "attn_library_v1 returned nothing"
        elif table[0].abi_version != _abi.VERSION:
            wrong = f"it speaks ABI version {table[0].abi_version}, this package version {_abi.VERSION}"
        elif table[0].size < c.sizeof(_abi.Library):
            wrong = f"its table is too short, {table[0].size} bytes"
        if wrong:
            self._unload()
            raise Error("LOAD", f"cannot load '{self.path}': {wrong}")
        self._table = table[0]

    def _take(self, stream):
        with self._lock:
            if self._handle is None:
                raise Error("INVALID_ARGUMENT", f"'{self.path}' is closed")
            self._busy += 1
            free = self._free.get(stream)
            if free:
                return free.pop()
        context, error = _abi.Context(), _abi.Error()
        code = self._table.create(c.byref(self._table), c.byref(self._create), c.byref(context), c.byref(error))
        if code:
            with self._lock:
                self._busy -= 1
            raise Error(text(self._table.code_name(code)), text(error.message))
        return context.value

    def _give(self, context, stream):
        with self._lock:
            self._busy -= 1
            self._free.setdefault(stream, []).append(context)

    def _context(self, stream=None):
        return _Borrowed(self, stream)

    def synchronize(self, stream=None):
        """Waits on a GPU for the runs of a stream (None: torch's current one) and raises what went wrong in the last run
        of each context. On the CPU runs have ended when they return."""
        if self._gpu is None:
            return
        if stream is None:
            stream = gpu_arrays.current_stream(self._gpu)
        with self._lock:
            contexts, self._free[stream] = self._free.get(stream, []), []
            self._busy += len(contexts)
        errors = []
        for context in contexts:
            if code := self._table.status(context, stream):
                message = self._table.last_error(context)[0].message
                errors.append(Error(text(self._table.code_name(code)), text(message)))
            self._give(context, stream)
        if errors:
            raise errors[0]

    def _check(self, context, code):
        if code:
            message = self._table.last_error(context)[0].message
            raise Error(text(self._table.code_name(code)), text(message))

    def _unload(self):
        handle, self._handle = self._handle, None
        if handle is not None:
            dlclose(handle._handle)

    def close(self):
        """Frees the contexts and unloads the library. An error while a call is running."""
        with self._lock:
            if self._busy:
                raise Error("BUSY", f"'{self.path}' is running in another thread")
            if self._handle is None:
                return
            for contexts in self._free.values():
                for context in contexts:
                    self._table.destroy(context)
            self._free.clear()
            self._unload()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        # An object whose _open failed has nothing to free, one that is running is not collected, and when the
        # interpreter ends the system frees more safely than half-gone modules could.
        if getattr(self, "_handle", None) is not None and not sys.is_finalizing():
            self.close()

    def __call__(self, *args, **kwargs):
        if len(self.entries) != 1:
            raise Error("INVALID_ARGUMENT", f"the library has several entries, name one of {', '.join(self.entries)}")
        (entry,) = self.entries.values()
        return entry(*args, **kwargs)

    def __getitem__(self, name):
        try:
            return self.entries[name]
        except KeyError:
            raise Error("INVALID_ARGUMENT", f"no entry '{name}'; there is {', '.join(self.entries)}") from None

    def __getattr__(self, name):
        entries = self.__dict__.get("entries", {})
        if name in entries:
            return entries[name]
        raise AttributeError(f"no entry or attribute '{name}'; entries are {', '.join(entries)}")

    def __dir__(self):
        return [*super().__dir__(), *self.entries]

    def __repr__(self):
        return f"<attn library {self.name}: {', '.join(self.entries)}>"


def load(path, *, target=None, threads=None, device=None):
    """Loads a shared library that the compiler wrote.

    target    take the code for this target, not the best one that the processor runs
    threads   default number of threads of a run; None: the processors that the process may use
    device    "cpu", or "cuda" or "cuda:1" for a GPU: where the code runs and all tensors lie. None: a GPU where the
              library has code for one, else the CPU; "auto": the same, but the CPU where no GPU runs that code
    """
    return Library(path, target=target, threads=threads, device=device)
