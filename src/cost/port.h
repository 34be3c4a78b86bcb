// One design on another node: what shrinks, what does not, and what it draws there at the same
// clock. docs/cost.md has the formulas.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chip/library.h"

namespace presil {

/// The area of one die by how it shrinks: the file's blocks and, for what they leave, an estimate
/// from the chip's shared and local SRAM, its DRAM interface and its links. The rest is logic.
AreaParts area_parts(const ChipFiles& files);

/// The joules of an operation on node `to` over those on `from`: the geometric mean over the
/// typical values of every event of the two tables.
double energy_ratio(const ProcessNode& from, const ProcessNode& to);

/// The part of a chip's power limit that its node does not change: its DRAM and its links at full
/// rate. At most nine tenths of the limit.
Watts fixed_power(const ChipFiles& files);

struct Port {
  std::string from, to;  // nodes
  AreaParts area_from, area_to;
  double energy = 1;  // energy_ratio
  Watts limit_from, limit_to;
};

struct PortedChip {
  ChipFiles files;
  Port port;
};

struct PortTo {
  std::string node{};     // "": the chip's own
  std::string package{};  // "": the chip's own
};

/// Loads `chip` as load_chip does, in another package, or on another node with its area and its
/// power moved there. Overrides of node.* and package.* are of the node and package moved to.
/// Throws as load_chip does, and when the moved die is larger than the node's reticle.
PortedChip load_ported(const std::string& chip, const std::vector<std::string>& overrides,
                       const std::filesystem::path& home, const PortTo& to);

}  // namespace presil
