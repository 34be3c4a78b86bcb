#include "values/dot.h"

#include <vector>

#include <gtest/gtest.h>

#include "values/testing/drawn_numbers.h"

namespace presil {
namespace {

TEST(Dot, AddsSixteenLanesAndThenTheirTree) {
  // 2^24 + 1 is 2^24 in a float: the order shows. Lane 0 holds 2^24, lane 8 holds 1 + 1.
  std::vector<float> a(40, 0.0f);
  const std::vector<float> ones(40, 1.0f);
  a[0] = 0x1p24f;
  a[8] = 1;
  a[24] = 1;
  EXPECT_EQ(dot(a.data(), ones.data(), 40), 0x1p24f + 2);

  // One after another in lane 0, each 1 is lost.
  std::vector<float> b(48, 0.0f);
  b[0] = 0x1p24f;
  b[16] = 1;
  b[32] = 1;
  EXPECT_EQ(dot(b.data(), std::vector<float>(48, 1.0f).data(), 48), 0x1p24f);
}

/// Fours side by side and those left over, whole vectors and not.
TEST(Dot, SeveralAreEachByItself) {
  constexpr std::size_t kCount = 53, kStride = 60, kRows = 7;
  testing::NumberSource source(3);
  std::vector<float> a(kCount), rows(kRows * kStride), out(kRows);
  for (float& x : a) x = source.even();
  for (float& x : rows) x = source.even();

  dots(a.data(), rows.data(), kStride, kCount, out);

  for (std::size_t r = 0; r < kRows; ++r) {
    EXPECT_EQ(out[r], dot(a.data(), &rows[r * kStride], kCount)) << r;
  }
}

TEST(AddScaled, AddsRowAfterRow) {
  // 2^24 + 1 is 2^24 in a float, 2^24 + 2 is not: the order shows, in vectors and in what is left.
  constexpr std::size_t kWidth = 83;
  std::vector<float> rows(3 * kWidth, 1.0f);
  std::vector<float> out(kWidth, 0x1p24f);
  const std::vector<float> factors = {1, 1, 2};

  add_scaled(factors, rows.data(), kWidth, out);

  for (const float sum : out) EXPECT_EQ(sum, 0x1p24f + 2);
}

}  // namespace
}  // namespace presil
