#include "dram/run/figures.h"

namespace presil::dram {
namespace {

double pseudo_channels(const SimulationResult& result) {
  return static_cast<double>(result.banks.size());
}

}  // namespace

Seconds time_of(const SimulationResult& result, double ticks) {
  return Seconds(ticks / result.clock.frequency().count());
}

Seconds time_of(const SimulationResult& result) {
  return time_of(result, static_cast<double>(result.ticks));
}

BytesPerSecond bandwidth(const SimulationResult& result) {
  if (result.ticks == 0) return BytesPerSecond(0);
  return BytesPerSecond(static_cast<double>(result.bytes) / time_of(result).count());
}

double efficiency(const SimulationResult& result) {
  return bandwidth(result) / result.peak;
}

BusShares data_bus_shares(const SimulationResult& result, const MemoryPart& part) {
  const double ticks = static_cast<double>(result.ticks) * pseudo_channels(result);
  return bus_shares(result.counts, part.burst_clocks() * part.ticks_per_clock, ticks);
}

DramEvents events_of(const SimulationResult& result, const MemoryPart& part) {
  const ChannelCounts& counts = result.counts;
  return {.ACT = counts.of(Command::ACT),
          .REFab = counts.of(Command::REFab),
          .REFpb = counts.of(Command::REFpb) + counts.of(Command::RFM),
          .read = part.atom() * counts.of(Command::RD),
          .written = part.atom() * counts.of(Command::WR),
          .background_s = time_of(result).count() * pseudo_channels(result)};
}

}  // namespace presil::dram
