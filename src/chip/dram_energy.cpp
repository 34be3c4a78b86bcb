#include "chip/dram_energy.h"

namespace presil {
namespace {

double bits(Bytes bytes) {
  return 8 * static_cast<double>(bytes.count());
}

}  // namespace

DramEnergy dram_energy(const MemoryPart& part, const DramEvents& events) {
  const double refreshes =
      static_cast<double>(events.REFab) +
      static_cast<double>(events.REFpb) / static_cast<double>(part.total_banks());
  return {.rows = part.act_pre * static_cast<double>(events.ACT),
          .read = part.read_bit * bits(events.read),
          .write = part.write_bit * bits(events.written),
          .refresh = part.refresh_all * refreshes,
          .background = part.background * events.background_s};
}

}  // namespace presil
