# ===- harness.py - Hand-written models through attnc against NumPy ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A case is MLIR text, weights, inputs and a float64 meaning written in NumPy,
# which shares no code with the compiler. It is compiled once for all targets
# and run for each target that this machine has, with one thread and with
# several. Every buffer the library gets ends at a page that cannot be touched,
# the workspace is exactly as large as it asked for, and outputs and workspace
# hold NaNs before the run: an element nobody wrote, a read of something nobody
# wrote and a step over the end of a buffer all show.
#
# ===------------------------------------------------------------------------===#
import argparse
import ctypes as c
import faulthandler
import itertools
import os
import subprocess
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))
import native  # noqa: E402
from attn import _abi  # noqa: E402  (native put the package on the path)

native.NUMPY.setdefault((0, 16), np.int16)
native.NUMPY.setdefault((4, 16), np.uint16)  # bf16, as raw bits
TARGETS = ("x86-64-v4", "x86-64-v3")
TOLERANCE = 2e-5
PAGE = os.sysconf("SC_PAGE_SIZE")

libc = c.CDLL(None, use_errno=True)
libc.mmap.restype = c.c_void_p
libc.mmap.argtypes = [c.c_void_p, c.c_size_t, c.c_int, c.c_int, c.c_int, c.c_long]
libc.mprotect.argtypes = [c.c_void_p, c.c_size_t, c.c_int]
libc.munmap.argtypes = [c.c_void_p, c.c_size_t]


