#include "values/number/rounding.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil {
namespace {

/// The compiler's own half, as a second opinion.
__extension__ using CompilersHalf = _Float16;

TEST(Rounding, EveryHalfIsReadAndWrittenAsTheCompilerDoes) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const auto expected = static_cast<float>(std::bit_cast<CompilersHalf>(half));
    const float value = from_half(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(from_half(to_half(value))));
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected));
      ASSERT_EQ(to_half(value), half);
    }
  }
}

TEST(Rounding, FloatsGoToTheNearestHalfAsTheCompilerRounds) {
  for (std::uint32_t i = 0; i < 0x100000; ++i) {
    const auto value = std::bit_cast<float>(i * 4093u);  // all exponents, odd mantissas
    if (std::isnan(value)) continue;
    const auto expected = std::bit_cast<std::uint16_t>(static_cast<CompilersHalf>(value));
    ASSERT_EQ(to_half(value), expected) << value;
  }
}

}  // namespace
}  // namespace presil
