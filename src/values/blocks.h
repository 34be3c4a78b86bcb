// Stored numbers and back: ggml's block formats, and what each of them means.
//
// A block is 32 elements that share a scale. Q8_0: d * q. Q4_0: d * (q - 8). Q4_1: d * q + m. Of
// the nibbles of byte j, the low one is element j and the high one element j + 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/number_format.h"

namespace presil {

inline constexpr std::int64_t kBlock = 32;

/// True for the formats that weights may have here: fp32, fp16, bf16, q8_0, q4_0, q4_1.
bool is_weight_format(Format format);

/// The numbers that `bytes` stand for. Requires a weight format and bytes for out.size() elements.
void dequantise(Format format, std::span<const std::byte> bytes, std::span<float> out);

/// Rounds to `format` in place: fp32 (no change), fp16 or bf16.
void round_to(Format format, std::span<float> values);

/// Rows of quantised blocks, taken apart: element i of block b is scale[b] * quant[i] + offset[b].
/// Quants are widened to 16 bits, which is what the multipliers of x86 take. For activations in
/// Q8_1, `offset` holds the block's sum s = scale * (sum of quants), which multiplies the weight's
/// offset; otherwise it is 0.
struct Blocks {
  std::vector<std::int16_t> quants;  // (elements)
  std::vector<float> scales;         // (elements / 32)
  std::vector<float> offsets;        // (elements / 32)

  explicit Blocks(std::int64_t elements = 0)
      : quants(static_cast<std::size_t>(elements)),
        scales(static_cast<std::size_t>(elements / kBlock)),
        offsets(static_cast<std::size_t>(elements / kBlock)) {}
};

/// Takes `bytes` (q8_0, q4_0 or q4_1) apart into `out` from element `first` on, which is a multiple
/// of 32.
void unpack(Format format, std::span<const std::byte> bytes, std::int64_t first, Blocks& out);

/// Quantises activations as ggml's x86 kernels do: d = amax / 127, q = round(x * (127 / amax)),
/// ties to even; d and s are then rounded to fp16. Format q8_0 or q8_1 (with s).
void quantise(Format format, std::span<const float> values, std::int64_t first, Blocks& out);

}  // namespace presil
