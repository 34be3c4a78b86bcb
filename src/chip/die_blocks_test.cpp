#include "chip/die_blocks.h"

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

TEST(DieBlocks, Ga100sInterfacesAreAsLargeAsLlmCompassSays) {
  // Its model of GA100 at 7 nm, 96.3 M transistors a mm2: memory PHY 62.7, memory control 34.4,
  // link PHY 22.7, link control 9.3 mm2.
  const std::vector<DieBlock> blocks = {{.name = "memory", .count = 6, .phy = Phy::hbm},
                                        {.name = "links", .count = 12, .phy = Phy::nvlink3}};
  const AreaParts area = area_of(blocks, SquareMillimetres(1 / 96.3), SquareMillimetres(2.7e-8));

  EXPECT_NEAR(area.fixed.count(), 62.7 + 22.7, 0.1);
  EXPECT_NEAR(area.logic.count(), 34.4 + 9.3, 0.1);
  EXPECT_EQ(area.sram.count(), 0);
}

TEST(DieBlocks, EachKindShrinksInItsOwnWay) {
  const std::vector<DieBlock> blocks = {
      {.name = "cores", .count = 2, .transistors_millions = 1000, .fixed = SquareMillimetres(1)},
      {.name = "cache", .sram = Bytes(1'000'000), .array_efficiency = 0.5}};

  const AreaParts area = area_of(blocks, SquareMillimetres(0.01), SquareMillimetres(3e-8));

  EXPECT_DOUBLE_EQ(area.logic.count(), 2 * 1000 * 0.01);
  EXPECT_DOUBLE_EQ(area.sram.count(), 8e6 * 3e-8 / 0.5);
  EXPECT_DOUBLE_EQ(area.fixed.count(), 2);
}

TEST(DieBlocks, AreTheAreaOfADieThatGivesNone) {
  const ChipFiles files = load_chip(kHome / "test/chips/blocks.yaml", {}, kHome);
  // 64 x 200 M transistors at 138.2 a mm2, 64 MiB of 0.021 um2 at 0.5, two HBM PHYs of 10.45 with
  // 552.743 M transistors each, and 5 mm2 that stays.
  const double logic = (64 * 200 + 2 * 552.743) * files.node.logic_area.count();
  const double sram = 64 * 1048576 * 8 * 2.1e-8 / 0.5;
  EXPECT_NEAR(files.chip.die.area.count(), logic + sram + 2 * 10.45 + 5, 1e-9);
}

TEST(DieBlocks, MustFitTheDie) {
  try {
    load_chip(kHome / "test/chips/blocks.yaml", {"die.area=50 mm2"}, kHome);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("more than die.area, 50 mm2"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace presil
