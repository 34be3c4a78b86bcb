#include "kernels/machine.h"

#include <algorithm>

#include "chip/dram_shape.h"

namespace presil::kernels {
namespace {

constexpr double kGiga = 1e9;

}  // namespace

double Machine::peak_tflops(Format format) const {
  const auto macs = macs_per_cycle.find(format);
  return macs == macs_per_cycle.end() ? 0 : 2 * macs->second * cores * clock_ghz / 1e3;
}

Machine machine_of(const ChipFiles& files, double dram_stream_gbs) {
  const Chip& c = files.chip;
  Machine m;
  m.generation = to_string(c.core.matrix.issue);
  m.cores = static_cast<double>(c.core.count);
  m.clock_ghz = std::max(c.core.boost.value_or(c.core.clock), c.core.clock).count() / kGiga;
  m.macs_per_cycle = c.core.matrix.macs_per_cycle;
  m.vector_flops_per_cycle = c.core.vector.flops_per_cycle;
  m.exp_per_cycle = c.core.vector.exp_per_cycle;
  m.local_bytes = static_cast<double>(c.core.sram.size.count());
  m.local_bytes_per_cycle = c.core.sram.read.count();
  if (c.sram) {
    m.l2_bytes = static_cast<double>(c.sram->size.count()) * c.sram->usable;
    m.l2_gbs = c.sram->read.count() / kGiga;
  }
  m.dram_gbs = peak_bandwidth(files.memory, c.dram).count() / kGiga;
  m.dram_stream_gbs = dram_stream_gbs;
  m.power_limit_w = c.power.limit.count();
  m.power_idle_w = (c.power.idle + c.power.active).count();
  for (const auto& [format, rate] : m.macs_per_cycle) {
    const auto mac = files.node.energy.mac.find(format);
    if (mac == files.node.energy.mac.end()) continue;
    m.pj_per_flop[format] = mac->second.typical * c.power.control_overhead / 2 * 1e12;
  }
  m.dies = static_cast<double>(c.die.count);
  if (c.link) {
    m.link_gbs = c.link->bandwidth.count() / kGiga;
    m.link_latency_us = c.link->latency.count() * 1e6;
  }
  return m;
}

}  // namespace presil::kernels
