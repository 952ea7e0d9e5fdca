# ===- entry.py - An entry of a model as a Python function -----------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What an entry takes and gives comes from the library's tables. A call describes
# the caller's arrays, makes those outputs that the caller did not bring, and is
# then one call of the library's run.
#
# ===------------------------------------------------------------------------===#
import ctypes as c
import functools
import operator
from typing import NamedTuple

from . import _abi, dlpack, gpu_arrays
from .errors import Error


def text(raw):
    """A string of the library's."""
    return raw.decode("utf-8", "replace")


def thread_count(threads):
    """`threads` as the C interface's int32, where 0 is the default."""
    try:
        count = 0 if threads is None else operator.index(threads)
    except TypeError:
        raise Error("INVALID_ARGUMENT", f"threads is {threads!r}, expected an integer") from None
    if not 0 <= count < 2**31:
        raise Error("INVALID_ARGUMENT", f"threads is {count}, expected 0 (the default) to {2**31 - 1}")
    return count


class Dim(NamedTuple):
    """A symbolic dimension; max is None where there is no bound."""

    name: str
    min: int
    max: "int | None"


class Tensor(NamedTuple):
    """An input or output. Sizes in shape are numbers or names of dimensions; values of an input with a range have to
    lie in range(*index_range). An output that begins with an input, such as a cache that grows, says with `continues`
    which: it may be written into an array that has the input as its beginning; then only what is new is written."""

    name: str
    dtype: str
    shape: tuple
    index_range: "tuple | None"
    continues: "str | None" = None


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

    def __contains__(self, key):
        return key in self._names if isinstance(key, str) else super().__contains__(key)

    def __reduce__(self):
        return Result, (self._names, tuple(self))

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


class Entry:
    """A function of a model; call it with its inputs, in order, by name, or as one dict of names.

    out       arrays to write the outputs to: a sequence in order, or a dict (NumPy for those not in it). One that
              continues an input (Tensor.continues) may share its memory:

                  cache = numpy.empty((batch, heads, room, channels), numpy.float32)
                  step(token, past=cache[:, :, :n], out={"present": cache[:, :, : n + 1]})
    threads   threads that may work; None or 0: the library's default
    stream    on a GPU: the CUDA stream as a number; None: torch's current one, or the default one without torch

    On a GPU all arrays are tensors there, of torch or whatever speaks DLPack; new outputs are torch's. The call returns
    when the work is queued; the library's `synchronize` waits for it and raises what went wrong.
    """

    def __init__(self, library, index, desc):
        self._library, self._index, self._desc = library, index, desc
        self.name = self.__name__ = text(desc.name)
        self.dims = tuple(
            Dim(text(d.name), d.min, None if d.max == 2**63 - 1 else d.max) for d in desc.dims[: desc.num_dims]
        )
        self.inputs = tuple(self._tensor(d) for d in desc.inputs[: desc.num_inputs])
        self.outputs = tuple(self._tensor(d) for d in desc.outputs[: desc.num_outputs])
        self._output_names = tuple(tensor.name for tensor in self.outputs)

    def _tensor(self, desc):
        shape = tuple(size if size >= 0 else self.dims[-1 - size].name for size in desc.shape[: desc.rank])
        bounds = (desc.index_begin, desc.index_end) if desc.index_begin < desc.index_end else None
        continues = text(self._desc.inputs[desc.state - 1].name) if desc.state else None
        return Tensor(text(desc.name), dlpack.dtype_name(desc.dtype_code, desc.dtype_bits), shape, bounds, continues)

    def __repr__(self):
        show = lambda tensors: ", ".join(f"{t.name}: {t.dtype}[{', '.join(map(str, t.shape))}]" for t in tensors)
        return f"<attn entry {self.name}({show(self.inputs)}) -> ({show(self.outputs)})>"

    @property
    def target(self):
        """The name of the target whose code runs on this machine."""
        with self._library._context() as context:
            return text(self._library._table.target(context, self._index))

    def __call__(self, *args, out=None, threads=None, stream=None, **kwargs):
        values, library = self._bind(args, kwargs), self._library
        gpu = library._gpu is not None
        if gpu and stream is None:
            stream = gpu_arrays.current_stream(library._gpu)
        with library._context(stream if gpu else None) as context:
            inputs, keep = self._describe(values, self._desc.inputs, self.inputs, False, gpu)
            outputs = self._outputs(context, inputs, out)
            tensors, keep_outputs = self._describe(outputs, self._desc.outputs, self.outputs, True, gpu)
            options = None
            if threads is not None or gpu:
                options = _abi.RunOptions(size=c.sizeof(_abi.RunOptions), threads=thread_count(threads))
            if gpu:
                options.stream = stream
            library._check(
                context,
                library._table.run(
                    context, self._index, inputs, len(self.inputs), tensors, len(self.outputs), options
                ),
            )
        for (_, owners), desc in zip(keep_outputs, self._desc.outputs):
            dlpack.finish(owners, desc)
        del keep
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
    def _describe(values, descs, infos, output, gpu):
        """A C array of pointers to the values' DLTensors, and what keeps them alive."""
        pairs = [dlpack.describe(v, info.name, descs[i], output, gpu) for i, (v, info) in enumerate(zip(values, infos))]
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
        outputs, empty = [], dlpack.empty
        if library._gpu is not None:
            empty = functools.partial(gpu_arrays.empty, library._gpu)
        for name, desc, shape, rank in zip(self._output_names, self._desc.outputs, shapes, ranks):
            if name in given:
                outputs.append(given[name])
                continue
            try:
                outputs.append(empty(tuple(shape[:rank]), desc.dtype_code, desc.dtype_bits))
            except (MemoryError, ValueError) as error:
                raise Error("NO_MEMORY", f"output '{name}' of shape {tuple(shape[:rank])}: {error}") from error
        return outputs
