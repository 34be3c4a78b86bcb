// Rows of an operand as codes and scales: what a matrix engine is given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/numerics.h"

namespace presil {

struct CodedRows {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t span = 1;      // elements of a row that share a scale
  std::vector<float> codes;   // (rows, columns)
  std::vector<float> scales;  // (rows, ceil(columns / span))

  CodedRows() = default;
  CodedRows(std::int64_t rows, std::int64_t columns, Scaling scaling);

  std::int64_t scales_a_row() const;
  std::span<float> codes_of(std::int64_t row);
  std::span<float> scales_of(std::int64_t row);
  std::span<const float> codes_of(std::int64_t row) const;
  std::span<const float> scales_of(std::int64_t row) const;
};

/// Finds the scales of one row that come from it alone. Leaves those of tensor and block_128 as
/// they are: they come from many rows.
void find_scales(const Operand& operand, std::span<const float> row, std::span<float> scales);

/// Activations (rows, columns) as an operand of products. Requires a scaling that activations can
/// have: all but channel and block_128.
CodedRows code_activations(const Operand& operand, Overflow overflow,
                           std::span<const float> activations, std::int64_t columns);

}  // namespace presil
