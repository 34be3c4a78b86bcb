#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/integers.h"
#include "values/number/codes.h"
#include "values/number/number.h"

namespace presil {
namespace {

constexpr std::int64_t kWideSpan = 128;
constexpr float kSmallestScale = 0x1p-126f;  // its reciprocal is finite
constexpr int kE8m0Bias = 127;

float at_least_smallest(float scale) {
  return scale < kSmallestScale ? kSmallestScale : scale;
}

/// The scale that a block of mx_32 or nv_16 folds into its codes.
float folded_scale(const Operand& operand, float magnitude, float tensor_scale) {
  if (std::isnan(magnitude) || std::isinf(magnitude)) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  if (operand.scaling == Scaling::nv_16) {
    return round_number(Format::fp8_e4m3, Overflow::saturate,
                        magnitude / largest_number(operand.format) / tensor_scale);
  }
  const int exponent = magnitude == 0
                           ? -kE8m0Bias
                           : std::ilogb(magnitude) - float_shape(operand.format).max_exponent;
  return std::ldexp(1.0f, std::clamp(exponent, -kE8m0Bias, kE8m0Bias));
}

/// Elements of one block of mx_32 or nv_16.
void encode_block(const Operand& operand, Overflow overflow, float tensor_scale,
                  std::span<float> block) {
  const float magnitude = largest_magnitude(block);
  const float scale = folded_scale(operand, magnitude, tensor_scale);
  const float divisor = operand.scaling == Scaling::nv_16 ? scale * tensor_scale : scale;
  const float inverse = scale == 0 ? 0 : 1 / divisor;
  for (float& x : block) x = round_number(operand.format, overflow, x * inverse) * scale;
}

}  // namespace

float scale_of(Format format, float magnitude) {
  return magnitude == 0 ? 1 : at_least_smallest(magnitude / largest_number(format));
}

float nv_scale_of(float magnitude) {
  return magnitude == 0 ? 1 : at_least_smallest(magnitude / (448.0f * 6.0f));
}

std::int64_t scale_span(Scaling scaling, std::int64_t columns) {
  const bool is_wide = scaling == Scaling::group_128 || scaling == Scaling::block_128;
  return is_wide ? kWideSpan : columns;
}

void plain_encode_row(const Operand& operand, Overflow overflow, std::span<const float> scales,
                      std::span<float> row) {
  if (operand.scaling == Scaling::mx_32 || operand.scaling == Scaling::nv_16) {
    const std::size_t width = operand.scaling == Scaling::mx_32 ? 32 : 16;
    for (std::size_t at = 0; at < row.size(); at += width) {
      encode_block(operand, overflow, scales.front(),
                   row.subspan(at, std::min(width, row.size() - at)));
    }
    return;
  }
  const auto span = static_cast<std::size_t>(scale_span(operand.scaling, std::ssize(row)));
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = round_number(operand.format, overflow, row[i] * (1 / scales[i / span]));
  }
}

}  // namespace presil
