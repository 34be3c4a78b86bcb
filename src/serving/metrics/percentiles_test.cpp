#include "serving/metrics/percentiles.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

// numpy.percentile([1, 2, 3, 4, 10], q): rank q / 100 x 4.
TEST(Percentiles, LieWhereNumpyPutsThem) {
  const std::array<double, 5> values{1, 2, 3, 4, 10};
  EXPECT_DOUBLE_EQ(percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(percentile(values, 50), 3);
  EXPECT_DOUBLE_EQ(percentile(values, 90), 4 + (10 - 4) * 0.6);   // rank 3.6
  EXPECT_DOUBLE_EQ(percentile(values, 99), 4 + (10 - 4) * 0.96);  // rank 3.96
  EXPECT_DOUBLE_EQ(percentile(values, 100), 10);
}

TEST(Percentiles, OfOneValueAreThatValue) {
  const std::vector<double> values{7};
  for (const double q : {0.0, 37.5, 50.0, 99.0, 100.0}) EXPECT_EQ(percentile(values, q), 7);
}

}  // namespace
}  // namespace presil::serving
