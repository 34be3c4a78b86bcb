"""number_formats.py CONVERT: our number formats against those of ml_dtypes, and of NumPy for fp16.

Every code is read, and rounded to the format are all fp16 numbers, all bf16 numbers and four
million floats: of any bits, on ties, beside them, among subnormal numbers and at the largest.
"""

import subprocess
import sys

import ml_dtypes
import numpy as np

FORMATS = {
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8_e4m3": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}
CODES = {**FORMATS, "e8m0": ml_dtypes.float8_e8m0fnu}
NARROW = ["fp8_e4m3", "fp8_e5m2", "fp4_e2m1", "e8m0"]


def convert(program, name, way, items):
    done = subprocess.run([program, name, way], input=items.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32)


def hard_floats(dtype):
    bits = np.random.default_rng(5)
    every = np.arange(65536, dtype=np.uint16)
    numbers = [every.view(np.float16).astype(np.float32), (every.astype(np.uint32) << 16).view(np.float32)]
    numbers.append(bits.integers(0, 2**32, 2_000_000, dtype=np.uint32).view(np.float32))
    near = (bits.standard_normal(400_000) * 2.0 ** bits.integers(-30, 20, 400_000)).astype(np.float32)
    exact = near.astype(dtype).astype(np.float32)
    ties = (exact + (near * np.float32(1.25)).astype(dtype).astype(np.float32)) / 2
    for some in (near, exact, ties):
        numbers += [some, np.nextafter(some, np.float32(np.inf)), np.nextafter(some, np.float32(-np.inf))]
    return np.concatenate(numbers)


def compare(what, found, expected):
    nan = np.isnan(expected)
    same = (nan & np.isnan(found)) | (~nan & (found.view(np.uint32) == expected.view(np.uint32)))
    if not same.all():
        at = np.flatnonzero(~same)
        sys.exit(f"{what}: {len(at)} differ, first {found[at[0]]} where {expected[at[0]]} is expected")
    print(f"{what}: {len(found)} equal")


def main():
    program = sys.argv[1]
    for name in NARROW:
        codes = np.arange(16 if name == "fp4_e2m1" else 256, dtype=np.uint8)
        compare(f"{name} codes", convert(program, name, "decode", codes), codes.view(CODES[name]).astype(np.float32))
    np.seterr(all="ignore")
    for name, dtype in FORMATS.items():
        floats = hard_floats(dtype)
        if name == "fp4_e2m1":  # has no NaN: we keep one to be found, ml_dtypes makes it a number
            floats = floats[~np.isnan(floats)]
        expected = floats.astype(dtype).astype(np.float32)
        compare(f"{name} infinite", convert(program, name, "infinite", floats), expected)
        largest = np.float32(ml_dtypes.finfo(dtype).max)
        beyond = ~np.isnan(floats) & ~(np.abs(expected) <= largest)
        saturated = np.where(beyond, np.copysign(largest, floats), expected)
        compare(f"{name} saturate", convert(program, name, "saturate", floats), saturated)


main()
