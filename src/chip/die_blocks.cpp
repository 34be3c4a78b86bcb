#include "chip/die_blocks.h"

#include "base/error.h"

namespace presil {
namespace {

// Annotated die photos, as LLMCompass's cost_model.py has them (commit 2e015fd).
constexpr PhyArea kPhyAreas[] = {
    {Phy::hbm, "hbm", SquareMillimetres(10.45), 552.743, "HBM2E stack"},
    {Phy::ddr, "ddr", SquareMillimetres(1.45), 90.4464, "32 bits of DDR5"},
    {Phy::pcie4, "pcie4", SquareMillimetres(0.48), 0, "lane"},
    {Phy::pcie5, "pcie5", SquareMillimetres(0.64), 0, "lane"},
    {Phy::nvlink3, "nvlink3", SquareMillimetres(1.888), 74.632, "link of 25 GB/s each way"},
    {Phy::nvlink4, "nvlink4", SquareMillimetres(0.965), 86.628, "link of 25 GB/s each way"},
    {Phy::infinity_fabric, "infinity_fabric", SquareMillimetres(5.69), 348, "link"},
};

constexpr Choice<Phy> kPhys[] = {{"hbm", Phy::hbm},
                                 {"ddr", Phy::ddr},
                                 {"pcie4", Phy::pcie4},
                                 {"pcie5", Phy::pcie5},
                                 {"nvlink3", Phy::nvlink3},
                                 {"nvlink4", Phy::nvlink4},
                                 {"infinity_fabric", Phy::infinity_fabric}};

constexpr double kMostTransistors = 1e6;  // millions

}  // namespace

std::span<const PhyArea> phy_areas() {
  return kPhyAreas;
}

const PhyArea& area_of(Phy phy) {
  for (const PhyArea& row : kPhyAreas) {
    if (row.phy == phy) return row;
  }
  CHECK(false, "every interface has a row");
  return kPhyAreas[0];
}

SquareMillimetres sram_area(Bytes size, double array_efficiency, SquareMillimetres bitcell) {
  return bitcell * (8 * static_cast<double>(size.count()) / array_efficiency);
}

AreaParts area_of(std::span<const DieBlock> blocks, SquareMillimetres logic_area,
                  SquareMillimetres bitcell) {
  AreaParts sum;
  for (const DieBlock& b : blocks) {
    const auto count = static_cast<double>(b.count);
    sum.logic += (b.logic + logic_area * b.transistors_millions) * count;
    sum.fixed += b.fixed * count;
    if (b.sram.count() > 0) sum.sram += sram_area(b.sram, b.array_efficiency, bitcell) * count;
    if (b.phy) {
      const PhyArea& phy = area_of(*b.phy);
      sum.fixed += phy.area * count;
      sum.logic += logic_area * (phy.transistors_millions * count);
    }
  }
  return sum;
}

DieBlock read_die_block(Fields& f) {
  DieBlock b;
  b.name = f.text("name", "of the block");
  b.count = f.integer_or("count", "equal ones on a die", 1, {1, 1e6});
  b.logic = f.quantity_or<SquareMillimetres>("logic", "drawn on this node, shrinks as logic does",
                                             SquareMillimetres(0));
  b.transistors_millions =
      f.number_or("transistors", "millions, of logic", 0, {0, kMostTransistors});
  b.sram = f.quantity_or<Bytes>("sram", "memory in it", Bytes(0));
  b.array_efficiency = f.number_or("array_efficiency", "area of bit cells over the SRAM's",
                                   kArrayEfficiency, {0.01, 1});
  b.fixed = f.quantity_or<SquareMillimetres>("fixed", "does not shrink", SquareMillimetres(0));
  const Phy phy =
      f.choice_or<Phy>("phy", "an interface with its controller behind it", kPhys, Phy::hbm);
  if (f.has("phy")) b.phy = phy;
  f.require(b.phy || b.logic.count() > 0 || b.transistors_millions > 0 || b.sram.count() > 0 ||
                b.fixed.count() > 0,
            "name", "expected logic, transistors, sram, fixed or phy");
  return b;
}

}  // namespace presil
