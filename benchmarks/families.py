# ===- families.py - Configs and tensors of Hugging Face families -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What config.json says for a small model of each family that the importer knows,
# and which tensors a checkpoint of such a config has, by the names that published
# checkpoints use. Plain Python, so that tests of the importer need nothing more.
#
# ===------------------------------------------------------------------------===#

PREFIXES = {
    "albert": "albert.",
    "bert": "bert.",
    "camembert": "roberta.",
    "clip_text_model": "text_model.",
    "distilbert": "distilbert.",
    "electra": "electra.",
    "mpnet": "mpnet.",
    "roberta": "roberta.",
    "vit": "vit.",
    "xlm-roberta": "roberta.",
}
CLASSES = {
    "albert": "Albert",
    "bert": "Bert",
    "camembert": "Camembert",
    "clip_text_model": "CLIPText",
    "distilbert": "DistilBert",
    "electra": "Electra",
    "mpnet": "MPNet",
    "roberta": "Roberta",
    "vit": "ViT",
    "xlm-roberta": "XLMRoberta",
}
BERT_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}


def _layer(names):
    return dict(zip(BERT_LAYER, names.split()))


LAYERS = {
    "albert": _layer(
        "attention.query attention.key attention.value attention.dense attention.LayerNorm ffn ffn_output "
        "full_layer_layer_norm"
    ),
    "clip_text_model": _layer(
        "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.out_proj layer_norm1 mlp.fc1 mlp.fc2 layer_norm2"
    ),
    "distilbert": _layer(
        "attention.q_lin attention.k_lin attention.v_lin attention.out_lin sa_layer_norm ffn.lin1 ffn.lin2 "
        "output_layer_norm"
    ),
    "mpnet": {
        **BERT_LAYER,
        **_layer("attention.attn.q attention.attn.k attention.attn.v attention.attn.o attention.LayerNorm"),
    },
    "vit": _layer(
        "attention.attention.query attention.attention.key attention.attention.value attention.output.dense "
        "layernorm_before intermediate.dense output.dense layernorm_after"
    ),
}
MODULES = {
    "clip_text_model": "encoder.layers.{}",
    "distilbert": "transformer.layer.{}",
}


def layer_modules(config):
    """The modules of a checkpoint's layers, each once."""
    family = config["model_type"]
    if family == "albert":
        return [
            f"encoder.albert_layer_groups.{group}.albert_layers.{inner}"
            for group in range(config["num_hidden_groups"])
            for inner in range(config["inner_group_num"])
        ]
    count = config["n_layers" if family == "distilbert" else "num_hidden_layers"]
    return [MODULES.get(family, "encoder.layer.{}").format(i) for i in range(count)]


