"""A forward pass of Llama, Qwen2 and Qwen3 in float64, straight from a GGUF file.

    run.sh forward.py MODEL.gguf

Reads the file with PyPI `gguf` and shares nothing with our own code. The first line of stdout says
{"vocabulary"}; then each line of stdin is a request {"tokens", "steps"}, answered by the logits
after each of the last `steps` tokens: float64, (steps, vocabulary).
"""
import json
import sys

import gguf
import numpy as np


class Model:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.fields = {name: field.contents() for name, field in reader.fields.items()
                       if not name.startswith("tokenizer.")}
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        self.architecture = self.fields["general.architecture"]
        self.n_layers = self.key("block_count")
        self.n_heads = self.key("attention.head_count")
        self.n_kv_heads = self.key("attention.head_count_kv", self.n_heads)
        self.d_model = self.key("embedding_length")
        self.head_dim = self.key("attention.key_length", self.d_model // self.n_heads)
        self.epsilon = self.key("attention.layer_norm_rms_epsilon")
        base = self.key("rope.freq_base", 10000.0)
        self.frequencies = base ** (-np.arange(0, self.head_dim, 2) / self.head_dim)
        if "rope_freqs.weight" in self.tensors:
            self.frequencies = self.frequencies / self.weight("rope_freqs.weight")

    def key(self, name, fallback=None):
        return self.fields.get(f"{self.architecture}.{name}", fallback)

    def weight(self, name):
        tensor = self.tensors[name]
        return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)

    def product(self, x, name):
        y = x @ self.weight(name + ".weight").T
        return y + self.weight(name + ".bias") if name + ".bias" in self.tensors else y

    def norm(self, x, name):
        scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.epsilon)
        return x / scale * self.weight(name + ".weight")

    def rotate(self, x):  # (tokens, heads, head_dim)
        angles = np.outer(np.arange(len(x)), self.frequencies)[:, None, :]
        cos, sin = np.cos(angles), np.sin(angles)
        y = np.empty_like(x)
        if self.architecture == "llama":  # pairs (2i, 2i + 1); the others pair (i, i + half)
            a, b = slice(0, None, 2), slice(1, None, 2)
        else:
            half = self.head_dim // 2
            a, b = slice(0, half), slice(half, None)
        y[..., a] = x[..., a] * cos - x[..., b] * sin
        y[..., b] = x[..., a] * sin + x[..., b] * cos
        return y

    def attention(self, x, layer):
        tokens = len(x)
        q = self.product(x, f"{layer}.attn_q").reshape(tokens, self.n_heads, self.head_dim)
        k = self.product(x, f"{layer}.attn_k").reshape(tokens, self.n_kv_heads, self.head_dim)
        v = self.product(x, f"{layer}.attn_v").reshape(tokens, self.n_kv_heads, self.head_dim)
        if f"{layer}.attn_q_norm.weight" in self.tensors:
            q, k = self.norm(q, f"{layer}.attn_q_norm"), self.norm(k, f"{layer}.attn_k_norm")
        q, k = self.rotate(q), self.rotate(k)
        shared = self.n_heads // self.n_kv_heads
        k, v = np.repeat(k, shared, axis=1), np.repeat(v, shared, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(self.head_dim)
        scores[:, np.triu(np.ones((tokens, tokens), dtype=bool), 1)] = -np.inf
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return self.product(np.einsum("hqk,khd->qhd", p, v).reshape(tokens, -1),
                            f"{layer}.attn_output")

    def feed_forward(self, x, layer):
        gate = self.product(x, f"{layer}.ffn_gate")
        silu = gate / (1 + np.exp(-gate))
        return self.product(silu * self.product(x, f"{layer}.ffn_up"), f"{layer}.ffn_down")

    def logits(self, tokens, steps):
        x = self.weight("token_embd.weight")[tokens]
        for i in range(self.n_layers):
            layer = f"blk.{i}"
            x = x + self.attention(self.norm(x, f"{layer}.attn_norm"), layer)
            x = x + self.feed_forward(self.norm(x, f"{layer}.ffn_norm"), layer)
        x = self.norm(x[-steps:], "output_norm")
        return self.product(x, "output" if "output.weight" in self.tensors else "token_embd")


def main():
    model = Model(sys.argv[1])
    out = sys.stdout.buffer
    vocabulary = int(model.tensors["token_embd.weight"].shape[1])
    out.write(json.dumps({"vocabulary": vocabulary}).encode() + b"\n")
    out.flush()
    for line in sys.stdin:
        out.write(model.logits(**json.loads(line)).astype("<f8").tobytes())
        out.flush()


if __name__ == "__main__":
    main()
