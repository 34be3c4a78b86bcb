// The inner loops. Their order of addition is part of their contract, so that the same program
// gives the same bits on any machine, whichever vector width it has.
#pragma once

#include <cstdint>

namespace presil {

/// sum of a[i] * b[i]: element i is added to lane i mod 16, then the lanes are added in a tree
/// (lane j to lane j + 8, 4, 2, 1).
float dot(const float* a, const float* b, std::int64_t count);

/// out[i] += factor * values[i]. The two do not overlap.
void add_scaled(float factor, const float* values, float* out, std::int64_t count);

/// One row of quantised blocks, taken apart (see Blocks).
struct BlockRow {
  const std::int16_t* quants;
  const float* scales;
  const float* offsets;
};

/// The dot product of weights with activations over `blocks` blocks of 32, as ggml defines it: per
/// block an exact integer dot, times the product of the scales, plus the weight's offset times the
/// activation's sum. Blocks are added in order.
float block_dot(const BlockRow& weights, const BlockRow& activations, std::int64_t blocks);

}  // namespace presil
