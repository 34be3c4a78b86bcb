// A step of the program's own kernels, tile by tile: each is cut into stages that are fetched,
// filled into the cores, computed on and stored (timeline.h).
#pragma once

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "cycles/timeline.h"
#include "program/bind.h"

namespace presil {

Timeline run_tiles(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                   const CyclesOptions& options);

}  // namespace presil
