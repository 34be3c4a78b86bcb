#include "explore/fleet_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "explore/fleet_run.h"
#include "serving/engine/testing/one_replica.h"

namespace presil {
namespace {

/// Two kinds of chip with invented steps under lengths of the shipped trace.
class SmallFleet {
 public:
  SmallFleet() {
    places_.home = PRESIL_SOURCE_DIR;
    request_.spec.chips = 2000;
    request_.spec.own = "artemis";
    request_.spec.bought = "h100";
    request_.spec.own_shares = {0, 0.5};
    request_.spec.requests_per_day = 2000 * 86400 * 0.2;
    request_.spec.regions.resize(1);
    request_.spec.regions[0].name = "here";
    request_.spec.failures.chips = 16384;
    request_.spec.failures.time = Seconds(54 * 86400);
    request_.spec.failures.causes = {{"all", 419, {}, Seconds(3600), 0.1}};
    request_.spec.ceilings.wafers_per_year = 10;
    request_.spec.ceilings.second_node = "tsmc-n5";
    request_.spec.sampling.requests = 4000;
    request_.spec.sampling.sections = 2;
    request_.load.trace = "azure2023_conv";
    request_.load.requests = 5;  // of the services alone: the fleet looks at all of the trace
    request_.slo = serving::parse_slo("p99_ttft<=2s");
    deploy("artemis-hbm3e", own_);
    deploy("h100-sxm", bought_);
    request_.services = {service("artemis", own_), service("h100", bought_)};
  }

  Feasible<fleet::FleetResult> run() const { return run_fleet(request_, places_); }
  FleetRequest& request() { return request_; }

 private:
  void deploy(const std::string& chip, Deployment& d) {
    d.prepared.request.chip = chip;
    d.prepared.chip = load_chip(chip, {}, places_.home);
    d.engine.num_blocks = 100'000;
    d.engine.max_model_len = 32'768;
    d.idle = d.prepared.chip.chip.power.idle;
  }
  FleetService service(const std::string& name, const Deployment& d) const {
    return {name, &d, &costs_, nullptr, {.routing = serving::Routing::random}};
  }

  serving::testing::AffineCosts costs_{8'000'000, 10'000, 50'000};
  Places places_;
  Deployment own_, bought_;
  FleetRequest request_;
};

double typical(const Json& point, const char* key) {
  return point[key]["typical"].get<double>();
}

TEST(FleetJson, HoldsItsIdentities) {
  SmallFleet small;
  const auto result = small.run();
  ASSERT_TRUE(result.has_value());
  const Json json = fleet_json(small.request().spec, *result);
  ASSERT_EQ(json["points"].size(), 2u);
  for (const Json& p : json["points"]) {
    const double day = typical(p, "depreciation_usd_per_day") + typical(p, "opex_usd_per_day");
    const double tokens = p["tokens_per_day"].get<double>();
    EXPECT_NEAR(tokens * typical(p, "usd_per_mtoken") / 1e6, day, 1e-9 * day);
    EXPECT_DOUBLE_EQ(p["megawatts"].get<double>() * 1e6,
                     p["chip_power_w"].get<double>() * json["power_overhead"].get<double>());
    EXPECT_LT(p["confidence"]["tokens_per_day"]["low"].get<double>(), tokens);
    EXPECT_EQ(p["hours"].size(), 24u);
  }
  EXPECT_EQ(json["own_share"].get<double>(), 0.5);
  EXPECT_EQ(json["hours"], json["points"][1]["hours"]);
  EXPECT_EQ(sentences(*result).size(), 4u);  // of two kinds and two points
}

// 1,000 own chips of a first foundry that gives ten wafers, some 430 of them.
TEST(FleetJson, SaysWhatTheSecondFoundryMakes) {
  SmallFleet small;
  const auto result = small.run();
  ASSERT_TRUE(result.has_value());
  const Json supply = fleet_json(small.request().spec, *result)["points"][1]["supply"];
  const double first = supply["first_foundry_chips"].get<double>();
  EXPECT_GT(first, 200);
  EXPECT_LT(first, 800);
  EXPECT_NEAR(supply["second_foundry_share"].get<double>(), 1 - first / 1000, 1e-12);
  EXPECT_NEAR(supply["own_wafers"].get<double>(),
              10 + supply["second_foundry_wafers"].get<double>(), 1e-9);
}

TEST(FleetRun, NamesAServiceThatIsNotThere) {
  SmallFleet small;
  small.request().spec.own = "trainium";
  try {
    (void)small.run();
    FAIL() << "no complaint";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("fleet.own: no service"), std::string::npos) << e.what();
  }
}

TEST(FleetRun, RefusesToBuyAChipWithoutAPrice) {
  SmallFleet small;
  std::swap(small.request().spec.own, small.request().spec.bought);
  EXPECT_THROW((void)small.run(), InputError);
}

}  // namespace
}  // namespace presil
