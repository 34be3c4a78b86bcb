// Sixteen rows of weights side by side, laid out k by k, and how they come to lie so.
#pragma once

#include <cstdint>
#include <span>

#include "values/panel_rows.h"

namespace presil {

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

}  // namespace presil
