# ===- models.py - The models that are exported -----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each is a function from a size, "small" or "full", to an Export: what people
# write in PyTorch, or take from transformers, with random weights. Needs torch
# and transformers; export.py calls it, no test does.
#
# ===------------------------------------------------------------------------===#
import dataclasses
import math

import torch
import torch.nn.functional as F
import transformers
from torch import nn

ids = lambda n, *shape: torch.randint(0, n, shape)  # noqa: E731


@dataclasses.dataclass
class Export:
    """A module, the inputs it is exported with by name, names of its outputs, and those dimensions of inputs that
    are free, as {input: {dimension: name}}; `shapes` are other sizes of the free ones to test with."""

    module: nn.Module
    inputs: dict
    outputs: list
    free: dict = dataclasses.field(default_factory=dict)
    shapes: list = dataclasses.field(default_factory=list)


# ===--- Attention by hand ---===#


class SelfAttention(nn.Module):
    """Similarity, softmax, weighted sum, sigmoid."""

    def forward(self, x):
        weights = torch.softmax(x @ x.transpose(-2, -1), dim=-1)
        return torch.sigmoid(weights @ x)


def self_attention(size):
    return Export(SelfAttention(), {"x": torch.randn(4, 12, 8)}, ["y"])


class QueryKeyValue(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, out) for _ in range(3))

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(k.size(-1))
        return torch.bmm(F.softmax(scores, dim=-1), v)


def qkv_layer(size):
    x = torch.randn(32, 10, 8)
    return Export(QueryKeyValue(8, 8), {"x": x}, ["y"], {"x": {0: "batch", 1: "sequence"}}, [{"batch": 3, "sequence": 17}])


class ConcatenatedHeads(nn.Module):
    """A layer a head; their results stand side by side."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = nn.ModuleList(QueryKeyValue(width, width // heads) for _ in range(heads))
        self.out = nn.Linear(width, width)

    def forward(self, x):
        return self.out(torch.cat([head(x) for head in self.heads], dim=-1))


def concatenated_heads(size):
    width, heads = (32, 4) if size == "small" else (512, 8)
    return Export(ConcatenatedHeads(width, heads), {"x": torch.randn(2, 10 if size == "small" else 128, width)}, ["y"])


# ===--- nn.Transformer and what is built from it ---===#


class CausalTransformer(nn.Module):
    """nn.Transformer that makes its target's mask itself."""

    def __init__(self, *args):
        super().__init__()
        self.transformer = nn.Transformer(*args, batch_first=True)

    def forward(self, src, tgt):
        mask = nn.Transformer.generate_square_subsequent_mask(tgt.size(1), dtype=src.dtype)
        return self.transformer(src, tgt, tgt_mask=mask, tgt_is_causal=True)


def causal_transformer(size):
    width, heads, layers, hidden, tokens = (32, 4, 1, 64, 9) if size == "small" else (512, 8, 6, 2048, 64)
    model = CausalTransformer(width, heads, layers, layers, hidden)
    return Export(model, {"src": torch.randn(2, tokens, width), "tgt": torch.randn(2, tokens - 2, width)}, ["y"])


class TextClassifier(nn.Module):
    def __init__(self, words, width, heads, layers, hidden, classes, longest):
        super().__init__()
        self.words, self.positions = nn.Embedding(words, width), nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.classes = nn.Linear(width, classes)

    def forward(self, tokens):
        positions = torch.arange(tokens.size(1), device=tokens.device)
        x = self.words(tokens) + self.positions(positions)
        x = self.encoder(x, src_key_padding_mask=tokens == 0)
        return self.classes(x.mean(dim=1))


def text_classifier(size):
    words, width, heads, hidden = (100, 32, 4, 64) if size == "small" else (10000, 512, 8, 2048)
    tokens = ids(words, 2, 12 if size == "small" else 128)
    tokens[1, 8:] = 0
    model = TextClassifier(words, width, heads, 2, hidden, 2, 512 if size == "full" else 40)
    return Export(model, {"tokens": tokens}, ["logits"], {"tokens": {0: "batch", 1: "sequence"}},
                  [{"batch": 3, "sequence": 17}])  # fmt: skip


# ===--- From transformers ---===#


class Output(nn.Module):
    """A model of transformers with inputs in a given order and one of its outputs."""

    def __init__(self, model, output, *inputs):
        super().__init__()
        self.model, self.output, self.inputs = model, output, inputs

    def forward(self, *tensors):
        return getattr(self.model(**dict(zip(self.inputs, tensors, strict=True))), self.output)


def of_text(model, output="last_hidden_state"):
    return Output(model, output, "input_ids", "attention_mask")


