// Foundries, buy or build, supply and houses, each against sums done by hand.
#include <cmath>

#include <gtest/gtest.h>

#include "base/document.h"
#include "cost/plan/buy_or_build.h"
#include "cost/plan/foundries.h"
#include "cost/plan/houses.h"
#include "cost/plan/supply.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr double kDay = 86400;

/// Reads `text` with `read`; throws InputError with every complaint.
template <class F>
auto from_yaml(const std::string& text, F read) {
  const Node root =
      parse_document(std::make_shared<const Source>(Source{"block.yaml", text}), Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  auto value = read(fields);
  fields.finish();
  log.throw_if_any();
  return value;
}

FoundriesResult two_foundries(const std::string& volume) {
  const auto spec = from_yaml(
      "{chip: artemis-hbm3e, second: {node: tsmc-n5, package: cowos-s}, "
      "points: 5, volume: " +
          volume + "}",
      read_foundries);
  return compare_foundries(spec, {}, load_prices(kHome), kHome);
}

TEST(Foundries, TheEndsAreOneFoundryEach) {
  const FoundriesResult r = two_foundries("100000");
  const Prices prices = load_prices(kHome);
  const PriceOptions all{.volume = 100000};

  ASSERT_EQ(r.points.size(), 5u);
  const ChipPrice first = price_chip(load_chip("artemis-hbm3e", {}, kHome), prices, all);
  EXPECT_NEAR(r.points[0].usd_per_chip.typical, first.usd_per_chip.typical, 1e-4);
  EXPECT_NEAR(r.points[0].first_wafers, first.wafers, 1e-6);
  EXPECT_EQ(r.points[0].second_wafers, 0);
  const PortedChip moved =
      load_ported("artemis-hbm3e", {}, kHome, {.node = "tsmc-n5", .package = "cowos-s"});
  const ChipPrice second = price_chip(moved.files, prices, all);
  EXPECT_NEAR(r.points[4].usd_per_chip.typical, second.usd_per_chip.typical, 1e-4);
  EXPECT_NEAR(r.points[4].second_wafers, second.wafers, 1e-6);
  EXPECT_NEAR(r.points[4].watts.count(), moved.files.chip.power.limit.count(), 1e-9);
  EXPECT_EQ(r.second, "tsmc-n5");
}

TEST(Foundries, BetweenThemTwoMaskSetsAndAPortArePaid) {
  const FoundriesResult r = two_foundries("100000");
  const Prices prices = load_prices(kHome);

  // Variable costs are a straight line, so half way they are the mean of both ends.
  const double design = prices.design.typical / 100000;
  const double first_masks = 18e6 / 100000, second_masks = 18.1e6 / 100000;
  const double ends = (r.points[0].usd_per_chip.typical - design - first_masks +
                       r.points[4].usd_per_chip.typical - design - second_masks) /
                      2;
  EXPECT_NEAR(r.points[2].usd_per_chip.typical,
              ends + design * (1 + 0.35) + first_masks + second_masks, 1e-4);
  EXPECT_NEAR(r.points[2].watts.count(), (r.points[0].watts + r.points[4].watts).count() / 2, 1e-9);
}

TEST(Foundries, RefuseWhatIsNotAFile) {
  EXPECT_THROW(from_yaml("{chip: artemis-hbm3e, volume: 10}", read_foundries), InputError);
  EXPECT_THROW(from_yaml("{chip: a, second: {node: b}, volume: 0}", read_foundries), InputError);
  EXPECT_THROW(from_yaml("{chip: a, second: {node: b}, volume: 5, shares: 2}", read_foundries),
               InputError);
}

BuyOrBuildResult own_or_h100(double own_tokens_per_s) {
  const auto spec = from_yaml(
      "{own: {chip: artemis-hbm3e, service: own}, bought: {chip: h100-sxm, "
      "tokens_per_s: 2000, power: 500 W}}",
      read_buy_or_build);
  const Server own{load_chip("artemis-hbm3e", {}, kHome), {own_tokens_per_s, 1, Watts(200)}};
  const Server bought{load_chip("h100-sxm", {}, kHome),
                      {spec.bought.tokens_per_s, 1, spec.bought.power}};
  return buy_or_build(spec, own, bought, load_prices(kHome));
}

TEST(BuyOrBuild, AtTheCrossingBothCostTheSame) {
  const BuyOrBuildResult r = own_or_h100(1500);
  const Prices prices = load_prices(kHome);

  ASSERT_TRUE(r.crossing.has_value());
  const double own =
      usd_per_mtoken_at({1500, 1, Watts(200)}, load_chip("artemis-hbm3e", {}, kHome).chip,
                        r.own_each.typical, prices);
  const double once = (300e6 + 18e6) / *r.crossing;
  EXPECT_NEAR(own * r.mtokens_per_chip + once, r.points.front().bought.typical, 1e-6);
  EXPECT_DOUBLE_EQ(r.bought_per_own, 0.75);
  // 1500 tokens/s x 0.6 x 1826 days, less 0.106 failures of 3 days a year.
  EXPECT_NEAR(r.mtokens_per_chip, 1500e-6 * 0.6 * 1826 * kDay / (1 + 0.106 * 3 / 365.25), 1e-3);
}

TEST(BuyOrBuild, CheapSiliconAgainstDearGpusCrossesFirst) {
  const BuyOrBuildResult r = own_or_h100(1500);
  ASSERT_TRUE(r.crossing_low && r.crossing && r.crossing_high);
  EXPECT_LT(*r.crossing_low, *r.crossing);
  EXPECT_LT(*r.crossing, *r.crossing_high);
  for (std::size_t i = 1; i < r.points.size(); ++i) {
    EXPECT_GT(r.points[i].volume, r.points[i - 1].volume);
    EXPECT_LT(r.points[i].own.typical, r.points[i - 1].own.typical);
    EXPECT_EQ(r.points[i].bought, r.points[0].bought);
  }
  EXPECT_NEAR(r.points.front().volume, 1000, 1e-9);
  EXPECT_NEAR(r.points.back().volume, 1e6, 1e-3);
}

TEST(BuyOrBuild, ASlowChipNeverCrosses) {
  EXPECT_FALSE(own_or_h100(50).crossing.has_value());
}

TEST(BuyOrBuild, NeedsAMarketPriceAndARate) {
  EXPECT_THROW(own_or_h100(0), InputError);
  const auto spec =
      from_yaml("{own: {chip: a, service: s}, bought: {chip: b, service: t}}", read_buy_or_build);
  const Server own{load_chip("artemis-hbm3e", {}, kHome), {1, 1, Watts(1)}};
  EXPECT_THROW(buy_or_build(spec, own, own, load_prices(kHome)), InputError);
  EXPECT_THROW(from_yaml("{own: {chip: a}, bought: {chip: b, service: t}}", read_buy_or_build),
               InputError);
}

SupplyResult supply_of(const std::string& text, const std::string& chip = "artemis-hbm3e") {
  const SupplySpec spec = from_yaml(text, read_supply);
  return plan_supply(spec, load_chip(chip, {}, kHome), load_prices(kHome), kHome);
}

TEST(Supply, IsTheScarcestPartAfterItsLeadAndRamp) {
  // Stacks: after 60 days of lead and 10 of assembly a ramp of 100 days to 365,250 a year, 1000 a
  // day. Day 120: 50 days of ramp, 1000 x 50 x 50 / 200; day 270: 1000 x (200 - 50).
  const SupplyResult r = supply_of(
      "{chip: artemis-hbm3e, stacks: {per_year: 365250, lead: 60 d, ramp: 100 d}, assembly: 10 d, "
      "every: 30 d, until: 270 d}");
  ASSERT_EQ(r.by_date.size(), 9u);
  EXPECT_EQ(r.by_date[1].deliverable, 0);
  EXPECT_NEAR(r.by_date[3].deliverable * r.stacks_per_chip, 1000 * 50 * 50 / 200.0, 1e-6);
  EXPECT_NEAR(r.by_date[8].deliverable * r.stacks_per_chip, 1000 * 150, 1e-6);
  EXPECT_EQ(r.by_date[8].bound_by, "stacks");
  EXPECT_GT(r.stacks_per_chip, 4) << "some are lost in assembly";
}

TEST(Supply, TheBindingPartMayChange) {
  // Interposers come at once and slowly, wafers after their node's 140 days and fast.
  const SupplyResult r = supply_of(
      "{chip: artemis-hbm3e, wafers: {per_year: 100000}, interposers: {per_year: 50000}, "
      "wanted: 30000, every: 10 d, until: 730 d}");
  EXPECT_EQ(r.by_date[13].bound_by, "wafers") << "day 140";
  EXPECT_EQ(r.by_date[19].bound_by, "interposers");
  EXPECT_EQ(r.by_date[72].bound_by, "wanted");
  ASSERT_TRUE(r.all.has_value());
  EXPECT_NEAR(*r.all / Seconds(365.25 * kDay), 30000 * r.interposers_per_chip / 50000, 1e-6);
  EXPECT_EQ(r.all_bound_by, "interposers");
}

TEST(Supply, WhatIsMissingIsBoughtAtTheMarketsPrice) {
  const SupplyResult r = supply_of(
      "{chip: artemis-hbm3e, wanted: 1000, wafers: {per_year: 1}, instead: h100-sxm, every: 30 d, "
      "until: 30 d}");
  const double own =
      price_chip(load_chip("artemis-hbm3e", {}, kHome), load_prices(kHome)).usd_per_chip.typical;
  EXPECT_NEAR(r.by_date[0].missing_usd, 1000 * (27500 - own), 1e-3);
}

TEST(Supply, RefusesCeilingsOnWhatAChipDoesNotUse) {
  EXPECT_THROW(supply_of("{chip: mtia-v2, interposers: {per_year: 5}}", "mtia-v2"), InputError);
  EXPECT_THROW(supply_of("{chip: mtia-v2}", "mtia-v2"), InputError);
  EXPECT_THROW(supply_of("{chip: a, wafers: {per_year: 5}, every: 1 s}"), InputError);
}

HousesResult houses_of(const std::string& one, const std::string& three) {
  const HousesSpec spec = from_yaml(
      "{chip: artemis-hbm3e, listed: {foundry: 0.5, memory: 0.5, packaging: 0.3}, "
      "stack_lead: 100 d, assembly: 40 d, capital: 0.1, one: {name: one, " +
          one + "}, three: {name: three, " + three + "}}",
      read_houses);
  return compare_houses(spec, {}, load_prices(kHome), kHome);
}

double line(const HouseBill& bill, const std::string& name) {
  for (const CostLine& l : bill.lines) {
    if (l.name == name) return l.usd.typical;
  }
  ADD_FAILURE() << "no line " << name;
  return 0;
}

constexpr const char* kListed = "margins: {foundry: 0.5, memory: 0.5, packaging: 0.3}, ";

TEST(Houses, TheListsMarginsGiveTheListsBillAndTheTimeOfHandovers) {
  const HousesResult r =
      houses_of(std::string(kListed) + "bad_stack: buyer",
                std::string(kListed) + "bad_stack: buyer, handovers: 2, handover: 14 d");
  const ChipPrice listed = price_chip(load_chip("artemis-hbm3e", {}, kHome), load_prices(kHome));

  EXPECT_NEAR(r.one.usd_per_chip.typical - line(r.one, "capital tied up"),
              listed.usd_per_chip.typical, 1e-4);
  // Wafers take 140 days, stacks 100; then 40 of assembly.
  EXPECT_NEAR(r.one.lead_time.count() / kDay, 180, 1e-9);
  EXPECT_NEAR(r.three.lead_time.count() / kDay, 208, 1e-9);
  const double tied = line(r.one, "die") + line(r.one, "dram");
  EXPECT_NEAR(line(r.one, "capital tied up"), tied * 0.1 * 180 / 365.25, 1e-4);
}

TEST(Houses, ALowerMarginLowersItsOwnLines) {
  const HousesResult r =
      houses_of("margins: {foundry: 0.375, memory: 0.5, packaging: 0.3}, bad_stack: buyer",
                std::string(kListed) + "bad_stack: buyer");
  EXPECT_NEAR(line(r.one, "die") / line(r.three, "die"), 0.5 / 0.625, 1e-6);
  EXPECT_NEAR(line(r.one, "dram"), line(r.three, "dram"), 1e-6);
  EXPECT_LT(line(r.one, "assembly loss"), line(r.three, "assembly loss"));
}

TEST(Houses, WhoPaysForABadStackIsALine) {
  const auto loss = [](const std::string& payer) {
    return line(houses_of(std::string(kListed) + "bad_stack: " + payer,
                          std::string(kListed) + "bad_stack: buyer")
                    .one,
                "bad stacks");
  };
  EXPECT_LT(loss("maker"), loss("buyer"));
  EXPECT_LT(loss("house"), loss("maker"));
}

TEST(Houses, LinesSumExactly) {
  const HousesResult r = houses_of(
      "margins: {foundry: 0.3, memory: 0.4, packaging: 0.2}, bad_stack: house",
      "node: tsmc-n5, package: cowos-s, margins: {foundry: 0.55, memory: 0.5, packaging: 0.3}, "
      "bad_stack: maker");
  for (const HouseBill* bill : {&r.one, &r.three}) {
    Band sum;
    for (const CostLine& l : bill->lines) {
      EXPECT_LE(l.usd.low, l.usd.typical) << l.name;
      EXPECT_LE(l.usd.typical, l.usd.high) << l.name;
      sum += l.usd;
    }
    EXPECT_EQ(sum, bill->usd_per_chip);
  }
  EXPECT_EQ(r.three.node, "tsmc-n5");
  EXPECT_EQ(r.one.node, "samsung-sf4x");
}

}  // namespace
}  // namespace presil
