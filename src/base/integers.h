// Division of counts that rounds up. Requires a >= 0 and b > 0, and a + b within 64 bits.
#pragma once

#include <cstdint>

namespace presil {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// The least multiple of `unit` that is not below `a`.
constexpr std::int64_t round_up(std::int64_t a, std::int64_t unit) {
  return ceil_div(a, unit) * unit;
}

}  // namespace presil
