// The joules of a DRAM part: its commands and bits are events, counted in integers and multiplied
// once by the part's table; its background is drawn whether or not anything is read.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "chip/memory_part.h"

namespace presil {

/// What happened on some pseudo-channels.
struct DramEvents {
  std::int64_t ACT = 0, REFab = 0;
  std::int64_t REFpb = 0;   // and RFM, which refreshes rows of one bank too
  Bytes read, written;      // on the data pins, codes included
  double background_s = 0;  // pseudo-channels x seconds
};

/// In J. A REFpb costs a bank's share of a REFab.
struct DramEnergy {
  Band rows;  // ACT and their PRE
  Band read, write, refresh, background;

  Band total() const { return rows + read + write + refresh + background; }
};

DramEnergy dram_energy(const MemoryPart& part, const DramEvents& events);

}  // namespace presil
