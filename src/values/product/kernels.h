// The inner loops of products, on vectors.
//
// Sixteen rows of weights make a panel, laid out k by k: lane n of a vector is output n, and an
// activation is multiplied with all of them at once. So every output is added in the order that
// plain_product.h says, whatever the width of the machine's vectors.
#pragma once

#include <cstdint>
#include <span>

#include "base/numerics.h"
#include "values/product/coded_rows.h"
#include "values/product/segments.h"

namespace presil {

inline constexpr std::int64_t kPanelRows = 16;

/// Weights of a panel.
struct Panel {
  std::int64_t span = 1;                // elements of k that share a scale
  std::span<const float> codes;         // (k, kPanelRows)
  std::span<const float> scales;        // (ceil(k / span), kPanelRows)
  std::span<const std::int16_t> whole;  // (kPanelRows, k): instead of codes, of integers
};

/// to (columns, kPanelRows) = the first `columns` of from (kPanelRows, stride), transposed.
void transpose_rows(const float* from, std::int64_t columns, std::int64_t stride, float* to);

/// Codes of integers.
void to_integers(std::span<const float> codes, std::span<std::int16_t> out);

/// out (m, kPanelRows) = activations x panel^T, of the accumulators fp32 and aligned.
void multiply_panel(const Accumulator& accumulator, std::span<const Segment> segments,
                    const CodedRows& activations, const Panel& panel, std::span<float> out);

/// The same of int32; `whole` are the activations' codes.
void multiply_integers(std::span<const Segment> segments, const CodedRows& activations,
                       std::span<const std::int16_t> whole, const Panel& panel,
                       std::span<float> out);

}  // namespace presil
