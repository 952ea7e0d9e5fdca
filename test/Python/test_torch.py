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


def test_readme(block):
    module, x = block, torch.randn(2, 5, 16)
    # fmt: off
    path = attn.compile(module, (x,), dynamic_shapes=({0: "batch", 1: "sequence"},))   # a library, as from a file
    fast = torch.compile(module, backend="attn")                                       # a function, under torch.no_grad()
    # fmt: on
    with torch.no_grad():
        close(attn.load(path)(x)[0], fast(x))


def test_all_that_cannot_be_exported_is_named():
    class Special(nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x)[1] + torch.special.bessel_j0(x).sum()

    missing = r"Special can't be exported by torch: no translation to ONNX for .*_linalg_svd.*, .*bessel_j0"
    with pytest.raises(attn.Error, match=missing):
        attn.compile(Special(), (torch.randn(4, 4),))


def test_operator_that_cannot_be_translated_is_named():
    class Flat(nn.Module):
        def forward(self, x):
            return nn.functional.scaled_dot_product_attention(x, x, x)

    with pytest.raises(attn.Error, match="aten.scaled_dot_product_attention.default: only 4D"):
        attn.compile(Flat(), (torch.randn(1, 4, 4),))


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(4))

    def forward(self, x):
        self.count.add_(1)
        return x + self.count


def test_module_that_writes_to_a_buffer():
    with pytest.raises(attn.Error, match=r"Counter writes to its inputs or buffers \(count\)"):
        attn.compile(Counter(), (torch.randn(2, 4),))


@pytest.mark.parametrize(
    "function, name",
    [
        (lambda x: x.add_(1) * 2, "l_x_"),
        (Counter(), "buffers_count_"),
        (nn.BatchNorm1d(4), "running_mean"),  # in training
    ],
    ids=["input", "buffer", "norm"],
)
def test_backend_refuses_writes(function, name):
    torch._dynamo.reset()
    compiled, x = torch.compile(function, backend="attn"), torch.randn(3, 4)
    before = x.clone()
    with torch.no_grad(), pytest.raises(attn.Error, match=f"(?i)writes to its inputs or buffers .*{name}"):
        compiled(x)
    assert torch.equal(x, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool])
def test_backend_keeps_dtypes(dtype):
    x = (torch.randn(3, 4) * 4).to(dtype)
    result = torch.compile(lambda x: (x, x.reshape(-1)[1:]), backend="attn")(x)[1]
    assert result.dtype == dtype and torch.equal(result, x.reshape(-1)[1:])


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_backend_converts_float8(dtype):
    torch._dynamo.reset()
    x = (torch.randn(3, 40) * 8).to(dtype)
    result = torch.compile(lambda x: (x.float() * 1.5).to(x.dtype).T, backend="attn")(x)
    assert result.dtype == dtype and torch.equal(result.float(), (x.float() * 1.5).to(dtype).T.float())


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
