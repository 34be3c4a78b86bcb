#include "values/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "values/number/rounding.h"
#include "values/vector_clones.h"

namespace presil {
namespace {

std::uint16_t load_u16(const std::byte* at) {
  std::uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// The nearest integer to |x| < 2^22, ties to even: the addition of 1.5 x 2^23 rounds, and leaves
/// the integer in the mantissa.
int nearest(float x) {
  return static_cast<int>(std::bit_cast<std::uint32_t>(x + 0x1.8p23f) & 0x7FFFFFu) - 0x400000;
}

// The loops below have fixed lengths and no overlapping operands, which is what g++ -O2 asks before
// it uses vectors.

PRESIL_VECTOR_CLONES
void widen_bytes(const std::byte* __restrict__ in, std::size_t stride, std::int64_t blocks,
                 std::int16_t* __restrict__ out) {
  for (; blocks > 0; --blocks, in += stride, out += kBlock) {
    std::int8_t bytes[kBlock];
    std::memcpy(bytes, in, sizeof bytes);
    for (int j = 0; j < kBlock; ++j) out[j] = bytes[j];
  }
}

PRESIL_VECTOR_CLONES
void widen_nibbles(const std::byte* __restrict__ in, std::size_t stride, std::int64_t blocks,
                   int zero, std::int16_t* __restrict__ out) {
  constexpr int kBytes = kBlock / 2;
  for (; blocks > 0; --blocks, in += stride, out += kBlock) {
    std::uint8_t bytes[kBytes];
    std::memcpy(bytes, in, sizeof bytes);
    for (int j = 0; j < kBytes; ++j) out[j] = static_cast<std::int16_t>((bytes[j] & 15) - zero);
    for (int j = 0; j < kBytes; ++j) {
      out[j + kBytes] = static_cast<std::int16_t>((bytes[j] >> 4) - zero);
    }
  }
}

PRESIL_VECTOR_CLONES
void scale_quants(const Blocks& blocks, float* __restrict__ out) {
  const std::int16_t* quants = blocks.quants.data();
  for (std::size_t b = 0; b < blocks.scales.size(); ++b, quants += kBlock, out += kBlock) {
    const float scale = blocks.scales[b];
    const float offset = blocks.offsets[b];
    for (int j = 0; j < kBlock; ++j) out[j] = scale * static_cast<float>(quants[j]) + offset;
  }
}

PRESIL_VECTOR_CLONES
void round_all_to_bfloat(float* values, std::size_t count) {
  constexpr std::size_t kLanes = 16;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      values[i + lane] = round_to_bfloat(values[i + lane]);
    }
  }
  for (; i < count; ++i) values[i] = round_to_bfloat(values[i]);
}

}  // namespace

bool is_weight_format(Format format) {
  switch (format) {
    case Format::fp32:
    case Format::fp16:
    case Format::bf16:
    case Format::q8_0:
    case Format::q4_0:
    case Format::q4_1:
      return true;
    default:
      return false;
  }
}

void unpack(Format format, std::span<const std::byte> bytes, std::int64_t first, Blocks& out) {
  const auto stride = static_cast<std::size_t>(info(format).block_bytes);
  const auto blocks = bytes.size() / stride;
  const auto first_block = static_cast<std::size_t>(first / kBlock);
  const bool has_offset = format == Format::q4_1;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::byte* block = bytes.data() + b * stride;
    out.scales[first_block + b] = from_half(load_u16(block));
    out.offsets[first_block + b] = has_offset ? from_half(load_u16(block + 2)) : 0.0f;
  }
  std::int16_t* quants = out.quants.data() + first;
  const std::byte* in = bytes.data() + (has_offset ? 4 : 2);
  const auto count = static_cast<std::int64_t>(blocks);
  if (format == Format::q8_0) {
    widen_bytes(in, stride, count, quants);
  } else {
    CHECK(format == Format::q4_0 || has_offset, "a block format of weights");
    widen_nibbles(in, stride, count, has_offset ? 0 : 8, quants);
  }
}

void dequantise(Format format, std::span<const std::byte> bytes, std::span<float> out) {
  switch (format) {
    case Format::fp32:
      std::memcpy(out.data(), bytes.data(), out.size_bytes());
      return;
    case Format::fp16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = from_half(load_u16(&bytes[2 * i]));
      return;
    case Format::bf16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = from_bfloat(load_u16(&bytes[2 * i]));
      return;
    default:
      break;
  }
  Blocks blocks(std::ssize(out));
  unpack(format, bytes, 0, blocks);
  scale_quants(blocks, out.data());
}

void round_to(Format format, std::span<float> values) {
  if (format == Format::fp16) {
    for (float& v : values) v = round_to_half(v);
  } else if (format == Format::bf16) {
    round_all_to_bfloat(values.data(), values.size());
  } else {
    CHECK(format == Format::fp32, "a float is rounded to a float format");
  }
}

void quantise(Format format, std::span<const float> values, std::int64_t first, Blocks& out) {
  std::size_t block = static_cast<std::size_t>(first / kBlock);
  std::int16_t* quants = out.quants.data() + first;
  for (std::size_t i = 0; i < values.size(); i += kBlock, ++block, quants += kBlock) {
    float largest = 0;
    for (std::size_t j = 0; j < kBlock; ++j) {
      largest = std::max(largest, std::fabs(values[i + j]));
    }
    const float scale = largest / 127.0f;
    const float inverse = largest != 0 ? 127.0f / largest : 0.0f;
    int sum = 0;
    for (std::size_t j = 0; j < kBlock; ++j) {
      const int q = nearest(values[i + j] * inverse);
      quants[j] = static_cast<std::int16_t>(q);
      sum += q;
    }
    out.scales[block] = round_to_half(scale);
    out.offsets[block] =
        format == Format::q8_1 ? round_to_half(scale * static_cast<float>(sum)) : 0.0f;
  }
}

}  // namespace presil
