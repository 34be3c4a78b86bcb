#include "dram/check/checker_rules.h"

#include <array>

namespace presil::dram {

std::string_view to_string(Rule rule) {
  constexpr std::array<std::string_view, kRules> kNames = {
      "tRCDRD",  "tRCDWR",     "tRP",          "tRPab",      "tRAS",     "tRC",       "tRRDS",
      "tRRDL",   "tFAW",       "tCCDS",        "tCCDL",      "tCCDLWR",  "tCCDR",     "tRTP",
      "tWR",     "tWTRS",      "tWTRL",        "tRTW",       "tRFCab",   "tRFCpb",    "tRREFD",
      "tPPD",    "tREFI",      "refresh_rate", "row_open",   "row_shut", "other_row", "data_bus",
      "row_bus", "column_bus", "command_bus",  "clock_edge", "order",    "address"};
  return kNames[static_cast<std::size_t>(rule)];
}

Tick command_slots(const MemoryPart& part, Command command) {
  switch (command) {
    case Command::ACT:
      return part.act_ticks;
    case Command::PREpb:
    case Command::PREab:
      return part.pre_ticks;
    case Command::RD:
    case Command::WR:
      return part.column_ticks;
    case Command::REFab:
    case Command::REFpb:
    case Command::RFM:
      return part.refresh_ticks;
  }
  return 0;
}

Gaps::Gaps(const MemoryPart& part, BitsPerSecond rate) {
  using enum Command;
  const auto n = [&](const DramTiming& timing) { return part.clocks(timing, rate); };
  const Tick a_clock = part.ticks_per_clock;
  // A rule counts clocks from the last slot of one command to the last slot of the other.
  const auto gap = [&](Rule rule, Command from, Command to, std::int64_t clocks) {
    return Gap{rule, clocks * a_clock + command_slots(part, from) - command_slots(part, to)};
  };
  const std::int64_t written = n(part.tCWL) + part.burst_clocks();  // from WR to its data's end

  act_act_bank = gap(Rule::tRC, ACT, ACT, n(part.tRC));
  act_act_l = gap(Rule::tRRDL, ACT, ACT, n(part.tRRDL));
  act_act_s = gap(Rule::tRRDS, ACT, ACT, n(part.tRRDS));
  act_act_fourth = gap(Rule::tFAW, ACT, ACT, n(part.tFAW));
  act_rd = gap(Rule::tRCDRD, ACT, RD, n(part.tRCDRD));
  act_wr = gap(Rule::tRCDWR, ACT, WR, n(part.tRCDWR));
  act_pre = gap(Rule::tRAS, ACT, PREpb, n(part.tRAS));

  rd_rd_l = gap(Rule::tCCDL, RD, RD, n(part.tCCDL));
  rd_rd_s = gap(Rule::tCCDS, RD, RD, n(part.tCCDS));
  rd_rd_r = gap(Rule::tCCDR, RD, RD, n(part.tCCDR));
  rd_wr = gap(Rule::tRTW, RD, WR, n(part.tRTW));
  rd_pre = gap(Rule::tRTP, RD, PREpb, n(part.tRTP));
  wr_wr_l = gap(Rule::tCCDLWR, WR, WR, n(part.tCCDLWR));
  wr_wr_s = gap(Rule::tCCDS, WR, WR, n(part.tCCDS));
  wr_wr_r = gap(Rule::tCCDR, WR, WR, n(part.tCCDR));
  wr_rd_l = gap(Rule::tWTRL, WR, RD, written + n(part.tWTRL));
  wr_rd_s = gap(Rule::tWTRS, WR, RD, written + n(part.tWTRS));
  wr_pre = gap(Rule::tWR, WR, PREpb, written + n(part.tWR));

  pre_pre = gap(Rule::tPPD, PREpb, PREpb, n(part.tPPD));
  pre_act = gap(Rule::tRP, PREpb, ACT, n(part.tRP));
  preab_act = gap(Rule::tRPab, PREab, ACT, n(part.tRPab));

  // A refresh opens and shuts rows inside, so what holds for an ACT of its banks holds for it.
  act_refab = gap(Rule::tRC, ACT, REFab, n(part.tRC));
  act_refresh_bank = gap(Rule::tRC, ACT, REFpb, n(part.tRC));
  act_refresh_l = gap(Rule::tRRDL, ACT, REFpb, n(part.tRRDL));
  act_refresh_s = gap(Rule::tRRDS, ACT, REFpb, n(part.tRRDS));
  pre_refab = gap(Rule::tRP, PREpb, REFab, n(part.tRP));
  pre_refresh = gap(Rule::tRP, PREpb, REFpb, n(part.tRP));
  preab_refab = gap(Rule::tRPab, PREab, REFab, n(part.tRPab));
  preab_refresh = gap(Rule::tRPab, PREab, REFpb, n(part.tRPab));

  refab_act = gap(Rule::tRFCab, REFab, ACT, n(part.tRFCab));
  refab_pre = gap(Rule::tRFCab, REFab, PREpb, n(part.tRFCab));
  refab_refab = gap(Rule::tRFCab, REFab, REFab, n(part.tRFCab));
  refab_refresh = gap(Rule::tRFCab, REFab, REFpb, n(part.tRFCab));
  refresh_act_bank = gap(Rule::tRFCpb, REFpb, ACT, n(part.tRFCpb));
  refresh_act_other = gap(Rule::tRREFD, REFpb, ACT, n(part.tRREFD));
  refresh_pre = gap(Rule::tRFCpb, REFpb, PREpb, n(part.tRFCpb));
  refresh_refab = gap(Rule::tRFCpb, REFpb, REFab, n(part.tRFCpb));
  refresh_refresh_bank = gap(Rule::tRFCpb, REFpb, REFpb, n(part.tRFCpb));
  refresh_refresh_other = gap(Rule::tRREFD, REFpb, REFpb, n(part.tRREFD));

  read_latency = n(part.tCL) * a_clock;
  write_latency = n(part.tCWL) * a_clock;
  burst = part.burst_clocks() * a_clock;
  refresh_interval = n(part.tREFI) * a_clock;
}

}  // namespace presil::dram
