// The dot product of quantised weights with quantised activations, as ggml defines it: written
// plainly, one row with one row. The kernels of panel_dot.h give the same bits.
//
// With a block's codes w and a, scales d_w and d_a, and integers added exactly:
//   q8_0, q4_0, q5_0   d_w * d_a * sum(w a)
//   q4_1, q5_1         d_w * d_a * sum(w a) + m * s
//   q4_K, q5_K, q6_K   d_w * d_a * sum over groups of scale * sum(w a)
//                        - m * d_a * sum over groups of minimum * sum(a)
// The product of the scales is rounded to fp32 first, then its product with the integer; blocks are
// added in order. (ggml's own builds differ among themselves in that order.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/number_format.h"
#include "values/ggml/quantised_rows.h"

namespace presil {

/// `weights` are whole blocks of `format`; the activations as many, in activation_format(format).
float block_dot(Format format, std::span<const std::byte> weights, QuantisedRow activations);

}  // namespace presil
