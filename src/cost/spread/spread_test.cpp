#include "cost/spread/spread.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/draws.h"
#include "cost/spread/triangular.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

CostScene scene_of(const std::string& chip, std::int64_t volume = 0) {
  return {cost_inputs(load_chip(chip, {}, kHome), load_prices(kHome)), {.volume = volume}, {}};
}

TEST(Triangular, HasItsMeanAndVariance) {
  const Band band{2, 3, 7};
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double x = triangular(band, Draws(1, 0, i).uniform());
    ASSERT_GE(x, band.low);
    ASSERT_LE(x, band.high);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  // (a + b + c) / 3 and (a2 + b2 + c2 - ab - ac - bc) / 18
  EXPECT_NEAR(mean, 4, 0.02);
  EXPECT_NEAR(squares / kDraws - mean * mean, (4 + 9 + 49 - 6 - 14 - 21) / 18.0, 0.02);
}

TEST(Triangular, OfOneValueIsThatValue) {
  EXPECT_EQ(triangular({3, 3, 3}, 0.7), 3);
  EXPECT_EQ(triangular({3, 3, 5}, 1e-300), 3);
}

TEST(MonteCarlo, LiesWithinTheBillsBandAndIsTheSameAgain) {
  const CostScene scene = scene_of("artemis-hbm3e");
  const Band band = price_chip(scene.inputs).usd_per_chip;

  const MonteCarlo spread = monte_carlo(scene, 1000, 42);

  EXPECT_GT(spread.p10, band.low);
  EXPECT_LT(spread.p10, spread.p50);
  EXPECT_LT(spread.p50, spread.p90);
  EXPECT_LT(spread.p90, band.high);
  const MonteCarlo again = monte_carlo(scene, 1000, 42);
  EXPECT_EQ(spread.mean, again.mean);
  EXPECT_EQ(spread.p90, again.p90);
  EXPECT_NE(spread.mean, monte_carlo(scene, 1000, 43).mean);
}

TEST(MonteCarlo, OfOneUncertainPriceIsItsOwnDistribution) {
  // All but the substrate fixed: the bill is a line over it, so quantiles map one to one.
  CostScene scene = scene_of("mtia-v2");
  for (const Knob& knob : knobs_of(scene)) {
    const double v = knob.band->typical;
    *knob.band = {v, v, v};
  }
  Band& substrate = scene.inputs.package.substrate;
  substrate = {20, 40, 60};
  const auto bill_with = [&](double usd) {
    CostScene at = scene;
    at.inputs.package.substrate.typical = usd;
    return usd_of(at);
  };
  const MonteCarlo spread = monte_carlo(scene, 20000, 1);
  EXPECT_NEAR(spread.p50, bill_with(40), 0.5);
  EXPECT_NEAR(spread.p10, bill_with(triangular(substrate, 0.1)), 0.5);
  EXPECT_NEAR(spread.p90, bill_with(triangular(substrate, 0.9)), 0.5);
  EXPECT_NEAR(spread.mean, bill_with(40), 0.5);
}

TEST(Tornado, TurnsOneNumberAtATimeAndSortsByWhatItMoves) {
  const CostScene scene = scene_of("h100-sxm", 100000);
  const std::vector<Swing> swings = tornado(scene);

  ASSERT_GT(swings.size(), 8u);
  for (std::size_t i = 1; i < swings.size(); ++i) {
    EXPECT_GE(std::abs(swings[i - 1].usd_high - swings[i - 1].usd_low),
              std::abs(swings[i].usd_high - swings[i].usd_low));
  }
  const double typical = usd_of(scene);
  for (const Swing& s : swings) {
    EXPECT_LE(std::min(s.usd_low, s.usd_high), typical + 1e-5) << s.name;
    EXPECT_GE(std::max(s.usd_low, s.usd_high), typical - 1e-5) << s.name;
    if (s.name == "node.wafer_price") {
      CostScene at = scene;
      at.inputs.node.wafer_price.typical = s.high;
      EXPECT_EQ(usd_of(at), s.usd_high);
    }
  }
}

TEST(Tornado, YieldsAndUtilisationPayWhenTheyAreHigh) {
  CostScene scene = scene_of("mtia-v2");
  scene.rate = TokenRate{.tokens_per_s = 500, .chips = 2, .power = Watts(70)};
  bool found = false;
  for (const Swing& s : tornado(scene)) {
    if (s.name == "ownership.utilisation" || s.name == "package.attach_yield") {
      EXPECT_GT(s.usd_low, s.usd_high) << s.name;
      found = true;
    }
  }
  EXPECT_TRUE(found);
}

TEST(Tornado, ABoughtChipTurnsByItsMarketPrice) {
  CostScene scene = scene_of("h100-sxm");
  scene.rate = TokenRate{.tokens_per_s = 1000, .chips = 1, .power = Watts(500)};
  for (const Swing& s : tornado(scene)) EXPECT_NE(s.name, "node.wafer_price");
}

}  // namespace
}  // namespace presil
