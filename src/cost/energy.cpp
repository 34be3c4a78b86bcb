#include "cost/energy.h"

#include <algorithm>

#include "chip/dram_energy.h"
#include "chip/dram_shape.h"

namespace presil {
namespace {

double bits(Bytes bytes) {
  return 8 * static_cast<double>(bytes.count());
}

/// Engines multiply block formats as the integers in their blocks.
Format multiplied(Format format) {
  return is_block_format(format) ? Format::int8 : format;
}

class Biller {
 public:
  void add(std::string name, Band each, double count) { add(std::move(name), each * count); }
  void add(std::string name, Band joules) {
    if (joules.high > 0) bill.lines.push_back({std::move(name), joules});
  }

  EnergyBill bill;
};

void add_operations(const Counts& counts, const ChipFiles& files, Biller& biller) {
  const EventTable& each = files.node.energy;
  const double overhead = files.chip.power.control_overhead;
  for (const auto& [format, macs] : counts.macs) {
    biller.add("mac." + std::string(to_string(format)), each.mac.at(multiplied(format)) * overhead,
               static_cast<double>(macs));
  }
  biller.add("vector", each.vector_flop * overhead, static_cast<double>(counts.vector_flops));
  biller.add("exponential", each.exponential * overhead, static_cast<double>(counts.exponentials));
}

void add_movement(const Counts& counts, const ChipFiles& files, Biller& biller) {
  const EventTable& each = files.node.energy;
  biller.add("local", each.local_bit, bits(counts.local_bytes));
  biller.add("shared", each.shared_bit, bits(counts.shared_bytes));
  biller.add("noc", each.hop_bit * files.chip.noc.mean_hops, bits(counts.noc_bytes));
  if (files.chip.die.link) {
    biller.add("die_link", files.chip.die.link->energy, bits(counts.die_link_bytes));
  }
  if (files.chip.link) biller.add("link", files.chip.link->energy, bits(counts.link_bytes));
  if (files.chip.scale_out) {
    biller.add("network", files.chip.scale_out->energy, bits(counts.network_bytes));
  }
}

/// The joules of DRAM that flow whether or not anything is read.
Band add_dram(const Counts& counts, const ChipFiles& files, Biller& biller) {
  const double pseudo_channels_s =
      static_cast<double>(pseudo_channels(files.memory, files.chip.dram)) *
      to_seconds(counts.time).count();
  const DramEnergy dram = dram_energy(files.memory, {.ACT = counts.dram_ACT,
                                                     .REFab = counts.dram_REFab,
                                                     .REFpb = counts.dram_REFpb,
                                                     .read = counts.dram_read,
                                                     .written = counts.dram_written,
                                                     .background_s = pseudo_channels_s});
  const std::string where = files.chip.dram.is_on_chip() ? "sram" : "dram";
  biller.add(where + ".rows", dram.rows);
  biller.add(where + ".read", dram.read);
  biller.add(where + ".write", dram.write);
  biller.add(where + ".refresh", dram.refresh);
  biller.add(where + ".background", dram.background);
  return dram.refresh + dram.background;
}

}  // namespace

Band EnergyBill::total() const {
  Band sum;
  for (const EnergyLine& line : lines) sum += line.joules;
  return sum;
}

EnergyBill energy(const Counts& counts, const ChipFiles& files, double clock) {
  Biller biller;
  add_operations(counts, files, biller);
  add_movement(counts, files, biller);
  const Band already_idle = add_dram(counts, files, biller);
  const double active = files.chip.power.active.count() * clock * to_seconds(counts.time).count();
  biller.add("active", {active, active, active});
  const double idle = files.chip.power.idle.count() * to_seconds(counts.time).count();
  const double rest = std::max(0.0, idle - already_idle.typical);
  biller.add("idle", {rest, rest, rest});
  return biller.bill;
}

}  // namespace presil
