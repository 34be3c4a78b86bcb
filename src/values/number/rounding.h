// Sixteen-bit floats by their bits. Halves are rounded to the nearest, ties to even.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace presil {

/// The IEEE half with these bits.
inline float from_half(std::uint16_t bits) {
  const std::uint32_t shifted = static_cast<std::uint32_t>(bits) << 16;
  const std::uint32_t sign = shifted & 0x80000000u;
  const std::uint32_t magnitude = shifted << 1;
  // Normal numbers: move exponent and mantissa into place, then mend the bias by a product.
  const float normal = std::bit_cast<float>((magnitude >> 4) + (0xE0u << 23)) * 0x1p-112f;
  // Subnormal numbers: put the mantissa under the bits of 0.5 and subtract 0.5.
  const float subnormal = std::bit_cast<float>((magnitude >> 17) | (126u << 23)) - 0.5f;
  const std::uint32_t result = magnitude < (1u << 27) ? std::bit_cast<std::uint32_t>(subnormal)
                                                      : std::bit_cast<std::uint32_t>(normal);
  return std::bit_cast<float>(sign | result);
}

/// The bits of the nearest IEEE half; overflow becomes infinity.
inline std::uint16_t to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00u);
  // Overflow to infinity, then come back: what is above the largest half stays infinite.
  const float scaled = std::fabs(value) * 0x1p+112f * 0x1p-110f;
  // Adding a power of two with the wanted last place lets the adder do the rounding.
  const std::uint32_t exponent = std::max((bits << 1) & 0xFF000000u, 0x71000000u);
  const float rounded = std::bit_cast<float>((exponent >> 1) + 0x07800000u) + scaled;
  const std::uint32_t result = std::bit_cast<std::uint32_t>(rounded);
  return static_cast<std::uint16_t>(sign | (((result >> 13) & 0x7C00u) + (result & 0x0FFFu)));
}

inline float round_to_half(float value) {
  return from_half(to_half(value));
}

/// The bfloat16 with these bits.
inline float from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace presil
