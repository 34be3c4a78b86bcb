#include "dram/reference/reference.h"

#include <algorithm>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "chip/library.h"
#include "dram/event/channel.h"
#include "dram/testing/golden_stream.h"

namespace presil::dram {
namespace {

using testing::Atom;
using testing::GoldenStream;
using enum Command;

/// HBM3-6400, one pseudo-channel of 2 stack IDs x 4 bank groups x 4 banks. A tick is half a CK; ACT
/// takes 3, PRE and REF 1, RD and WR 2. Between the starts of two commands lie twice the rule's CK
/// and the slots of the first less those of the second: from ACT to RD 2 x 31 + 3 - 2 = 63.
MemoryPart golden_part() {
  const std::string path = std::string(PRESIL_SOURCE_DIR) + "/test/dram/r-hbm3-1pc.yaml";
  DramFiles files = load_dram(path, "", {}, PRESIL_SOURCE_DIR);
  files.part.mapping = files.dram.mapping;
  return files.part;
}

MemoryPart golden_part_of(int pseudo_channels) {
  MemoryPart part = golden_part();
  part.pseudo_channels = pseudo_channels;
  return part;
}

Policy without_refresh() {
  Policy policy;
  policy.refresh = Refresh::off;
  return policy;
}

/// A channel of either engine with its log, for tests that send request by request.
template <class AnyChannel>
struct BenchOf {
  explicit BenchOf(const MemoryPart& part, const Policy& policy = without_refresh())
      : channel(part, part.rate, policy) {
    channel.log_to(&log);
  }

  void send(int bank, int row, bool write = false, int pc = 0) {
    channel.accept(pc, {bank, row, 0}, write, sent++);
  }
  void write(int bank, int row) { send(bank, row, true); }
  void run_to(Tick tick) {
    while (channel.now() < tick) note(channel.step());
  }
  void run_out() {
    const Tick patience = channel.now() + 1'000'000;
    while (tags.size() < sent && channel.now() < patience) note(channel.step());
    EXPECT_EQ(tags.size(), sent) << "the channel is stuck";
  }
  void note(const Served& served) {
    if (!served.any) return;
    tags.push_back(served.tag);
    end = std::max(end, served.done);
  }
  std::vector<Tick> ticks_of(Command command) const {
    std::vector<Tick> ticks;
    for (const LoggedCommand& logged : log) {
      if (logged.command == command) ticks.push_back(logged.tick);
    }
    return ticks;
  }

