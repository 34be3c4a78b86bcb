"""blocks.py BUILD: our decoders of stored numbers against PyPI gguf and ml_dtypes, bit for bit.

Random bytes are decoded by BUILD/test/blocks and by the packages. NaN equals NaN.
"""

import subprocess
import sys

import gguf
import ml_dtypes
import numpy as np

BLOCKS = 2000
QUANTISED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
FLOATS = {
    "fp32": np.dtype("<f4"),
    "fp16": np.dtype("<f2"),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "fp8_e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
    "fp8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
}


def ours(build, name, data):
    out = subprocess.run(
        [f"{build}/test/blocks", "dequantise", name], input=data.tobytes(), capture_output=True, check=True
    )
    return np.frombuffer(out.stdout, dtype="<f4")


def compare(name, found, expected):
    expected = np.ascontiguousarray(expected, dtype="<f4").reshape(-1)
    assert found.shape == expected.shape, f"{name}: {found.shape} numbers for {expected.shape}"
    both_nan = np.isnan(found) & np.isnan(expected)
    differ = (found.view("<u4") != expected.view("<u4")) & ~both_nan
    # A zero's sign is not part of what a block means: gguf multiplies in another order.
    differ &= ~((found == 0) & (expected == 0))
    assert not differ.any(), (
        f"{name}: element {np.argmax(differ)} is {found[np.argmax(differ)]!r}, "
        f"expected {expected[np.argmax(differ)]!r}"
    )
    print(f"{name}: {len(found)} numbers equal")


def main(build):
    random = np.random.default_rng(1)
    np.seterr(all="ignore")  # random halves are infinite now and then
    for name in QUANTISED:
        kind = gguf.GGMLQuantizationType[name]
        _, size = gguf.GGML_QUANT_SIZES[kind]
        data = random.integers(0, 256, size=(BLOCKS, size), dtype=np.uint8)
        our_name = name if name.endswith("_K") else name.lower()
        our_name = "q" + our_name[1:]
        compare(our_name, ours(build, our_name, data), gguf.quants.dequantize(data, kind))
    for name, dtype in FLOATS.items():
        if dtype.itemsize == 4:
            data = random.integers(0, 2**32, size=BLOCKS, dtype=np.uint32).view(np.uint8)
        else:  # every one there is
            data = np.arange(2 ** (8 * dtype.itemsize), dtype=f"<u{dtype.itemsize}").view(np.uint8)
        compare(name, ours(build, name, data), data.view(dtype).astype("<f4"))


main(sys.argv[1])
