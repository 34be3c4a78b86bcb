"""changed_weight.py MODEL.gguf PRESIL PROMPTS: does one changed weight change us and NumPy alike?

Changes one element of an F32 file's copy, and compares the change of our logits with the change of
the float64 forward pass's. Ours are asked of `presil verify values --reference numpy`, which holds
both to 1e-5 of the logits: on both files, and on files whose logits differ by more than that.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import gguf
import numpy as np

import forward

TENSOR, ROW, COLUMN, FACTOR = "blk.0.ffn_down.weight", 7, 11, 64


def change(path):
    reader = gguf.GGUFReader(path, "r+")
    tensor = next(t for t in reader.tensors if t.name == TENSOR)
    tensor.data[ROW, COLUMN] *= FACTOR
    tensor.data.flush()


def main():
    model, presil, prompts = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        copy = str(pathlib.Path(folder) / "changed.gguf")
        shutil.copyfile(model, copy)
        change(copy)
        tokens = [5, 80, 33, 7, 120, 64]
        before = forward.Model(model).logits(tokens, 1)
        after = forward.Model(copy).logits(tokens, 1)
        changed = np.linalg.norm(after - before) / np.linalg.norm(before)
        print(f"the changed weight moves the logits by {changed:.2g} of their norm")
        assert changed > 1e-3, "too small a change to be seen"
        for file in (model, copy):
            subprocess.run([presil, "verify", "values", "--reference", "numpy", "--prompts",
                            prompts, "--tokens", "4", "--weights", file], check=True)


main()
