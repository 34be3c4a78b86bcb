// A DRAM part as its file in memories/ describes it: organisation, timing in nanoseconds and clock
// floors, energy by command. The unit of simulation is the channel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/fields.h"
#include "base/units.h"

namespace presil {

/// max(ceil(time / tCK), floor), in clock cycles of the part at the rate it runs at.
struct DramTiming {
  Picoseconds time;
  std::int64_t min_cycles = 0;
};

struct MemoryPart {
  std::string name;
  std::string family;  // hbm3, hbm3e, lpddr5x, ...

  // Organisation of one stack (HBM) or one package (LPDDR); nothing assumes powers of two.
  std::int64_t channels = 1;         // of one stack
  std::int64_t pseudo_channels = 1;  // of one channel
  std::int64_t stack_ids = 1;        // ranks of one pseudo-channel
  std::int64_t bank_groups = 1;      // of one stack ID
  std::int64_t banks = 1;            // of one bank group
  std::int64_t rows = 1;             // of one bank
  Bytes page;                        // of one row of one bank
  std::int64_t width = 1;            // data pins of one pseudo-channel
  std::int64_t burst_length = 1;     // beats of one RD or WR; width x beats is the atom

  BitsPerSecond rate;                // the fastest, a pin
  double bits_per_clock = 4;         // data beats of one pin in one CK
  std::int64_t ticks_per_clock = 1;  // smallest command slot: 2 for HBM3's half-CK row commands

  // Timing, JEDEC's names.
  DramTiming tRCDRD, tRCDWR, tRP, tRAS, tRC, tRRDS, tRRDL, tFAW, tCCDS, tCCDL, tCCDR, tRTP, tWR,
      tWTRS, tWTRL, tCL, tCWL, tRTW, tRFCab, tRFCpb, tREFI, tRREFD, tPPD;
  std::int64_t act_ticks = 1, pre_ticks = 1, refresh_ticks = 1, column_ticks = 1;  // command slots

  std::string mapping;  // default address mapping, see dram/address_map.h

  // Energy of one event and the background draw of one pseudo-channel.
  Band act_pre;      // J: activate and precharge of one row
  Band read_bit;     // J/bit: core, I/O and PHY
  Band write_bit;    // J/bit
  Band refresh_all;  // J: one REFab of one pseudo-channel
  Band background;   // W: of one pseudo-channel

  bool timing_estimated = false;  // the core timings are nobody's published numbers
  Sources sources;

  Bytes atom() const { return Bytes(width * burst_length / 8); }
  Bytes stack_capacity() const {
    return page * (channels * pseudo_channels * stack_ids * bank_groups * banks * rows);
  }
};

/// Validates and converts a parsed part. Throws InputError with every complaint.
MemoryPart read_memory_part(const Node& root);

Schema memory_part_schema();

}  // namespace presil
