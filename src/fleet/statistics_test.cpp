#include "fleet/statistics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil::fleet {
namespace {

// Any table of Student's t, for example NIST/SEMATECH e-Handbook 1.3.6.7.2.
TEST(Statistics, StudentsTAgreesWithTheTables) {
  EXPECT_NEAR(student_t(0.95, 1), 12.706, 5e-4);
  EXPECT_NEAR(student_t(0.95, 9), 2.262, 5e-4);
  EXPECT_NEAR(student_t(0.99, 9), 3.250, 5e-4);
  EXPECT_NEAR(student_t(0.90, 30), 1.697, 5e-4);
  EXPECT_NEAR(student_t(0.95, 1e6), 1.960, 5e-4);
}

// 1, 2, 3, 4: mean 2.5, s^2 = 5/3, t(0.95, 3) = 3.182: 3.182 x sqrt(5/3 / 4) = 2.054.
TEST(Statistics, AMeanHasTheIntervalOfTheTextbook) {
  const double sections[] = {1, 2, 3, 4};
  const Estimate e = mean_estimate(sections, 0.95);
  EXPECT_DOUBLE_EQ(e.value, 2.5);
  EXPECT_NEAR(e.half_width, 2.054, 1e-3);
  EXPECT_DOUBLE_EQ(e.high() - e.low(), 2 * e.half_width);
}

TEST(Statistics, SectionsThatAgreeLeaveNoDoubt) {
  const double sections[] = {7, 7, 7};
  EXPECT_DOUBLE_EQ(mean_estimate(sections, 0.99).half_width, 0);
}

TEST(Statistics, AQuantileCountsWeights) {
  std::vector<Weighted> values = {{3, 1}, {1, 1}, {2, 8}};
  EXPECT_DOUBLE_EQ(weighted_quantile(values, 0.05), 1);
  EXPECT_DOUBLE_EQ(weighted_quantile(values, 0.5), 2);
  EXPECT_DOUBLE_EQ(weighted_quantile(values, 0.9), 2);
  EXPECT_DOUBLE_EQ(weighted_quantile(values, 0.91), 3);
  std::vector<Weighted> nothing;
  EXPECT_DOUBLE_EQ(weighted_quantile(nothing, 0.5), 0);
}

}  // namespace
}  // namespace presil::fleet
