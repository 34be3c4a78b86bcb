#include "values/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "values/rounding.h"

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

void unpack_nibbles(const std::byte* bytes, int zero, std::int16_t* out) {
  for (int j = 0; j < 16; ++j) {
    const int byte = std::to_integer<int>(bytes[j]);
    out[j] = static_cast<std::int16_t>((byte & 15) - zero);
    out[j + 16] = static_cast<std::int16_t>((byte >> 4) - zero);
  }
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
    case Format::tf32:
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
    case Format::int8:
    case Format::q8_1:
      return false;
  }
  return false;
}

void unpack(Format format, std::span<const std::byte> bytes, std::int64_t first, Blocks& out) {
  const auto block_bytes = static_cast<std::size_t>(info(format).block_bytes);
  std::int16_t* quants = out.quants.data() + first;
  std::size_t block = static_cast<std::size_t>(first / kBlock);
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes, ++block, quants += kBlock) {
    const std::byte* p = bytes.data() + at;
    out.scales[block] = from_half(load_u16(p));
    out.offsets[block] = 0;
    switch (format) {
      case Format::q8_0:
        for (int i = 0; i < kBlock; ++i) {
          quants[i] = static_cast<std::int8_t>(std::to_integer<std::uint8_t>(p[2 + i]));
        }
        break;
      case Format::q4_0:
        unpack_nibbles(p + 2, 8, quants);
        break;
      case Format::q4_1:
        out.offsets[block] = from_half(load_u16(p + 2));
        unpack_nibbles(p + 4, 0, quants);
        break;
      default:
        throw InternalError("unpack: not a block format of weights");
    }
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
  const auto block_bytes = static_cast<std::size_t>(info(format).block_bytes);
  Blocks block(kBlock);
  for (std::size_t i = 0; i < out.size(); i += kBlock) {
    unpack(format, bytes.subspan(i / kBlock * block_bytes, block_bytes), 0, block);
    for (std::size_t j = 0; j < kBlock; ++j) {
      out[i + j] = block.scales[0] * static_cast<float>(block.quants[j]) + block.offsets[0];
    }
  }
}

void round_to(Format format, std::span<float> values) {
  if (format == Format::fp16) {
    for (float& v : values) v = round_to_half(v);
  } else if (format == Format::bf16) {
    for (float& v : values) v = round_to_bfloat(v);
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
