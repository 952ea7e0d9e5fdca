# ===- test_library.py - Loading and calling, on a hand-written model -----===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Zero copies are shown by pointers and by writing through; errors by their codes.
#
# ===------------------------------------------------------------------------===#
import copy
import gc
import os
import pickle
import shutil
import sys
import threading

import numpy as np
import pytest

import attn


@pytest.fixture
def library(test_library):
    with attn.load(test_library) as library:
        yield library


@pytest.fixture
def feeds():
    return np.arange(6).reshape(2, 3), np.arange(24, dtype=np.float32).reshape(2, 3, 4)


class Dlpack:
    """An array that shows nothing but the protocol, as another framework's tensors would."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def code_of(call, *args, **kwargs):
    with pytest.raises(attn.Error) as info:
        call(*args, **kwargs)
    assert "\n" not in info.value.message
    return info.value.code, info.value.message


def test_describes_itself(library):
    assert library.name == "test"
    assert list(library.entries) == ["add", "square", "clamp", "huge", "count", "parts", "grow", "small"]
    add = library.add
    assert add is library["add"]
    assert add.dims == (("batch", 0, None), ("sequence", 0, 8))
    assert add.inputs[0] == ("ids", "int64", ("batch", "sequence"), (0, 10), None)
    assert add.inputs[1].index_range is None
    assert add.outputs[1] == ("total", "float64", ("batch",), None, None)
    assert library.grow.outputs[0].continues == "past"
    assert add.target == "best"
    assert "ids: int64[batch, sequence]" in repr(add)
    assert "add" in dir(library)


def test_cache_grows_in_place(library):
    cache = np.full((2, 8, 3), -1, np.float32)
    cache[:, :3] = np.arange(18).reshape(2, 3, 3)
    new = np.full((2, 2, 3), 7, np.float32)
    want = np.concatenate([cache[:, :3], new, cache[:, 5:]], axis=1)
    result = library.grow(cache[:, :3], new, out={"present": cache[:, :5]})
    assert np.shares_memory(result.present, cache)
    assert np.array_equal(cache, want)
    with pytest.raises(attn.Error, match="it overlaps input 'past'"):
        library.grow(cache[:, :3], new, out={"present": cache[:, 1:6]})


def test_calls(library, feeds):
    ids, x = feeds
    want = x + ids[:, :, None]
    for result in (
        library.add(ids, x),
        library["add"](x=x, ids=ids),
        library.add({"ids": ids, "x": x}),
        library.add(ids, x=x, threads=1),
    ):
        np.testing.assert_array_equal(result.y, want)
        np.testing.assert_array_equal(result["total"], want.sum(axis=(1, 2)))
        y, total = result
        assert y is result[0] and total is result[-1]
        assert result.keys() == ("y", "total") and dict(result.items())["y"] is y
        assert y.dtype == np.float32 and y.ctypes.data % 64 == 0
    with pytest.raises(AttributeError, match="no output 'z'; there is y, total"):
        result.z
    with pytest.raises(KeyError):
        result["z"]


def test_inputs_are_not_copied(library, feeds):
    ids, x = feeds
    for strided in (x.transpose(1, 0, 2).copy().transpose(1, 0, 2), np.repeat(x, 2, axis=1)[:, ::2], x[::-1][::-1]):
        np.testing.assert_array_equal(library.add(ids, strided).y, x + ids[:, :, None])
    readonly = x.copy()
    readonly.flags.writeable = False
    np.testing.assert_array_equal(library.add(ids, readonly).y, x + ids[:, :, None])
    np.testing.assert_array_equal(library.add(Dlpack(ids), Dlpack(x)).y, x + ids[:, :, None])
    np.testing.assert_array_equal(library.add(ids.tolist(), x.tolist()).y, x + ids[:, :, None])


def test_borrowed_tensors_stay_their_owners(library, feeds):
    ids, x = feeds
    before = sys.getrefcount(x)
    for _ in range(100):
        library.add(Dlpack(ids), Dlpack(x))
    gc.collect()
    assert sys.getrefcount(x) == before


def test_outputs_in_place(library, feeds):
    ids, x = feeds
    y, total = np.empty_like(x), np.empty(2)
    result = library.add(ids, x, out=(y, total))
    assert result.y is y and result.total is total
    np.testing.assert_array_equal(y, x + ids[:, :, None])
    wide = np.zeros((2, 3, 8), np.float32)
    tensor = Dlpack(wide[:, :, ::2])
    assert library.add(ids, x, out={"y": tensor}).y is tensor
    np.testing.assert_array_equal(wide[:, :, ::2], y)
    assert not wide[:, :, 1::2].any()
    assert library.square(np.eye(2, dtype=np.int32), out=np.empty((2, 2), np.int32)).t[0, 0] == 1


def test_empty_and_scalar(library):
    result = library.add(np.zeros((0, 5), np.int64), np.zeros((0, 5, 4), np.float32))
    assert result.y.shape == (0, 5, 4) and result.total.shape == (0,)
    assert library.count(3).hits.shape == ()


def test_results_behave_like_tuples_and_dicts(library, feeds):
    result = library.add(*feeds)
    assert "y" in result and "z" not in result
    for again in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert again.keys() == ("y", "total")
        np.testing.assert_array_equal(again.y, result.y)


class Array:
    """An array that shows nothing but NumPy's protocol."""

    def __init__(self, values, dtype):
        self.array = np.array(values, dtype)

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


