#include "chip/dram_shape.h"

#include <fmt/format.h>

#include "base/error.h"

namespace presil {

void require_whole_lines(const MemoryPart& part, std::int64_t bytes) {
  const std::int64_t atom = part.atom().count();
  if (kInterleaveLine % atom == 0 && bytes % kInterleaveLine == 0) return;
  throw InputError(
      fmt::format("{}: lines of {} B go to the pseudo-channels in turn, and neither atoms of {} B "
                  "nor a pseudo-channel of {} B are made for that",
                  part.name, kInterleaveLine, atom, bytes));
}

}  // namespace presil
