#include "dram/check/checker.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil::dram {
namespace {

const std::string kRoot = PRESIL_SOURCE_DIR;

/// One pseudo-channel of HBM3 in the CK of test/dram/r-hbm3-1pc.yaml. A tick is half a CK; ACT
/// takes 3, RD and WR 2, PRE and REF 1. What is equal there is told apart here: tRPab 30 CK (tRP
/// 26), tCCDLWR 6 CK (tCCDL 4).
MemoryPart hbm3() {
  MemoryPart part = load_dram(kRoot + "/test/dram/r-hbm3-1pc.yaml", "", {}, kRoot).part;
  part.tRPab = {Picoseconds(0), 30};
  part.tCCDLWR = {Picoseconds(0), 6};
  return part;
}

// Banks 0 to 3 are one bank group, 0 to 15 one stack ID. All rows are row 7.
constexpr int kRow = 7;
LoggedCommand act(Tick tick, int bank) {
  return {tick, 0, Command::ACT, bank, kRow};
}
LoggedCommand rd(Tick tick, int bank) {
  return {tick, 0, Command::RD, bank, kRow};
}
LoggedCommand wr(Tick tick, int bank) {
  return {tick, 0, Command::WR, bank, kRow};
}
LoggedCommand pre(Tick tick, int bank) {
  return {tick, 0, Command::PREpb, bank};
}
LoggedCommand preab(Tick tick) {
  return {tick, 0, Command::PREab};
}
LoggedCommand refab(Tick tick) {
  return {tick, 0, Command::REFab};
}
LoggedCommand refpb(Tick tick, int bank) {
  return {tick, 0, Command::REFpb, bank};
}
LoggedCommand rfm(Tick tick, int bank) {
  return {tick, 0, Command::RFM, bank};
}
LoggedCommand in_pseudo_channel(int index, LoggedCommand command) {
  command.pseudo_channel = index;
  return command;
}

using Log = std::vector<LoggedCommand>;

Checker checked(const MemoryPart& part, const Log& log) {
  Checker checker(part, part.rate, 1);
  for (std::size_t i = 0; i < log.size(); ++i) checker.check(0, log[i], std::int64_t(i) + 2);
  checker.finish();
  return checker;
}

std::string text_of(const Checker& checker) {
  std::string text;
  for (const Violation& v : checker.violations().kept()) {
    text += std::string(to_string(v.rule)) + " at " + std::to_string(v.second.tick) + ", needs " +
            std::to_string(v.required) + ", found " + std::to_string(v.found) + "\n";
    if (text.size() > 1000) break;
  }
  return text;
}

/// A log is legal; with its last command a step earlier it breaks `rule`.
void expect_edge(const MemoryPart& part, Rule rule, Tick required, Log log) {
  SCOPED_TRACE(to_string(rule));
  const Checker legal = checked(part, log);
  EXPECT_EQ(legal.violations().count(), 0) << text_of(legal);

  LoggedCommand& last = log.back();
  const bool any_slot = last.command == Command::PREpb || last.command == Command::PREab;
  last.tick -= any_slot ? 1 : part.ticks_per_clock;
  const Checker illegal = checked(part, log);
  const auto& kept = illegal.violations().kept();
  const auto broken =
      std::find_if(kept.begin(), kept.end(), [&](const Violation& v) { return v.rule == rule; });
  ASSERT_NE(broken, kept.end()) << text_of(illegal);
  EXPECT_EQ(broken->second, last);
  EXPECT_EQ(broken->line, static_cast<std::int64_t>(log.size()) + 1);
  EXPECT_EQ(broken->required, required);
  ASSERT_TRUE(broken->first.has_value());
  EXPECT_EQ(broken->found, last.tick - broken->first->tick);
  EXPECT_LT(broken->found, required);
}

void expect_broken(const MemoryPart& part, Rule rule, const Log& log) {
  const Checker checker = checked(part, log);
  EXPECT_EQ(checker.violations().count(), 1) << text_of(checker);
  EXPECT_EQ(checker.violations().count(rule), 1) << to_string(rule);
}

// Each distance: 2 x CK, plus the slots of the first command, less those of the second. Commands
// other than PRE start on odd ticks, so an even distance from one to the next.

TEST(Checker, KnowsWhenARowIsOpen) {
  expect_edge(hbm3(), Rule::tRCDRD, 2 * 31 + 3 - 2, {act(1, 0), rd(65, 0)});
  expect_edge(hbm3(), Rule::tRCDWR, 2 * 15 + 3 - 2, {act(1, 0), wr(33, 0)});
  expect_edge(hbm3(), Rule::tRAS, 2 * 45 + 3 - 1, {act(1, 0), pre(93, 0)});
  expect_edge(hbm3(), Rule::tRAS, 92, {act(1, 0), preab(93)});
  expect_edge(hbm3(), Rule::tRC, 2 * 72, {act(1, 0), pre(93, 0), act(145, 0)});
}

TEST(Checker, KnowsHowDenselyRowsMayBeOpened) {
  expect_edge(hbm3(), Rule::tRRDS, 2 * 4, {act(1, 0), act(9, 4)});
  expect_edge(hbm3(), Rule::tRRDS, 2 * 4, {act(1, 0), act(9, 16)});
  expect_edge(hbm3(), Rule::tRRDL, 2 * 5, {act(1, 0), act(11, 1)});
  // Not covered by its neighbour: between the two there was an ACT of another group.
  expect_edge(hbm3(), Rule::tRRDL, 10, {act(1, 0), act(11, 1), act(21, 3)});
  expect_edge(hbm3(), Rule::tFAW, 2 * 24,
              {act(1, 0), act(9, 4), act(17, 8), act(25, 12), act(49, 16)});
  expect_edge(hbm3(), Rule::tFAW, 48,
              {act(1, 0), act(9, 4), act(17, 8), act(25, 12), act(49, 16), act(57, 20)});
}

TEST(Checker, KnowsHowDenselyDataMoves) {
  const auto after_acts = [](LoggedCommand a, LoggedCommand b) {
    return Log{act(1, 0), act(11, 1), act(19, 4), act(27, 16), a, b};
  };
  expect_edge(hbm3(), Rule::tCCDS, 2 * 2, after_acts(rd(101, 0), rd(105, 4)));
  expect_edge(hbm3(), Rule::tCCDL, 2 * 4, after_acts(rd(101, 0), rd(109, 1)));
  expect_edge(hbm3(), Rule::tCCDR, 2 * 3, after_acts(rd(101, 0), rd(107, 16)));
  expect_edge(hbm3(), Rule::tCCDS, 2 * 2, after_acts(wr(101, 0), wr(105, 4)));
  expect_edge(hbm3(), Rule::tCCDLWR, 2 * 6, after_acts(wr(101, 0), wr(113, 1)));
  expect_edge(hbm3(), Rule::tCCDR, 2 * 3, after_acts(wr(101, 0), wr(107, 16)));
  expect_edge(hbm3(), Rule::tRTW, 2 * 20, after_acts(rd(101, 0), wr(141, 4)));
  // From the end of the written data: tCWL 10, the burst 2, then tWTRS 7 or tWTRL 10.
  expect_edge(hbm3(), Rule::tWTRS, 2 * (10 + 2 + 7), after_acts(wr(101, 0), rd(139, 4)));
  expect_edge(hbm3(), Rule::tWTRS, 2 * (10 + 2 + 7), after_acts(wr(101, 0), rd(139, 16)));
  expect_edge(hbm3(), Rule::tWTRL, 2 * (10 + 2 + 10), after_acts(wr(101, 0), rd(145, 1)));
}

TEST(Checker, KnowsWhenARowMayBeShutAndOpenedAgain) {
  expect_edge(hbm3(), Rule::tRTP, 2 * 9 + 2 - 1, {act(1, 0), rd(101, 0), pre(120, 0)});
  expect_edge(hbm3(), Rule::tRTP, 19, {act(1, 0), rd(101, 0), preab(120)});
  expect_edge(hbm3(), Rule::tWR, 2 * (10 + 2 + 33) + 2 - 1, {act(1, 0), wr(101, 0), pre(192, 0)});
  expect_edge(hbm3(), Rule::tWR, 91, {act(1, 0), wr(101, 0), preab(192)});
  expect_edge(hbm3(), Rule::tPPD, 2 * 2, {act(1, 0), act(9, 4), pre(201, 0), pre(205, 4)});
  expect_edge(hbm3(), Rule::tPPD, 2 * 2, {act(1, 0), act(9, 4), pre(201, 0), preab(205)});
  expect_edge(hbm3(), Rule::tRP, 2 * 26 + 1 - 3, {act(1, 0), pre(101, 0), act(151, 0)});
  expect_edge(hbm3(), Rule::tRPab, 2 * 30 + 1 - 3, {act(1, 0), preab(101), act(159, 4)});
}

TEST(Checker, KnowsWhenAllBanksMayBeRefreshedAndForHowLong) {
  expect_edge(hbm3(), Rule::tRP, 2 * 26, {act(1, 0), pre(101, 0), refab(153)});
  expect_edge(hbm3(), Rule::tRPab, 2 * 30, {act(1, 0), preab(101), refab(161)});
  expect_edge(hbm3(), Rule::tRC, 2 * 72 + 3 - 1, {act(1, 0), pre(93, 0), refab(147)});
  expect_edge(hbm3(), Rule::tRFCab, 2 * 560 + 1 - 3, {refab(1), act(1119, 0)});
  expect_edge(hbm3(), Rule::tRFCab, 2 * 560, {refab(1), pre(1121, 0)});
  expect_edge(hbm3(), Rule::tRFCab, 2 * 560, {refab(1), refab(1121)});
  expect_edge(hbm3(), Rule::tRFCab, 2 * 560, {refab(1), refpb(1121, 3)});
}

TEST(Checker, KnowsWhenOneBankMayBeRefreshedAndForHowLong) {
  const auto refreshes = {&refpb, &rfm};
  for (LoggedCommand (*refresh)(Tick, int) : refreshes) {
    expect_edge(hbm3(), Rule::tRP, 2 * 26, {act(1, 0), pre(101, 0), refresh(153, 0)});
    expect_edge(hbm3(), Rule::tRPab, 2 * 30, {act(1, 0), preab(101), refresh(161, 0)});
    expect_edge(hbm3(), Rule::tRC, 2 * 72 + 3 - 1, {act(1, 0), pre(93, 0), refresh(147, 0)});
    expect_edge(hbm3(), Rule::tRRDS, 2 * 4 + 3 - 1, {act(1, 0), refresh(11, 4)});
    expect_edge(hbm3(), Rule::tRRDL, 2 * 5 + 3 - 1, {act(1, 0), refresh(13, 1)});
    expect_edge(hbm3(), Rule::tRFCpb, 2 * 320 + 1 - 3, {refresh(1, 0), act(639, 0)});
    expect_edge(hbm3(), Rule::tRFCpb, 2 * 320, {refresh(1, 0), pre(641, 0)});
    expect_edge(hbm3(), Rule::tRFCpb, 2 * 320, {refresh(1, 0), preab(641)});
    expect_edge(hbm3(), Rule::tRFCpb, 2 * 320, {refresh(1, 0), refab(641)});
    expect_edge(hbm3(), Rule::tRFCpb, 2 * 320, {refresh(1, 0), refpb(641, 0)});
    expect_edge(hbm3(), Rule::tRREFD, 2 * 13 + 1 - 3, {refresh(1, 0), act(25, 1)});
    expect_edge(hbm3(), Rule::tRREFD, 2 * 13, {refresh(1, 0), refpb(27, 1)});
    expect_edge(hbm3(), Rule::tRREFD, 2 * 13, {refresh(1, 0), rfm(27, 1)});
  }
}

TEST(Checker, WatchesTheStateOfRows) {
  expect_broken(hbm3(), Rule::row_open, {act(1, 0), act(201, 0)});
  expect_broken(hbm3(), Rule::row_open, {act(1, 0), refab(201)});
  expect_broken(hbm3(), Rule::row_open, {act(1, 0), refpb(201, 0)});
  expect_broken(hbm3(), Rule::row_open, {act(1, 0), rfm(201, 0)});
  expect_broken(hbm3(), Rule::row_shut, {rd(1, 0)});
  expect_broken(hbm3(), Rule::row_shut, {act(1, 0), preab(201), wr(301, 0)});
  LoggedCommand other = rd(201, 0);
  other.row = 8;
  expect_broken(hbm3(), Rule::other_row, {act(1, 0), other});
  EXPECT_EQ(checked(hbm3(), {act(1, 0), refpb(201, 4)}).violations().count(), 0);
}

TEST(Checker, CountsPrechargesOfShutBanksAsLegal) {
  const Checker checker = checked(hbm3(), {pre(1, 0), preab(10), act(101, 0), pre(201, 0)});
  EXPECT_EQ(checker.violations().count(), 0) << text_of(checker);
  EXPECT_EQ(checker.idle_precharges(), 2);
}

TEST(Checker, WatchesTheBusesThatPseudoChannelsShare) {
  MemoryPart part = hbm3();
  expect_edge(part, Rule::row_bus, 3, {act(1, 0), pre(4, 4)});
  part.pseudo_channels = 2;
  expect_edge(part, Rule::row_bus, 3, {act(1, 0), in_pseudo_channel(1, pre(4, 4))});
  // Apart from the bus they have nothing in common: tRRDS and tCCDS are each one's own.
  expect_edge(part, Rule::row_bus, 3, {act(1, 0), in_pseudo_channel(1, act(5, 0))});
  part.column_ticks = 4;
  expect_edge(
      part, Rule::column_bus, 4,
      {act(1, 0), in_pseudo_channel(1, act(5, 0)), rd(101, 0), in_pseudo_channel(1, rd(105, 0))});
}

TEST(Checker, KnowsThatRowsAndColumnsOfLpddrShareOneBus) {
  const MemoryPart part = load_part("lpddr5x-8533", {}, kRoot);  // ACT takes two slots, in all CK
  expect_edge(part, Rule::command_bus, 2, {act(0, 0), act(100, 4), rd(102, 0)});
  MemoryPart apart = part;
  apart.shared_command_bus = false;
  EXPECT_EQ(checked(apart, {act(0, 0), act(100, 4), rd(101, 0)}).violations().count(), 0);
}

TEST(Checker, WatchesTheDataBus) {
  MemoryPart part = hbm3();
  part.tRTW = {Picoseconds(0), 1};  // out of the way
  // Data of the RD at 101 + 40 for 4 ticks, of a WR 20 ticks after it: from 125 on it comes after.
  expect_edge(part, Rule::data_bus, 40 + 4 - 20, {act(1, 0), act(9, 4), rd(101, 0), wr(125, 4)});
  // ... or before, up to 117.
  EXPECT_EQ(checked(part, {act(1, 0), act(9, 4), rd(101, 0), wr(117, 4)}).violations().count(), 0);
  expect_broken(part, Rule::data_bus, {act(1, 0), act(9, 4), rd(101, 0), wr(119, 4)});
  // Not only the last burst counts.
  expect_broken(part, Rule::data_bus, {act(1, 0), act(9, 4), rd(101, 0), rd(111, 0), wr(121, 4)});
}

TEST(Checker, AllowsOnlyPrechargeOnFallingEdges) {
  expect_broken(hbm3(), Rule::clock_edge, {act(2, 0)});
  expect_broken(hbm3(), Rule::clock_edge, {refab(2)});
  expect_broken(hbm3(), Rule::clock_edge, {act(1, 0), rd(102, 0)});
  EXPECT_EQ(checked(hbm3(), {act(1, 0), pre(102, 0)}).violations().count(), 0);
  EXPECT_EQ(checked(hbm3(), {act(1, 0), preab(102)}).violations().count(), 0);
}

TEST(Checker, FindsPlacesThatAreNotThereAndTimeThatGoesBack) {
  const MemoryPart part = hbm3();
  expect_broken(part, Rule::address, {act(1, 32)});
  expect_broken(part, Rule::address, {act(1, -1)});
  expect_broken(part, Rule::address, {in_pseudo_channel(1, act(1, 0))});
  expect_broken(part, Rule::address, {{1, 0, Command::ACT, 0, 16384}});
  expect_broken(part, Rule::address, {act(-1, 0)});
  Checker checker(part, part.rate, 1);
  checker.check(1, act(1, 0));
  EXPECT_EQ(checker.violations().count(Rule::address), 1);

  EXPECT_EQ(checked(part, {act(101, 0), act(51, 4)}).violations().count(Rule::order), 1);
}

TEST(Checker, KeepsChannelsApart) {
  Checker checker(hbm3(), hbm3().rate, 2);
  checker.check(0, act(1, 0));
  checker.check(1, act(1, 0));
  checker.check(0, rd(65, 0));
  checker.check(1, rd(65, 0));
  EXPECT_EQ(checker.violations().count(), 0) << text_of(checker);
  EXPECT_EQ(checker.commands(), 4);
}

TEST(Checker, CountsAllViolationsAndKeepsTheFirst) {
  Checker checker(hbm3(), hbm3().rate, 1);
  for (int i = 0; i < 5000; ++i) checker.check(0, rd(1 + 2 * 100 * i, 0));
  EXPECT_EQ(checker.violations().count(), 5000);
  EXPECT_EQ(checker.violations().count(Rule::row_shut), 5000);
  EXPECT_EQ(checker.violations().kept().size(), Violations::kKept);
}

// ---- refresh ------------------------------------------------------------------------------------

constexpr Tick kInterval = 2 * 6240;

Log refreshes_every(Tick interval, int count) {
  Log log;
  for (int i = 1; i <= count; ++i) log.push_back(refab(i * interval + 1));
  return log;
}

TEST(Checker, LetsEightRefreshesBePostponedAndNotMore) {
  Log log = refreshes_every(kInterval, 5);
  for (Tick i = 0; i < 9; ++i) log.push_back(refab(14 * kInterval + 1 + i * 1120));
  EXPECT_EQ(checked(hbm3(), log).violations().count(), 0) << text_of(checked(hbm3(), log));

  log = refreshes_every(kInterval, 5);
  for (Tick i = 0; i < 10; ++i) log.push_back(refab(15 * kInterval + 1 + i * 1120));
  expect_broken(hbm3(), Rule::tREFI, log);
}

TEST(Checker, MissesRefreshesThatStop) {
  Log log = refreshes_every(kInterval, 5);
  log.push_back(act(14 * kInterval + 1, 0));
  EXPECT_EQ(checked(hbm3(), log).violations().count(), 0);
  log.back().tick += kInterval;
  const Checker checker = checked(hbm3(), log);
  EXPECT_EQ(checker.violations().count(Rule::tREFI), 1) << text_of(checker);
  EXPECT_EQ(checker.violations().count(Rule::refresh_rate), 1);  // 5 done, 9 may be owed, 15 due
}

TEST(Checker, WantsOneRefreshAnIntervalOnTheWhole) {
  // Never 9 tREFI apart, but every second one is left out.
  EXPECT_EQ(checked(hbm3(), refreshes_every(2 * kInterval, 9)).violations().count(), 0);
  expect_broken(hbm3(), Rule::refresh_rate, refreshes_every(2 * kInterval, 20));
}

TEST(Checker, MissesTheRefreshOfOneBank) {
  Log log;
  for (Tick round = 0; round < 12; ++round) {
    for (int bank = 0; bank < 32; ++bank) {
      if (bank == 9 && round > 0) continue;
      log.push_back(refpb(round * kInterval + bank * 390 + 1, bank));
    }
  }
  const Checker checker = checked(hbm3(), log);
  EXPECT_EQ(checker.violations().count(Rule::tREFI), 1) << text_of(checker);
}

TEST(Checker, TakesRefreshForOffInALogWithoutAny) {
  const Checker checker = checked(hbm3(), {act(1, 0), rd(50 * kInterval + 1, 0)});
  EXPECT_EQ(checker.violations().count(), 0);
  EXPECT_EQ(checker.refreshes(), 0);
}

}  // namespace
}  // namespace presil::dram
