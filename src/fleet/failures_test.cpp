#include "fleet/failures.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil::fleet {
namespace {

constexpr double kDay = 86400;

/// Llama 3's 54 days of 16,384 GPUs: 419 unexpected interruptions.
FailureRecord llama3() {
  FailureRecord record{.chips = 16384, .time = Seconds(54 * kDay), .causes = {}};
  record.causes.push_back(
      {"hardware", 341, FailureCause::Takes::server, Seconds(kDay), /*scrapped=*/0.5});
  record.causes.push_back({"software", 78, FailureCause::Takes::replica, Seconds(600), 0});
  return record;
}

// 419 / (54 x 16,384) = 0.000474 a GPU and day, 54 x 24 / 419 = 3.09 h between two of the cluster,
// 350,000 x 0.000474 = 166 a day.
TEST(Failures, RatesAreThoseOfTheRecord) {
  EXPECT_NEAR(failure_rate(llama3()) * kDay, 0.000474, 5e-7);
  EXPECT_NEAR(mtbf(llama3(), 16384).count() / 3600, 3.09, 0.005);
  EXPECT_NEAR(kDay / mtbf(llama3(), 350000).count(), 166, 0.5);
  EXPECT_NEAR(scrap_rate(llama3()) * kDay * 16384 * 54, 0.5 * 341, 1e-9);
}

// One chip a replica, 8 a server: hardware takes a server out for a day, 8 x 341 / (54 x 16,384)
// = 0.0030834 times a day; software one replica for 1/144 day, 78 / (54 x 16,384) = 0.00008816
// times. Up for 1 / (1 + 0.0030834 + 0.00008816 / 144) of the time.
TEST(Failures, AvailabilityIsUpTimeOverAllTime) {
  const Placement placement{.chips_per_replica = 1, .chips_per_server = 8};
  EXPECT_EQ(placement.replicas_per_unit(), 8);
  EXPECT_NEAR(availability(llama3(), placement), 1 / (1 + 0.0030834 + 0.00008816 / 144), 1e-7);
  EXPECT_NEAR(outage_rate(llama3(), placement) * kDay, 0.0030834 + 0.00008816, 1e-7);
}

TEST(Failures, AReplicaOverTwoServersGoesOutWithEither) {
  const Placement placement{.chips_per_replica = 16, .chips_per_server = 8};
  EXPECT_EQ(placement.servers_per_replica(), 2);
  EXPECT_EQ(placement.replicas_per_unit(), 1);
  EXPECT_EQ(placement.chips_per_unit(), 16);
  EXPECT_NEAR(outage_rate(llama3(), placement) * kDay, 16 * failure_rate(llama3()) * kDay, 1e-12);
}

// Ten units, each up 0.9 of the time. P(10) = 0.9^10 = 0.3487, P(9) = 10 x 0.9^9 x 0.1 = 0.3874,
// P(8) = 45 x 0.9^8 x 0.01 = 0.1937, P(7) = 120 x 0.9^7 x 0.001 = 0.0574:
// at least 9: 0.7361, at least 8: 0.9298, at least 7: 0.9872.
TEST(Failures, UnitsUpAreThoseOfTheBinomialByHand) {
  EXPECT_EQ(units_up(10, 0.9, 0.30), 10);
  EXPECT_EQ(units_up(10, 0.9, 0.70), 9);
  EXPECT_EQ(units_up(10, 0.9, 0.92), 8);
  EXPECT_EQ(units_up(10, 0.9, 0.93), 7);
  EXPECT_EQ(units_up(10, 0.9, 0.98), 7);
  EXPECT_EQ(units_up(10, 1.0, 0.999999), 10);
  EXPECT_EQ(units_up(0, 0.9, 0.9), 0);
}

// Two units that must be up at 0.99, each up 0.9 of the time: of three, at least two are with
// 0.729 + 3 x 0.81 x 0.1 = 0.972; of four, with 0.6561 + 4 x 0.729 x 0.1 + 6 x 0.81 x 0.01 =
// 0.9963.
TEST(Failures, SparesAreTheFewestThatSuffice) {
  EXPECT_EQ(spares_for(2, 0.9, 0.97), 1);
  EXPECT_EQ(spares_for(2, 0.9, 0.99), 2);
  EXPECT_EQ(spares_for(2, 1.0, 0.99), 0);
}

// 43,750 units at 0.99: mean 437.5 out, deviation sqrt(437.5 x 0.99) = 20.8; 3.09 of them at 0.999.
TEST(Failures, LargeFleetsNeedTheMeanAndAFewDeviations) {
  const auto out = static_cast<double>(43750 - units_up(43750, 0.99, 0.999));
  EXPECT_NEAR(out, 437.5 + 3.09 * 20.8, 4);
  // Half of them out: the chance of none underflows a double.
  EXPECT_NEAR(static_cast<double>(units_up(43750, 0.5, 0.5)), 21875, 2);
}

}  // namespace
}  // namespace presil::fleet
