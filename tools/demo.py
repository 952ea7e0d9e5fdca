# ===- demo.py - Nearest sentences with a compiled encoder ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python demo.py MODEL-DIRECTORY LIBRARY
#
# The part of tools/demo that needs Python: the model's own tokenizer, the compiled
# library, and the float64 reference. Exits 1 where the two differ by more than 2e-5.
#
# ===------------------------------------------------------------------------===#
import os
import sys
import time

import numpy as np
import tokenizers

import attn
import reference

TOLERANCE = 2e-5

SENTENCES = """
The train to the coast leaves at seven in the morning.
Our flight was delayed by three hours because of fog.
You can rent a bicycle next to the station.
The ferry does not sail when the wind is strong.
Traffic on the ring road is worst on Friday afternoons.
A night bus connects the airport with the old town.
She kneads the dough until it no longer sticks to her hands.
Simmer the lentils with cumin for half an hour.
Fresh basil loses its taste when it is cooked for too long.
He grinds the coffee beans just before brewing.
The bakery sells out of rye bread before noon.
Add a pinch of salt to bring out the sweetness of the chocolate.
A compiler translates a program into machine code.
The processor multiplies eight numbers with a single instruction.
The memory leak only shows up after several days.
We store passwords as salted hashes, never in plain text.
A cache keeps data close to where it is needed.
The neural network was trained on a billion sentence pairs.
Unit tests run every time somebody pushes a change.
The doctor recommended rest and plenty of water.
Vaccines train the immune system to recognise a virus.
Regular exercise lowers the risk of heart disease.
The nurse changed the bandage twice a day.
Lack of sleep makes it harder to concentrate.
The goalkeeper saved a penalty in the last minute.
She ran her first marathon in under four hours.
The chess player sacrificed a rook to win the game.
Rain stopped the tennis final for an hour.
The orchestra tuned their instruments before the concert.
He learned to play the guitar by listening to old records.
The museum shows paintings from the seventeenth century.
The novel tells the story of three sisters by the sea.
Wolves have returned to the forests in the north.
Bees find their way home by the position of the sun.
The volcano has been silent for two hundred years.
A comet passes close to the earth every seventy-six years.
The price of wheat rose after the dry summer.
The bank raised its interest rate by a quarter of a percent.
They signed a lease for the shop on the corner.
Small companies pay less tax in their first year.
""".strip().splitlines()

QUERIES = [
    "How do I get to the airport at night?",
    "software that turns source code into an executable",
    "advice for staying healthy",
    "a recipe tip",
    "money and loans",
    "animals that navigate",
]


def encode(tokenizer, texts, limit):
    """Token ids, mask and type ids of a batch, padded to its longest text."""
    tokenizer.enable_truncation(limit)
    tokenizer.enable_padding()
    rows = tokenizer.encode_batch(texts)
    return {
        "input_ids": np.array([row.ids for row in rows], np.int64),
        "attention_mask": np.array([row.attention_mask for row in rows], np.int64),
        "token_type_ids": np.array([row.type_ids for row in rows], np.int64),
    }


def main():
    directory, path = sys.argv[1:]
    library = attn.load(path)
    (entry,) = library.entries.values()
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
    config, weights = reference.load(directory)
    print(f"\n== entry '{entry.name}', which runs its {entry.target} code on this machine")
    for kind, tensors in (("input", entry.inputs), ("output", entry.outputs)):
        for tensor in tensors:
            print(f"   {kind:6} {tensor.name}: {tensor.dtype}[{', '.join(map(str, tensor.shape))}]")

    feeds = encode(tokenizer, SENTENCES, config["max_position_embeddings"])
    entry(**feeds)
    begin = time.perf_counter()
    result = entry(**feeds)
    seconds = time.perf_counter() - begin
    batch, sequence = feeds["input_ids"].shape
    print(f"   {batch} sentences of up to {sequence} tokens in {seconds * 1e3:.1f} ms")

    query_feeds = encode(tokenizer, QUERIES, config["max_position_embeddings"])
    queries = entry(**query_feeds)
    scores = queries.sentence_embedding @ result.sentence_embedding.T
    print("\n== nearest sentences (cosine)")
    for query, row in zip(QUERIES, scores):
        print(f"   {query}")
        for i in np.argsort(-row)[:3]:
            print(f"      {row[i]:.3f}  {SENTENCES[i]}")

    print("\n== against the float64 reference")
    worst = padding = 0.0
    for inputs, outputs in ((feeds, result), (query_feeds, queries)):
        hidden, embedding = reference.forward(config, weights, *inputs.values())
        apart, tokens = np.abs(outputs.last_hidden_state - hidden), inputs["attention_mask"] != 0
        worst = max(worst, float(np.abs(outputs.sentence_embedding - embedding).max()), float(apart[tokens].max()))
        padding = max(padding, float(apart[~tokens].max(initial=0)))
    print(f"   largest difference {worst:.2e} over all embeddings and tokens (allowed: {TOLERANCE:.0e})")
    # There the sums cancel, and every fp32 implementation is off by more.
    print(f"   at padding, which nothing reads, {padding:.2e}")

    size = os.path.getsize(path)
    weight_bytes = sum(array.size * 4 for array in weights.values() if array.dtype.kind == "f")
    print(f"   library {size / 1e6:.1f} MB, {size / weight_bytes:.3f} times its fp32 weights")
    if not worst <= TOLERANCE:
        sys.exit("the compiled model differs from the reference")


if __name__ == "__main__":
    main()
