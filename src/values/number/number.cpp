#include "values/number/number.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace presil {
namespace {

using Beyond = FloatShape::Beyond;

constexpr FloatShape kTf32{10, -126, 127, 0x1.ffcp127f, Beyond::infinity};
constexpr FloatShape kHalf{10, -14, 15, 65504, Beyond::infinity};
constexpr FloatShape kBfloat{7, -126, 127, 0x1.fep127f, Beyond::infinity};
constexpr FloatShape kE4m3{3, -6, 8, 448, Beyond::nan};
constexpr FloatShape kE5m2{2, -14, 15, 57344, Beyond::infinity};
constexpr FloatShape kE2m1{1, 0, 2, 6, Beyond::saturates};

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float round_integer(float largest, float value) {
  if (std::isnan(value)) return 0;
  return std::nearbyint(std::fmin(std::fmax(value, -largest), largest));
}

float round_float(const FloatShape& shape, float beyond, float value) {
  if (std::isnan(value) || value == 0) return value;
  if (std::isinf(value)) return std::copysign(beyond, value);
  // In double, where dividing by the last place loses nothing.
  const int exponent = std::max(std::ilogb(value), shape.min_exponent);
  const double last_place = std::ldexp(1.0, exponent - shape.mantissa_bits);
  const double rounded = std::nearbyint(value / last_place) * last_place;
  if (std::fabs(rounded) > shape.largest) return std::copysign(beyond, value);
  return static_cast<float>(rounded);
}

}  // namespace

const FloatShape& float_shape(Format format) {
  switch (format) {
    case Format::tf32:
      return kTf32;
    case Format::fp16:
      return kHalf;
    case Format::bf16:
      return kBfloat;
    case Format::fp8_e4m3:
      return kE4m3;
    case Format::fp8_e5m2:
      return kE5m2;
    case Format::fp4_e2m1:
      return kE2m1;
    default:
      throw InternalError("a format that is not a narrow float");
  }
}

bool is_integer_format(Format format) {
  return format == Format::int8 || format == Format::int4;
}

bool is_float_format(Format format) {
  return !is_block_format(format) && !is_integer_format(format);
}

float largest_number(Format format) {
  switch (format) {
    case Format::int8:
      return 127;
    case Format::int4:
      return 7;
    case Format::fp32:
      return std::numeric_limits<float>::max();
    default:
      return float_shape(format).largest;
  }
}

float beyond_largest(Format format, Overflow overflow) {
  if (overflow == Overflow::saturate || is_integer_format(format)) return largest_number(format);
  switch (float_shape(format).beyond) {
    case Beyond::infinity:
      return kInfinity;
    case Beyond::nan:
      return kNan;
    case Beyond::saturates:
      return largest_number(format);
  }
  throw InternalError("an overflow that is none");
}

float round_number(Format format, Overflow overflow, float value) {
  if (format == Format::fp32) return value;
  if (is_integer_format(format)) return round_integer(largest_number(format), value);
  return round_float(float_shape(format), beyond_largest(format, overflow), value);
}

std::uint8_t encode_number(Format format, Overflow overflow, float value) {
  const FloatShape& shape = float_shape(format);
  const int sign_at = info(format).block_elements == 2 ? 3 : 7;
  const float number = round_number(format, overflow, value);
  const int sign = std::signbit(number) ? 1 << sign_at : 0;
  const int exponents_end = 1 << sign_at;  // the codes of one sign are 0 up to here
  if (std::isnan(number)) {
    return static_cast<std::uint8_t>(shape.beyond == Beyond::saturates ? 0
                                     : shape.beyond == Beyond::nan     ? sign | 0x7F
                                                                       : sign | 0x7E);
  }
  if (std::isinf(number)) {
    return static_cast<std::uint8_t>(sign | (exponents_end - (1 << shape.mantissa_bits)));
  }
  const float magnitude = std::fabs(number);
  if (magnitude < std::ldexp(1.0f, shape.min_exponent)) {
    const float places = std::ldexp(magnitude, shape.mantissa_bits - shape.min_exponent);
    return static_cast<std::uint8_t>(sign | static_cast<int>(places));
  }
  const int exponent = std::ilogb(magnitude);
  const float places = std::ldexp(magnitude, shape.mantissa_bits - exponent);  // 1.m as an integer
  const int above_subnormal = exponent - shape.min_exponent;
  return static_cast<std::uint8_t>(
      sign | ((above_subnormal << shape.mantissa_bits) + static_cast<int>(places)));
}

float decode_number(Format format, std::uint8_t code) {
  const FloatShape& shape = float_shape(format);
  const int sign_at = info(format).block_elements == 2 ? 3 : 7;
  const int magnitude = code & ((1 << sign_at) - 1);
  const int field = magnitude >> shape.mantissa_bits;
  const int mantissa = magnitude & ((1 << shape.mantissa_bits) - 1);
  float value = field == 0 ? std::ldexp(static_cast<float>(mantissa),
                                        shape.min_exponent - shape.mantissa_bits)
                           : std::ldexp(static_cast<float>(mantissa + (1 << shape.mantissa_bits)),
                                        field - 1 + shape.min_exponent - shape.mantissa_bits);
  if (value > shape.largest) {
    value = shape.beyond == Beyond::infinity && mantissa == 0 ? kInfinity : kNan;
  }
  return (code >> sign_at & 1) != 0 ? -value : value;
}

float decode_e8m0(std::uint8_t code) {
  return code == 255 ? kNan : std::ldexp(1.0f, code - 127);
}

}  // namespace presil
