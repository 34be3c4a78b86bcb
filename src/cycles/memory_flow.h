// What the memory engine does with long streams, as two rates and two latencies: a stand-in where
// thousands of steps are timed, and each differs little from the next.
#pragma once

#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"

namespace presil {

struct MemoryFlow {
  struct Direction {
    double seconds_per_byte = 0;  // refresh, row changes and turnarounds included
    Picoseconds latency;          // of the last byte, beside that
  };
  Direction read, written;
  double rows_per_byte = 0;  // ACT commands
  BytesPerSecond peak;
};

/// Measured on the engine. Throws as dram::Memory does.
MemoryFlow memory_flow(const MemoryPart& part, const Dram& dram);

}  // namespace presil
