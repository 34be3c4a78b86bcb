// What the checker holds a command log against: the rules by name, and the distances between pairs
// of commands, worked out from the part's JEDEC timings and nothing else. The engines have their
// own table (timing.h); neither is made from the other, so that a slip in one shows.
#pragma once

#include <string_view>

#include "chip/memory_part.h"
#include "dram/command.h"

namespace presil::dram {

enum class Rule {
  // Timing, under JEDEC's names.
  tRCDRD,
  tRCDWR,
  tRP,
  tRPab,
  tRAS,
  tRC,
  tRRDS,
  tRRDL,
  tFAW,
  tCCDS,
  tCCDL,
  tCCDLWR,
  tCCDR,
  tRTP,
  tWR,
  tWTRS,
  tWTRL,
  tRTW,
  tRFCab,
  tRFCpb,
  tRREFD,
  tPPD,
  tREFI,         // a bank went longer than 9 tREFI without a refresh
  refresh_rate,  // fewer than one refresh a tREFI, over the whole log
  // Rows.
  row_open,   // ACT, REFab, REFpb or RFM where a row is open
  row_shut,   // RD or WR where none is
  other_row,  // RD or WR of another row than the open one
  // Buses and slots.
  data_bus,     // two bursts of one pseudo-channel overlap
  row_bus,      // two row commands of one channel overlap
  column_bus,   // two column commands of one channel overlap
  command_bus,  // two commands overlap on the one bus that rows and columns share
  clock_edge,   // a command other than PRE starts on a falling edge
  order,        // ticks of one channel go back
  address,      // a channel, pseudo-channel, bank or row that is not there
};
inline constexpr int kRules = static_cast<int>(Rule::address) + 1;
std::string_view to_string(Rule rule);

/// The slots that a command takes on its bus.
Tick command_slots(const MemoryPart& part, Command command);

/// The least distance of two commands, from the tick of the one to the tick of the other.
struct Gap {
  Rule rule = Rule::order;
  Tick ticks = 0;
};

/// Every gap, named from_to. What differs by place is named after it: `_bank` the same bank,
/// `_other` another bank; `_l` the same bank group, `_s` another; `_r` another stack ID. `pre` is a
/// PREpb, `refresh` a REFpb or RFM.
struct Gaps {
  Gaps(const MemoryPart& part, BitsPerSecond rate);

  Gap act_act_bank, act_act_l, act_act_s, act_act_fourth;
  Gap act_rd, act_wr, act_pre, act_refab, act_refresh_bank, act_refresh_l, act_refresh_s;
  Gap rd_rd_l, rd_rd_s, rd_rd_r, rd_wr, rd_pre;
  Gap wr_wr_l, wr_wr_s, wr_wr_r, wr_rd_l, wr_rd_s, wr_pre;
  Gap pre_pre, pre_act, pre_refab, pre_refresh;
  Gap preab_act, preab_refab, preab_refresh;
  Gap refab_act, refab_pre, refab_refab, refab_refresh;
  Gap refresh_act_bank, refresh_act_other, refresh_pre, refresh_refab, refresh_refresh_bank,
      refresh_refresh_other;

  Tick read_latency, write_latency;  // to the first data
  Tick burst;
  Tick refresh_interval;  // tREFI
};

}  // namespace presil::dram