def config_of(family, task="", layers=2, hidden=64, heads=4, inner=128, vocabulary=100, positions=160, labels=3):
    """config.json; `task` is what follows the name of the base model's class, such as ForTokenClassification."""
    config = {
        "architectures": [CLASSES[family] + (task if task.startswith("For") else "Model" + task)],
        "model_type": family,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    }
    if family != "vit":
        config.update(vocab_size=vocabulary, max_position_embeddings=positions, pad_token_id=0)
    if family in ("bert", "electra", "albert"):
        config.update(type_vocab_size=2, position_embedding_type="absolute")
    if family in ("roberta", "xlm-roberta", "camembert"):
        config.update(type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5, max_position_embeddings=positions + 2)
    if family == "mpnet":
        config.update(pad_token_id=1, layer_norm_eps=1e-5, max_position_embeddings=positions + 2)
        config.update(relative_attention_num_buckets=32)
    if family in ("electra", "albert"):
        config.update(embedding_size=hidden // 2)
    if family == "albert":
        config.update(hidden_act="gelu_new", num_hidden_groups=1, inner_group_num=1)
    if family == "distilbert":
        for old, new in [
            ("hidden_size", "dim"),
            ("num_hidden_layers", "n_layers"),
            ("num_attention_heads", "n_heads"),
            ("intermediate_size", "hidden_dim"),
            ("hidden_act", "activation"),
        ]:
            config[new] = config.pop(old)
        del config["layer_norm_eps"]
    if family == "clip_text_model":
        config.update(
            hidden_act="quick_gelu", layer_norm_eps=1e-5, projection_dim=hidden // 2, pad_token_id=1, eos_token_id=2
        )
    if family == "vit":
        config.update(image_size=24, patch_size=8, num_channels=3, qkv_bias=True)
    if "Classification" in task:
        config["id2label"] = {str(i): f"LABEL_{i}" for i in range(labels)}
    return config


def task_of(config):
    name = config.get("architectures", ["Model"])[0]
    return name[name.index("For") :] if "For" in name else "WithProjection" if "WithProjection" in name else ""


class _Shapes:
    def __init__(self, config, prefix):
        self.config, self.prefix, self.shapes = config, prefix, {}
        self.width = config.get("hidden_size", config.get("dim"))
        self.inner = config.get("intermediate_size", config.get("hidden_dim"))

    def add(self, name, *shape):
        self.shapes[self.prefix + name] = list(shape)

    def linear(self, name, out, into, bias=True):
        self.add(name + ".weight", out, into)
        if bias:
            self.add(name + ".bias", out)

    def norm(self, name, width=None):
        self.add(name + ".weight", width or self.width)
        self.add(name + ".bias", width or self.width)

    def layers(self):
        names, bias = LAYERS.get(self.config["model_type"], BERT_LAYER), self.config.get("qkv_bias", True)
        for module in layer_modules(self.config):
            for part in ("query", "key", "value"):
                self.linear(f"{module}.{names[part]}", self.width, self.width, bias)
            self.linear(f"{module}.{names['output']}", self.width, self.width)
            self.linear(f"{module}.{names['up']}", self.inner, self.width)
            self.linear(f"{module}.{names['down']}", self.width, self.inner)
            for part in ("attention_norm", "output_norm"):
                self.norm(f"{module}.{names[part]}")


def _vit_shapes(s, task, labels, pooler):
    c = s.config
    image, patch = ([v, v] if isinstance(v, int) else v for v in (c["image_size"], c["patch_size"]))
    s.add("embeddings.cls_token", 1, 1, s.width)
    s.add("embeddings.position_embeddings", 1, 1 + (image[0] // patch[0]) * (image[1] // patch[1]), s.width)
    s.add("embeddings.patch_embeddings.projection.weight", s.width, c["num_channels"], *patch)
    s.add("embeddings.patch_embeddings.projection.bias", s.width)
    s.layers()
    s.norm("layernorm")
    if pooler and not task:
        s.linear("pooler.dense", c.get("pooler_output_size", s.width), s.width)
    s.prefix = ""
    if task == "ForImageClassification":
        s.linear("classifier", labels, s.width)


def _clip_shapes(s, task):
    c = s.config
    s.add("embeddings.token_embedding.weight", c["vocab_size"], s.width)
    s.add("embeddings.position_embedding.weight", c["max_position_embeddings"], s.width)
    s.layers()
    s.norm("final_layer_norm")
    s.prefix = ""
    if task == "WithProjection":
        s.linear("text_projection", c["projection_dim"], s.width, bias=False)


def _text_shapes(s, task, labels, pooler):
    c, family = s.config, s.config["model_type"]
    narrow = c.get("embedding_size", s.width)
    s.add("embeddings.word_embeddings.weight", c["vocab_size"], narrow)
    s.add("embeddings.position_embeddings.weight", c["max_position_embeddings"], narrow)
    if "type_vocab_size" in c:
        s.add("embeddings.token_type_embeddings.weight", c["type_vocab_size"], narrow)
    s.norm("embeddings.LayerNorm", narrow)
    if family == "electra" and narrow != s.width:
        s.linear("embeddings_project", s.width, narrow)
    if family == "albert":
        s.linear("encoder.embedding_hidden_mapping_in", s.width, narrow)
    s.layers()
    if family == "mpnet":
        s.add("encoder.relative_attention_bias.weight", c["relative_attention_num_buckets"], c["num_attention_heads"])
    if family in ("bert", "albert") and task == "ForSequenceClassification":
        pooler = True
    elif task or family in ("distilbert", "electra"):
        pooler = False
    if pooler:
        s.linear("pooler" if family == "albert" else "pooler.dense", s.width, s.width)
    s.prefix = ""
    if task == "ForTokenClassification":
        s.linear("classifier", labels, s.width)
    elif task == "ForSequenceClassification":
        if family in ("bert", "albert"):
            s.linear("classifier", labels, s.width)
        elif family == "distilbert":
            s.linear("pre_classifier", s.width, s.width)
            s.linear("classifier", labels, s.width)
        else:
            s.linear("classifier.dense", s.width, s.width)
            s.linear("classifier.out_proj", labels, s.width)


def shapes_of(config, pooler=True, prefix=None):
    """Names and shapes of a checkpoint's tensors, in the model's order; `prefix` other than a task's model has it."""
    family, task = config["model_type"], task_of(config)
    if prefix is None:
        prefix = PREFIXES[family] if task or family == "clip_text_model" else ""
    s, labels = _Shapes(config, prefix), len(config.get("id2label", {})) or config.get("num_labels", 2)
    if family == "vit":
        _vit_shapes(s, task, labels, pooler)
    elif family == "clip_text_model":
        _clip_shapes(s, task)
    else:
        _text_shapes(s, task, labels, pooler)
    return s.shapes


def variants():
    """(family, task, changes of the config) of all that tests compile, and that was compared with transformers."""
    for family in CLASSES:
        tasks = {"vit": ("", "ForImageClassification"), "clip_text_model": ("", "WithProjection")}
        for task in tasks.get(family, ("", "ForSequenceClassification", "ForTokenClassification")):
            yield family, task, {}
    yield "albert", "", {"num_hidden_layers": 5, "num_hidden_groups": 3, "inner_group_num": 2}
    yield "bert", "", {"hidden_act": "gelu_new"}
    yield "clip_text_model", "", {"eos_token_id": 7, "hidden_act": "gelu"}
    yield "distilbert", "", {"activation": "relu"}
    yield "electra", "", {"embedding_size": 64}
    yield "mpnet", "", {"relative_attention_num_buckets": 40}
    yield "roberta", "", {"type_vocab_size": 2, "pad_token_id": 3}
    yield "vit", "", {"image_size": [20, 28], "patch_size": [8, 5], "qkv_bias": False, "hidden_act": "quick_gelu"}
    yield "vit", "", {"pooler_output_size": 10, "pooler_act": "relu"}
