"""weight_files.py BUILD_FOLDER: do the libraries and we read the same from a file of weights?

safetensors: PyPI safetensors writes tiny checkpoints, single and sharded, in every format and with
FP8 scales; tools_show_weights reads them. GGUF: tools_write_weights writes every format; PyPI gguf
reads the same tensors, and its decoders find numbers of the size that was written.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import ml_dtypes
import numpy as np
from safetensors.numpy import save, save_file

D, FF, HEADS, KV_HEADS, VOCAB = 256, 512, 4, 2, 288
CONFIG = {
    "model_type": "llama", "hidden_size": D, "intermediate_size": FF, "num_hidden_layers": 1,
    "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": VOCAB,
    "rms_norm_eps": 1e-5, "max_position_embeddings": 128, "tie_word_embeddings": False,
}
KV = D // HEADS * KV_HEADS
LAYER = "model.layers.0."
SHAPES = {
    "model.embed_tokens.weight": ("token_embd.weight", (VOCAB, D)),
    "model.norm.weight": ("output_norm.weight", (D,)),
    "lm_head.weight": ("output.weight", (VOCAB, D)),
    LAYER + "input_layernorm.weight": ("blk.0.attn_norm.weight", (D,)),
    LAYER + "self_attn.q_proj.weight": ("blk.0.attn_q.weight", (D, D)),
    LAYER + "self_attn.k_proj.weight": ("blk.0.attn_k.weight", (KV, D)),
    LAYER + "self_attn.v_proj.weight": ("blk.0.attn_v.weight", (KV, D)),
    LAYER + "self_attn.o_proj.weight": ("blk.0.attn_output.weight", (D, D)),
    LAYER + "post_attention_layernorm.weight": ("blk.0.ffn_norm.weight", (D,)),
    LAYER + "mlp.gate_proj.weight": ("blk.0.ffn_gate.weight", (FF, D)),
    LAYER + "mlp.up_proj.weight": ("blk.0.ffn_up.weight", (FF, D)),
    LAYER + "mlp.down_proj.weight": ("blk.0.ffn_down.weight", (D, FF)),
}
DTYPES = {
    "fp32": np.float32, "fp16": np.float16, "bf16": ml_dtypes.bfloat16,
    "fp8_e4m3": ml_dtypes.float8_e4m3fn, "fp8_e5m2": ml_dtypes.float8_e5m2,
}
GGUF_FORMATS = ["fp32", "fp16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]
GGUF_FORMATS += ["q4_K", "q5_K", "q6_K"]


def show(build, path):
    """What we read: {name: (format, shape, sha256, scaling, scales)}."""
    tool = [build / "tools_show_weights", path]
    out = subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split(" ") for line in out.splitlines()]
    return {r[0]: (r[1], r[2], r[3], r[4], r[5]) for r in rows}


def row(array, name, scaling="none", scales=()):
    shape = "x".join(str(d) for d in array.shape)
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return (name, shape, digest, scaling, "[" + ",".join(f"{s:g}" for s in scales) + "]")


def checkpoint(name, random):
    """Tensors by Hugging Face's names, and what we should say of them."""
    tensors, expected = {}, {}
    for hf, (ours, shape) in SHAPES.items():
        array = random.normal(size=shape).astype(DTYPES[name])
        tensors[hf] = array
        expected[ours] = row(array, name)
    if not name.startswith("fp8"):
        return tensors, expected
    gate, down = LAYER + "mlp.gate_proj.weight", LAYER + "mlp.down_proj.weight"
    per_row = np.linspace(0.25, 4, FF, dtype=np.float32).astype(ml_dtypes.bfloat16)
    blocks = np.arange(1, 9, dtype=np.float32).reshape(2, 4)  # of 128 x 128 in (256, 512)
    tensors[gate + "_scale"] = per_row.reshape(FF, 1)
    tensors[down + "_scale_inv"] = blocks
    tensors[LAYER + "mlp.down_proj.input_scale"] = np.ones((), np.float32)
    scales = per_row.astype(np.float32)
    expected["blk.0.ffn_gate.weight"] = row(tensors[gate], name, "channel", scales)
    expected["blk.0.ffn_down.weight"] = row(tensors[down], name, "block_128", blocks.flatten())
    return tensors, expected


def compare(what, ours, expected):
    assert ours.keys() == expected.keys(), (what, ours.keys() ^ expected.keys())
    for name, row_expected in expected.items():
        ours_row = ours[name]
        assert ours_row[:4] == row_expected[:4], (what, name, ours_row, row_expected)
        read = [float(s) for s in ours_row[4].strip("[]").split(",") if s]
        told = [float(s) for s in row_expected[4].strip("[]").split(",") if s]
        assert np.allclose(read, told, rtol=1e-5), (what, name)


def check_safetensors(build, folder):
    random = np.random.default_rng(1)
    for name in DTYPES:
        tensors, expected = checkpoint(name, random)
        single, sharded = folder / f"{name}-single", folder / f"{name}-sharded"
        for place in (single, sharded):
            place.mkdir()
            (place / "config.json").write_text(json.dumps(CONFIG))
        save_file(tensors, single / "model.safetensors", metadata={"format": "pt"})
        index = {}
        for i in range(2):
            shard = f"model-{i + 1:05}-of-00002.safetensors"
            part = {t: tensors[t] for t in sorted(tensors)[i::2]}
            (sharded / shard).write_bytes(save(part))
            index |= dict.fromkeys(part, shard)
        text = json.dumps({"metadata": {}, "weight_map": index})
        (sharded / "model.safetensors.index.json").write_text(text)
        compare(single, show(build, single), expected)
        compare(sharded, show(build, sharded), expected)


def check_gguf(build, folder):
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG))
    for name in GGUF_FORMATS:
        path = folder / f"{name}.gguf"
        subprocess.run([build / "tools_write_weights", config, path, name], check=True)
        ours = show(build, path)
        reader = gguf.GGUFReader(path)
        assert {t.name for t in reader.tensors} == ours.keys(), name
        for t in reader.tensors:
            digest = hashlib.sha256(t.data.tobytes()).hexdigest()
            shape = "x".join(str(d) for d in reversed(t.shape.tolist()))
            assert ours[t.name][1:3] == (shape, digest), (name, t.name)
            if len(t.shape) == 2:  # uniform with variance 1 / columns
                values = gguf.quants.dequantize(t.data, t.tensor_type) * np.sqrt(t.shape[0])
                assert abs(values.std() - 1) < 0.05, (name, t.name, values.std())
                assert abs(values.mean()) < 0.05, (name, t.name, values.mean())


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        check_safetensors(build, Path(scratch))
        check_gguf(build, Path(scratch))
    print(f"equal: {len(DTYPES)} data types of safetensors, {len(GGUF_FORMATS)} formats of GGUF")


main()
