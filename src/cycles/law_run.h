// A step of a library's kernels: all the traffic of one is handed to the memory at its launch, and
// its law (law_work.h) makes a time of what the memory needed.
#pragma once

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "cycles/timeline.h"
#include "program/bind.h"

namespace presil {

/// Requires options.library.
Timeline run_library(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                     const CyclesOptions& options);

}  // namespace presil