def padded(batch, sequence):
    """A mask whose rows end at different places."""
    ends = torch.tensor([sequence - 3 * i % sequence for i in range(batch)])
    return (torch.arange(sequence)[None] < ends[:, None]).long()


def tokens_of(vocabulary, size, full=128):
    batch, sequence = (2, 12) if size == "small" else (1, full)
    return {"input_ids": ids(vocabulary, batch, sequence), "attention_mask": padded(batch, sequence)}


FREE = {"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "sequence"}}
OTHER = [{"batch": 3, "sequence": 17}]


def bert_classifier(size):
    small = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64, vocab_size=100,
                 max_position_embeddings=40) if size == "small" else {}  # fmt: skip
    config = transformers.BertConfig(num_labels=3, **small)
    model = transformers.BertForSequenceClassification(config)
    return Export(of_text(model, "logits"), tokens_of(config.vocab_size, size), ["logits"], FREE, OTHER)


def vit(size):
    sizes = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64, image_size=32,
                 patch_size=8) if size == "small" else dict(hidden_size=192, num_attention_heads=3,
                                                            intermediate_size=768)  # fmt: skip
    config = transformers.ViTConfig(num_labels=5 if size == "small" else 1000, **sizes)
    model = transformers.ViTForImageClassification(config)
    pixels = torch.randn(2 if size == "small" else 1, 3, config.image_size, config.image_size)
    return Export(Output(model, "logits", "pixel_values"), {"pixel_values": pixels}, ["logits"])


def t5_encoder(size):
    sizes = dict(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=100) if size == "small" else {}
    config = transformers.T5Config(**sizes)
    return Export(of_text(transformers.T5EncoderModel(config)), tokens_of(config.vocab_size, size), ["hidden"], FREE, OTHER)


def clip_text(size):
    sizes = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64, vocab_size=100,
                 max_position_embeddings=40) if size == "small" else {}  # fmt: skip
    config = transformers.CLIPTextConfig(**sizes)
    if size == "small":
        config.eos_token_id, config.bos_token_id = 99, 98
    return Export(of_text(transformers.CLIPTextModel(config)), tokens_of(config.vocab_size, size, 77), ["hidden"], FREE, OTHER)


def whisper_encoder(size):
    sizes = dict(d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=64, num_mel_bins=8,
                 max_source_positions=20, decoder_layers=1, decoder_attention_heads=4, decoder_ffn_dim=64,
                 vocab_size=100, pad_token_id=0) if size == "small" else {}  # fmt: skip
    config = transformers.WhisperConfig(**sizes)
    model = Output(transformers.WhisperModel(config).encoder, "last_hidden_state", "input_features")
    features = torch.randn(1, config.num_mel_bins, 2 * config.max_source_positions)
    return Export(model, {"input_features": features}, ["hidden"])


# ===--- A translator and a decoder, each step by step over caches ---===#


class Heads(nn.Module):
    """Attention over keys and values that are there already."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys(self, x):
        return self.split(self.key(x)), self.split(self.value(x))

    def forward(self, x, keys, values, mask=None):
        y = F.scaled_dot_product_attention(self.split(self.query(x)), keys, values, attn_mask=mask)
        return self.out(y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.down(F.relu(self.up(x)))


class TranslatorEncoderLayer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.attention, self.feed_forward = Heads(width, heads), FeedForward(width, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask):
        x = self.norm1(x + self.attention(x, *self.attention.keys(x), mask))
        return self.norm2(x + self.feed_forward(x))


class TranslatorDecoderLayer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.attention, self.cross, self.feed_forward = Heads(width, heads), Heads(width, heads), FeedForward(width, hidden)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, past_keys, past_values, cross_keys, cross_values, mask):
        keys, values = self.attention.keys(x)
        keys, values = torch.cat([past_keys, keys], dim=2), torch.cat([past_values, values], dim=2)
        x = self.norm1(x + self.attention(x, keys, values))
        x = self.norm2(x + self.cross(x, cross_keys, cross_values, mask))
        return self.norm3(x + self.feed_forward(x)), keys, values


class Translator(nn.Module):
    """Encoder and decoder over one table of words, which gives the logits, too."""

    def __init__(self, words, width, heads, hidden, layers, longest):
        super().__init__()
        self.words, self.positions = nn.Embedding(words, width), nn.Embedding(longest, width)
        self.encoder = nn.ModuleList(TranslatorEncoderLayer(width, heads, hidden) for _ in range(layers))
        self.decoder = nn.ModuleList(TranslatorDecoderLayer(width, heads, hidden) for _ in range(layers))


class TranslatorEncoder(nn.Module):
    """The source's words to the keys and values that each layer of the decoder attends to."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, source, source_mask):
        x = self.model.words(source) + self.model.positions(torch.arange(source.size(1)))
        mask = source_mask.bool()[:, None, None, :]
        for layer in self.model.encoder:
            x = layer(x, mask)
        return tuple(part for layer in self.model.decoder for part in layer.cross.keys(x))


