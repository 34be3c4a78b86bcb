#include "chip/dram_shape.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/integers.h"

namespace presil {

MemoryPart as_configured(MemoryPart part, const Dram& dram) {
  if (!dram.mapping.empty()) part.mapping = dram.mapping;
  if (dram.capacity) {
    const std::int64_t row = part.page.count() * part.total_banks() * pseudo_channels(part, dram);
    part.rows = ceil_div(dram.capacity->count(), row);
  }
  return part;
}

void require_whole_lines(const MemoryPart& part, std::int64_t bytes) {
  const std::int64_t atom = part.atom().count();
  if (kInterleaveLine % atom == 0 && bytes % kInterleaveLine == 0) return;
  throw InputError(
      fmt::format("{}: lines of {} B go to the pseudo-channels in turn, and neither atoms of {} B "
                  "nor a pseudo-channel of {} B are made for that",
                  part.name, kInterleaveLine, atom, bytes));
}

}  // namespace presil
