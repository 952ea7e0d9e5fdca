# ===- library.py - A compiled model as Python objects --------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Entries are callables; their names, shapes and dtypes come from the library. A
# context serves one thread at a time, so calls take one from a pool, and calls
# from several threads run side by side.
#
# ===------------------------------------------------------------------------===#
import ctypes as c
import os
import sys
import threading
from _ctypes import dlclose
from typing import NamedTuple

from . import _abi, dlpack
from .errors import Error


class Dim(NamedTuple):
    """A symbolic dimension; max is None where there is no bound."""

    name: str
    min: int
    max: "int | None"


class Tensor(NamedTuple):
    """An input or output. Sizes in shape are numbers or names of dimensions; values of an input with a range have to
    lie in range(*index_range)."""

    name: str
    dtype: str
    shape: tuple
    index_range: "tuple | None"


class Result(tuple):
    """An entry's outputs: in order, by name as an attribute, or by name as a key."""

    def __new__(cls, names, values):
        result = super().__new__(cls, values)
        result._names = names
        return result

    def __getitem__(self, key):
        if isinstance(key, str):
            try:
                return super().__getitem__(self._names.index(key))
            except ValueError:
                raise KeyError(key) from None
        return super().__getitem__(key)

    def __getattr__(self, name):
        if name.startswith("__") or name == "_names" or name not in self._names:
            raise AttributeError(f"no output '{name}'; there is {', '.join(self.__dict__.get('_names', ()))}")
        return self[name]

    def keys(self):
        return self._names

    def values(self):
        return tuple(self)

    def items(self):
        return tuple(zip(self._names, self))

    def __repr__(self):
        return "Result(" + ", ".join(f"{name}={value!r}" for name, value in self.items()) + ")"


def _text(raw):
    return raw.decode("utf-8", "replace")


class Entry:
    """A function of a model; call it with its inputs, in order, by name, or as one dict of names.

    out       arrays to write the outputs to: a sequence in order, or a dict (NumPy for those not in it)
    threads   threads that may work; None: the library's default
    """

    def __init__(self, library, index, desc):
        self._library, self._index, self._desc = library, index, desc
        self.name = self.__name__ = _text(desc.name)
        self.dims = tuple(
            Dim(_text(d.name), d.min, None if d.max == 2**63 - 1 else d.max) for d in desc.dims[: desc.num_dims]
        )
        self.inputs = tuple(self._tensor(d) for d in desc.inputs[: desc.num_inputs])
        self.outputs = tuple(self._tensor(d) for d in desc.outputs[: desc.num_outputs])
        self._output_names = tuple(tensor.name for tensor in self.outputs)

    def _tensor(self, desc):
        shape = tuple(size if size >= 0 else self.dims[-1 - size].name for size in desc.shape[: desc.rank])
        bounds = (desc.index_begin, desc.index_end) if desc.index_begin < desc.index_end else None
        return Tensor(_text(desc.name), dlpack.dtype_name(desc.dtype_code, desc.dtype_bits), shape, bounds)

    def __repr__(self):
        show = lambda tensors: ", ".join(f"{t.name}: {t.dtype}[{', '.join(map(str, t.shape))}]" for t in tensors)
        return f"<attn entry {self.name}({show(self.inputs)}) -> ({show(self.outputs)})>"

    @property
    def target(self):
        """The name of the target whose code runs on this machine."""
        with self._library._context() as context:
            return _text(self._library._table.target(context, self._index))

    def __call__(self, *args, out=None, threads=None, **kwargs):
        values, library = self._bind(args, kwargs), self._library
        with library._context() as context:
            inputs, keep = self._describe(values, self._desc.inputs, self.inputs, False)
            outputs = self._outputs(context, inputs, out)
            tensors, keep_outputs = self._describe(outputs, self._desc.outputs, self.outputs, True)
            options = None
            if threads is not None:
                options = _abi.RunOptions(size=c.sizeof(_abi.RunOptions), threads=threads)
            library._check(
                context,
                library._table.run(
                    context, self._index, inputs, len(self.inputs), tensors, len(self.outputs), options
                ),
            )
        del keep, keep_outputs
        return Result(self._output_names, outputs)

    def _bind(self, args, kwargs):
        names = [tensor.name for tensor in self.inputs]
        if len(args) == 1 and isinstance(args[0], dict):
            args, kwargs = (), {**args[0], **kwargs}
        if len(args) > len(names):
            raise Error("INVALID_ARGUMENT", f"entry '{self.name}' takes {len(names)} inputs, not {len(args)}")
        bound = dict(zip(names, args))
        for name, value in kwargs.items():
            if name not in names:
                raise Error("INVALID_ARGUMENT", f"entry '{self.name}' has no input '{name}', only {', '.join(names)}")
            if name in bound:
                raise Error("INVALID_ARGUMENT", f"entry '{self.name}' got input '{name}' twice")
            bound[name] = value
        missing = [name for name in names if name not in bound]
        if missing:
            raise Error("INVALID_ARGUMENT", f"entry '{self.name}' also wants {', '.join(missing)}")
        return [bound[name] for name in names]

    @staticmethod
    def _describe(values, descs, infos, output):
        """A C array of pointers to the values' DLTensors, and what keeps them alive."""
        pairs = [dlpack.describe(v, info.name, descs[i], output) for i, (v, info) in enumerate(zip(values, infos))]
        pointers = (c.POINTER(_abi.DLTensor) * max(1, len(pairs)))(*[c.pointer(tensor) for tensor, _ in pairs])
        return pointers, pairs

    def _outputs(self, context, inputs, out):
        """The caller's arrays, and new ones for the rest."""
        count = len(self.outputs)
        if out is None:
            given = {}
        elif isinstance(out, dict):
            given = out
        elif isinstance(out, (tuple, list)):
            if len(out) != count:
                raise Error("INVALID_ARGUMENT", f"entry '{self.name}' has {count} outputs, out holds {len(out)}")
            given = dict(zip(self._output_names, out))
        elif count == 1:
            given = {self._output_names[0]: out}
        else:
            raise Error("INVALID_ARGUMENT", f"entry '{self.name}' has {count} outputs: out must be a sequence or dict")
        unknown = set(given) - set(self._output_names)
        if unknown:
            raise Error("INVALID_ARGUMENT", f"entry '{self.name}' has no output '{sorted(unknown)[0]}'")
        if len(given) == count:
            return [given[name] for name in self._output_names]
        ranks = [desc.rank for desc in self._desc.outputs[:count]]
        shapes = [(c.c_int64 * max(1, rank))() for rank in ranks]
        table = (c.POINTER(c.c_int64) * count)(*[c.cast(shape, c.POINTER(c.c_int64)) for shape in shapes])
        library = self._library
        library._check(
            context, library._table.output_shapes(context, self._index, inputs, len(self.inputs), table, count)
        )
        outputs = []
        for name, desc, shape, rank in zip(self._output_names, self._desc.outputs, shapes, ranks):
            if name in given:
                outputs.append(given[name])
                continue
            try:
                outputs.append(dlpack.empty(tuple(shape[:rank]), desc.dtype_code, desc.dtype_bits))
            except (MemoryError, ValueError) as error:
                raise Error("NO_MEMORY", f"output '{name}' of shape {tuple(shape[:rank])}: {error}") from error
        return outputs


