#include "serving/cluster/max_rate.h"

#include <atomic>
#include <cmath>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

// A service whose p99 TTFT is 1 s up to `knee` requests a second and 3 s beyond, and whose
// throughput ends at `capacity`.
ServiceResult service(double rate, double knee, double capacity) {
  ServiceResult result;
  result.request_throughput = std::min(rate, capacity);
  const double ttft = rate <= knee ? 1 : 3;
  result.slo = {{parse_slo("p99_ttft<=2s").limits[0], ttft, ttft <= 2}};
  return result;
}

TEST(MaxRate, IsFoundToOnePercentFromEitherSide) {
  const auto run = [](double rate) { return service(rate, 137, 1000); };
  for (const double start : {1.0, 100.0, 136.9, 200.0, 90'000.0}) {
    const auto found = find_max_rate(run, start);
    ASSERT_TRUE(found.has_value()) << start;
    EXPECT_LE(found->rate, 137) << start;
    EXPECT_GE(found->rate, 137 / 1.0101) << start;
    EXPECT_FALSE(found->saturated);
    EXPECT_EQ(found->at_rate.request_throughput, found->rate);
    for (std::size_t i = 1; i < found->points.size(); ++i) {
      EXPECT_LT(found->points[i - 1].rate, found->points[i].rate);
    }
  }
}

TEST(MaxRate, OfAServiceThatIsNeverLateIsWhereThroughputEnds) {
  const auto found = find_max_rate([](double rate) { return service(rate, 1e300, 300); }, 1);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->saturated);
  EXPECT_EQ(found->rate, 300);
}

TEST(MaxRate, ThatDoesNotExistSaysWhichLimit) {
  const auto found = find_max_rate([](double rate) { return service(rate, 0, 10); }, 8);
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().reason.find("p99_ttft<=2s (it is 3 s)"), std::string::npos)
      << found.error().reason;
}

TEST(LoadCurve, HasItsRatesInTheirOrder) {
  std::atomic<int> runs = 0;
  const std::vector<double> rates{1, 5, 3, 200};
  const auto curve = load_curve(
      [&](double rate) {
        ++runs;
        return service(rate, 100, 1000);
      },
      rates);
  EXPECT_EQ(runs, 4);
  for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_EQ(curve[i].rate, rates[i]);
  EXPECT_TRUE(curve[1].meets);
  EXPECT_FALSE(curve[3].meets);
}

}  // namespace
}  // namespace presil::serving
