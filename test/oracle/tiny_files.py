"""Tiny models with random weights, one file for each stored format and kind of model.

    run.sh tiny_files.py FOLDER

Written with PyPI `gguf`, so that neither reader is ours: both llama.cpp and presil have to take
them. Rows are 256 wide for K-blocks, whose bytes are random with scales in a sane range (PyPI gguf
does not quantise to them). The vocabulary is the 256 bytes and a few merges.
"""
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

D_MODEL, D_FF, HEADS, KV_HEADS, LAYERS, CONTEXT = 256, 512, 4, 2, 2, 256
GAIN = 2  # of random matrices: strong enough that tokens are not all alike
MERGES = ["Ġ t", "h e", "i n", "Ġt he", "e r", "a n", "Ġ a", "o n"]
K_SCALES = {Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}  # where a block's fp16 lie


def byte_tokens():
    """GPT-2's letters for the 256 bytes: printable ones stand for themselves."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    others = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return [letters[byte] for byte in range(256)]


class Writer:
    def __init__(self, path, architecture, seed):
        self.file = gguf.GGUFWriter(path, architecture)
        self.random = np.random.default_rng(seed)

    def keys(self, tokens):
        f = self.file
        f.add_context_length(CONTEXT)
        f.add_embedding_length(D_MODEL)
        f.add_block_count(LAYERS)
        f.add_feed_forward_length(D_FF)
        f.add_head_count(HEADS)
        f.add_head_count_kv(KV_HEADS)
        f.add_layer_norm_rms_eps(1e-5)
        f.add_rope_freq_base(10000.0)
        f.add_rope_dimension_count(D_MODEL // HEADS)
        f.add_vocab_size(len(tokens))
        f.add_tokenizer_model("gpt2")
        f.add_tokenizer_pre("smollm")
        f.add_token_list(tokens)
        f.add_token_types([3] + [1] * (len(tokens) - 1))
        f.add_token_merges(MERGES)
        f.add_bos_token_id(0)
        f.add_eos_token_id(0)
        f.add_add_bos_token(False)

    def vector(self, name, size, around=1.0):
        values = around + 0.1 * self.random.standard_normal(size)
        self.file.add_tensor(name, values.astype(np.float32))

    def matrix(self, name, rows, columns, kind):
        values = self.random.standard_normal((rows, columns)).astype(np.float32)
        values *= GAIN / np.sqrt(columns)
        if kind in K_SCALES:
            data = self.k_blocks(rows, columns, kind)
        else:
            data = gguf.quants.quantize(values, kind)
        self.file.add_tensor(name, data, raw_dtype=kind)

    def k_blocks(self, rows, columns, kind):
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = self.random.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
        scale = GAIN / np.sqrt(columns) / (32 * 8) if kind != Type.Q6_K else GAIN / np.sqrt(columns) / 1200
        for at in K_SCALES[kind]:
            d = (scale * self.random.uniform(0.5, 1.5, len(blocks))).astype(np.float16)
            d = d * np.float16(4) if at == 2 and kind == Type.Q4_K else d
            blocks[:, at:at + 2] = d.view(np.uint8).reshape(-1, 2)
        return blocks.reshape(rows, -1)

    def close(self):
        self.file.write_header_to_file()
        self.file.write_kv_data_to_file()
        self.file.write_tensors_to_file()
        self.file.close()


def write(folder, name, kind=Type.F32, architecture="llama", tied=True, rope=False, down=None):
    w = Writer(folder / f"{name}.gguf", architecture, seed=sum(name.encode()))
    tokens = ["<|endoftext|>"] + byte_tokens() + [m.replace(" ", "") for m in MERGES]
    w.keys(tokens)
    head_dim = D_MODEL // HEADS
    w.matrix("token_embd.weight", len(tokens), D_MODEL, kind)
    if not tied:
        w.matrix("output.weight", len(tokens), D_MODEL, kind)
    if rope:
        w.vector("rope_freqs.weight", head_dim // 2, around=2.0)
    w.vector("output_norm.weight", D_MODEL)
    for i in range(LAYERS):
        layer = f"blk.{i}"
        w.vector(f"{layer}.attn_norm.weight", D_MODEL)
        w.vector(f"{layer}.ffn_norm.weight", D_MODEL)
        for part, rows in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            w.matrix(f"{layer}.attn_{part}.weight", rows * head_dim, D_MODEL, kind)
            if architecture == "qwen2":
                w.vector(f"{layer}.attn_{part}.bias", rows * head_dim, around=0.0)
        if architecture == "qwen3":
            w.vector(f"{layer}.attn_q_norm.weight", head_dim)
            w.vector(f"{layer}.attn_k_norm.weight", head_dim)
        w.matrix(f"{layer}.attn_output.weight", D_MODEL, HEADS * head_dim, kind)
        w.matrix(f"{layer}.ffn_gate.weight", D_FF, D_MODEL, kind)
        w.matrix(f"{layer}.ffn_up.weight", D_FF, D_MODEL, kind)
        w.matrix(f"{layer}.ffn_down.weight", D_MODEL, D_FF, down if down and i == 0 else kind)
    w.close()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in (Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0,
                 Type.Q5_1, Type.Q4_K, Type.Q5_K, Type.Q6_K):
        write(folder, kind.name.lower(), kind)
    write(folder, "untied", tied=False)
    write(folder, "rope_freqs", rope=True)
    write(folder, "qwen2", architecture="qwen2")
    write(folder, "qwen3", architecture="qwen3")
    write(folder, "mixed", Type.Q4_K, down=Type.Q6_K)  # layers of two kinds, as in Q4_K_M


if __name__ == "__main__":
    main()