class _Borrowed:
    """A context for the time of a with block."""

    def __init__(self, library):
        self.library = library

    def __enter__(self):
        self.context = self.library._take()
        return self.context

    def __exit__(self, *_):
        self.library._give(self.context)


class Library:
    """A loaded model. Entries are items (`library["minilm"]`) and, where their names allow, attributes.

    close(), a with block, or the garbage collector unloads it.
    """

    def __init__(self, path, target=None, threads=None):
        self.path = os.path.abspath(os.fspath(path))
        self._lock, self._free, self._busy, self._handle = threading.Lock(), [], 0, None
        self._create = _abi.CreateOptions(
            c.sizeof(_abi.CreateOptions), target.encode() if target is not None else None, threads or 0, 0
        )
        self._open()
        try:
            self.name = _text(self._table.name)
            entries = [Entry(self, i, self._table.entries[i]) for i in range(self._table.num_entries)]
            self.entries = {entry.name: entry for entry in entries}
            # Says now, not at the first call, that this processor cannot run the model.
            self._give(self._take())
        except BaseException:
            self.close()
            raise

    def _open(self):
        if not os.path.isfile(self.path):
            raise Error("LOAD", f"cannot load '{self.path}': no such file")
        try:
            self._handle = c.CDLL(self.path)
        except OSError as error:
            reason = str(error).removeprefix(self.path + ": ")
            raise Error("LOAD", f"cannot load '{self.path}': {reason}") from None
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

    def _take(self):
        with self._lock:
            if self._handle is None:
                raise Error("INVALID_ARGUMENT", f"'{self.path}' is closed")
            self._busy += 1
            if self._free:
                return self._free.pop()
        context, error = _abi.Context(), _abi.Error()
        code = self._table.create(c.byref(self._table), c.byref(self._create), c.byref(context), c.byref(error))
        if code:
            with self._lock:
                self._busy -= 1
            raise Error(_text(self._table.code_name(code)), _text(error.message))
        return context.value

    def _give(self, context):
        with self._lock:
            self._busy -= 1
            self._free.append(context)

    def _context(self):
        return _Borrowed(self)

    def _check(self, context, code):
        if code:
            message = self._table.last_error(context)[0].message
            raise Error(_text(self._table.code_name(code)), _text(message))

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
            for context in self._free:
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


def load(path, *, target=None, threads=None):
    """Loads a shared library that the compiler wrote.

    target    take the code for this target, not the best one that the processor runs
    threads   default number of threads of a run; None: the processors that the process may use
    """
    return Library(path, target=target, threads=threads)
