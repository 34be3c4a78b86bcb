"""ggml_blocks.py BINS BLOCKS: our arithmetic of ggml's blocks against ggml's own libraries.

BINS is the folder of shared libraries in npm's @node-llama-cpp/linux-x64, BLOCKS our tool of
blocks.cpp. Every build for a CPU that runs here is asked for what it exports:

  dequantize_row_*  the numbers of stored blocks, bit for bit
  quantize_row_*    blocks of activations, bit for bit
  ggml_vec_dot_*    products of both. Where scales are powers of two no step rounds, so that all
                    builds and we have to give the same bits, whatever the order of additions. With
                    any scales the plain functions (_generic) of the build x64, which fuses nothing,
                    add small blocks as we do; all else differs by no more than rounding explains.
"""

import ctypes
import pathlib
import subprocess
import sys

import llama_cpp
import numpy as np

# Elements and bytes of a block.
SIZES = {"q4_0": (32, 18), "q4_1": (32, 20), "q5_0": (32, 22), "q5_1": (32, 24), "q8_0": (32, 34),
         "q8_1": (32, 36), "q4_K": (256, 144), "q5_K": (256, 176), "q6_K": (256, 210),
         "q8_K": (256, 292)}
# Formats of weights, and of the activations that they meet.
PARTNERS = {"q4_0": "q8_0", "q5_0": "q8_0", "q8_0": "q8_0", "q4_1": "q8_1", "q5_1": "q8_1",
            "q4_K": "q8_K", "q5_K": "q8_K", "q6_K": "q8_K"}
WITH_MINIMUM = ("q4_1", "q5_1", "q4_K", "q5_K")
# These builds quantise q8_0 and q8_1 by the plain function: it multiplies by the inverse of d,
# which is rounded twice, and rounds ties away from zero.
WITHOUT_AVX = ("x64", "sse42")
ROWS = 400
random = np.random.default_rng(4)


class Ggml:
    def __init__(self, bins):
        names = llama_cpp.builds(bins)
        self.base = ctypes.CDLL(str(bins / "libggml-base.so"))
        self.builds = {name: ctypes.CDLL(str(bins / f"libggml-cpu-{name}.so")) for name in names}
        for library in self.builds.values():
            library.ggml_cpu_init()  # fills its table of halves

    def functions(self, name):
        """By (build, kind): each build's own function, "", and the one in plain C, "_generic"."""
        return {(build, kind): library[name + kind]
                for build, library in self.builds.items() for kind in ("", "_generic")}

    def dequantise(self, name, blocks):
        """float64 (..., elements of all blocks) of (..., blocks, bytes)"""
        elements, size = SIZES[name]
        count = blocks.size // size * elements
        out = convert(self.base[f"dequantize_row_{name}"], blocks, 4 * count, count)
        return out.view("<f4").reshape(*blocks.shape[:-2], -1).astype("<f8")


def convert(function, data, out_bytes, count):
    """void function(const void* from, void* to, int64_t count)"""
    out = np.zeros(out_bytes, dtype=np.uint8)
    data = np.ascontiguousarray(data)
    function(ctypes.c_void_p(data.ctypes.data), ctypes.c_void_p(out.ctypes.data),
             ctypes.c_int64(count))
    return out


def dot(function, count, weights, activations):
    """void function(int count, float* sum, size_t, const void* weights, size_t, const void*
    activations, size_t, int rows), row by row"""
    size, address = ctypes.c_size_t, ctypes.c_void_p
    function.argtypes = [ctypes.c_int, address, size, address, size, address, size, ctypes.c_int]
    out = np.zeros(len(weights), dtype="<f4")
    for row in range(len(weights)):
        function(count, out[row:].ctypes.data, 0, weights[row].ctypes.data, 0,
                 activations[row].ctypes.data, 0, 1)
    return out


