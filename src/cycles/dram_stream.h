// What a chip's DRAM gives a long sequential read, by the memory engine: refresh, row changes and
// turnarounds included.
#pragma once

#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"

namespace presil {

/// Throws as dram::Memory does.
BytesPerSecond stream_bandwidth(const MemoryPart& part, const Dram& dram);

}  // namespace presil
