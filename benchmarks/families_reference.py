# ===- families_reference.py - Hugging Face families in float64 NumPy -------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What a model directory means, written from its config.json and its tensors'
# names in the plainest way, in float64. It shares no code with the compiler.
#
# As in the transformers library with its own ("eager") attention, a masked key
# gets finfo(float32).min added to its score, which absorbs it: where nothing is
# left to see, all keys count equally. A sequence of length 0 has a first row of
# zeros, which is this compiler's own rule.
#
# ===------------------------------------------------------------------------===#
import math

import numpy as np

import families
from reference import ACTIVATIONS, MASKED, layer_norm, softmax

ACTIVATIONS = {
    **ACTIVATIONS,
    "quick_gelu": lambda x: x / (1.0 + np.exp(-1.702 * x)),
    "silu": lambda x: x / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
}


class Model:
    def __init__(self, config, weights):
        self.config, self.family = config, config["model_type"]
        self.task = families.task_of(config)
        self.weights = weights
        prefix = families.PREFIXES[self.family]
        self.prefix = prefix if any(name.startswith(prefix) for name in weights) else ""
        get = lambda *keys: next(config[key] for key in keys if key in config)
        self.heads = get("num_attention_heads", "n_heads")
        self.width = get("hidden_size", "dim")
        self.activation = ACTIVATIONS[get("hidden_act", "activation")]
        self.epsilon = 1e-12 if self.family == "distilbert" else config["layer_norm_eps"]
        self.names = families.LAYERS.get(self.family, families.BERT_LAYER)
        self.pre_norm = self.family in ("vit", "clip_text_model")

    def has(self, name):
        return self.prefix + name in self.weights

    def get(self, name, prefix=None):
        return np.asarray(self.weights[(self.prefix if prefix is None else prefix) + name], np.float64)

    def linear(self, x, name, prefix=None):
        full = (self.prefix if prefix is None else prefix) + name
        y = x @ np.asarray(self.weights[full + ".weight"], np.float64).T
        return y + np.asarray(self.weights[full + ".bias"], np.float64) if full + ".bias" in self.weights else y

    def norm(self, x, name):
        return layer_norm(x, self.get(name + ".weight"), self.get(name + ".bias"), self.epsilon)

    def attention(self, x, layer, added):
        """`added` is what scores of (batch, heads, query, key) get on top; masks are a part of it."""
        batch, length, width = x.shape
        split = lambda y: y.reshape(batch, length, self.heads, width // self.heads).transpose(0, 2, 1, 3)
        q, k, v = (split(self.linear(x, f"{layer}.{self.names[part]}")) for part in ("query", "key", "value"))
        bias, kept = added
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(width // self.heads) + bias
        # In float64 a small part of the score would be left of the sum.
        scores = np.where(kept, scores, MASKED)
        context = (softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)
        return self.linear(context, f"{layer}.{self.names['output']}")

    def feed_forward(self, x, layer):
        return self.linear(
            self.activation(self.linear(x, f"{layer}.{self.names['up']}")), f"{layer}.{self.names['down']}"
        )

    def layer(self, x, layer, added):
        norms = f"{layer}.{self.names['attention_norm']}", f"{layer}.{self.names['output_norm']}"
        if self.pre_norm:
            x = x + self.attention(self.norm(x, norms[0]), layer, added)
            return x + self.feed_forward(self.norm(x, norms[1]), layer)
        x = self.norm(x + self.attention(x, layer, added), norms[0])
        return self.norm(x + self.feed_forward(x, layer), norms[1])

    def order(self):
        """The modules of the layers as they run."""
        modules = families.layer_modules(self.config)
        if self.family != "albert":
            return modules
        count, groups, inner = (self.config[k] for k in ("num_hidden_layers", "num_hidden_groups", "inner_group_num"))
        return [modules[int(i / (count / groups)) * inner + j] for i in range(count) for j in range(inner)]

    def positions(self, ids):
        if self.family in ("roberta", "xlm-roberta", "camembert", "mpnet"):
            pad = 1 if self.family == "mpnet" else self.config["pad_token_id"]
            kept = ids != pad
            return np.cumsum(kept, axis=1) * kept + pad
        return np.broadcast_to(np.arange(ids.shape[1]), ids.shape)

    def relative_bias(self, length):
        """MPNet's (heads, query, key): 16 buckets each for keys before and after the query."""
        distance = np.arange(length)[None, :] - np.arange(length)[:, None]
        n = np.abs(distance)
        large = 8 + np.floor(np.log(np.maximum(n, 1) / 8.0) / math.log(16.0) * 8 + 1e-9).astype(np.int64)
        bucket = np.where(n < 8, n, np.minimum(large, 15)) + np.where(distance > 0, 16, 0)
        return self.get("encoder.relative_attention_bias.weight")[bucket].transpose(2, 0, 1)

    def text(self, ids, mask, types):
        clip = self.family == "clip_text_model"
        word, ending = ("token_embedding", "") if clip else ("word_embeddings", "s")
        x = self.get(f"embeddings.{word}.weight")[ids]
        x = x + self.get(f"embeddings.position_embedding{ending}.weight")[self.positions(ids)]
        if self.has("embeddings.token_type_embeddings.weight"):
            x = x + self.get("embeddings.token_type_embeddings.weight")[types]
        if not clip:
            x = self.norm(x, "embeddings.LayerNorm")
        for name in ("embeddings_project", "encoder.embedding_hidden_mapping_in"):
            if self.has(name + ".weight"):
                x = self.linear(x, name)
        length = ids.shape[1]
        kept = np.broadcast_to((mask != 0)[:, None, None, :], (len(ids), 1, length, length))
        if clip:
            kept = kept & np.tri(length, dtype=bool)
        bias = self.relative_bias(length) if self.family == "mpnet" else 0.0
        for name in self.order():
            x = self.layer(x, name, (bias, kept))
        return self.norm(x, "final_layer_norm") if clip else x

    def image(self, pixels):
        sides = ([v, v] if isinstance(v, int) else v for v in (self.config["image_size"], self.config["patch_size"]))
        (height, width), (ph, pw) = sides
        rows, columns = height // ph, width // pw
        cut = np.asarray(pixels, np.float64)[:, :, : rows * ph, : columns * pw]
        cut = cut.reshape(len(cut), cut.shape[1], rows, ph, columns, pw).transpose(0, 2, 4, 1, 3, 5)
        name = "embeddings.patch_embeddings.projection"
        kernel = self.get(name + ".weight").reshape(self.width, -1)
        patches = cut.reshape(len(cut), rows * columns, kernel.shape[1]) @ kernel.T + self.get(name + ".bias")
        token = np.broadcast_to(self.get("embeddings.cls_token"), (len(cut), 1, self.width))
        x = np.concatenate([token, patches], axis=1) + self.get("embeddings.position_embeddings")
        for name in self.order():
            x = self.layer(x, name, (0.0, True))
        return self.norm(x, "layernorm")

    def first(self, x):
        return x[:, 0] if x.shape[1] else np.zeros((len(x), x.shape[2]))

    def sequence_logits(self, x):
        first = self.first(x)
        if self.family in ("bert", "albert"):
            first = np.tanh(self.linear(first, "pooler" if self.family == "albert" else "pooler.dense"))
            return self.linear(first, "classifier", "")
        if self.family == "distilbert":
            return self.linear(np.maximum(self.linear(first, "pre_classifier", ""), 0), "classifier", "")
        act = ACTIVATIONS["gelu"] if self.family == "electra" else np.tanh
        return self.linear(act(self.linear(first, "classifier.dense", "")), "classifier.out_proj", "")

    def end_rows(self, x, ids):
        if not x.shape[1]:
            return np.zeros((len(x), x.shape[2]))
        eos = self.config["eos_token_id"]
        at = ids.argmax(axis=1) if eos == 2 else (ids == eos).argmax(axis=1)
        return x[np.arange(len(x)), at]

    def __call__(self, input_ids=None, attention_mask=None, token_type_ids=None, pixel_values=None):
        """All outputs of the entry by name."""
        if self.family == "vit":
            x = self.image(pixel_values)
            if self.task == "ForImageClassification":
                return {"logits": self.linear(x[:, 0], "classifier", "")}
            outputs = {"last_hidden_state": x}
            if self.has("pooler.dense.weight"):
                act = ACTIVATIONS[self.config.get("pooler_act", "tanh")]
                outputs["pooler_output"] = act(self.linear(x[:, 0], "pooler.dense"))
            return outputs
        types = np.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        x = self.text(input_ids, attention_mask, types)
        if self.task == "ForSequenceClassification":
            return {"logits": self.sequence_logits(x)}
        if self.task == "ForTokenClassification":
            return {"logits": self.linear(x, "classifier", "")}
        outputs = {"last_hidden_state": x}
        if self.family == "clip_text_model":
            pooled = self.end_rows(x, input_ids)
            if self.task == "WithProjection":
                outputs["text_embeds"] = self.linear(pooled, "text_projection", "")
            else:
                outputs["pooler_output"] = pooled
            return outputs
        pooler = "pooler" if self.family == "albert" else "pooler.dense"
        if self.has(pooler + ".weight"):
            outputs["pooler_output"] = np.tanh(self.linear(self.first(x), pooler))
        return outputs
