#include "values/vector_functions.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace presil {
namespace {

VectorUnit table(std::int64_t entries) {
  return VectorUnit({VectorFunctions::Kind::table, entries});
}

TEST(VectorUnit, IsExactUnlessToldOtherwise) {
  const VectorUnit unit;
  EXPECT_EQ(unit.exp(1.5f), std::exp(1.5f));
  EXPECT_EQ(unit.rsqrt(3), 1 / std::sqrt(3.0f));
  EXPECT_EQ(unit.silu(2), 2 / (1 + std::exp(-2.0f)));
}

TEST(VectorUnit, TablesAreWithinTheErrorOfAStraightLine) {
  // Between two of n entries a line is off by at most |f''| / (8 n^2): of 2^x, relative to it,
  // ln(2)^2 / 8 / n^2; of 1/sqrt(x) on [1, 2), 3/4 / 8 / n^2, relative to at least 1/sqrt(2).
  for (const std::int64_t entries : {16, 64, 256}) {
    const VectorUnit unit = table(entries);
    const double square = static_cast<double>(entries * entries);
    for (float x = -80; x < 80; x += 0.37f) {
      const double exact = std::exp(static_cast<double>(x));
      EXPECT_NEAR(unit.exp(x) / exact, 1, 0.4804530 / 8 / square + 2e-5) << x;
    }
    for (float x = 1e-6f; x < 1e6f; x *= 1.37f) {
      const double exact = 1 / std::sqrt(static_cast<double>(x));
      EXPECT_NEAR(unit.rsqrt(x) / exact, 1, 0.75 / 8 * std::sqrt(2) / square + 1e-6) << x;
    }
  }
}

TEST(VectorUnit, TablesAreExactAtTheirEntries) {
  const VectorUnit unit = table(4);
  EXPECT_EQ(unit.exp(0), 1);
  EXPECT_EQ(unit.rsqrt(0.25f), 2);
  EXPECT_EQ(unit.rsqrt(16), 0.25f);
}

TEST(VectorUnit, TablesEndAsTheFunctionsDo) {
  const VectorUnit unit = table(256);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(unit.exp(-infinity), 0);
  EXPECT_EQ(unit.exp(-1000), 0);
  EXPECT_EQ(unit.exp(1000), infinity);
  EXPECT_TRUE(std::isnan(unit.exp(std::nanf(""))));
}

}  // namespace
}  // namespace presil
