// A DRAM part as its file in memories/ describes it: organisation, timing in nanoseconds and clock
// floors, energy by command. The unit of simulation is the channel. docs/memory_file.md is the page
// for people who write such a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/document.h"
#include "base/fields.h"
#include "base/units.h"

namespace presil {

/// max(ceil(time / tCK), min_cycles), in clock cycles of the part at the rate it runs at.
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
  bool shared_command_bus = false;   // row and column commands share one bus (LPDDR)

  // Timing, JEDEC's names. tCCDLWR: WR to WR of one bank group. tRREFD: a REFpb to the next REFpb,
  // or to an ACT of another bank.
  DramTiming tRCDRD, tRCDWR, tRP, tRPab, tRAS, tRC, tRRDS, tRRDL, tFAW, tCCDS, tCCDL, tCCDLWR,
      tCCDR, tRTP, tWR, tWTRS, tWTRL, tCL, tCWL, tRTW, tRFCab, tRFCpb, tREFI, tRREFD, tPPD;
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
  std::int64_t total_banks() const { return stack_ids * bank_groups * banks; }
  Bytes pseudo_channel_capacity() const { return page * (total_banks() * rows); }
  Bytes stack_capacity() const { return pseudo_channel_capacity() * (channels * pseudo_channels); }
  /// Of one stack when a pin carries `at`.
  BytesPerSecond stack_bandwidth(BitsPerSecond at) const;

  /// The clock of command slots when a pin carries `at`: ticks_per_clock of them make one CK.
  DramClock tick_clock(BitsPerSecond at) const;
  /// `timing` in whole CK when a pin carries `at`: never rounded down, never below its floor.
  std::int64_t clocks(const DramTiming& timing, BitsPerSecond at) const;
  /// The CK that one burst occupies the data bus.
  std::int64_t burst_clocks() const {
    return static_cast<std::int64_t>(static_cast<double>(burst_length) / bits_per_clock);
  }
};

/// A timing of a part by its name.
struct DramTimingField {
  std::string_view name;
  DramTiming MemoryPart::*member;
  std::string_view doc;
};
std::span<const DramTimingField> dram_timing_fields();

/// Validates and converts a parsed part. Throws InputError with every complaint.
MemoryPart read_memory_part(const Node& root);

/// Describes the schema, for `presil schema memory`.
Schema memory_part_schema();

}  // namespace presil
