#include "values/vector_functions.h"

#include <bit>
#include <cmath>

#include "base/error.h"

namespace presil {
namespace {

/// The table at `fraction` of its binade, 0 up to 1.
float interpolate(const std::vector<float>& table, float fraction) {
  const float position = fraction * static_cast<float>(table.size() - 1);
  const auto index = static_cast<std::size_t>(position);
  const float beyond = position - static_cast<float>(index);
  if (beyond == 0) return table[index];
  return table[index] + beyond * (table[index + 1] - table[index]);
}

}  // namespace

VectorUnit::VectorUnit(const VectorFunctions& functions)
    : is_exact_(functions.kind == VectorFunctions::Kind::exact) {
  if (is_exact_) return;
  const auto entries = static_cast<std::uint64_t>(functions.entries);
  CHECK(functions.entries > 0 && std::has_single_bit(entries), "a table of a power of two");
  for (std::uint64_t i = 0; i <= entries; ++i) {
    const double fraction = static_cast<double>(i) / static_cast<double>(entries);
    exp2_.push_back(static_cast<float>(std::exp2(fraction)));
    rsqrt_.push_back(static_cast<float>(1 / std::sqrt(1 + fraction)));
  }
}

float VectorUnit::exp(float x) const {
  if (is_exact_ || !std::isfinite(x)) return std::exp(x);
  constexpr float kLog2E = 0x1.715476p+0f;
  const float power = x * kLog2E;
  if (power < -160 || power > 128) return power < 0 ? 0 : std::exp(x);
  const float whole = std::floor(power);
  return std::ldexp(interpolate(exp2_, power - whole), static_cast<int>(whole));
}

float VectorUnit::rsqrt(float x) const {
  if (is_exact_ || !std::isfinite(x) || x <= 0) return 1 / std::sqrt(x);
  constexpr float kRootOfHalf = 0x1.6a09e6p-1f;
  const int exponent = std::ilogb(x);
  const float inverse = interpolate(rsqrt_, std::ldexp(x, -exponent) - 1);
  const int half = exponent >> 1;  // rounded down
  return std::ldexp(exponent % 2 == 0 ? inverse : inverse * kRootOfHalf, -half);
}

float VectorUnit::silu(float x) const {
  return x / (1 + exp(-x));
}

}  // namespace presil
