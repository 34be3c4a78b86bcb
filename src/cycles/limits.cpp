#include "cycles/limits.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quantity_text.h"
#include "chip/dram_shape.h"

namespace presil {
namespace {

// Reading a whole DRAM is 2 GB or less over each of its pseudo-channels, and steps of the shipped
// chips and models take seconds at most.
constexpr Bytes kMostMoved(std::int64_t{32} << 30);
constexpr Picoseconds kLongest(100'000'000'000'000);
constexpr std::int64_t kMostStages = std::int64_t{4} << 20;

}  // namespace

void StepSize::add(const KernelWork& w, std::int64_t pieces, Picoseconds gap, double clock) {
  // What it takes at least, whatever the DRAM does.
  const Picoseconds on_chip = std::max({w.shared, w.noc, w.matrix, w.vector, w.local});
  busy += gap + std::max({at_clock(on_chip, clock), w.die_link, w.dma}) + w.link;
  for (const DramTraffic& t : w.traffic) moved += t.stream.length;
  stages += pieces;
}

void check_limits(const StepSize& size, const BoundProgram& bound, const Chip& chip) {
  const std::string what = fmt::format("{} on {}: a step", bound.program->model, chip.name);
  if (size.busy > kLongest) {
    throw LimitReached(
        fmt::format("{} takes over {} on the chip's engines, network and links, the "
                    "longest that is simulated",
                    what, to_string(to_seconds(kLongest))));
  }
  const std::int64_t channels = bound.program->dram_unit.count() / kInterleaveLine;
  const Bytes moved(size.moved / channels);
  if (moved > kMostMoved) {
    throw LimitReached(
        fmt::format("{} moves {} or more over each of {} pseudo-channels; at most {} are simulated",
                    what, to_string(moved), channels, to_string(kMostMoved)));
  }
  if (size.stages > kMostStages) {
    throw LimitReached(fmt::format(
        "{} comes in {} pieces or more, as small as the chip's memories; at most {} are simulated",
        what, size.stages, kMostStages));
  }
}

}  // namespace presil