def ours(tool, verb, name, data, *more):
    command = [tool, verb, name, *map(str, more)]
    out = subprocess.run(command, input=data.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(out, dtype=np.uint8)


def check_stored_numbers(ggml, tool):
    for name in PARTNERS:
        blocks = random.integers(0, 256, (2000, SIZES[name][1]), dtype=np.uint8)
        theirs = ggml.dequantise(name, blocks).astype("<f4")
        found = ours(tool, "dequantise", name, blocks).view("<f4")
        both_nan = np.isnan(found) & np.isnan(theirs)
        assert ((found.view("<u4") == theirs.view("<u4")) | both_nan).all(), name
        print(f"{name}: {found.size} stored numbers equal")


def rows_of_activations():
    """From where 127 / largest is finite to where q8_0's d is infinite; zeros; ties."""
    powers = np.exp2(np.arange(-118, 60, 2))
    sizes = powers[:, None] * random.standard_normal((len(powers), 1024))
    # The largest is 127 times a power of two, so codes are the numbers themselves, but for ties.
    ties = random.integers(-253, 254, (90, 256)) * 0.5
    ties[:, ::32] = 127
    flat = random.choice([-1, 1], (20, 256)) * random.standard_normal((20, 1))
    parts = (sizes, ties, 4 * ties, -ties / 8, flat, np.zeros(256))
    return np.concatenate([part.reshape(-1) for part in parts]).astype("<f4")


def codes_of(blocks, name):
    return blocks.reshape(-1, SIZES[name][1])[:, -32:].view(np.int8).astype(int)


def check_activations(ggml, tool):
    values = rows_of_activations()
    for name in sorted(set(PARTNERS.values())):
        found = ours(tool, "quantise", name, values)
        functions = {build + kind: function for (build, kind), function
                     in ggml.functions(f"quantize_row_{name}").items() if kind == ""}
        if name == "q8_K":
            functions["base"] = ggml.base.quantize_row_q8_K_ref
        equal = []
        for build, function in functions.items():
            theirs = convert(function, values, found.size, values.size)
            if name != "q8_K" and build in WITHOUT_AVX:
                distance = abs(codes_of(found, name) - codes_of(theirs, name)).max()
                assert distance <= 1, f"{name}: a code of {build} is {distance} away"
                continue
            assert (found == theirs).all(), f"{name}: {build} differs"
            equal.append(build)
        print(f"{name}: {values.size} activations equal, {' '.join(equal)}")


def scales(shape, exact):
    """Halves: 1/4 or 1/2, or else any from 2^-14 to 2."""
    if exact:
        return random.choice([0.25, 0.5], shape).astype("<f2")
    return random.integers(1 << 10, 16 << 10, shape).astype("<u2").view("<f2")


class Case:
    """Random blocks of weights and activations: (rows, blocks, bytes)."""

    def __init__(self, ggml, name, blocks, exact):
        self.name, self.partner, self.blocks, self.exact = name, PARTNERS[name], blocks, exact
        d_at = 208 if name == "q6_K" else 0
        self.weights = random.integers(0, 256, (ROWS, blocks, SIZES[name][1]), dtype=np.uint8)
        self.put(self.weights, d_at, scales((ROWS, blocks), exact))
        self.weights[:, :, d_at + 1] ^= random.choice([0, 128], (ROWS, blocks)).astype(np.uint8)
        if name in WITH_MINIMUM:
            self.put(self.weights, 2, scales((ROWS, blocks), exact))
        values, sums = self.make_activations()

        # Weights are linear in d and in m: each with the other at zero.
        of_d, of_m = self.weights.copy(), self.weights.copy()
        of_m[:, :, d_at:d_at + 2] = 0
        if name in WITH_MINIMUM:
            of_d[:, :, 2:4] = 0
        of_d = ggml.dequantise(name, of_d) * values
        of_m = ggml.dequantise(name, of_m) * values
        if self.partner == "q8_1":
            of_m = self.weights[:, :, 2:4].copy().view("<f2")[:, :, 0].astype("<f8") * sums
        self.sum = of_d.sum(axis=1) + of_m.sum(axis=1)
        self.magnitude = abs(of_d).sum(axis=1) + abs(of_m).sum(axis=1)

    @staticmethod
    def put(blocks, at, numbers):
        numbers = np.ascontiguousarray(numbers).view(np.uint8).reshape(*blocks.shape[:2], -1)
        blocks[:, :, at:at + numbers.shape[2]] = numbers

    def make_activations(self):
        """Sets the blocks; returns what they stand for and the sums of q8_1."""
        elements, size = SIZES[self.partner]
        shape = (ROWS, self.blocks)
        # Exact sums of many large blocks need small codes, or they are longer than a float.
        limit = 7 if self.exact and self.blocks > 1 and elements == 256 else 127
        codes = random.integers(-limit, limit, (*shape, elements), endpoint=True).astype(np.int8)
        codes[::2] = random.choice([-limit, limit], codes[::2].shape)
        d = scales(shape, self.exact)
        sums = (d.astype("<f4") * codes.sum(axis=2, dtype="<f4")).astype("<f2")
        self.activations = np.zeros((*shape, size), dtype=np.uint8)
        if self.partner == "q8_K":
            d = d.astype("<f4") * random.choice([-1, 1], shape).astype("<f4")
            if not self.exact:
                d *= random.uniform(0.5, 1, shape).astype("<f4")
            groups = codes.reshape(*shape, -1, 16).sum(axis=3, dtype="<i2")
            self.put(self.activations, 4, codes)
            self.put(self.activations, 4 + elements, groups)
        else:
            if self.partner == "q8_1":
                self.put(self.activations, 2, sums)
            self.put(self.activations, size - elements, codes)
        self.put(self.activations, 0, d)
        return (d[:, :, None].astype("<f8") * codes).reshape(ROWS, -1), sums.astype("<f8")


def check_products(ggml, tool, name, blocks, exact):
    case = Case(ggml, name, blocks, exact)
    rows = np.concatenate([b.reshape(ROWS, -1) for b in (case.weights, case.activations)], axis=1)
    found = ours(tool, "dot", name, rows, blocks).view("<f4")
    # Of theirs and of ours: one rounding a block, and eight more inside blocks and at the end.
    limit = (2 * blocks + 8) * 2.0**-24 * case.magnitude
    farthest, equal = 0, set()
    for (build, kind), function in ggml.functions(f"ggml_vec_dot_{name}_{case.partner}").items():
        theirs = dot(function, blocks * SIZES[name][0], case.weights, case.activations)
        distance = abs(found.astype("<f8") - theirs) / limit
        assert (distance <= 1).all(), f"{name}: {build}{kind} is {distance.max()} limits away"
        farthest = max(farthest, distance.max())
        if (found.view("<u4") == theirs.view("<u4")).all():
            equal.add(build + kind)
        else:
            assert not exact, f"{name}: {build}{kind} differs where nothing rounds"
    if exact:
        assert (case.sum == found).all(), f"{name}: the exact sum is another"
        print(f"{name}: {ROWS} exact products of {blocks} block(s) equal, all builds")
        return
    if SIZES[name][0] == 32:
        assert "x64_generic" in equal, f"{name}: x64_generic differs"
    assert (abs(case.sum - found) <= limit).all(), f"{name}: too far from the exact sum"
    print(f"{name}: {ROWS} products of {blocks} block(s) within {farthest:.2f} of the limit; "
          f"bits equal in {' '.join(sorted(equal)) or 'no build'}")


def main(bins, tool):
    np.seterr(all="ignore")  # random halves are infinite now and then
    ggml = Ggml(pathlib.Path(bins))
    check_stored_numbers(ggml, tool)
    check_activations(ggml, tool)
    for exact in (True, False):
        for blocks in (1, 18):
            for name in PARTNERS:
                check_products(ggml, tool, name, blocks, exact)


main(*sys.argv[1:])
