#include "cost/port.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "chip/dram_shape.h"

namespace presil {
namespace {

constexpr double kPinsOfADdrPhy = 32;
constexpr double kNvlink4BytesPerSecond = 25e9;  // of one link, one direction
constexpr double kMostFixed = 0.9;               // of a chip's power limit

SquareMillimetres dram_phys(const ChipFiles& files) {
  if (files.chip.dram.is_on_chip()) return SquareMillimetres(0);
  const auto stacks = static_cast<double>(files.chip.dram.stacks);
  if (files.memory.family.starts_with("hbm")) return area_of(Phy::hbm).area * stacks;
  const auto pins = static_cast<double>(files.memory.width * files.memory.channels *
                                        files.memory.pseudo_channels);
  return area_of(Phy::ddr).area * (stacks * pins / kPinsOfADdrPhy);
}

Watts background(const ChipFiles& files) {
  if (files.chip.dram.is_on_chip()) return Watts(0);
  return Watts(files.memory.background.typical *
               static_cast<double>(pseudo_channels(files.memory, files.chip.dram)));
}

/// What `files` has, which is on the node of `port.from`, moved to that of `port.to`.
void move_power(ChipFiles& files, const Port& port) {
  Power& power = files.chip.power;
  const Watts fixed = fixed_power(files);
  const Watts idles = std::min(background(files), power.idle);
  power.limit = port.limit_to;
  power.idle = idles + (power.idle - idles) * port.energy;
  power.active = std::min(power.active * port.energy, power.limit - fixed);
}

}  // namespace

AreaParts area_parts(const ChipFiles& files) {
  const Chip& chip = files.chip;
  AreaParts parts = area_of(chip.die.blocks, files.node.logic_area, files.node.sram_bitcell);
  if (chip.die.blocks.empty()) {
    const auto dies = static_cast<double>(chip.die.count);
    const std::int64_t shared = chip.sram ? chip.sram->size.count() : 0;
    const auto local = static_cast<double>(chip.core.sram.size.count() * chip.die.physical);
    const auto bytes = static_cast<double>(shared) / dies + local;
    parts.sram = sram_area(Bytes(static_cast<std::int64_t>(bytes)), kArrayEfficiency,
                           files.node.sram_bitcell);
    parts.fixed = dram_phys(files) / dies;
    if (chip.link) {
      const double links = chip.link->bandwidth.count() / kNvlink4BytesPerSecond;
      parts.fixed += area_of(Phy::nvlink4).area * (links / dies);
    }
    // A small die that seems full of interfaces has smaller ones than were measured.
    parts.fixed = std::min(parts.fixed, chip.die.area);
    parts.sram = std::min(parts.sram, chip.die.area - parts.fixed);
  }
  parts.logic = chip.die.area - parts.fixed - parts.sram;
  return parts;
}

double energy_ratio(const ProcessNode& from, const ProcessNode& to) {
  double logs = 0;
  int events = 0;
  const auto compare = [&](const Band& a, const Band& b) {
    if (a.typical <= 0 || b.typical <= 0) return;
    logs += std::log(b.typical / a.typical);
    ++events;
  };
  for (const auto& [format, joules] : from.energy.mac) compare(joules, to.energy.mac.at(format));
  compare(from.energy.vector_flop, to.energy.vector_flop);
  compare(from.energy.exponential, to.energy.exponential);
  compare(from.energy.local_bit, to.energy.local_bit);
  compare(from.energy.shared_bit, to.energy.shared_bit);
  compare(from.energy.hop_bit, to.energy.hop_bit);
  return events == 0 ? 1 : std::exp(logs / events);
}

Watts fixed_power(const ChipFiles& files) {
  const Chip& chip = files.chip;
  Watts sum = background(files);
  if (!chip.dram.is_on_chip()) {
    const double bits = 8 * files.memory.stack_bandwidth(chip.dram.rate).count() *
                        static_cast<double>(chip.dram.stacks);
    const double row_bits = 8 * static_cast<double>(files.memory.page.count());
    sum += Watts(bits * (files.memory.read_bit.typical + files.memory.act_pre.typical / row_bits));
  }
  if (chip.link) sum += Watts(8 * chip.link->bandwidth.count() * chip.link->energy.typical);
  return std::min(sum, chip.power.limit * kMostFixed);
}

PortedChip load_ported(const std::string& chip, const std::vector<std::string>& overrides,
                       const std::filesystem::path& home, const PortTo& to) {
  std::vector<std::string> moved = overrides;
  if (!to.package.empty()) moved.push_back("package.kind=" + to.package);
  if (to.node.empty()) {
    ChipFiles files = load_chip(chip, moved, home);
    const AreaParts area = area_parts(files);
    const Watts limit = files.chip.power.limit;
    Port port{files.node.name, files.node.name, area, area, 1, limit, limit};
    return {std::move(files), std::move(port)};
  }
  std::vector<std::string> of_origin = overrides;
  std::erase_if(of_origin, [](const std::string& o) { return o.starts_with("node."); });
  const ChipFiles origin = load_chip(chip, of_origin, home);
  moved.push_back("die.node=" + to.node);
  PortedChip result{load_chip(chip, moved, home), {}};
  const ProcessNode& node = result.files.node;

  Port& port = result.port;
  port.from = origin.node.name;
  port.to = node.name;
  port.area_from = area_parts(origin);
  port.area_to = {port.area_from.logic * (node.logic_area / origin.node.logic_area),
                  port.area_from.sram * (node.sram_bitcell / origin.node.sram_bitcell),
                  port.area_from.fixed};
  port.energy = energy_ratio(origin.node, node);
  const Watts fixed = fixed_power(origin);
  port.limit_from = origin.chip.power.limit;
  port.limit_to = fixed + (port.limit_from - fixed) * port.energy;

  Die& die = result.files.chip.die;
  die.area = port.area_to.total();
  if (die.area > node.reticle) {
    throw InputError(fmt::format("{}: on {} a die would take {}, more than its reticle of {}",
                                 origin.chip.name, node.name, to_string(die.area),
                                 to_string(node.reticle)));
  }
  move_power(result.files, port);
  return result;
}

}  // namespace presil