class Guarded:
    """`size` bytes of 0xff between pages that cannot be touched; the end touches the second one."""

    def __init__(self, size):
        self.pages = -(-max(size, 1) // PAGE) * PAGE
        self.base = libc.mmap(None, self.pages + 2 * PAGE, 3, 0x22, -1, 0)  # read and write, private, anonymous
        if self.base is None or self.base == 2**64 - 1:
            raise MemoryError(f"mmap of {size} bytes")
        for page in (self.base, self.base + PAGE + self.pages):
            if libc.mprotect(page, PAGE, 0):
                raise OSError("mprotect")
        self.address, self.size = self.base + PAGE + self.pages - size, size
        c.memset(self.base + PAGE, 0xFF, self.pages)

    def array(self, shape, dtype):
        count = int(np.prod(shape, dtype=np.int64))
        buffer = (c.c_uint8 * (count * np.dtype(dtype).itemsize)).from_address(self.address)
        return np.frombuffer(buffer, dtype, count).reshape(shape)

    def free(self):
        libc.munmap(self.base, self.pages + 2 * PAGE)


WorkspaceSize = c.CFUNCTYPE(
    c.c_int, c.c_void_p, c.c_uint32, _abi.Tensors, c.c_size_t, _abi.Tensors, c.c_size_t, c.c_int32,
    c.POINTER(c.c_size_t),
)  # fmt: skip


def run(library, inputs, threads, entry=0):
    """Runs an entry with everything between guard pages; outputs by name, as arrays of their own."""
    desc, buffers, keep = library.table.entries[entry], [], []

    def tensor(array_desc, shape):
        dtype = native.numpy_dtype(array_desc)
        buffers.append(Guarded(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize))
        array = buffers[-1].array(shape, dtype)
        dims = (c.c_int64 * max(1, len(shape)))(*shape)
        kind = _abi.DLDataType(array_desc.dtype_code, array_desc.dtype_bits, array_desc.dtype_lanes)
        keep.append((array, dims))
        return array, _abi.DLTensor(buffers[-1].address, _abi.DLDevice(1, 0), len(shape), kind, dims, None, 0)

    def pointers(tensors):
        keep.append(tensors)
        return (c.POINTER(_abi.DLTensor) * max(1, len(tensors)))(*[c.pointer(t) for t in tensors])

    tensors = []
    for i in range(desc.num_inputs):
        value = np.asarray(inputs[desc.inputs[i].name.decode()])
        array, dl = tensor(desc.inputs[i], value.shape)
        array[...] = value
        tensors.append(dl)
    ins = pointers(tensors)
    shapes = [(c.c_int64 * max(1, desc.outputs[i].rank))() for i in range(desc.num_outputs)]
    table = (c.POINTER(c.c_int64) * max(1, len(shapes)))(*[c.cast(s, c.POINTER(c.c_int64)) for s in shapes])
    library.check(library.table.output_shapes(library.context, entry, ins, desc.num_inputs, table, len(shapes)))
    outputs, tensors = {}, []
    for i, shape in enumerate(shapes):
        array, dl = tensor(desc.outputs[i], tuple(shape)[: desc.outputs[i].rank])
        outputs[desc.outputs[i].name.decode()] = array
        tensors.append(dl)
    outs, size = pointers(tensors), c.c_size_t()
    library.check(
        WorkspaceSize(library.table.workspace_size)(
            library.context, entry, ins, desc.num_inputs, outs, desc.num_outputs, threads, c.byref(size)
        )
    )
    if size.value % 64:
        raise RuntimeError(f"a workspace of {size.value} bytes is not a multiple of 64")
    buffers.append(Guarded(size.value))
    options = _abi.RunOptions(c.sizeof(_abi.RunOptions), None, buffers[-1].address, size.value)
    options.threads = threads
    code = library.run(
        library.context, entry, ins, desc.num_inputs, outs, desc.num_outputs, c.byref(options)
    )
    library.check(code)
    results = {name: array.copy() for name, array in outputs.items()}
    for buffer in buffers:
        buffer.free()
    return results


class Weights:
    """A file of raw values; `add` appends one and says how MLIR text names it."""

    def __init__(self, path):
        self.path, self.offset, self.file = path, 0, open(path, "wb")

    def add(self, array):
        # Wider than any element that came before.
        self.offset += self.file.write(bytes(-self.offset % 8))
        array = np.ascontiguousarray(array)
        shape = type_of(array)[len("tensor<") : -1]
        self.file.write(array.tobytes())
        self.offset += array.nbytes
        return f'#attn.file<"{self.path}", {self.offset - array.nbytes} : tensor<{shape}>>'

    def close(self):
        self.file.close()


class Case:
    """One model. `text` is its MLIR; `runs` are pairs of inputs and wanted outputs, both by name, in float64."""

    def __init__(self, name, text, runs, weights=(), entry=0, tolerance=TOLERANCE, kinds=None):
        self.name, self.text, self.runs, self.weights, self.entry = name, text, runs, weights, entry
        self.tolerance, self.kinds = tolerance, kinds or {}


class Suite:
    """Compiles and runs cases; exits 1 if one of them was wrong."""

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--attnc", default="attnc")
        parser.add_argument("--dir", required=True, help="where models and libraries are written")
        parser.add_argument("--only", help="run only cases whose name contains this")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--fuzz", type=int, default=0, help="also so many random cases, where the suite has any")
        parser.add_argument("--keep-going", action="store_true", help="go on after an error of the compiler")
        self.arguments = parser.parse_args()
        self.failed, self.comparisons, self.worst, self.cases = [], 0, 0.0, 0
        self.targets_run = set()
        os.makedirs(self.arguments.dir, exist_ok=True)
        faulthandler.enable()

    def wants(self, name):
        return not self.arguments.only or self.arguments.only in name

    def fail(self, message):
        print("FAILED", message, flush=True)
        self.failed.append(message)

    def check(self, case):
        if not self.wants(case.name):
            return
        self.cases += 1
        directory = os.path.join(self.arguments.dir, case.name)
        os.makedirs(directory, exist_ok=True)
        model, path = os.path.join(directory, "model.mlir"), os.path.join(directory, "libmodel.so")
        text = case.text
        if case.weights:
            store = Weights(os.path.join(directory, "weights.bin"))
            lines = [f"attn.weight @{name} : {type_of(array)} = {store.add(array)}" for name, array, *_ in case.weights]
            store.close()
            text = "\n".join(lines) + "\n" + text
        with open(model, "w") as file:
            file.write(text)
        command = [self.arguments.attnc, model, "-o", path, "--quiet", "--target=" + ",".join(TARGETS)]
        compiled = subprocess.run(command, capture_output=True, text=True)
        if compiled.returncode:
            self.fail(f"{case.name}: attnc exits {compiled.returncode}: {compiled.stderr.strip()[:600]}")
            return
        for target in TARGETS:
            try:
                library = native.Library(path, 1, target)
            except RuntimeError as error:
                print(f"{case.name}: {error}")
                continue
            self.targets_run.add(target)
            for (inputs, want), threads in itertools.product(case.runs, (1, 3)):
                where = f"{case.name} {target} threads {threads} {shapes_of(inputs)}"
                print("run", where, file=sys.stderr, flush=True)
                try:
                    got = run(library, inputs, threads, case.entry)
                except RuntimeError as error:
                    self.fail(f"{where}: {error}")
                    continue
                self.compare(where, got, want, case.tolerance, case.kinds)
            library.close()

    def compare(self, where, got, want, tolerance, kinds={}):
        if set(got) != set(want):
            self.fail(f"{where}: outputs {sorted(got)}, expected {sorted(want)}")
            return
        for name, expected in want.items():
            self.comparisons += 1
            expected = np.asarray(expected)
            if got[name].shape != expected.shape:
                self.fail(f"{where}: {name} has shape {got[name].shape}, expected {expected.shape}")
                continue
            if expected.dtype.kind != "f":
                if not np.array_equal(got[name], expected):
                    self.fail(f"{where}: {name} differs")
                continue
            scale = max(1.0, float(np.abs(expected).max(initial=0.0, where=np.isfinite(expected))))
            if kinds.get(name, "f32") != "f32":
                self.compare_rounded(f"{where}: {name}", load(got[name], kinds[name]), expected, kinds[name], scale)
                continue
            error = difference(got[name].astype(np.float64), expected)
            worst = float(error.max(initial=0.0)) / scale
            self.worst = max(self.worst, worst)
            if not worst <= tolerance:
                at = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), error.shape)
                wrong = int((~(error <= tolerance * scale)).sum())
                self.fail(
                    f"{where}: {name} differs by {worst:.2e} of its scale at {tuple(map(int, at))}: "
                    f"{got[name][at]} is not {expected[at]}; {wrong} of {error.size} elements are wrong"
                )

    def compare_rounded(self, where, got, want, kind, scale):
        """Within two units of the last place of the rounded result, beside what f32, or f64, loses on the way to it."""
        rounded = load(store(want, kind), kind)
        allowed = 2 * ulp(rounded, kind) + scale * (1e-13 if kind == "f64" else 1e-6)
        error = difference(got, rounded)
        good = error <= allowed
        if not good.all():
            at = tuple(map(int, np.argwhere(~good)[0]))
            self.fail(f"{where} at {at}: {got[at]} is not {want[at]} in {kind}; {(~good).sum()} of {good.size} are wrong")

    def finish(self):
        print(
            f"{self.cases} models, {self.comparisons} comparisons, on {', '.join(sorted(self.targets_run)) or 'nothing'}, "
            f"largest difference {self.worst:.2e}, {len(self.failed)} failed"
        )
        if not self.comparisons:
            print("FAILED nothing was compared")
        sys.exit(1 if self.failed or not self.comparisons else 0)


