#include "fleet/demand.h"

#include <gtest/gtest.h>

namespace presil::fleet {
namespace {

const Region kEvening{.name = "evening",
                      .share = 1,
                      .utc_offset_h = -5,
                      .peak_to_mean = 1.6,
                      .peak_hour = 20.5,
                      .site_power = std::nullopt};

TEST(Demand, HoursSumToTheDay) {
  double sum = 0;
  for (int h = 0; h < kHours; ++h) sum += load_factor(kEvening, h);
  EXPECT_NEAR(sum, kHours, 1e-12);
}

// The peak of 20:30 local is in the middle of the hour that begins at 20:00 local, 01:00 universal.
// Over one hour the mean of 0.6 cos is 0.6 x sin(7.5 deg) / (7.5 deg in radians) = 0.6 x 0.99715.
TEST(Demand, ThePeakComesAtItsLocalHour) {
  EXPECT_NEAR(load_factor(kEvening, 1), 1 + 0.6 * 0.99715, 1e-5);
  EXPECT_EQ(local_hour(kEvening, 1), 20);
  EXPECT_NEAR(load_factor(kEvening, 13), 1 - 0.6 * 0.99715, 1e-5);
  for (int h = 0; h < kHours; ++h) EXPECT_LE(load_factor(kEvening, h), load_factor(kEvening, 1));
}

TEST(Demand, LocalHoursWrapBothWays) {
  Region region;
  region.utc_offset_h = 9;
  EXPECT_EQ(local_hour(region, 20), 5);
  region.utc_offset_h = -8;
  EXPECT_EQ(local_hour(region, 3), 19);
}

TEST(Demand, SharesThatDoNotSumToOneAreRefused) {
  const Node root = parse_document(
      std::make_shared<Source>(Source{"f.yaml",
                                      "presil: x/1\nregions:\n"
                                      "- {name: a, share: 0.5}\n- {name: b, share: 0.4}\n"}),
      Syntax::yaml);
  try {
    read_file(root, "x", read_regions);
    FAIL() << "no complaint";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("sum to 1, found 0.9"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace presil::fleet
