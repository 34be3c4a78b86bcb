// What a die is made of, by how it shrinks: logic with the node's density, SRAM with its bit cell,
// and the analogue ends of interfaces not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/units.h"

namespace presil {

/// Interfaces whose areas were measured on die photos.
enum class Phy { hbm, ddr, pcie4, pcie5, nvlink3, nvlink4, infinity_fabric };

struct PhyArea {
  Phy phy;
  std::string_view name;
  SquareMillimetres area;       // of the PHY, which does not shrink
  double transistors_millions;  // of the controller behind it
  std::string_view each;        // what one is
};
std::span<const PhyArea> phy_areas();
const PhyArea& area_of(Phy phy);

/// `count` equal pieces of a die; each part below is of one of them and may be absent.
struct DieBlock {
  std::string name;
  std::int64_t count = 1;
  SquareMillimetres logic{};        // as drawn on the file's node
  double transistors_millions = 0;  // of logic
  Bytes sram{};
  double array_efficiency = 0;  // bit cells' area over the SRAM's
  SquareMillimetres fixed{};    // does not shrink
  std::optional<Phy> phy{};     // with its controller
};

struct AreaParts {
  SquareMillimetres logic, sram, fixed;
  SquareMillimetres total() const { return logic + sram + fixed; }
};

/// Of all blocks, on a node with `logic_area` for a million transistors and `bitcell` for a bit.
AreaParts area_of(std::span<const DieBlock> blocks, SquareMillimetres logic_area,
                  SquareMillimetres bitcell);

/// Of so much SRAM.
SquareMillimetres sram_area(Bytes size, double array_efficiency, SquareMillimetres bitcell);

/// Bit cells take 0.4 of a large fast SRAM: AMD's V-Cache has 64 MiB on 36 mm2 of N7 (recalled:
/// ISSCC 2022), 537 M cells of 0.027 um2 on 36 mm2.
inline constexpr double kArrayEfficiency = 0.4;

DieBlock read_die_block(Fields& fields);

}  // namespace presil
