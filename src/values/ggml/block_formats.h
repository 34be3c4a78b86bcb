// Stored numbers and what they mean: plain elements, and ggml's blocks.
//
// A block is 32 or 256 elements that share a scale. Small blocks hold d * code (q8_0, q4_0, q5_0)
// or d * code + m (q4_1, q5_1). Large ones (K) divide their 256 elements into groups with integer
// scales of their own: d * scale * code - m * minimum. The layouts are ggml's (ggml-common.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/number_format.h"

namespace presil {

inline constexpr std::int64_t kSmallBlock = 32;
inline constexpr std::int64_t kLargeBlock = 256;
inline constexpr std::int64_t kGroup = 16;  // the elements that have a scale, at the least

/// True for the formats that weights may have in files: fp32, fp16, bf16, fp8 and ggml's blocks
/// but q8_1 and q8_K, which are of activations.
bool is_weight_format(Format format);

/// The numbers that `bytes` stand for. Requires a weight format and bytes for out.size() elements,
/// which are whole blocks.
void dequantise(Format format, std::span<const std::byte> bytes, std::span<float> out);

/// A block taken apart: element i is d * scales[i / 16] * codes[i] - m * minima[i / 16]. A small
/// block fills the first 32 elements; its scales are 1 and its minima -1, or 0 where it has no m.
struct UnpackedBlock {
  float d = 0;
  float m = 0;
  std::array<std::int8_t, kLargeBlock> codes = {};
  std::array<std::int16_t, kLargeBlock / kGroup> scales = {};
  std::array<std::int16_t, kLargeBlock / kGroup> minima = {};
};

/// Takes the block at `bytes` apart. Requires one of ggml's formats of weights.
UnpackedBlock unpack_block(Format format, std::span<const std::byte> bytes);

}  // namespace presil