SMALL = np.array([[1, -2, 7], [-8, 0, -1], [3, 4, -5]], np.int8)


@pytest.mark.parametrize("named", [True, False])
def test_elements_of_less_than_a_byte(library, monkeypatch, named):
    """With ml_dtypes they have their type, without it integers hold their values."""
    small, x, low_type = library.small, SMALL, np.uint8
    if named:
        ml_dtypes = pytest.importorskip("ml_dtypes")
        x, low_type = SMALL.astype(ml_dtypes.int4), ml_dtypes.uint2
    else:
        monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert small.inputs[0].dtype == "int4" and small.outputs[0].dtype == "uint2"
    low, twice = small(x)
    assert low.dtype == low_type and twice.dtype == np.int8
    assert np.array_equal(low.astype(np.uint8), SMALL.view(np.uint8) & 3)
    assert np.array_equal(twice, 2 * SMALL)
    given = np.full((3, 6), 3, np.uint8).astype(low_type)[:, ::2]
    assert small(x[::-1], out={"low": given}).low is given
    assert np.array_equal(given.astype(np.uint8), SMALL[::-1].view(np.uint8) & 3)
    assert np.array_equal(small(SMALL.tolist()).twice, 2 * SMALL)
    assert code_of(small, [[0, 0, 8]]) == ("DTYPE", "'x': 8 is no int4")
    assert code_of(small, np.array([[0, 0, -9]], np.int8)) == ("DTYPE", "'x': -9 is no int4")
    assert code_of(small, SMALL.astype(np.uint8))[0] == "DTYPE"
    assert small(SMALL[:0]).low.shape == (0, 3)


def test_conversions_lose_nothing(library, feeds):
    ids, x = feeds
    want = x + ids[:, :, None]
    for taken in (ids.tolist(), Array(ids, np.int64), Array(ids, np.uint8), [list(map(np.int16, row)) for row in ids]):
        np.testing.assert_array_equal(library.add(taken, x).y, want)
    for taken in (x.tolist(), x.astype(int).tolist(), Array(x, np.float64)):
        np.testing.assert_array_equal(library.add(ids, taken).y, want)
    np.testing.assert_array_equal(library.add([[True, False, True]], x[:1]).y, x[:1] + [[[1], [0], [1]]])
    assert library.add([[], []], np.zeros((2, 0, 4), np.float32)).y.shape == (2, 0, 4)
    for refused, words in (
        ([[1.9] * 3] * 2, "dtype float64, expected int64"),
        ([[1, 2, 3.0]] * 2, "dtype float64, expected int64"),
        ([["1"] * 3] * 2, "expected int64"),
        (Array(ids, np.float64), "dtype float64, expected int64"),
        ([[2**63] * 3] * 2, "9223372036854775808 is no int64"),
        ([[2**70] * 3] * 2, "1180591620717411303424 is no int64"),
    ):
        got, message = code_of(library.add, refused, x)
        assert (got, words in message) == ("DTYPE", True), message
    assert code_of(library.square, [[2**31]])[1] == "'m': 2147483648 is no int32"
    assert code_of(library.add, ids, np.full(x.shape, 1e300).tolist()) == ("DTYPE", "'x': a value is too large for float32")
    assert code_of(library.add, ids, [[["1"]]])[0] == "DTYPE"
    assert code_of(library.add, [[1, 2, 3], [4]], x)[0] == "INVALID_ARGUMENT"


