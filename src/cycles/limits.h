// A step that would be simulated for hours is refused before it starts.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "chip/chip.h"
#include "cycles/work.h"
#include "program/bind.h"

namespace presil {

/// What a step asks of the simulation, as far as its kernels have been planned.
struct StepSize {
  Picoseconds busy;         // at least this long, whatever the DRAM does
  std::int64_t moved = 0;   // bytes to and from DRAM
  std::int64_t stages = 0;  // pieces that are fetched, filled and computed on

  /// A kernel in `pieces`, launched after `gap`, at `clock` of the full clock.
  void add(const KernelWork& work, std::int64_t pieces, Picoseconds gap, double clock);
};

/// Throws LimitReached, with the figure and the limit, when `size` passes one of: 100 s of the
/// chip's time, 32 GiB over each pseudo-channel, four million stages.
void check_limits(const StepSize& size, const BoundProgram& bound, const Chip& chip);

}  // namespace presil
