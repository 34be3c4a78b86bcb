#include "fleet/fleet.h"

#include <cmath>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "serving/engine/testing/one_replica.h"

namespace presil::fleet {
namespace {

using serving::testing::AffineCosts;

constexpr double kDay = 86400;

/// 4,000 chips, half of them own ones that are half as fast, cheap and thrifty, at two sites.
class SmallFleet {
 public:
  SmallFleet() {
    spec.chips = 4000;
    spec.own = "own";
    spec.bought = "bought";
    spec.own_shares = {0, 0.5, 1};
    spec.requests_per_day = 4000 * 0.5 * kDay;
    spec.regions.resize(2);
    spec.regions[0].name = "west";
    spec.regions[1].name = "east";
    for (Region& region : spec.regions) region.share = 0.5;
    for (Region& region : spec.regions) region.peak_to_mean = 1.5;
    spec.regions[1].utc_offset_h = 8;
    spec.failures = {.chips = 16384,
                     .time = Seconds(54 * kDay),
                     .causes = {{"hardware", 341, FailureCause::Takes::server, Seconds(kDay), 0.5},
                                {"software", 78, FailureCause::Takes::replica, Seconds(600), 0}}};
    spec.sampling.requests = 60'000;
    spec.sampling.sections = 4;

    input.kinds = {kind("own", true, own_costs), kind("bought", false, bought_costs)};
    for (int i = 0; i < 100; ++i) {
      serving::Request body;
      body.prompt_tokens = 100 + i;
      body.output_tokens = 20 + i;
      input.bodies.push_back(body);
    }
    input.slo = serving::parse_slo("p99_ttft<=1s,mean_tpot<=40ms");
    Ownership& o = input.ownership;
    o.lifetime = Seconds(1826 * kDay);
    o.board = {3100, 5700, 8900};
    o.network_share = {0.1, 0.15, 0.2};
    o.building = {9000, 11000, 13000};
    o.building_lifetime = Seconds(9131 * kDay);
    o.electricity = {0.05, 0.081, 0.12};
    o.pue = {1.08, 1.08, 1.2};
    o.server_power = {1.4, 1.5, 1.8};
    input.seed = 11;
  }

  FleetResult run() const {
    auto result = simulate_fleet(spec, input);
    EXPECT_TRUE(result.has_value());
    return *result;
  }

  FleetSpec spec;
  FleetInput input;

 private:
  static FleetKind kind(const std::string& name, bool own, const AffineCosts& costs) {
    FleetKind k;
    k.name = name;
    k.replica.costs = &costs;
    k.replica.engine.num_blocks = 100'000;
    k.replica.idle = Watts(own ? 40 : 140);
    k.router.routing = serving::Routing::random;
    k.supply.own = own;
    k.supply.limit = Watts(own ? 240 : 700);
    k.supply.first.usd_per_chip = own ? Band{2000, 3000, 4000} : Band{25000, 27500, 30000};
    if (own) k.supply.first.design_usd = {1e6, 2e6, 3e6};
    k.supply.first.wafers = own ? 0.02 : 0.03;
    k.supply.first.stacks = own ? 4 : 5;
    return k;
  }

