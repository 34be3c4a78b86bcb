// The inner loops over floats. Their order of addition is part of their contract, so that the same
// program gives the same bits on any machine, whichever vector width it has.
#pragma once

#include <cstdint>
#include <span>

namespace presil {

/// sum of a[i] * b[i]: element i is added to lane i mod 16, then the lanes are added in a tree
/// (lane j to lane j + 8, 4, 2, 1).
float dot(const float* a, const float* b, std::int64_t count);

/// out[r] = dot(a, rows + r * stride, count), several side by side.
void dots(const float* a, const float* rows, std::int64_t stride, std::int64_t count,
          std::span<float> out);

/// out[i] += factors[r] * rows[r * stride + i], for one r after another. They do not overlap.
void add_scaled(std::span<const float> factors, const float* rows, std::int64_t stride,
                std::span<float> out);

}  // namespace presil
