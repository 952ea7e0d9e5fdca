# ===- check_families.py - Random models of all families over many shapes ---===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python check_families.py --attnc attnc --dir DIR [--tasks | --sentence] [--only roberta]
#
# Each variant is written as a directory, compiled, and compared with float64 NumPy
# over batches and lengths around likely tile sizes, with masks that have holes or
# no key at all, and with padding anywhere among the tokens.
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import encoder  # noqa: E402
import families  # noqa: E402  (encoder put benchmarks on the path)
import families_reference  # noqa: E402
import random_bert  # noqa: E402
import random_bert_check  # noqa: E402
import random_model  # noqa: E402
import reference  # noqa: E402

TARGETS = ("x86-64-v4", "x86-64-v3")


def text_feeds(config, rng, count):
    for number, (batch, length) in enumerate(random_bert_check.shapes(rng, 60)[:: 60 // count]):
        kind = random_bert_check.KINDS[number % len(random_bert_check.KINDS)]
        ids = rng.integers(0, config["vocab_size"], (batch, length))
        mask = random_bert_check.make_mask(rng, kind, batch, length)
        # Padding is where the mask says so, or anywhere.
        if number % 3:
            ids = np.where(mask != 0, ids, config["pad_token_id"])
        feeds = {"input_ids": ids, "attention_mask": mask}
        if config.get("type_vocab_size", 1) > 1:
            feeds["token_type_ids"] = rng.integers(0, config["type_vocab_size"], (batch, length))
        yield f"{batch}x{length} {kind}", feeds


def image_feeds(config, rng, count):
    image = config["image_size"]
    height, width = (image, image) if isinstance(image, int) else image
    for batch in (0, 1, 2, 5):
        pixels = rng.standard_normal((batch, config["num_channels"], height, width), np.float32)
        yield f"{batch}", {"pixel_values": pixels}


class Library:
    """What encoder.add_arguments would have said."""

    def __init__(self, library, target):
        self.library, self.target, self.threads, self.entry = library, target, 2, 0


def targets_here():
    with open("/proc/cpuinfo") as file:
        return TARGETS if "avx512f" in file.read() else TARGETS[1:]


def variants(arguments):
    if arguments.sentence:
        return [(family, "", {}) for family in ("albert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta")]
    chosen = [variant for variant in families.variants() if bool(variant[1]) == arguments.tasks]
    return [variant for variant in chosen if arguments.only in (None, variant[0])]


def expected(model, feeds, is_sentence):
    outputs = model(**feeds)
    if is_sentence:
        outputs["sentence_embedding"] = reference.pool(outputs["last_hidden_state"], feeds["attention_mask"])
        outputs.pop("pooler_output", None)
    return outputs


def main():
    parser = argparse.ArgumentParser(description="Compile and check random models of all Hugging Face families.")
    parser.add_argument("--attnc", required=True)
    parser.add_argument("--dir", required=True, help="where models and libraries are written")
    parser.add_argument("--tasks", action="store_true", help="the models with heads, rather than those without")
    parser.add_argument("--sentence", action="store_true", help="sentence encoders of some families")
    parser.add_argument("--only", help="one family")
    parser.add_argument("--count", type=int, default=20, help="number of shapes")
    arguments = parser.parse_args()
    verdict = encoder.Verdict()
    for number, (family, task, changes) in enumerate(variants(arguments)):
        config = {**families.config_of(family, task), **changes}
        weights = random_model.weights_of(config)
        directory = os.path.join(arguments.dir, f"{number}-{family}{task}")
        random_model.write(directory, config, weights)
        if arguments.sentence:
            random_bert.write_pooling(directory, config.get("hidden_size", config.get("dim")))
        library = os.path.join(arguments.dir, f"libmodel{number}.so")
        command = [arguments.attnc, directory, "-o", library, "--quiet", "--target=" + ",".join(TARGETS)]
        subprocess.run(command, check=True)
        model, before = families_reference.Model(config, weights), verdict.count
        runs = {target: encoder.ThroughABI(Library(library, target)) for target in targets_here()}
        feeds_of = image_feeds if family == "vit" else text_feeds
        for where, feeds in feeds_of(config, np.random.default_rng(number), arguments.count):
            want = expected(model, feeds, arguments.sentence)
            for target, run in runs.items():
                got = run({name: np.ascontiguousarray(array) for name, array in feeds.items()})
                for name, array in want.items():
                    verdict.compare(f"{family}{task} {changes} {name} {where} {target}", np.asarray(got[name]), array)
        print(f"{family}{task} {changes or ''}: {verdict.count - before} comparisons", flush=True)
    verdict.finish()


if __name__ == "__main__":
    main()