  AffineCosts own_costs{20'000'000, 20'000, 100'000};
  AffineCosts bought_costs{10'000'000, 10'000, 50'000};
};

class Fleet : public ::testing::Test {
 protected:
  // Simulated once: the tests below look at it from different sides.
  static const SmallFleet& small() {
    static const SmallFleet fleet;
    return fleet;
  }
  static const FleetResult& result() {
    static const FleetResult r = small().run();
    return r;
  }
};

TEST_F(Fleet, SimulatesAsManyRequestsAsItWasAllowed) {
  std::int64_t simulated = 0;
  for (const FleetPoint& point : result().points) simulated += point.simulated_requests;
  EXPECT_NEAR(static_cast<double>(simulated), 60'000, 2'000);
  EXPECT_GT(result().simulated_requests, simulated);  // and those that found the highest rates
}

TEST_F(Fleet, MegawattsAreChipsTimesOverheads) {
  for (const FleetPoint& point : result().points) {
    EXPECT_DOUBLE_EQ(point.megawatts * 1e6, point.chip_watts.value * 1.5 * 1.08);
    double of_hours = 0;
    double of_sites = 0;
    for (const HourResult& hour : point.hours) of_hours += hour.megawatts / kHours;
    for (const SiteResult& site : point.sites) of_sites += site.mean_megawatts;
    EXPECT_NEAR(of_hours, point.megawatts, 1e-9 * point.megawatts);
    EXPECT_NEAR(of_sites, point.megawatts, 1e-9 * point.megawatts);
    EXPECT_LE(point.megawatts, point.peak_megawatts);
  }
}

TEST_F(Fleet, TokensTimesTheirPriceAreWhatADayCosts) {
  for (const FleetPoint& point : result().points) {
    const double mtokens = point.tokens_per_day.value / 1e6;
    const Band day = point.bill.depreciation_per_day + point.bill.opex_per_day;
    EXPECT_NEAR(mtokens * point.usd_per_mtoken.low, day.low, 1e-9 * day.low);
    EXPECT_NEAR(mtokens * point.usd_per_mtoken.typical, day.typical, 1e-9 * day.typical);
    EXPECT_NEAR(mtokens * point.usd_per_mtoken.high, day.high, 1e-9 * day.high);
  }
}

// A body writes 69.5 tokens on average. The interval is one of 95 %, so it is given twice its
// width.
TEST_F(Fleet, TokensAreThoseOfTheRequestsThatWereServed) {
  for (const FleetPoint& point : result().points) {
    EXPECT_NEAR(point.requests_per_day, small().spec.requests_per_day, 1e-3);
    EXPECT_NEAR(point.served_per_day + point.turned_away_per_day, point.requests_per_day, 1e-3);
    EXPECT_NEAR(point.tokens_per_day.value, point.served_per_day * 69.5,
                2 * point.tokens_per_day.half_width);
    EXPECT_LT(point.tokens_per_day.half_width, 0.05 * point.tokens_per_day.value);
    EXPECT_GE(point.kept_share.value, 0.98);
  }
}

TEST_F(Fleet, AShareOfChipsIsAShareOfEverythingMadeOfThem) {
  const auto& points = result().points;
  EXPECT_EQ(points[1].kinds[0].chips, 2000);
  EXPECT_EQ(points[1].kinds[1].chips, 2000);
  EXPECT_NEAR(points[1].supply.own_wafers, 2000 * 0.02, 1e-9);
  EXPECT_NEAR(points[1].supply.bought_wafers, 2000 * 0.03, 1e-9);
  EXPECT_NEAR(points[1].supply.stacks, 2000 * 4 + 2000 * 5, 1e-9);
  EXPECT_EQ(points[0].bill.capital[0].usd.typical, 0);
  EXPECT_GT(points[0].megawatts, points[2].megawatts);  // the own chips are the thrifty ones
  EXPECT_NEAR(points[1].kinds[0].load_share + points[1].kinds[1].load_share, 1, 1e-12);
  EXPECT_NEAR(points[0].failures_per_day, 4000 * 0.000474, 0.002);
  for (const FleetPoint& point : points) {
    EXPECT_LE(point.kinds[0].counted_on, point.kinds[0].replicas);
    EXPECT_GT(point.availability, 0.99);
    EXPECT_LT(point.availability, 1);
    EXPECT_GT(point.interrupted_requests_per_day, 0);
  }
}

TEST_F(Fleet, DoublingAPodOfIndependentReplicasMovesNothing) {
  ASSERT_EQ(result().doublings.size(), 2u);
  for (const PodDoubling& d : result().doublings) {
    EXPECT_EQ(d.replicas, 1);
    EXPECT_NEAR(d.once.watts.value, d.twice.watts.value,
                2 * (d.once.watts.half_width + d.twice.watts.half_width));
  }
}

TEST_F(Fleet, OneThreadGivesTheSameBytesAsTwo) {
  SmallFleet fleet;
  fleet.spec.sampling.requests = 5'000;
  fleet.spec.own_shares = {0.5};
  const auto run_with = [&](std::size_t threads) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    return fleet.run();
  };
  const FleetResult one = run_with(1);
  const FleetResult two = run_with(2);
  EXPECT_EQ(one.points[0].tokens_per_day.value, two.points[0].tokens_per_day.value);
  EXPECT_EQ(one.points[0].tokens_per_day.half_width, two.points[0].tokens_per_day.half_width);
  EXPECT_EQ(one.points[0].ttft.p99.value, two.points[0].ttft.p99.value);
  EXPECT_EQ(one.points[0].chip_watts.value, two.points[0].chip_watts.value);
  EXPECT_EQ(one.points[0].usd_per_mtoken, two.points[0].usd_per_mtoken);
  EXPECT_EQ(one.doublings[0].twice.ttft_p99_s.value, two.doublings[0].twice.ttft_p99_s.value);
}

TEST_F(Fleet, ACapOfPowerIsKept) {
  SmallFleet fleet;
  fleet.spec.own_shares = {0};
  fleet.spec.sampling.requests = 20'000;
  const FleetPoint free = fleet.run().points[0];
  fleet.spec.regions[0].site_power = Watts(free.sites[0].peak_megawatts * 0.9 * 1e6);
  const FleetPoint capped = fleet.run().points[0];
  EXPECT_LE(capped.sites[0].peak_megawatts, 0.9 * free.sites[0].peak_megawatts);
  EXPECT_NEAR(capped.sites[0].cap_megawatts, 0.9 * free.sites[0].peak_megawatts, 1e-9);
}

// Behind least_loaded a pod of several replicas is sampled, and the doubled pod is at hand.
TEST_F(Fleet, OtherRoutersAreSampledByPods) {
  SmallFleet fleet;
  fleet.spec.own_shares = {0};
  fleet.spec.pod_replicas = 3;
  fleet.spec.sampling.requests = 20'000;
  for (FleetKind& kind : fleet.input.kinds) kind.router.routing = serving::Routing::least_loaded;
  const FleetResult r = fleet.run();
  ASSERT_EQ(r.doublings.size(), 1u);
  EXPECT_EQ(r.doublings[0].replicas, 3);
  EXPECT_GT(r.kinds[1].highest.rate, result().kinds[1].highest.rate * 0.95);
  EXPECT_NEAR(r.points[0].megawatts, result().points[0].megawatts, 0.05 * r.points[0].megawatts);
}

TEST_F(Fleet, ASampleThatIsTooSmallIsRefused) {
  SmallFleet fleet;
  fleet.spec.sampling.requests = 1000;
  EXPECT_THROW((void)simulate_fleet(fleet.spec, fleet.input), InputError);
}

TEST_F(Fleet, APromiseThatCannotBeKeptIsAnAnswer) {
  SmallFleet fleet;
  fleet.input.slo = serving::parse_slo("p99_tpot<=1ms");
  const auto r = simulate_fleet(fleet.spec, fleet.input);
  ASSERT_FALSE(r.has_value());
  EXPECT_NE(r.error().reason.find("own keeps p99_tpot<=1ms at no rate"), std::string::npos)
      << r.error().reason;
  fleet.input.slo = serving::parse_slo("p99_itl<=100ms");
  EXPECT_THROW((void)simulate_fleet(fleet.spec, fleet.input), InputError);
}

}  // namespace
}  // namespace presil::fleet
