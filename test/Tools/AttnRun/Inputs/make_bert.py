# ===- make_bert.py - A small BERT and its float64 results ----------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Writes MODEL/ and REFERENCE.npz, named as attn-run --check wants them.
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np

import random_bert
import reference

model, path = sys.argv[1:]
config = random_bert.config_of()
tensors = random_bert.weights_of(config)
random_bert.write(model, config, tensors)
rng = np.random.default_rng(3)
ids = rng.integers(0, config["vocab_size"], (3, 21))
mask = (np.arange(21) < np.array([[21], [8], [1]])).astype(np.int64)
types = rng.integers(0, 2, (3, 21))
hidden, embedding = reference.forward(config, tensors, ids, mask, types)
arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
np.savez(path, **arrays, last_hidden_state=hidden, sentence_embedding=embedding)
