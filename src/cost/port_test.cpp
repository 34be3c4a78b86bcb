#include "cost/port.h"

#include <gtest/gtest.h>

#include "cost/plan/break_even.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

TEST(Port, ADesignOnItsOwnNodeIsItself) {
  const PortedChip same = load_ported("mtia-v2", {}, kHome, {.node = "tsmc-n5"});
  const ChipFiles original = load_chip("mtia-v2", {}, kHome);
  EXPECT_DOUBLE_EQ(same.port.energy, 1);
  EXPECT_NEAR(same.files.chip.die.area.count(), original.chip.die.area.count(), 1e-9);
  EXPECT_NEAR(same.files.chip.power.limit.count(), original.chip.power.limit.count(), 1e-9);
  EXPECT_NEAR(same.files.chip.power.idle.count(), original.chip.power.idle.count(), 1e-9);
}

TEST(Port, LogicAndSramShrinkAndInterfacesDoNot) {
  const PortedChip moved = load_ported("artemis-hbm3e", {}, kHome, {.node = "tsmc-n5"});
  const AreaParts& from = moved.port.area_from;

  // 64 x 384 KiB + 256 MiB in cells of 0.026 um2 at 0.4; four HBM PHYs of 10.45 mm2 and 32 GB/s of
  // links; the rest of 482 mm2 is logic.
  EXPECT_NEAR(from.sram.count(), 280 * 1048576 * 8.0 * 2.6e-8 / 0.4, 1e-9);
  EXPECT_NEAR(from.fixed.count(), 4 * 10.45 + 0.965 * 32 / 25, 1e-9);
  EXPECT_NEAR(from.total().count(), 482, 1e-9);
  EXPECT_DOUBLE_EQ(moved.port.area_to.fixed.count(), from.fixed.count());
  EXPECT_DOUBLE_EQ(moved.port.area_to.sram.count(), from.sram.count() * 2.1 / 2.6);
  EXPECT_NEAR(moved.port.area_to.logic.count(), from.logic.count() * (1 / 138.2) / 0.0073, 0.5);
  EXPECT_DOUBLE_EQ(moved.files.chip.die.area.count(), moved.port.area_to.total().count());
}

TEST(Port, WattsFollowTheNodesEnergiesButNotThoseOfDram) {
  const PortedChip moved = load_ported("artemis-hbm3e", {}, kHome, {.node = "tsmc-n5"});
  const ChipFiles origin = load_chip("artemis-hbm3e", {}, kHome);

  // N5 is 0.70 and SF4X 0.62 of the table at 7 nm.
  EXPECT_NEAR(moved.port.energy, 0.70 / 0.62, 0.005);
  // The file's own sum: 157 W of HBM of 240 W, and 1.5 W of links.
  const double fixed = fixed_power(origin).count();
  EXPECT_NEAR(fixed, 157 + 1.5, 6);
  EXPECT_NEAR(moved.files.chip.power.limit.count(), fixed + (240 - fixed) * moved.port.energy,
              1e-9);
}

TEST(Port, OverridesOfTheNodeAreOfTheOneMovedTo) {
  const PortedChip moved = load_ported("artemis-hbm3e", {"node.wafer_price=12345 USD"}, kHome,
                                       {.node = "tsmc-n5", .package = "cowos-s"});
  EXPECT_EQ(moved.files.node.wafer_price.typical, 12345);
  EXPECT_EQ(moved.files.package.name, "cowos-s");
  EXPECT_EQ(moved.port.from, "samsung-sf4x");
}

TEST(Port, AnOlderNodeMayNotHoldTheDie) {
  EXPECT_THROW(load_ported("h100-sxm", {}, kHome, {.node = "tsmc-n7"}), InputError);
  EXPECT_THROW(load_ported("h100-sxm", {}, kHome, {.node = "tsmc-n9"}), InputError);
}

TEST(Port, EveryChipMovesToEveryNodeThatHoldsIt) {
  int moved = 0;
  for (const std::string& chip : names_in(kHome / "chips")) {
    for (const std::string node : {"tsmc-n2", "intel-18a", "samsung-sf3"}) {
      try {
        const PortedChip ported = load_ported(chip, {}, kHome, {.node = node});
        const Power& power = ported.files.chip.power;
        EXPECT_LT((power.idle + power.active).count(), power.limit.count()) << chip << " " << node;
        ++moved;
      } catch (const InputError&) {
      }
    }
  }
  EXPECT_GT(moved, 100);
}

TEST(BreakEven, OnItsLineBothBillsAreEqual) {
  const Prices prices = load_prices(kHome);
  const CostInputs n5 =
      cost_inputs(load_ported("artemis-hbm3e", {}, kHome, {.node = "tsmc-n5"}).files, prices);
  const CostInputs sf4x = cost_inputs(load_chip("artemis-hbm3e", {}, kHome), prices);

  const BreakEven line = break_even(sf4x, n5);

  const double target = price_chip(n5).usd_per_chip.typical;
  ASSERT_FALSE(line.curve.empty());
  for (const BreakEvenPoint& p : line.curve) {
    if (!p.wafer_usd) continue;
    CostInputs at = sf4x;
    at.node.wafer_price.typical = *p.wafer_usd;
    at.node.defect_density.typical = p.defect_density;
    EXPECT_NEAR(bill_of(at, {}, Explained::no).usd, target, 1e-3);
  }
  ASSERT_TRUE(line.defect_density.has_value());
  CostInputs at = sf4x;
  at.node.defect_density.typical = *line.defect_density;
  EXPECT_NEAR(bill_of(at, {}, Explained::no).usd, target, 1e-3);
}

TEST(BreakEven, MoreDefectsLeaveLessForTheWaferAndLessPowerLeavesMore) {
  const Prices prices = load_prices(kHome);
  const CostInputs n5 =
      cost_inputs(load_ported("artemis-hbm3e", {}, kHome, {.node = "tsmc-n5"}).files, prices);
  const CostInputs sf4x = cost_inputs(load_chip("artemis-hbm3e", {}, kHome), prices);

  const BreakEven line = break_even(sf4x, n5);

  for (std::size_t i = 1; i < line.curve.size(); ++i) {
    ASSERT_TRUE(line.curve[i].wafer_usd && line.curve[i].wafer_usd_owned);
    EXPECT_LT(*line.curve[i].wafer_usd, *line.curve[i - 1].wafer_usd);
    EXPECT_GT(*line.curve[i].wafer_usd_owned, *line.curve[i].wafer_usd) << "SF4X draws less";
  }
}

TEST(BreakEven, OnlyNodesWithSourcesArePublished) {
  EXPECT_TRUE(is_published(load_chip("mtia-v2", {}, kHome).node));         // tsmc-n5
  EXPECT_FALSE(is_published(load_chip("artemis-hbm3e", {}, kHome).node));  // samsung-sf4x
}

}  // namespace
}  // namespace presil
