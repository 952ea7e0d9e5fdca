# ===- test_compile.py - Compiling and running a small BERT ---------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The numbers' oracle is the float64 reference; here the point is the way from a
# model's directory to NumPy arrays, and what happens where it is blocked.
#
# ===------------------------------------------------------------------------===#
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import attn
import reference


def feeds_of(config, batch, sequence, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, config["vocab_size"], (batch, sequence))
    mask = (np.arange(sequence) < rng.integers(1, sequence + 1, (batch, 1))).astype(np.int64)
    return ids, mask, rng.integers(0, 2, (batch, sequence))


def test_compiled_encoder(bert, bert_library):
    _, config, tensors = bert
    with attn.load(bert_library, threads=2) as library:
        (entry,) = library.entries.values()
        assert [tensor.name for tensor in entry.inputs] == ["input_ids", "attention_mask", "token_type_ids"]
        assert [dim.name for dim in entry.dims] == ["batch", "sequence"]
        for batch, sequence in ((1, 1), (2, 7), (3, 33), (2, 130)):
            feeds = feeds_of(config, batch, sequence)
            result = library(*feeds)
            hidden, embedding = reference.forward(config, tensors, *feeds)
            assert np.abs(result.last_hidden_state - hidden).max() <= 2e-5
            assert np.abs(result.sentence_embedding - embedding).max() <= 2e-5
        empty = np.zeros((0, 5), np.int64)
        assert entry(empty, empty, empty).last_hidden_state.shape == (0, 5, config["hidden_size"])


def test_ids_outside_the_vocabulary(bert, bert_library):
    _, config, _ = bert
    with attn.load(bert_library) as library:
        (entry,) = library.entries.values()
        ids, mask, types = feeds_of(config, 2, 5)
        ids[1, 3] = config["vocab_size"]
        with pytest.raises(attn.Error) as info:
            entry(ids, mask, types)
        assert info.value.code == "INDEX" and "'input_ids'" in info.value.message
        long = np.zeros((1, config["max_position_embeddings"] + 1), np.int64)
        with pytest.raises(attn.Error) as info:
            entry(long, long, long)
        assert info.value.code == "SHAPE" and "'sequence'" in info.value.message


def test_header_and_description_stand_beside(bert_library):
    assert sorted(os.listdir(bert_library.parent)) == ["bert.h", "bert.json", "libbert.so"]


def test_output_that_nobody_named(bert):
    path = attn.compile(str(bert[0]), name="small")
    assert path.name == "libsmall.so"
    with attn.load(path) as library:
        assert library.entries


def test_same_input_same_bytes(bert, bert_library, tmp_path):
    again = attn.compile(bert[0], tmp_path / "libbert.so")
    assert again.read_bytes() == bert_library.read_bytes()


def test_other_outputs(bert, tmp_path):
    text = attn.compile(bert[0], tmp_path / "bert.mlir", emit="mlir", compile_to="fuse").read_text()
    assert "attn.attention" in text
    messages = []
    attn.compile(bert[0], tmp_path / "b.mlir", emit="mlir", compile_to="import", on_message=messages.append)
    assert any("import" in message for message in messages)


def test_options_that_depend_on_each_other(bert, tmp_path):
    path = attn.compile(bert[0], tmp_path / "bert.mlir", compile_to="fuse")
    assert "attn.attention" in path.read_text()
    assert attn.compile(bert[0], compile_to="fuse").suffix == ".mlir"
    attn.compile(bert[0], tmp_path / "bert.mlir", compile_to="fuse", progress="plain")
    # A list gives an option more than once.
    with pytest.raises(attn.Error, match="no-such-pass"):
        attn.compile(bert[0], compile_to="fuse", before_stage=["fuse:cse", "fuse:no-such-pass"])
    attn.compile(bert[0], tmp_path / "bert.mlir", compile_to="fuse", before_stage=["fuse:cse", "fuse:canonicalize"])


@pytest.mark.parametrize("option", ("help", "version", "list_targets", "list_ops"))
def test_lists_are_no_compilations(bert, tmp_path, option):
    with pytest.raises(attn.Error, match=f"use attnc --{option.replace('_', '-')}") as info:
        attn.compile(bert[0], tmp_path / "libx.so", **{option: True})
    assert info.value.code == "INVALID_ARGUMENT"


def test_calls_that_are_wrong(tmp_path):
    for path, output in (([], None), (["a", "b"], None), (3, None), ("a", 3), ("a\0b", None)):
        with pytest.raises(attn.Error) as info:
            attn.compile(path, output)
        assert info.value.code == "INVALID_ARGUMENT"


INTERRUPTED = """
import os, signal, sys
import attn.compiler

model, output, step = sys.argv[1:]
attn.compiler._load()
callback = attn.compiler._MESSAGE

def interrupting(report):
    def said(text, user):
        report(text, user)
        if text.decode().startswith(step):
            os.kill(os.getpid(), signal.SIGINT)
    return callback(said)

attn.compiler._MESSAGE = interrupting
attn.compile(model, output, on_message=print)
"""


@pytest.mark.parametrize("step", ("import", "schedule", "kernel"))
def test_interrupts_cancel(bert, tmp_path, step):
    """Ctrl-C ends the compilation with Python's own exception, and nothing stays of it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", INTERRUPTED, bert[0], tmp_path / "libx.so", step]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == -signal.SIGINT, run.stderr
    assert run.stderr.rstrip().endswith("KeyboardInterrupt") and "ignored" not in run.stderr
    assert run.stdout == "" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options, words",
    (
        ({"target": "pdp-11"}, "pdp-11"),
        ({"target": ["x86-64-v3", "pdp-11"]}, "pdp-11"),
        ({"emit": "poem"}, "poem"),
        ({"no_such_option": 3}, "no-such-option"),
        ({"compile_to": "lunch"}, "lunch"),
    ),
)
def test_wrong_options(bert, tmp_path, options, words):
    with pytest.raises(attn.Error) as info:
        attn.compile(bert[0], tmp_path / "libx.so", **options)
    assert info.value.code == "COMPILE" and words in info.value.message
    assert not list(tmp_path.iterdir())


def test_models_that_are_none(bert, tmp_path):
    with pytest.raises(attn.Error, match="nowhere"):
        attn.compile(tmp_path / "nowhere", tmp_path / "libx.so")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "bert"')
    with pytest.raises(attn.Error, match="config.json"):
        attn.compile(tmp_path / "model", tmp_path / "libx.so")
    with pytest.raises(attn.Error, match="missing/libx.so"):
        attn.compile(bert[0], tmp_path / "missing" / "libx.so")
    assert os.listdir(tmp_path) == ["model"]


def test_a_compiler_that_is_not_there(monkeypatch, tmp_path):
    import attn.compiler

    monkeypatch.setattr(attn.compiler, "_library", None)
    monkeypatch.setenv("ATTN_BUILD_DIR", str(tmp_path))
    with pytest.raises(attn.Error, match="libAttnC.so"):
        attn.compile("model")
