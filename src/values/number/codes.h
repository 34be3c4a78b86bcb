// Rows of floats become codes: numbers of a format, which are what an engine multiplies, and the
// scales that give the floats back.
//
//   scale  s = amax / largest number of the format, fp32; 1 where amax is 0; at least 2^-126
//   code   = round(x * (1 / s))
//
// The scales of mx_32 (2^(floor(log2 amax) - exponent of the largest number)) and the block scales
// of nv_16 (amax / 6 / t in fp8_e4m3) are folded into the codes, which is exact: their sums need no
// scale but the t of nv_16. A block of nv_16 whose scale rounds to 0 is 0. A row with a NaN or an
// infinity gives a scale or codes that are NaN.
#pragma once

#include <cstdint>
#include <span>

#include "base/numerics.h"

namespace presil {

/// max |x|; NaN if there is one.
float largest_magnitude(std::span<const float> values);

/// The scale of codes whose floats reach up to `magnitude`.
float scale_of(Format format, float magnitude);

/// nv_16's fp32 scale t of a tensor, or of a row of activations: magnitude / (448 * 6).
float nv_scale_of(float magnitude);

/// How many elements of a row of `columns` share one of its scales: 128 (group_128, block_128) or
/// all of them. A row has ceil(columns / scale_span) scales; those of none and mx_32 are 1.
std::int64_t scale_span(Scaling scaling, std::int64_t columns);

/// The codes of one row, in place, by its `scales` (see scale_span; nv_16: t). Requires at least
/// one column, and a plain float format for mx_32 and nv_16.
void encode_row(const Operand& operand, Overflow overflow, std::span<const float> scales,
                std::span<float> row);

/// encode_row in plain words, number after number: what it has to equal to the last bit.
void plain_encode_row(const Operand& operand, Overflow overflow, std::span<const float> scales,
                      std::span<float> row);

/// Multiplies codes, in place, by the scales of their row.
void apply_scales(Scaling scaling, std::span<const float> scales, std::span<float> row);

/// row *= factors, element by element.
void multiply_all(std::span<const float> factors, std::span<float> row);

/// largest = max(largest, |row|), element by element.
void raise_all(std::span<const float> row, std::span<float> largest);

/// Rounds to the nearest numbers of a plain format, in place: as a store does.
void round_all(Format format, Overflow overflow, std::span<float> values);

}  // namespace presil