def main(description, fixed, random_case):
    """Checks the cases of `fixed(rng)`, or as many of `random_case(rng, number)` as --fuzz asks for."""
    suite = Suite(description)
    rng = np.random.default_rng(suite.arguments.seed)
    count = suite.arguments.fuzz
    for case in (random_case(rng, number) for number in range(count)) if count else fixed(rng):
        suite.check(case)
    suite.finish()


def difference(got, want):
    """Distances; 0 between equal infinities and between NaNs, infinite between these and anything else."""
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        distance = np.abs(got - want)
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def type_of(array):
    kind = {"float32": "f32", "float16": "f16", "float64": "f64", "uint16": "bf16", "int64": "i64"}[array.dtype.name]
    return f"tensor<{'x'.join(map(str, array.shape + (kind,)))}>"


def shapes_of(inputs):
    return " ".join(f"{name}={'x'.join(map(str, np.shape(value))) or 'scalar'}" for name, value in inputs.items())


def bf16(array):
    """The bits of the nearest bf16."""
    bits = np.asarray(array, np.float64).astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(array), 0x7FC0, rounded).astype(np.uint16)


def store(array, kind):
    """As the library takes it."""
    types = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
    with np.errstate(over="ignore"):
        return bf16(array) if kind == "bf16" else np.asarray(array, np.float64).astype(types[kind])


def load(array, kind):
    """What the library gets or gives, in float64."""
    if kind == "bf16":
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return array.astype(np.float64)


def ulp(array, kind):
    """The distance to the next element of the type."""
    digits, least = {"f16": (10, -24), "bf16": (7, -133), "f64": (52, -1074)}[kind]
    exponent = np.floor(np.log2(np.maximum(np.abs(np.where(np.isfinite(array), array, 0)), 2.0**-200)))
    return 2.0 ** np.maximum(exponent - digits, least)


def f32(array):
    """Rounded to f32, in float64: what the library gets."""
    return np.asarray(array, np.float32).astype(np.float64)
