// For tests: numbers in every format that files of weights have. Nothing here is clever about
// rounding a block well; a test of a decoder needs valid bytes, of a model sane ones.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "base/number_format.h"

namespace presil::testing {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A float as FP16, rounded to nearest even; for values that FP16 can hold.
inline std::uint16_t to_fp16(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  const float magnitude = std::bit_cast<float>(bits);
  if (magnitude < 0x1p-14f) {  // subnormal: a multiple of 2^-24
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint32_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return static_cast<std::uint16_t>(sign | ((bits >> 13) - (112 << 10)));
}

/// The FP8 code nearest to `value` of those that stand for finite numbers, by trying all.
inline std::uint8_t to_fp8(Format format, float value) {
  const int mantissa_bits = format == Format::fp8_e4m3 ? 3 : 2;
  const int bias = format == Format::fp8_e4m3 ? 7 : 15;
  const int largest = format == Format::fp8_e4m3 ? 0x7e : 0x7b;
  const auto decode = [&](int code) {
    const int exponent = code >> mantissa_bits;
    const int mantissa = code & ((1 << mantissa_bits) - 1);
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
    return std::ldexp(static_cast<float>(whole), std::max(exponent, 1) - bias - mantissa_bits);
  };
  const float magnitude = std::fabs(value);
  int best = 0;
  for (int code = 1; code <= largest; ++code) {
    if (std::fabs(decode(code) - magnitude) < std::fabs(decode(best) - magnitude)) best = code;
  }
  return static_cast<std::uint8_t>(best | (std::signbit(value) ? 0x80 : 0));
}

/// One block of 32 in ggml's layout, by ggml's quantize_row_*_ref.
inline std::string encode_block_32(Format format, std::span<const float> x) {
  const bool centred = format == Format::q4_0 || format == Format::q5_0;
  const int levels = format == Format::q5_0 || format == Format::q5_1 ? 32 : 16;
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float widest = -*low > *high ? *low : *high;  // the value farthest from zero
  const float middle = static_cast<float>(levels / 2);
  float scale = (*high - *low) / static_cast<float>(levels - 1);
  if (centred) scale = widest / -middle;
  if (format == Format::q8_0) scale = std::fabs(widest) / 127;
  const float inverse = scale == 0 ? 0 : 1 / scale;

  std::string block = raw(to_fp16(scale));
  if (format == Format::q8_0) {
    for (const float v : x) block += static_cast<char>(std::lround(v * inverse));
    return block;
  }
  if (!centred) block += raw(to_fp16(*low));
  std::array<int, 32> q{};
  std::uint32_t fifth_bits = 0;
  for (std::size_t j = 0; j < 32; ++j) {
    const float shifted = centred ? x[j] * inverse + (middle + .5f) : (x[j] - *low) * inverse + .5f;
    q[j] = std::clamp(static_cast<int>(shifted), 0, levels - 1);
    fifth_bits |= static_cast<std::uint32_t>(q[j] >> 4) << j;
  }
  if (levels == 32) block += raw(fifth_bits);
  for (std::size_t j = 0; j < 16; ++j) {
    block += static_cast<char>((q[j] & 15) | (q[j + 16] & 15) << 4);
  }
  return block;
}

/// A block of 256 in q4_K or q5_K: eight parts of 32 with a scale and a minimum of 6 bits each.
inline std::string encode_block_45k(Format format, std::span<const float> x) {
  const int levels = format == Format::q4_K ? 16 : 32;
  std::array<float, 8> scale{}, depth{};  // depth: minus the minimum
  for (std::size_t j = 0; j < 8; ++j) {
    const auto [low, high] = std::minmax_element(&x[32 * j], &x[32 * j] + 32);
    depth[j] = std::max(0.f, -*low);
    scale[j] = (std::max(0.f, *high) + depth[j]) / static_cast<float>(levels - 1);
  }
  const float d = *std::max_element(scale.begin(), scale.end()) / 63;
  const float d_min = *std::max_element(depth.begin(), depth.end()) / 63;
  std::array<int, 8> sc{}, mn{};
  std::array<std::uint8_t, 32> high_bits{};
  std::array<std::uint8_t, 128> nibbles{};
  for (std::size_t j = 0; j < 8; ++j) {
    sc[j] = d == 0 ? 0 : static_cast<int>(std::lround(scale[j] / d));
    mn[j] = d_min == 0 ? 0 : static_cast<int>(std::lround(depth[j] / d_min));
    const float step = d * static_cast<float>(sc[j]);
    for (std::size_t l = 0; l < 32; ++l) {
      const float above = x[32 * j + l] + d_min * static_cast<float>(mn[j]);
      const int q = step == 0 ? 0 : std::clamp(static_cast<int>(above / step + .5f), 0, levels - 1);
      high_bits[l] |= static_cast<std::uint8_t>((q >> 4) << j);
      nibbles[j / 2 * 32 + l] |= static_cast<std::uint8_t>((q & 15) << (j % 2 * 4));
    }
  }
  std::string block = raw(to_fp16(d)) + raw(to_fp16(d_min));
  for (std::size_t j = 0; j < 4; ++j) block += static_cast<char>(sc[j] | (sc[j + 4] >> 4) << 6);
  for (std::size_t j = 0; j < 4; ++j) block += static_cast<char>(mn[j] | (mn[j + 4] >> 4) << 6);
  for (std::size_t j = 4; j < 8; ++j) block += static_cast<char>((sc[j] & 15) | (mn[j] & 15) << 4);
  if (format == Format::q5_K) block += raw(high_bits);
  return block + raw(nibbles);
}

/// A block of 256 in q6_K: sixteen parts of 16 with a signed scale of 8 bits each.
inline std::string encode_block_6k(std::span<const float> x) {
  std::array<float, 16> scale{};
  float largest = 0;
  for (std::size_t j = 0; j < 16; ++j) {
    const auto [low, high] = std::minmax_element(&x[16 * j], &x[16 * j] + 16);
    scale[j] = (-*low > *high ? *low : *high) / -32;
    largest = std::max(largest, std::fabs(scale[j]));
  }
  const float d = largest / 127;
  std::array<std::int8_t, 16> sc{};
  std::array<std::uint8_t, 128> low_bits{};
  std::array<std::uint8_t, 64> high_bits{};
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t j = i / 16;
    sc[j] = static_cast<std::int8_t>(d == 0 ? 0 : std::lround(scale[j] / d));
    const float step = d * static_cast<float>(sc[j]);
    const int q =
        step == 0 ? 32 : std::clamp(static_cast<int>(std::lround(x[i] / step)) + 32, 0, 63);
    const std::size_t half = i / 128, quarter = i % 128 / 32, l = i % 32;
    low_bits[64 * half + quarter % 2 * 32 + l] |=
        static_cast<std::uint8_t>((q & 15) << (quarter / 2 * 4));
    high_bits[32 * half + l] |= static_cast<std::uint8_t>((q >> 4) << (2 * quarter));
  }
  return raw(low_bits) + raw(high_bits) + raw(sc) + raw(to_fp16(d));
}

inline std::string encode_block(Format format, std::span<const float> x) {
  switch (format) {
    case Format::fp32:
      return raw(x[0]);
    case Format::fp16:
      return raw(to_fp16(x[0]));
    case Format::bf16:
      return raw(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x[0]) >> 16));
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
      return raw(to_fp8(format, x[0]));
    case Format::q4_K:
    case Format::q5_K:
      return encode_block_45k(format, x);
    case Format::q6_K:
      return encode_block_6k(x);
    default:
      return encode_block_32(format, x);
  }
}

/// `x`, in whole blocks, in a format that files of weights have. bf16 is cut, not rounded.
inline std::string encode(Format format, std::span<const float> x) {
  const auto block = static_cast<std::size_t>(info(format).block_elements);
  std::string bytes;
  for (std::size_t i = 0; i < x.size(); i += block) {
    bytes += encode_block(format, x.subspan(i, block));
  }
  return bytes;
}

}  // namespace presil::testing