def test_errors_are_exceptions(library, feeds):
    ids, x = feeds
    add = library.add
    for call, code, words in (
        (lambda: add(ids), "INVALID_ARGUMENT", "also wants x"),
        (lambda: add(ids, x, x), "INVALID_ARGUMENT", "takes 2 inputs, not 3"),
        (lambda: add(ids, x, z=x), "INVALID_ARGUMENT", "no input 'z'"),
        (lambda: add(ids, ids=ids, x=x), "INVALID_ARGUMENT", "'ids' twice"),
        (lambda: add(ids, object()), "INVALID_ARGUMENT", "'x' is no array"),
        (lambda: add(ids.astype(np.int32), x), "DTYPE", "'ids': dtype is int32, expected int64"),
        (lambda: add(ids, x.astype(">f4")), "DTYPE", "byte order"),
        (lambda: add(ids, x.astype("U9")), "DTYPE", "no counterpart"),
        (lambda: add(ids.ravel(), x), "RANK", "'ids'"),
        (lambda: add(ids, x[:, :2]), "SHAPE", "'x'"),
        (lambda: add(ids + 5, x), "INDEX", "'ids': value 10 at [1, 2] is outside [0, 10)"),
        (lambda: add(ids, x, out=(x, np.empty(2))), "ALIAS", "'y'"),
        (lambda: add(ids, x, out=x), "INVALID_ARGUMENT", "2 outputs"),
        (lambda: add(ids, x, out=(x,)), "INVALID_ARGUMENT", "2 outputs, out holds 1"),
        (lambda: add(ids, x, out={"z": x}), "INVALID_ARGUMENT", "no output 'z'"),
        (lambda: add(ids, x, out={"y": [1]}), "INVALID_ARGUMENT", "cannot be written in place"),
        (lambda: add(ids, x, out={"y": x.astype(np.float64)}), "DTYPE", "output 'y'"),
        (lambda: add(ids, x, threads=-1), "INVALID_ARGUMENT", "threads"),
        (lambda: add(ids, x, threads=2**40), "INVALID_ARGUMENT", "threads is 1099511627776, expected 0 (the default)"),
        (lambda: add(ids, x, threads=1 - 2**32), "INVALID_ARGUMENT", "threads is -4294967295"),
        (lambda: add(ids, x, threads="2"), "INVALID_ARGUMENT", "threads is '2', expected an integer"),
        (lambda: library(ids, x), "INVALID_ARGUMENT", "several entries, name one of add, square"),
        (lambda: library["multiply"], "INVALID_ARGUMENT", "no entry 'multiply'; there is add, square"),
    ):
        got, message = code_of(call)
        assert (got, words in message) == (code, True), message
    readonly = np.empty_like(x)
    readonly.flags.writeable = False
    assert code_of(add, ids, x, out={"y": readonly})[0] == "INVALID_ARGUMENT"
    np.testing.assert_array_equal(add(ids, x).y, x + ids[:, :, None])  # still works


def test_a_library_that_was_cut(test_library, tmp_path):
    with open(test_library, "rb") as file:
        whole = file.read()
    cut = tmp_path / "cut.so"
    for size in (64, 5000):
        cut.write_bytes(whole[:size])
        code, message = code_of(attn.load, cut)
        assert code == "LOAD" and f"it is truncated: the file has {size} bytes" in message


def test_what_cannot_be_loaded(test_library, tmp_path):
    assert code_of(attn.load, tmp_path / "none.so") == ("LOAD", f"cannot load '{tmp_path}/none.so': no such file")
    assert "no such file" in code_of(attn.load, tmp_path)[1]
    text = tmp_path / "text.so"
    text.write_text("no library")
    assert code_of(attn.load, text)[0] == "LOAD"
    with open("/proc/self/maps") as maps:
        libc = next(line.split()[-1] for line in maps if "libc" in line)
    assert "does not export attn_library_v1" in code_of(attn.load, libc)[1]
    assert code_of(attn.load, test_library, target="pdp-11")[0] == "UNSUPPORTED"
    for arguments in ({"threads": -1}, {"threads": 2**32 + 1}, {"threads": 1.5}, {"target": 3}):
        (word,) = arguments
        got, message = code_of(attn.load, test_library, **arguments)
        assert got == "INVALID_ARGUMENT" and message.startswith(word + " is ")
    assert code_of(attn.load, None)[0] == "INVALID_ARGUMENT"
    error = pickle.loads(pickle.dumps(attn.Error("LOAD", "why")))
    assert (error.code, error.message) == ("LOAD", "why")


def test_chosen_target(test_library):
    with attn.load(test_library, target="plain", threads=1) as library:
        assert library.add.target == "plain"


def test_close_and_reload(test_library, tmp_path, feeds):
    copy = shutil.copy(test_library, tmp_path / "libcopy.so")
    for _ in range(3):
        library = attn.load(copy)
        add = library.add
        add(*feeds)
        library.close()
        library.close()
        assert code_of(add, *feeds) == ("INVALID_ARGUMENT", f"'{copy}' is closed")
    with open("/proc/self/maps") as maps:
        assert "libcopy" not in maps.read()


def test_each_load_opens_the_file(test_library, tmp_path, feeds):
    """The system's loader goes by names, and would give the old library where the file was replaced."""
    path = tmp_path / "libmodel.so"
    shutil.copy(test_library, path)
    old = attn.load(path)
    # The same library with another name in its tables; the SONAME, if any, is the same.
    changed = test_library.read_bytes().replace(b"\0total\0", b"\0other\0")
    (tmp_path / "new").write_bytes(changed)
    os.replace(tmp_path / "new", path)
    with attn.load(path) as new, attn.load(path) as again:
        assert new.add(*feeds).keys() == again.add(*feeds).keys() == ("y", "other")
        assert old.add(*feeds).keys() == ("y", "total")
    assert old.add(*feeds).keys() == ("y", "total")
    old.close()


def test_a_file_written_over_in_place(test_library, tmp_path):
    path = tmp_path / "libmodel.so"
    shutil.copy(test_library, path)
    old = attn.load(path)
    os.utime(path, (1, 1))
    assert "written over while it was loaded" in code_of(attn.load, path)[1]
    old.close()
    attn.load(path).close()


def test_threads_run_side_by_side(library, feeds):
    ids, x = feeds
    failures = []

    def work(shift):
        for _ in range(50):
            if not np.array_equal(library.add(ids, x + shift).y, x + shift + ids[:, :, None]):
                failures.append(shift)

    threads = [threading.Thread(target=work, args=(np.float32(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
