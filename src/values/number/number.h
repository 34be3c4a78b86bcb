// Numbers of a format: which floats it can hold, how a float is rounded to one of them, and the
// byte that holds it.
//
// Rounding is to the nearest number, ties to even. A number beyond the largest of the format,
// after rounding, saturates or becomes infinite as `Overflow` says; an infinity counts as beyond.
// A NaN stays one, except in integers, where it is 0.
//
// FP8: OCP OFP8 1.0 (e4m3 has no infinity and one NaN); fp4_e2m1 and e8m0: OCP MX 1.0.
#pragma once

#include <cstdint>

#include "base/number_format.h"
#include "base/numerics.h"

namespace presil {

/// A float format: sign, exponent, `mantissa_bits` stored bits, subnormal numbers below
/// 2^min_exponent.
struct FloatShape {
  int mantissa_bits;
  int min_exponent;  // of the smallest normal number
  int max_exponent;  // of the largest number
  float largest;
  enum class Beyond { infinity, nan, saturates };
  Beyond beyond;  // what Overflow::infinite makes of a number beyond the largest
};

/// tf32, fp16, bf16, fp8_e4m3, fp8_e5m2 or fp4_e2m1.
const FloatShape& float_shape(Format format);

bool is_float_format(Format format);    // those of float_shape, and fp32
bool is_integer_format(Format format);  // int8 and int4; symmetric: -127..127 and -7..7

/// The largest number of a plain format: 448 of fp8_e4m3, 127 of int8.
float largest_number(Format format);

/// What a number beyond the largest becomes, sign apart.
float beyond_largest(Format format, Overflow overflow);

/// The nearest number of a plain format.
float round_number(Format format, Overflow overflow, float value);

/// The code of the nearest number: fp8_e4m3, fp8_e5m2 or fp4_e2m1 (in the low four bits; it has no
/// NaN, whose code is that of 0).
std::uint8_t encode_number(Format format, Overflow overflow, float value);

/// The number of a code of the same formats.
float decode_number(Format format, std::uint8_t code);

/// The power of two that an E8M0 scale stands for; 255 is NaN.
float decode_e8m0(std::uint8_t code);

}  // namespace presil
