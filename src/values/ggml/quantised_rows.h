// Activations as ggml quantises them before they meet quantised weights, bit for bit.
//
//   q8_0  32 elements: d = amax / 127, code = x * (127 / amax); d is kept as fp16
//   q8_1  the same, and s = d * (sum of the codes), kept as fp16, for weights that have a minimum
//   q8_K  256 elements: code = x * (-127 / extreme), where `extreme` is the first element of the
//         largest magnitude; d = 1 / (-127 / extreme) in fp32
//
// Codes are rounded to nearest, ties to even. Sources: ggml's quantize_row_q8_0 and q8_1 for x86,
// quantize_row_q8_K_ref.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/number_format.h"

namespace presil {

/// What ggml turns activations into before they meet weights stored in `weights`: for blocks q8_0,
/// q8_1 or q8_K; fp16 and bf16 for themselves; otherwise fp32.
Format activation_format(Format weights);

/// One row, or a run of whole blocks of one.
struct QuantisedRow {
  const std::int8_t* codes;        // (columns)
  const float* scales;             // d, by block
  const float* sums;               // s, by block; of q8_1 only
  const std::int32_t* group_sums;  // of the codes of 16 elements: (columns / 16)
};

class QuantisedRows {
 public:
  /// Quantises `input` (rows, columns), on all threads. Requires q8_0, q8_1 or q8_K and rows of
  /// whole blocks.
  QuantisedRows(Format format, std::span<const float> input, std::int64_t columns);

  /// Row `row` from element `column` on, where a block begins.
  QuantisedRow at(std::int64_t row, std::int64_t column) const;

 private:
  std::int64_t columns_;
  std::int64_t block_;
  std::vector<std::int8_t> codes_;
  std::vector<float> scales_;
  std::vector<float> sums_;
  std::vector<std::int32_t> group_sums_;
};

}  // namespace presil
