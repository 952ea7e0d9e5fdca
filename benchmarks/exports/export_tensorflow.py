# ===- export_tensorflow.py - A transformer block as tf2onnx writes it ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   pip install tensorflow-cpu tf2onnx
#   python export_tensorflow.py DIRECTORY
#
# Writes tensorflow_block.onnx and tensorflow_block.npz as export.py does: attention
# with einsums as Keras has them, norms over moments, a GELU by tanh.
#
# ===------------------------------------------------------------------------===#
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402

WIDTH, HEADS, HIDDEN = 32, 4, 64


class Block:
    def __init__(self):
        random = np.random.default_rng(1)
        head = WIDTH // HEADS
        shapes = {
            "query": (WIDTH, HEADS, head), "key": (WIDTH, HEADS, head), "value": (WIDTH, HEADS, head),
            "output": (HEADS, head, WIDTH), "up": (WIDTH, HIDDEN), "bias": (HIDDEN,), "down": (HIDDEN, WIDTH),
            "gain": (WIDTH,), "shift": (WIDTH,),
        }  # fmt: skip
        self.weights = {name: (random.standard_normal(shape) * 0.2).astype(np.float32) for name, shape in shapes.items()}

    def __call__(self, x):
        w = {name: tf.constant(array, x.dtype) for name, array in self.weights.items()}

        def norm(x):
            mean = tf.reduce_mean(x, -1, keepdims=True)
            variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
            return tf.nn.batch_normalization(x, mean, variance, w["shift"], w["gain"], 1e-5)

        query, key, value = (tf.einsum("abc,cde->abde", x, w[name]) for name in ("query", "key", "value"))
        query *= (WIDTH // HEADS) ** -0.5
        weights = tf.nn.softmax(tf.einsum("aecd,abcd->acbe", key, query))
        heads = tf.einsum("acbe,aecd->abcd", weights, value)
        x = norm(x + tf.einsum("abcd,cde->abe", heads, w["output"]))
        return norm(x + tf.nn.gelu(x @ w["up"] + w["bias"], approximate=True) @ w["down"])


def main(directory):
    block = Block()
    signature = [tf.TensorSpec([None, None, WIDTH], tf.float32, name="x")]
    path = os.path.join(directory, "tensorflow_block.onnx")
    model, _ = tf2onnx.convert.from_function(
        tf.function(block, input_signature=signature), input_signature=signature, opset=17, output_path=path
    )
    output, random, arrays = model.graph.output[0].name, np.random.default_rng(2), {}
    for run, shape in enumerate(((2, 9), (3, 5))):
        x = random.standard_normal((*shape, WIDTH)).astype(np.float32)
        arrays[f"{run}/in/x"] = x
        arrays[f"{run}/out/{output}"] = block(tf.constant(x, tf.float64)).numpy()
    np.savez_compressed(os.path.join(directory, "tensorflow_block.npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