  AnyChannel channel;
  std::vector<LoggedCommand> log;
  std::vector<std::uint32_t> tags;  // in the order served
  std::uint32_t sent = 0;
  Tick end = 0;  // of the last data
};

using Bench = BenchOf<ReferenceChannel>;
using Log = std::vector<LoggedCommand>;
using Ticks = std::vector<Tick>;

// ---- golden numbers -----------------------------------------------------------------------------

/// Sends `atoms` atoms, one a tick, again where refused; the end of the last data.
Tick ticks_of(const Policy& policy, std::int64_t atoms, GoldenStream next) {
  const MemoryPart part = golden_part();
  const AddressMap map(part.mapping, part);
  ReferenceChannel channel(part, part.rate, policy);
  Tick end = 0;
  std::int64_t sent = 0, served = 0;
  Atom atom = next();
  while (served < atoms) {
    if (sent < atoms && channel.has_room(0, atom.write)) {
      channel.accept(0, map.locate(atom.index), atom.write, 0);
      atom = next();
      ++sent;
    }
    const Served now = channel.step();
    served += now.any;
    end = std::max(end, now.done);
  }
  return end;
}

// Ramulator 2.1's ticks, to the last one.
TEST(Reference, TakesRamulatorsTicks) {
  using S = GoldenStream;
  EXPECT_EQ(ticks_of({}, 40'000, S(S::sequential)), 181'005);
  EXPECT_EQ(ticks_of({}, 40'000, S(S::random)), 532'485);
  EXPECT_EQ(ticks_of({}, 100'000, S(S::stride, 1280)), 793'811);
  EXPECT_EQ(ticks_of({}, 100'000, S(S::blocks)), 469'117);
  EXPECT_EQ(ticks_of(without_refresh(), 100'000, S(S::sequential)), 407'343);
}

// ---- commands at the ticks that the rules give --------------------------------------------------

TEST(Reference, OpensTheRowAndReadsIt) {
  Bench bench(golden_part());
  bench.send(0, 7);
  bench.run_out();
  // ACT on the first edge, RD 63 later at an edge; the data ends tCL 40 and a burst 4 after it.
  EXPECT_EQ(bench.log, (Log{{1, 0, ACT, 0, 7}, {65, 0, RD, 0, 7}}));
  EXPECT_EQ(bench.end, 65 + 40 + 4);
}

TEST(Reference, SpacesActivates) {
  const auto activates_of = [](const std::vector<int>& banks) {
    Bench bench(golden_part());
    for (const int bank : banks) {
      bench.send(bank, 7);
      bench.run_to(bench.channel.now() + 1);
    }
    bench.run_out();
    return bench.ticks_of(ACT);
  };
  // tRRDL 10 within a bank group. Else tRRDS 8, the fifth tFAW 48 after the first.
  EXPECT_EQ(activates_of({0, 1}), (Ticks{1, 11}));
  EXPECT_EQ(activates_of({0, 4, 8, 12, 16, 20}), (Ticks{1, 9, 17, 25, 49, 57}));
}

TEST(Reference, ShutsARowForAnother) {
  Bench bench(golden_part());
  bench.send(0, 7);
  bench.run_to(1);
  bench.send(0, 8);
  bench.run_out();
  // PREpb tRAS 2 x 45 + 3 - 1 = 92 after ACT, on any tick; ACT tRC 144 after ACT (tRP: 50 after
  // PREpb).
  const Log expected{{1, 0, ACT, 0, 7},
                     {65, 0, RD, 0, 7},
                     {93, 0, PREpb, 0, 0},
                     {145, 0, ACT, 0, 8},
                     {209, 0, RD, 0, 8}};
  EXPECT_EQ(bench.log, expected);
  EXPECT_EQ(bench.channel.counts(0).misses, 1);
  EXPECT_EQ(bench.channel.counts(0).conflicts, 1);
  EXPECT_EQ(bench.channel.banks(0)[0], (BankCounts{2, 1, 2, 0}));
}

TEST(Reference, ServesAHitBeforeAnOlderConflict) {
  Bench bench(golden_part());
  bench.send(0, 7);
  bench.run_to(1);
  bench.send(0, 8);
  bench.run_to(2);
  bench.send(0, 7);
  bench.run_out();
  EXPECT_EQ(bench.tags, (std::vector<std::uint32_t>{0, 2, 1}));
  EXPECT_EQ(bench.channel.counts(0).hits, 1);
}

TEST(Reference, HashesWhatItLogs) {
  Bench bench(golden_part_of(2));
  bench.send(3, 7, false, 1);
  bench.run_to(1);
  bench.send(3, 5, false, 1);
  bench.run_out();
  LogHash expected;  // ticks since the last, the bank over both pseudo-channels, the row's step
  Tick last = 0;
  for (const LoggedCommand& c : bench.log) {
    const int step = c.command != ACT ? 0 : c.row == 7 ? 7 : 16'384 - 2;
    expected.append(c.tick - last, c.command, 32 + 3, step);
    last = c.tick;
  }
  EXPECT_EQ(bench.log.size(), 5);
  EXPECT_EQ(bench.channel.log_hash(), expected);
}

// ---- reads and writes ---------------------------------------------------------------------------

TEST(Reference, DrainsWritesFromAboveTheHighMarkToBelowTheLow) {
  Bench bench(golden_part());
  for (int i = 0; i < 32; ++i) bench.send(0, 7), bench.run_to(i + 1);
  for (int i = 0; i < 26; ++i) bench.write(4, 7), bench.run_to(33 + i);
  bench.run_out();

  // 26 writes are more than floor(0.8 x 32) = 25. The first WR comes tRTW 40 after the active
  // request's RD at 65, the next tCCDL 8 apart, until fewer than floor(0.2 x 32) = 6 wait: 21 of
  // them. The next RD comes tCWL 20, a burst 4 and tWTRS 14 after. The 5 writes left are last.
  std::vector<Tick> writes = bench.ticks_of(WR), reads = bench.ticks_of(RD);
  ASSERT_EQ(writes.size(), 26);
  EXPECT_EQ(reads[0], 65);
  EXPECT_EQ(writes[0], 65 + 40);
  EXPECT_EQ(writes[20], 105 + 20 * 8);
  EXPECT_EQ(reads[1], writes[20] + 20 + 4 + 14);
  EXPECT_GT(writes[21], reads[31]);
}

TEST(Reference, ServesAStarvedRequestThoughHitsWait) {
  const auto served_at = [](Picoseconds cap) {
    Policy policy = without_refresh();
    policy.controller.starvation = cap;
    Bench bench(golden_part(), policy);
    bench.send(0, 7);
    bench.run_to(1);
    bench.send(0, 8);
    for (int i = 2; i < 1000; ++i) {
      bench.run_to(i);
      if (bench.channel.has_room(0, false)) bench.send(0, 7);
    }
    bench.run_out();
    return std::find_if(bench.log.begin(), bench.log.end(),
                        [](const LoggedCommand& c) { return c.command == RD && c.row == 8; })
        ->tick;
  };
  // 100 ns are 320 ticks: the last hit, tCCDL 8 apart from 65 on, is at 313; PREpb tRTP 2 x 9 + 2 -
  // 1 = 19 later, ACT tRP 50 later at an edge, RD 63 later at an edge.
  EXPECT_EQ(served_at(Picoseconds(100'000)), 447);
  EXPECT_GT(served_at(Picoseconds(0)), 1000);
}

TEST(Reference, HitsWaitForAnActiveWriteThatIsStarved) {
  Policy policy = without_refresh();
  policy.controller.starvation = Picoseconds(100'000);  // 320 ticks
  Bench bench(golden_part(), policy);
  bench.send(0, 7);  // RD at 65
  bench.run_to(65);
  bench.write(4, 7);  // no read is queued: ACT on the next edge, 67
  for (int i = 67; i < 1000; ++i) {
    bench.run_to(i);
    if (bench.channel.has_room(0, false)) bench.send(0, 7);
  }
  bench.run_out();
  // No write is queued now, so hits are served, tCCDL 8 apart from 73 on, and each puts the WR off
  // by tRTW 40. From 65 + 320 = 385 on they wait: the last is at 377. The next RD comes tCWL 20, a
  // burst 4 and tWTRS 14 after the WR.
  EXPECT_EQ(bench.ticks_of(WR), Ticks{377 + 40});
  const Ticks reads = bench.ticks_of(RD);
  const auto after = std::upper_bound(reads.begin(), reads.end(), 377);
  EXPECT_EQ(*(after - 1), 377);
  EXPECT_EQ(*after, 417 + 38);
}

/// Runs, conflicts and random places, reads and writes: some order of them for each seed.
std::function<Atom()> mixture(std::uint64_t seed, bool writes) {
  std::uint64_t bits = seed * 0x9E3779B97F4A7C15ULL + 1;
  std::int64_t at = 0, left = 0;
  bool write = false;
  return [=]() mutable {
    const auto draw = [&](std::uint64_t n) {
      bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
      return static_cast<std::int64_t>((bits >> 20) % n);
    };
    if (left == 0) {
      left = 1 + draw(40);
      at = draw(3) == 0 ? at + draw(4) * 4096 : draw(1 << 20);
      write = writes && draw(3) == 0;
    }
    --left;
    return Atom{at++, write};
  };
}

template <class AnyBench>
void send_mixture(AnyBench& bench, const MemoryPart& part, std::uint32_t atoms, std::uint64_t seed,
                  bool writes) {
  const AddressMap map(part.mapping, part);
  std::vector<std::function<Atom()>> streams;
  for (int pc = 0; pc < part.pseudo_channels; ++pc) streams.push_back(mixture(seed + pc, writes));
  while (bench.sent < atoms && bench.channel.now() < 2'000'000) {
    for (int pc = 0; pc < part.pseudo_channels; ++pc) {
      if (!bench.channel.has_room(pc, false) || !bench.channel.has_room(pc, true)) continue;
      const Atom atom = streams[pc]();
      const Location at = map.locate(atom.index % map.atoms());
      bench.send(at.bank, at.row, atom.write, pc);
    }
    bench.run_to(bench.channel.now() + 1);
  }
  ASSERT_GE(bench.sent, atoms) << "the channel is stuck";
  bench.run_out();
}

TEST(Reference, FcfsServesInTheOrderOfArrival) {
  Policy policy = without_refresh();
  policy.controller.scheduler = Scheduler::fcfs;
  Bench bench(golden_part(), policy);
  send_mixture(bench, golden_part(), 3000, 1, false);
  EXPECT_TRUE(std::is_sorted(bench.tags.begin(), bench.tags.end()));
}

// ---- page policies ------------------------------------------------------------------------------

TEST(Reference, ClosedPagesShutARowThatNobodyWants) {
  Policy policy = without_refresh();
  policy.page = PagePolicy::closed;
  Bench bench(golden_part(), policy);
  bench.send(0, 7);
  bench.run_to(100);
  EXPECT_EQ(bench.ticks_of(PREpb), Ticks{1 + 92});  // tRAS after ACT
}

TEST(Reference, AdaptivePagesLearnHowLongToWait) {
  Policy policy = without_refresh();
  policy.page = PagePolicy::adaptive;
  Bench bench(golden_part(), policy);
  bench.send(0, 7);  // RD at 65; shut after tRC 144 << 2
  bench.run_to(700);
  bench.send(0, 7);  // RD at 765; too early shut: now 144 << 3
  bench.run_to(2000);
  bench.send(0, 8);  // RD at 2065; nothing learnt
  bench.run_to(2200);
  bench.send(0, 9);  // shut on demand, too late: 144 << 2. ACT 50 later, RD 63 later at an edge
  bench.run_to(3000);

  EXPECT_EQ(bench.ticks_of(RD), (Ticks{65, 765, 2065, 2315}));
  EXPECT_EQ(bench.ticks_of(PREpb), (Ticks{65 + 576, 765 + 1152, 2201, 2315 + 576}));
}

// ---- refresh ------------------------------------------------------------------------------------

TEST(Reference, PaysPostponedRefreshesInARow) {
  Policy policy;
  policy.controller.postpone = 2;
  Bench bench(golden_part(), policy);
  const AddressMap map(golden_part().mapping, golden_part());
  GoldenStream next(GoldenStream::sequential);
  while (bench.channel.now() < 45'000) {
    if (bench.channel.has_room(0, false)) {
      const Location at = map.locate(next().index);
      bench.send(at.bank, at.row);
    }
    bench.run_to(bench.channel.now() + 1);
  }
  // The third is one too many: it is due at 3 tREFI. REFab to REFab is tRFCab.
  const Ticks refreshes = bench.ticks_of(REFab);
  ASSERT_EQ(refreshes.size(), 3);
  EXPECT_GT(refreshes[0], 3 * 12'480);
  EXPECT_LT(refreshes[0], 3 * 12'480 + 300);  // once the active requests are served
  EXPECT_EQ(refreshes[1], refreshes[0] + 1120);
  EXPECT_EQ(refreshes[2], refreshes[1] + 1120);
}

TEST(Reference, PaysAtOnceWhileNobodyWaits) {
  Policy policy;
  policy.controller.postpone = 8;
  policy.controller.refresh_stagger = 0.5;
  Bench bench(golden_part_of(2), policy);
  bench.run_to(20'000);
  // Pseudo-channel 0's is due after a tREFI of 12,480 ticks, the other's half a tREFI later.
  const Log expected{{12'481, 0, REFab, 0, 0}, {18'721, 1, REFab, 0, 0}};
  EXPECT_EQ(bench.log, expected);
}

TEST(Reference, PerBankRefreshBlocksOneBankOnly) {
  Policy policy;
  policy.refresh = Refresh::per_bank;
  Bench bench(golden_part(), policy);
  bench.run_to(391);  // the first is due at 12480 / 32 = 390, an edge is 391
  bench.send(0, 7);
  bench.run_to(392);
  bench.send(1, 7);
  bench.run_out();

  // Bank 1: tRREFD 2 x 13 + 1 - 3 = 24 after REFpb; bank 0: tRFCpb 2 x 320 + 1 - 3 = 638 after it.
  // In between bank 1 is due at 780: PREpb at once, REFpb tRP 52 later at an edge.
  const Log expected{{391, 0, REFpb, 0, 0}, {415, 0, ACT, 1, 7},   {479, 0, RD, 1, 7},
                     {780, 0, PREpb, 1, 0}, {833, 0, REFpb, 1, 0}, {1029, 0, ACT, 0, 7},
                     {1093, 0, RD, 0, 7}};
  EXPECT_EQ(bench.log, expected);
}

TEST(Reference, RefreshManagementComesAfterItsActivates) {
  Policy policy = without_refresh();
  policy.controller.rfm_threshold = 2;
  Bench bench(golden_part(), policy);
  for (const int row : {1, 2, 2, 3}) {
    bench.send(0, row);
    bench.run_to(bench.channel.now() + 1);
  }
  bench.run_out();
  // After two ACTs the bank takes no hit: row 2 is shut though it is wanted, and opened again.
  std::vector<Command> commands;
  for (const LoggedCommand& c : bench.log) commands.push_back(c.command);
  EXPECT_EQ(commands,
            (std::vector<Command>{ACT, RD, PREpb, ACT, RD, PREpb, RFM, ACT, RD, PREpb, ACT, RD}));
  EXPECT_EQ(bench.log[7].tick, bench.log[6].tick + 638);  // tRFCpb, as a REFpb
}

// ---- pseudo-channels share the buses ------------------------------------------------------------

TEST(Reference, PseudoChannelsTakeTurnsOnABus) {
  MemoryPart part = golden_part_of(2);
  for (DramTiming* t : {&part.tRRDS, &part.tRRDL, &part.tFAW}) *t = {Picoseconds(0), 1};
  Bench bench(part);
  for (const int bank : {0, 4, 8}) {
    for (const int pc : {0, 1}) bench.send(bank, 7, false, pc);
    bench.run_to(bench.channel.now() + 1);
  }
  bench.run_out();
  // An ACT takes 3 ticks, so the next edge with the bus free is 4 later.
  std::vector<int> turns;
  for (const LoggedCommand& c : bench.log) {
    if (c.command == ACT) turns.push_back(c.pseudo_channel);
  }
  EXPECT_EQ(turns, (std::vector<int>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(bench.ticks_of(ACT), (Ticks{1, 5, 9, 13, 17, 21}));
}

void expect_buses_kept(const Log& log, const MemoryPart& part) {
  Tick row_bus = 0, column_bus = 0;  // free from
  for (const LoggedCommand& c : log) {
    Tick& bus = is_column(c.command) && !part.shared_command_bus ? column_bus : row_bus;
    ASSERT_GE(c.tick, bus) << to_string(c.command);
    bus = c.tick + slots_of(c.command, part);
  }
}

std::vector<Policy> policies() {
  std::vector<Policy> result;
  for (const Refresh refresh : {Refresh::all_bank, Refresh::per_bank}) {
    for (const PagePolicy page : {PagePolicy::open, PagePolicy::closed, PagePolicy::adaptive}) {
      for (const Scheduler scheduler : {Scheduler::fr_fcfs, Scheduler::fcfs}) {
        for (const int rfm : {0, 3}) {
          Policy policy{refresh, page, {}, false};
          policy.controller.scheduler = scheduler;
          policy.controller.rfm_threshold = rfm;
          policy.controller.starvation = Picoseconds(500'000);
          policy.controller.postpone = rfm;
          result.push_back(policy);
        }
      }
    }
  }
  return result;
}

TEST(Reference, ServesEveryRequestOnceUnderAnyPolicy) {
  std::uint64_t seed = 1;
  for (const bool shared : {false, true}) {
    MemoryPart part = golden_part_of(3);
    part.shared_command_bus = shared;
    for (const Policy& policy : policies()) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Bench bench(part, policy);
      send_mixture(bench, part, 2000, seed++, true);
      expect_buses_kept(bench.log, part);

      std::sort(bench.tags.begin(), bench.tags.end());
      ASSERT_EQ(bench.tags.size(), bench.sent);
      for (std::uint32_t i = 0; i < bench.sent; ++i) ASSERT_EQ(bench.tags[i], i);
      for (int pc = 0; pc < 3; ++pc) {
        const ChannelCounts& n = bench.channel.counts(pc);
        EXPECT_EQ(n.misses + n.conflicts, n.of(ACT));
        EXPECT_EQ(n.hits + n.of(ACT), n.of(RD) + n.of(WR));
        EXPECT_EQ(bench.channel.waiting(pc), 0);
      }
    }
  }
}

TEST(Reference, TheEventEngineAgreesUnderAnyPolicy) {
  std::uint64_t seed = 1000;
  for (const bool shared : {false, true}) {
    MemoryPart part = golden_part_of(2);
    part.shared_command_bus = shared;
    for (const Policy& policy : policies()) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Bench plain(part, policy);
      send_mixture(plain, part, 2000, seed, true);
      BenchOf<Channel> event(part, policy);
      send_mixture(event, part, 2000, seed++, true);

      ASSERT_EQ(event.log, plain.log);
      EXPECT_EQ(event.channel.log_hash(), plain.channel.log_hash());
      EXPECT_EQ(event.tags, plain.tags);
      EXPECT_EQ(event.end, plain.end);
    }
  }
}

}  // namespace
}  // namespace presil::dram
