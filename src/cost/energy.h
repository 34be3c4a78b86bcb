// Joules: what happened, times what each event costs. Counts are integers and are multiplied once,
// here, by the node's table, the memory part's table and the chip's own terms.
#pragma once

#include <string>
#include <vector>

#include "base/units.h"
#include "chip/library.h"
#include "program/counts.h"

namespace presil {

struct EnergyLine {
  std::string name;  // "mac.bf16", "dram.read", "idle", ...
  Band joules;
};

struct EnergyBill {
  std::vector<EnergyLine> lines;
  Band total() const;  // J
};

/// The energy of one chip over `counts.time`, at `clock` of its full clock.
///
/// Operations cost the node's bare arithmetic x power.control_overhead; bits cost the node's SRAM
/// and wires (network bits x noc.mean_hops); DRAM costs its part's commands, bits and background;
/// links, those between dies as well, their energy a bit. power.active flows while the chip runs,
/// in proportion to `clock`. power.idle includes leakage, DRAM background and refresh: the line
/// "idle" is what of it those two lines have not charged already.
EnergyBill energy(const Counts& counts, const ChipFiles& files, double clock = 1);

}  // namespace presil
