#include "cost/die.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil {
namespace {

using enum YieldModel;
constexpr SquareMillimetres kH100(814);
constexpr Millimetres kWafer(300);

ProcessNode node_with(double defects) {
  ProcessNode node;
  node.defect_density = {defects, defects, defects};
  node.cluster_alpha = 3;
  node.wafer_diameter = kWafer;
  node.edge_exclusion = Millimetres(3);
  node.scribe = Millimetres(0.1);
  return node;
}

Die die_with(double area, std::int64_t enabled, std::int64_t physical, double core_share) {
  Die die;
  die.area = SquareMillimetres(area);
  die.enabled = enabled;
  die.physical = physical;
  die.core_share = core_share;
  return die;
}

TEST(Die, AWaferHolds63DiesOf814SquareMillimetres) {
  // pi 150^2 / 814 = 86.84; pi 300 / sqrt(1628) = 23.36.
  EXPECT_NEAR(dies_per_wafer(kH100, kWafer), 63.48, 0.01);
  EXPECT_NEAR(dies_per_wafer(SquareMillimetres(826), kWafer), 62.39, 0.01);
  EXPECT_EQ(dies_per_wafer(SquareMillimetres(100000), kWafer), 0);
}

TEST(Die, TheExamplesOfTtmCasComeOutOfItsFormulas) {
  // 826 mm2 at 7 nm: 62.4 dies, (1 + 8.26 x 0.15 / 3)^-3 = 35 %, 9346 / 62.4 / 0.354 = 423 USD.
  const double n7 = perfect_yield(negative_binomial, SquareMillimetres(826), 0.15, 3);
  EXPECT_NEAR(n7, 0.354, 0.001);
  EXPECT_NEAR(9346 / dies_per_wafer(SquareMillimetres(826), kWafer) / n7, 423, 0.5);
  // 814 mm2 at 5 nm: 63.5 dies, (1 + 8.14 x 0.2 / 3)^-3 = 27 %, 982 USD.
  const double n5 = perfect_yield(negative_binomial, kH100, 0.2, 3);
  EXPECT_NEAR(n5, 0.27, 0.005);
  EXPECT_NEAR(16988 / dies_per_wafer(kH100, kWafer) / n5, 982, 0.5);
}

TEST(Die, EdgeAndScribeCostDies) {
  // Side sqrt(814) + 0.1 = 28.63 mm, 819.7 mm2; pi 147^2 / 819.7 - pi 294 / sqrt(1639.4) = 60.0.
  EXPECT_EQ(gross_dies(kH100, node_with(0.1)), 60);
}

TEST(Die, PerfectYieldsEqualTheTextbook) {
  // A D = 8.14 cm2 x 0.1 = 0.814.
  EXPECT_NEAR(perfect_yield(poisson, kH100, 0.1, 3), 0.44308, 1e-5);  // e^-0.814
  EXPECT_NEAR(perfect_yield(murphy, kH100, 0.1, 3), 0.46809, 1e-5);   // (0.55692 / 0.814)^2
  EXPECT_NEAR(perfect_yield(negative_binomial, kH100, 0.1, 3), 0.48666, 1e-5);  // 1.27133^-3
  EXPECT_EQ(perfect_yield(murphy, kH100, 0, 3), 1);
}

TEST(Die, HarvestingOfOneCoreMeansThatOneDefectIsForgiven) {
  // All area in 2 cores, one is enough: 1 - (1 - p)^2 with p = e^(-0.5 A D), A D = 1.
  const double p = std::exp(-0.5);
  EXPECT_NEAR(sellable_yield(poisson, die_with(100, 1, 2, 1), 1, 3), 1 - (1 - p) * (1 - p), 1e-12);
}

TEST(Die, ADefectOutsideTheCoresIsNotForgiven) {
  // Half the area is cores; with all but none of them needed the other half must be clean.
  EXPECT_NEAR(sellable_yield(poisson, die_with(100, 1, 1000, 0.5), 1, 3), std::exp(-0.5), 1e-9);
}

TEST(Die, HarvestingWithoutSparesIsThePerfectYield) {
  // One spare core of no area: the integral over densities must give the closed form.
  for (const YieldModel model : {poisson, murphy, negative_binomial}) {
    const double harvested = sellable_yield(model, die_with(814, 1, 2, 0), 0.1, 3);
    EXPECT_NEAR(harvested, perfect_yield(model, kH100, 0.1, 3), 1e-9) << to_string(model);
  }
  EXPECT_NEAR(sellable_yield(negative_binomial, die_with(814, 1, 2, 0), 0.1, 1), 1 / 1.814,
              1e-6);  // alpha 1 is Seeds' 1 / (1 + A D)
}

TEST(Die, MoreSparesNeverYieldLess) {
  double before = 0;
  for (std::int64_t enabled = 144; enabled >= 100; --enabled) {
    const double yield =
        sellable_yield(negative_binomial, die_with(814, enabled, 144, 0.55), 0.1, 3);
    EXPECT_GE(yield, before);
    EXPECT_LE(yield, 1);
    before = yield;
  }
}

TEST(Die, AbsurdDiesHaveAnAnswerAtOnce) {
  EXPECT_NEAR(sellable_yield(negative_binomial, die_with(800, 1, 1000000, 1), 1e6, 3), 0, 1e-6);
  EXPECT_NEAR(sellable_yield(negative_binomial, die_with(800, 1, 1000000, 1), 0.1, 3), 1, 1e-9);
  ProcessNode node = node_with(0.1);
  node.scribe = Millimetres(0);
  EXPECT_EQ(gross_dies(SquareMillimetres(1e-200), node), 1000000000);
}

}  // namespace
}  // namespace presil
