# ===- test_torch.py - Modules of PyTorch -----------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Skipped where torch or its exporter's package onnxscript is not installed.
#
# ===------------------------------------------------------------------------===#
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

import attn  # noqa: E402
import attn.torch  # noqa: E402

nn = torch.nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm, self.out = nn.LayerNorm(16), nn.Linear(16, 8)

    def forward(self, x):
        y, _ = self.attention(x, x, x, need_weights=False)
        return self.out(self.norm(x + y))


@pytest.fixture
def block():
    torch.manual_seed(1)
    return Block().eval()


def close(actual, expected):
    torch.testing.assert_close(torch.as_tensor(actual), expected, rtol=1e-5, atol=1e-5)


def test_module_with_free_sizes(block):
    path = attn.compile(block, (torch.randn(2, 5, 16),), dynamic_shapes=({0: "batch", 1: "sequence"},))
    entry = next(iter(attn.load(path).entries.values()))
    assert entry.inputs[0].shape == ("batch", "sequence", 16)
    for sizes in ((2, 5), (3, 9)):
        x = torch.randn(*sizes, 16)
        with torch.no_grad():
            close(entry(x)[0], block(x))


def test_module_keeps_its_mode(block):
    block.train()
    attn.compile(block, (torch.randn(2, 5, 16),))
    assert block.training


def test_inputs_by_name(block):
    path = attn.compile(block, {"x": torch.randn(2, 5, 16)}, output_names=["y"])
    entry = next(iter(attn.load(path).entries.values()))
    assert (entry.inputs[0].name, entry.outputs[0].name) == ("x", "y")


def test_what_cannot_be_exported():
    class Unique(nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x)[1] + torch.special.bessel_j0(x).sum()

    with pytest.raises(attn.Error, match="Unique can't be exported by torch: "):
        attn.compile(Unique(), (torch.randn(4, 4),))


def test_backend(block):
    compiled = torch.compile(block, backend="attn")
    with torch.no_grad():
        for sizes in ((2, 5), (2, 5), (3, 9)):
            x = torch.randn(*sizes, 16)
            close(compiled(x), block(x))


def test_backend_compiles_once_for_free_sizes(block):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(block, backend="attn")
    with torch.no_grad():
        for length in (5, 9, 7):
            x = torch.randn(2, length, 16)
            torch._dynamo.mark_dynamic(x, 1)
            close(compiled(x), block(x))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_backend_sees_new_weights(block):
    compiled = torch.compile(block, backend="attn")
    x = torch.randn(2, 5, 16)
    with torch.no_grad():
        compiled(x)
        block.out.weight.mul_(2)
        close(compiled(x), block(x))


def test_backend_tells_instances_apart(block):
    other, x = Block().eval(), torch.randn(2, 5, 16)
    with torch.no_grad():
        for module in (block, other, block):
            close(torch.compile(module, backend="attn")(x), module(x))


def test_backend_refuses_gradients(block):
    compiled = torch.compile(block, backend="attn")
    with pytest.raises(attn.Error, match="only inference is compiled"):
        compiled(torch.randn(2, 5, 16))
