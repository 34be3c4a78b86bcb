#include "fleet/plan.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil::fleet {
namespace {

constexpr double kOverhead = 1.5;

Region region(const std::string& name, double share, int utc_offset_h, double peak_to_mean) {
  Region r;
  r.name = name;
  r.share = share;
  r.utc_offset_h = utc_offset_h;
  r.peak_to_mean = peak_to_mean;
  return r;
}

/// 200 chips that never fail at two sites half a day apart, 864,000 requests a day: 10 /s.
FleetSpec two_sites() {
  FleetSpec spec;
  spec.chips = 200;
  spec.own = "own";
  spec.bought = "bought";
  spec.requests_per_day = 864'000;
  spec.regions = {region("west", 0.5, 0, 1.8), region("east", 0.5, 12, 1.8)};
  spec.target_load = 0.5;
  spec.failures = {.chips = 100, .time = Seconds(86400), .causes = {}};
  return spec;
}

/// `chips` of one chip a replica; 0.2 /s at most, 100 W then, 40 W asleep.
Kind kind(std::int64_t chips, double highest_rate = 0.2, double watts = 100) {
  return {.chips = chips,
          .placement = {.chips_per_replica = 1, .chips_per_server = 8},
          .highest_rate = highest_rate,
          .watts_at_highest = watts,
          .most_watts = watts,
          .chip_asleep_watts = 40};
}

double served(const Site& site, int hour, std::size_t k) {
  return static_cast<double>(site.hours[hour].kinds[k].awake) * site.hours[hour].kinds[k].rate;
}

TEST(Plan, ChipsGoWhereRequestsAreAndNoneIsLost) {
  FleetSpec spec = two_sites();
  spec.regions[0].share = 0.3;
  spec.regions[1].share = 0.7;
  const Kind kinds[] = {kind(1000)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  EXPECT_EQ(sites[0].kinds[0].chips, 304);  // 37.5 of 125 servers: 38
  EXPECT_EQ(sites[1].kinds[0].chips, 696);
  EXPECT_EQ(sites[1].kinds[0].counted_on, 696);  // nothing fails
}

TEST(Plan, DemandIsServedOrTurnedAwayAndNoReplicaGetsMoreThanItsTarget) {
  const FleetSpec spec = two_sites();
  const Kind kinds[] = {kind(80), kind(80, 0.1)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  double demand = 0;
  bool turned_away = false;
  for (const Site& site : sites) {
    for (int h = 0; h < kHours; ++h) {
      const SiteHour& hour = site.hours[h];
      demand += hour.demand * 3600;
      EXPECT_NEAR(hour.demand, hour.served + hour.turned_away, 1e-12);
      EXPECT_NEAR(hour.served, served(site, h, 0) + served(site, h, 1), 1e-12);
      EXPECT_LE(hour.kinds[0].rate, 0.5 * 0.2 * (1 + 1e-12));
      turned_away = turned_away || hour.turned_away > 0;
    }
  }
  EXPECT_NEAR(demand, spec.requests_per_day, 1e-6);
  EXPECT_TRUE(turned_away);  // 40 x 0.1 + 40 x 0.05 = 6 /s a site; its peak is 9 /s
}

TEST(Plan, ByCapacityLoadsKindsAlike) {
  const Kind kinds[] = {kind(80), kind(80, 0.1)};
  const auto sites = make_plan(two_sites(), kinds, kOverhead);
  for (int h = 0; h < kHours; ++h) {
    const auto& k = sites[0].hours[h].kinds;
    EXPECT_NEAR(k[0].rate / 0.2, k[1].rate / 0.1, 1e-12);
  }
}

// 500 J a request and 1,000 J: the second kind works only when the first is full at 40 x 0.1 /s.
TEST(Plan, CheapestFirstFillsOneKindBeforeTheNext) {
  FleetSpec spec = two_sites();
  spec.split = Split::cheapest_first;
  const Kind kinds[] = {kind(80, 0.1, 100), kind(80, 0.2, 100)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  for (int h = 0; h < kHours; ++h) {
    const SiteHour& hour = sites[0].hours[h];
    if (hour.served <= 4) {
      EXPECT_NEAR(served(sites[0], h, 0), 0, 1e-12);
    } else {
      EXPECT_NEAR(served(sites[0], h, 1), 4, 1e-12);
    }
  }
}

TEST(Plan, OtherSitesTakeWhatOneCannot) {
  FleetSpec spec = two_sites();
  const Kind kinds[] = {kind(160)};  // 8 /s a site, 16 in all, for 10
  double alone = 0;
  for (const Site& site : make_plan(spec, kinds, kOverhead)) {
    for (const SiteHour& hour : site.hours) alone += hour.turned_away;
  }
  EXPECT_GT(alone, 0);  // the peak is 9 /s

  spec.overflow = Overflow::other_sites;
  const auto sites = make_plan(spec, kinds, kOverhead);
  double sent = 0;
  for (int h = 0; h < kHours; ++h) {
    double demand = 0;
    double taken = 0;
    for (const Site& site : sites) {
      EXPECT_NEAR(site.hours[h].turned_away, 0, 1e-12);
      demand += site.hours[h].demand;
      taken += site.hours[h].served;
      sent += site.hours[h].sent_on;
    }
    EXPECT_NEAR(demand, taken, 1e-9);
  }
  EXPECT_NEAR(sent, alone, 1e-9);
}

TEST(Plan, ByLoadWakesNoMoreThanTheHourNeeds) {
  FleetSpec spec = two_sites();
  spec.awake = Awake::by_load;
  const Kind kinds[] = {kind(200)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  for (int h = 0; h < kHours; ++h) {
    const KindHour& k = sites[0].hours[h].kinds[0];
    EXPECT_EQ(k.awake, static_cast<std::int64_t>(std::ceil(sites[0].hours[h].served / 0.1 - 1e-9)));
    EXPECT_LE(k.rate, 0.1 + 1e-12);
  }
}

// 80 chips asleep draw 3,200 W; each that wakes may add 60 W. Under 7,200 W / 1.5 = 4,800 W of
// chips, (4,800 - 3,200) / 60 = 26.7 may.
TEST(Plan, APowerCapLimitsWhatMayWake) {
  FleetSpec spec = two_sites();
  spec.regions[0].site_power = Watts(7200);
  const Kind kinds[] = {kind(160)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  for (int h = 0; h < kHours; ++h) {
    EXPECT_EQ(sites[0].hours[h].kinds[0].ready, 26);
    EXPECT_TRUE(sites[0].hours[h].power_capped);
    EXPECT_EQ(sites[1].hours[h].kinds[0].ready, 80);
    EXPECT_FALSE(sites[1].hours[h].power_capped);
  }
  spec.regions[0].site_power = Watts(4000);
  EXPECT_THROW(make_plan(spec, kinds, kOverhead), InputError);
}

TEST(Plan, UpgradesTakeTheirShareAtTheirLocalHours) {
  FleetSpec spec = two_sites();
  spec.upgrades = {.share = 0.25, .from_hour = 23, .hours = 3};
  const Kind kinds[] = {kind(160)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  for (int h = 0; h < kHours; ++h) {
    const bool west_night = h == 23 || h == 0 || h == 1;
    const bool east_night = h == 11 || h == 12 || h == 13;
    EXPECT_EQ(sites[0].hours[h].kinds[0].ready, west_night ? 60 : 80) << h;
    EXPECT_EQ(sites[1].hours[h].kinds[0].ready, east_night ? 60 : 80) << h;
  }
}

TEST(Plan, SparesStandByForWhatFails) {
  FleetSpec spec = two_sites();
  // Ten failures of 100 chips a day, a server out for an hour: 0.8 a server and day.
  spec.failures.causes = {{"board", 10, FailureCause::Takes::server, Seconds(3600), 0}};
  spec.spare_confidence = 0.99;
  const Kind kinds[] = {kind(160)};
  const auto sites = make_plan(spec, kinds, kOverhead);
  const double up = 1 / (1 + 0.8 / 24);
  EXPECT_EQ(sites[0].kinds[0].counted_on, 8 * units_up(10, up, 0.99));
  EXPECT_NEAR(sites[0].kinds[0].broken_chips, 80 * (1 - up), 1e-9);
}

}  // namespace
}  // namespace presil::fleet