class TranslatorStep(nn.Module):
    """One more word: logits of the next one, and the caches with one more key and value a layer."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, token, source_mask, *caches):
        layers = len(self.model.decoder)
        cross, past = caches[: 2 * layers], caches[2 * layers :]
        x = self.model.words(token) + self.model.positions(torch.arange(past[0].size(2), past[0].size(2) + 1))
        mask = source_mask.bool()[:, None, None, :]
        present = []
        for i, layer in enumerate(self.model.decoder):
            x, keys, values = layer(x, past[2 * i], past[2 * i + 1], cross[2 * i], cross[2 * i + 1], mask)
            present += [keys, values]
        return (x[:, -1] @ self.model.words.weight.t(), *present)


TRANSLATOR = {"small": (60, 32, 4, 64, 2, 32), "full": (8000, 512, 8, 2048, 6, 256)}


def translator_of(size):
    torch.manual_seed(11)
    words, width, heads, hidden, layers, longest = TRANSLATOR[size]
    return Translator(words, width, heads, hidden, layers, longest), layers, heads, width // heads


def translator_encoder(size):
    model, layers, heads, channels = translator_of(size)
    sequence = 7 if size == "small" else 64
    inputs = {"source": ids(60, 2, sequence), "source_mask": padded(2, sequence)}
    names = [f"cross.{i}.{part}" for i in range(layers) for part in ("key", "value")]
    free = {"source": {0: "batch", 1: "source"}, "source_mask": {0: "batch", 1: "source"}}
    return Export(TranslatorEncoder(model), inputs, names, free, [{"batch": 1, "source": 5}])


def translator_step(size):
    model, layers, heads, channels = translator_of(size)
    sequence, past = (7, 3) if size == "small" else (64, 32)
    inputs = {"token": ids(60, 2, 1), "source_mask": padded(2, sequence)}
    free = {"token": {0: "batch"}, "source_mask": {0: "batch", 1: "source"}}
    for kind, length, name in (("cross", sequence, "source"), ("past", past, "past")):
        for i in range(layers):
            for part in ("key", "value"):
                inputs[f"{kind}.{i}.{part}"] = torch.randn(2, heads, length, channels)
                free[f"{kind}.{i}.{part}"] = {0: "batch", 2: name}
    names = ["logits"] + [f"present.{i}.{part}" for i in range(layers) for part in ("key", "value")]
    return Export(TranslatorStep(model), inputs, names, free, [{"batch": 1, "source": 5, "past": 9}])


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class DecoderLayer(nn.Module):
    """Rotary positions, queries that share keys in groups, RMS norms before each part, a gated feed-forward."""

    def __init__(self, width, heads, groups, hidden):
        super().__init__()
        self.heads, self.groups, self.channels = heads, groups, width // heads
        shared = groups * self.channels
        self.query, self.key, self.value = (nn.Linear(width, n, bias=False) for n in (width, shared, shared))
        self.out = nn.Linear(width, width, bias=False)
        self.gate, self.up, self.down = (nn.Linear(*n, bias=False) for n in ((width, hidden), (width, hidden), (hidden, width)))
        self.norm1, self.norm2 = RMSNorm(width), RMSNorm(width)

    def split(self, x, heads):
        return x.view(x.size(0), x.size(1), heads, self.channels).transpose(1, 2)

    def repeat(self, x):
        b, g, s, c = x.shape
        n = self.heads // self.groups
        return x[:, :, None].expand(b, g, n, s, c).reshape(b, g * n, s, c)

    def forward(self, x, cos, sin, mask, past_keys, past_values):
        y = self.norm1(x)
        queries = rotate(self.split(self.query(y), self.heads), cos, sin)
        keys = torch.cat([past_keys, rotate(self.split(self.key(y), self.groups), cos, sin)], dim=2)
        values = torch.cat([past_values, self.split(self.value(y), self.groups)], dim=2)
        scores = queries @ self.repeat(keys).transpose(-1, -2) / math.sqrt(self.channels) + mask
        y = torch.softmax(scores, dim=-1) @ self.repeat(values)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y)), keys, values


class Decoder(nn.Module):
    def __init__(self, words, width, heads, groups, hidden, layers):
        super().__init__()
        self.words, self.norm = nn.Embedding(words, width), RMSNorm(width)
        self.layers = nn.ModuleList(DecoderLayer(width, heads, groups, hidden) for _ in range(layers))
        channels = width // heads
        self.register_buffer("frequencies", 10000.0 ** (-torch.arange(0, channels, 2) / channels), persistent=False)

    def forward(self, tokens, *past):
        before, added = past[0].size(2), tokens.size(1)
        positions = torch.arange(before, before + added)
        angles = positions[:, None] * self.frequencies[None]
        angles = torch.cat([angles, angles], dim=-1)
        cos, sin = angles.cos(), angles.sin()
        later = torch.arange(before + added)[None] > positions[:, None]
        mask = torch.zeros(later.shape, dtype=cos.dtype).masked_fill(later, torch.finfo(cos.dtype).min)
        x = self.words(tokens)
        present = []
        for i, layer in enumerate(self.layers):
            x, keys, values = layer(x, cos, sin, mask, past[2 * i], past[2 * i + 1])
            present += [keys, values]
        return (self.norm(x) @ self.words.weight.t(), *present)


def decoder(size):
    words, width, heads, groups, hidden, layers = (100, 32, 4, 2, 64, 2) if size == "small" else (8000, 512, 8, 2, 1376, 6)
    past, added = (4, 3) if size == "small" else (128, 1)
    inputs, free = {"tokens": ids(words, 2, added)}, {"tokens": {0: "batch", 1: "added"}}
    for i in range(layers):
        for part in ("key", "value"):
            inputs[f"past.{i}.{part}"] = torch.randn(2, groups, past, width // heads)
            free[f"past.{i}.{part}"] = {0: "batch", 2: "past"}
    names = ["logits"] + [f"present.{i}.{part}" for i in range(layers) for part in ("key", "value")]
    other = [{"batch": 1, "added": 1, "past": 9}, {"batch": 3, "added": 5, "past": 2}]
    return Export(Decoder(words, width, heads, groups, hidden, layers), inputs, names, free, other)


# ===--- Convolutions and recurrent layers beside attention ---===#


class ChannelAndSpaceAttention(nn.Module):
    """A convolutional block whose channels and places are weighted (Woo et al., CBAM, 2018), in a residual network."""

    def __init__(self, channels, reduced):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.weights = nn.Sequential(nn.Conv2d(channels, reduced, 1), nn.ReLU(), nn.Conv2d(reduced, channels, 1))
        self.places = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        y = self.norm2(self.second(F.relu(self.norm1(self.first(x)))))
        mean, most = y.mean((2, 3), keepdim=True), y.amax((2, 3), keepdim=True)
        y = y * torch.sigmoid(self.weights(mean) + self.weights(most))
        seen = torch.cat([y.mean(1, keepdim=True), y.amax(1, keepdim=True)], dim=1)
        return F.relu(x + y * torch.sigmoid(self.places(seen)))


def cbam(size):
    channels, pixels = (8, 12) if size == "small" else (64, 56)
    layers = [nn.Conv2d(3, channels, 7, stride=2, padding=3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    layers += [ChannelAndSpaceAttention(channels, channels // 4) for _ in range(1 if size == "small" else 4)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    return Export(model, {"image": torch.randn(2, 3, 4 * pixels, 4 * pixels)}, ["logits"])


class RecurrentAttention(nn.Module):
    """A bidirectional LSTM or GRU, whose outputs are weighted by what they say of themselves."""

    def __init__(self, kind, words, width):
        super().__init__()
        self.words, self.layer = nn.Embedding(words, width), kind(width, width, batch_first=True, bidirectional=True)
        self.score, self.classes = nn.Linear(2 * width, 1), nn.Linear(2 * width, 3)

    def forward(self, tokens):
        outputs, _ = self.layer(self.words(tokens))
        weights = torch.softmax(self.score(torch.tanh(outputs)), dim=1)
        return self.classes((weights * outputs).sum(dim=1)), weights


def recurrent(kind, size):
    words, width, tokens = (50, 16, 7) if size == "small" else (10000, 256, 64)
    return Export(RecurrentAttention(kind, words, width), {"tokens": ids(words, 2, tokens)}, ["logits", "weights"],
                  {"tokens": {0: "batch", 1: "sequence"}}, [{"batch": 3, "sequence": 11}])  # fmt: skip


def lstm_attention(size):
    return recurrent(nn.LSTM, size)


def gru_attention(size):
    return recurrent(nn.GRU, size)


EXPORTS = {
    f.__name__: f
    for f in (
        self_attention, qkv_layer, concatenated_heads, causal_transformer, text_classifier,
        bert_classifier, vit, t5_encoder, clip_text, whisper_encoder, translator_encoder, translator_step, decoder, cbam,
        lstm_attention, gru_attention,
    )
}  # fmt: skip
