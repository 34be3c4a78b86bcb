#include "dram/transfers/memory.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/unless_sanitized.h"
#include "chip/dram_shape.h"

namespace presil::dram {
namespace {

const std::string kRoot = PRESIL_SOURCE_DIR;
constexpr Picoseconds kForever(INT64_MAX / 4);

MemoryPart part_named(const std::string& name) {
  return read_memory_part(read_document(kRoot + "/memories/" + name + ".yaml", Syntax::yaml));
}

Dram stacks_of(const MemoryPart& part, std::int64_t stacks) {
  Dram config;
  config.part = part.name;
  config.stacks = stacks;
  config.rate = part.rate;
  return config;
}

Transfer read_of(std::int64_t base, std::int64_t length, Picoseconds ready = Picoseconds(0),
                 int requester = 0) {
  Transfer transfer;
  transfer.stream = {base, length, 0, 0};
  transfer.requester = requester;
  transfer.ready_at = ready;
  return transfer;
}

std::vector<Arrival> drain(Memory& memory) {
  std::vector<Arrival> arrivals;
  while (const auto arrival = memory.advance(kForever)) arrivals.push_back(*arrival);
  return arrivals;
}

TEST(Memory, AnswersAReadOfOneLineAfterActivateLatencyAndBursts) {
  const MemoryPart part = part_named("hbm3-6400");
  const Dram config = stacks_of(part, 1);
  Memory memory(part, config);
  memory.submit(read_of(0, interleave_unit(part, config).count()));

  const auto arrivals = drain(memory);

  // Eight atoms of each pseudo-channel, two in each of four bank groups. The first ACT starts at
  // tick 1, those of the other pseudo-channel on the next edge with the row bus free, at 5; further
  // ones follow 8 ticks (tRRDS) apart: its last at 29. RD of that group: 29 + tRCD 62 + 1 (ACT is
  // one slot longer) = 92, next edge 93; its second atom tCCDL 8 later, 101. Data ends CL 40 and
  // burst 4 after that.
  ASSERT_EQ(arrivals.size(), 1u);
  EXPECT_EQ(arrivals[0].time, part.tick_clock(part.rate).edge(DramCycles(101 + 44)));
}

TEST(Memory, KeepsBandwidthBelowPeakAndAccountsForAllTime) {
  for (const char* name : {"hbm2e-3600", "hbm3-6400", "hbm3e-9800-12h", "lpddr5x-8533"}) {
    const MemoryPart part = part_named(name);
    const Dram config = stacks_of(part, 2);
    Memory memory(part, config);
    const std::int64_t bytes = 400 * interleave_unit(part, config).count();
    memory.submit(read_of(0, bytes));
    Transfer write = read_of(2 * bytes, bytes / 4, Picoseconds(0), 1);
    write.write = true;
    memory.submit(write);

    const Arrival last = drain(memory).back();
    const MemoryStatistics n = memory.statistics();

    const double rate = static_cast<double>(bytes + bytes / 4) / to_seconds(last.time).count();
    EXPECT_LT(rate, memory.peak().count());
    EXPECT_EQ(n.atoms * part.atom().count(), bytes + bytes / 4);
    EXPECT_EQ(n.commands.WR * part.atom().count(), bytes / 4);
    EXPECT_EQ(n.row_hits + n.row_misses + n.row_conflicts, n.atoms);
    EXPECT_NEAR(n.shares.data, rate / memory.peak().count(), 1e-3);
    for (const double share :
         {n.shares.data, n.shares.refresh, n.shares.row, n.shares.turnaround, n.shares.other}) {
      EXPECT_GE(share, 0) << name;
    }
    const BusShares& s = n.shares;
    EXPECT_NEAR(s.data + s.refresh + s.row + s.turnaround + s.other, 1, 1e-12);
    EXPECT_EQ(n.waiting, last.time);
  }
}

TEST(Memory, LetsTwoRequestersShareAndOneWaitItsTurn) {
  const MemoryPart part = part_named("hbm3-6400");
  const Dram config = stacks_of(part, 1);
  const std::int64_t bytes = 100 * interleave_unit(part, config).count();

  Memory shared(part, config);
  shared.submit(read_of(0, bytes, Picoseconds(0), 0));
  shared.submit(read_of(10 * bytes, bytes, Picoseconds(0), 1));
  const auto together = drain(shared);
  Memory queued(part, config);
  queued.submit(read_of(0, bytes, Picoseconds(0), 0));
  queued.submit(read_of(10 * bytes, bytes, Picoseconds(0), 0));
  const auto in_order = drain(queued);

  // Taking turns, both end near the end; in a queue, the first is done at half time.
  ASSERT_EQ(together.size(), 2u);
  EXPECT_GT(together[0].time.count(), together[1].time.count() * 95 / 100);
  EXPECT_LT(in_order[0].time.count(), in_order[1].time.count() * 55 / 100);
}

TEST(Memory, StopsAtTheLimitAndMissesNothingSubmittedThen) {
  const MemoryPart part = part_named("hbm3-6400");
  const Dram config = stacks_of(part, 1);
  const std::int64_t bytes = 50 * interleave_unit(part, config).count();
  Memory whole(part, config);
  whole.submit(read_of(0, bytes));
  whole.submit(read_of(bytes, bytes, 300_ns, 1));
  const auto expected = drain(whole);

  Memory cut(part, config);
  cut.submit(read_of(0, bytes));
  EXPECT_FALSE(cut.advance(300_ns).has_value());
  cut.submit(read_of(bytes, bytes, 300_ns, 1));
  const auto found = drain(cut);

  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].time, expected[i].time);
  EXPECT_EQ(cut.pending(), 0);
}

TEST(Memory, CountsTransfersThatAreNotWholeLinesOfAllChannels) {
  const MemoryPart part = part_named("hbm3-6400");
  const Dram config = stacks_of(part, 1);
  const std::int64_t unit = interleave_unit(part, config).count();
  Memory memory(part, config);
  memory.submit(read_of(0, unit));
  memory.submit(read_of(unit, unit / 2 + 1));
  Transfer blocks = read_of(0, unit);
  blocks.stream.block = unit / 4;
  blocks.stream.stride = unit;
  memory.submit(blocks);
  drain(memory);
  EXPECT_EQ(memory.statistics().rounded_transfers, 2);
  EXPECT_EQ(memory.statistics().atoms * 32, 3 * unit);  // one line everywhere for each
}

TEST(Memory, RunsBelowThePartsRateAndWithAnotherCapacity) {
  const MemoryPart part = part_named("lpddr5-6400");
  Dram config = stacks_of(part, 4);
  config.rate = BitsPerSecond(5.5e9);
  config.capacity = 128_GiB;
  Memory memory(part, config);
  EXPECT_DOUBLE_EQ(memory.peak().count(), 4 * 64 * 5.5e9 / 8);
  EXPECT_EQ(memory.capacity(), 128_GiB);
  memory.submit(read_of((127LL << 30), 1 << 20));
  EXPECT_EQ(drain(memory).size(), 1u);
}

// One atom of codes for eight of data, where a stream reads rows from end to end.
TEST(Memory, ReadsAndWritesTheCodesOfInlineEcc) {
  const MemoryPart part = part_named("lpddr5-6400");
  Dram config = stacks_of(part, 2);
  const std::int64_t bytes = 1000 * interleave_unit(part, config).count();
  Memory plain(part, config);
  config.ecc = Ecc::inside;
  Memory coded(part, config);
  EXPECT_EQ(coded.capacity().count(), plain.capacity().count() / 8 * 7);
  for (const bool write : {false, true}) {
    Transfer transfer = read_of(0, bytes);
    transfer.write = write;
    plain.submit(transfer);
    coded.submit(transfer);
  }
  const std::vector<Arrival> without = drain(plain), with = drain(coded);

  const std::int64_t atoms = bytes / part.atom().count();
  EXPECT_EQ(coded.statistics().commands.RD, atoms / 8 * 9);
  EXPECT_EQ(coded.statistics().commands.WR, atoms / 8 * 9);
  ASSERT_EQ(with.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(
        static_cast<double>(with[i].time.count()) / static_cast<double>(without[i].time.count()),
        9.0 / 8, 0.03);
  }
}

TEST(Memory, RefusesAMappingThatDoesNotCoverThePart) {
  const MemoryPart part = part_named("hbm3-6400");
  Dram config = stacks_of(part, 1);
  config.mapping = "row bank column bank_group";
  EXPECT_THROW(Memory(part, config), InputError);
}

// ---- the shortcuts change nothing ---------------------------------------------------------------

/// What a client does: submits up to `depth` transfers ahead, reacts to completions, pauses.
struct Client {
  std::uint64_t bits;
  std::int64_t unit;
  std::int64_t capacity;
  int depth;
  int jumps_in_1000, pauses_in_1000, writes_in_1000, others_in_1000;

  std::int64_t draw(std::int64_t n) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    return static_cast<std::int64_t>((bits >> 20) % static_cast<std::uint64_t>(n));
  }
  bool chance(int in_1000) { return draw(1000) < in_1000; }
};

struct Story {
  std::vector<Arrival> arrivals;
  MemoryStatistics statistics;
};

Story tell(const MemoryPart& part, const Dram& config, Shortcuts shortcuts, Client client,
           int transfers) {
  Memory memory(part, config, shortcuts);
  Story story;
  std::int64_t next = 0;
  Picoseconds reached(0);
  int submitted = 0;
  while (submitted < transfers || memory.pending() > 0) {
    while (submitted < transfers && memory.pending() < client.depth) {
      const std::int64_t length = (1 + client.draw(200)) * client.unit;
      const std::int64_t elsewhere =
          client.draw((client.capacity - length) / client.unit) * client.unit;
      const bool jumps = client.chance(client.jumps_in_1000) || next + length > client.capacity;
      if (jumps) next = elsewhere;
      Transfer t = read_of(next, length, reached);
      if (client.chance(client.others_in_1000)) {  // beside the stream
        t = read_of(elsewhere, client.unit, reached, 1 + static_cast<int>(client.draw(2)));
      } else {
        next += length;
      }
      if (client.chance(client.pauses_in_1000)) t.ready_at += Picoseconds(client.draw(5'000'000));
      t.write = client.chance(client.writes_in_1000);
      memory.submit(t);
      ++submitted;
    }
    const bool limited = client.chance(300);
    const Picoseconds limit =
        limited ? reached + Picoseconds(client.draw(3'000'000)) : Picoseconds(kForever);
    const auto arrival = memory.advance(limit);
    if (arrival) story.arrivals.push_back(*arrival);
    reached = arrival ? arrival->time : limited ? limit : reached;
    if (client.chance(3)) memory.statistics();
  }
  story.statistics = memory.statistics();
  return story;
}

void expect_equal(const Story& a, const Story& b) {
  ASSERT_EQ(a.arrivals.size(), b.arrivals.size());
  for (std::size_t i = 0; i < a.arrivals.size(); ++i) {
    ASSERT_EQ(a.arrivals[i].transfer, b.arrivals[i].transfer) << i;
    ASSERT_EQ(a.arrivals[i].time, b.arrivals[i].time) << i;
    ASSERT_TRUE(i == 0 || a.arrivals[i].time >= a.arrivals[i - 1].time) << i;
  }
  const CommandCounts &x = a.statistics.commands, &y = b.statistics.commands;
  EXPECT_EQ(x.ACT, y.ACT);
  EXPECT_EQ(x.PREpb, y.PREpb);
  EXPECT_EQ(x.PREab, y.PREab);
  EXPECT_EQ(x.RD, y.RD);
  EXPECT_EQ(x.WR, y.WR);
  EXPECT_EQ(x.REFab, y.REFab);
  EXPECT_EQ(x.REFpb, y.REFpb);
  EXPECT_EQ(a.statistics.row_hits, b.statistics.row_hits);
  EXPECT_EQ(a.statistics.row_misses, b.statistics.row_misses);
  EXPECT_EQ(a.statistics.row_conflicts, b.statistics.row_conflicts);
  EXPECT_EQ(a.statistics.waiting, b.statistics.waiting);
  EXPECT_EQ(a.statistics.shares.refresh, b.statistics.shares.refresh);
  EXPECT_EQ(a.statistics.shares.row, b.statistics.shares.row);
  EXPECT_EQ(a.statistics.shares.turnaround, b.statistics.shares.turnaround);
}

/// Eight clients: with and without jumps, pauses, others beside them, and writes.
Client client_of(int kind, std::uint64_t seed, const MemoryPart& part, const Dram& config) {
  return {.bits = seed * 0x9E3779B97F4A7C15ULL + 7,
          .unit = interleave_unit(part, config).count(),
          .capacity = part.stack_capacity().count(),
          .depth = 2 + static_cast<int>(seed % 4),
          .jumps_in_1000 = kind % 2 == 0 ? 0 : 50,
          .pauses_in_1000 = kind % 4 < 2 ? 0 : 100,
          .writes_in_1000 = kind < 6 ? 0 : 50,
          .others_in_1000 = kind < 4    ? 0
                            : kind == 4 ? 30
                                        : 300};
}

class MemoryShortcuts : public testing::TestWithParam<Refresh> {};

TEST_P(MemoryShortcuts, ChangeNothing) {
  std::int64_t replayed = 0, atoms = 0;
  std::uint64_t seed = 0;
  for (const char* name : {"hbm3-6400", "hbm3e-9800-12h", "hbm2e-3600", "lpddr5x-8533"}) {
    const MemoryPart part = part_named(name);
    for (const PagePolicy page : {PagePolicy::open, PagePolicy::closed}) {
      Dram config = stacks_of(part, 1);
      config.page_policy = page;
      config.refresh = GetParam();
      for (int kind = 0; kind < 8; kind += unless_sanitized(1, 7)) {
        ++seed;
        const Client client = client_of(kind, seed, part, config);
        SCOPED_TRACE(std::string(name) + " seed " + std::to_string(seed));
        const int transfers = kind % 4 == 0 ? 300 : 60;  // states come again in long streams
        const Story with = tell(part, config, Shortcuts::checked, client, transfers);
        const Story without = tell(part, config, Shortcuts::off, client, transfers);
        expect_equal(with, without);
        // Over many edges at once, and after others who went the same ways.
        for (int again = 0; again < 2; ++again) {
          expect_equal(tell(part, config, Shortcuts::on, client, transfers), without);
        }
        EXPECT_EQ(without.statistics.replayed_atoms, 0);
        replayed += with.statistics.replayed_atoms;
        atoms += with.statistics.atoms;
      }
    }
  }
  EXPECT_GT(replayed, atoms / 20);
}

TEST_P(MemoryShortcuts, ReplayMostOfALongStream) {
  const MemoryPart part = part_named("hbm3e-9800-12h");
  Dram config = stacks_of(part, 4);
  config.refresh = GetParam();
  Memory memory(part, config);
  memory.submit(read_of(0, 16LL << 30));  // 4.2 M atoms a pseudo-channel
  drain(memory);
  const MemoryStatistics n = memory.statistics();
  EXPECT_GT(n.replayed_atoms, n.atoms * 9 / 10);
}

/// Kernels as a library's: reads and writes handed over at once, then a pause.
Story tell_kernels(const MemoryPart& part, const Dram& config, Shortcuts shortcuts) {
  Memory memory(part, config, shortcuts);
  const std::int64_t unit = interleave_unit(part, config).count();
  Story story;
  Picoseconds reached(0);
  for (int kernel = 0; kernel < 12; ++kernel) {
    const std::int64_t reads = 700 + 131 * kernel, writes = kernel % 3 * 450;
    memory.submit(read_of(kernel * 5000 * unit, reads * unit, reached));
    memory.submit(read_of(100'000 * unit, 300 * unit, reached));
    Transfer write = read_of((200'000 + 77 * kernel) * unit, (1 + writes) * unit, reached, 1);
    write.write = true;
    memory.submit(write);
    while (const auto arrival = memory.advance(kForever)) {
      story.arrivals.push_back(*arrival);
      reached = arrival->time;
    }
    reached += Picoseconds(1'234'567 * (kernel % 4));
  }
  story.statistics = memory.statistics();
  return story;
}

TEST_P(MemoryShortcuts, ChangeNothingForKernelsThatReadAndWriteAtOnce) {
  for (const char* name : {"hbm3-6400", "hbm2e-3600", "lpddr5x-8533"}) {
    SCOPED_TRACE(name);
    const MemoryPart part = part_named(name);
    Dram config = stacks_of(part, 1);
    config.refresh = GetParam();
    const Story without = tell_kernels(part, config, Shortcuts::off);
    expect_equal(tell_kernels(part, config, Shortcuts::checked), without);
    expect_equal(tell_kernels(part, config, Shortcuts::on), without);
    const Story again = tell_kernels(part, config, Shortcuts::on);
    expect_equal(again, without);
    // Who comes later knows the way, whichever memory went it first.
    EXPECT_GT(again.statistics.replayed_atoms, again.statistics.atoms * 9 / 10);
    EXPECT_EQ(again.statistics.shortcuts,
              tell_kernels(part, config, Shortcuts::on).statistics.shortcuts);
  }
}

INSTANTIATE_TEST_SUITE_P(Memory, MemoryShortcuts,
                         testing::Values(Refresh::all_bank, Refresh::per_bank, Refresh::off),
                         [](const auto& test) {
                           return test.param == Refresh::all_bank   ? "AllBankRefresh"
                                  : test.param == Refresh::per_bank ? "PerBankRefresh"
                                                                    : "NoRefresh";
                         });

TEST(Memory, ShortcutsChangeNothingUnderOtherMappings) {
  const MemoryPart part = part_named("hbm3e-9800-12h");
  std::uint64_t seed = 100;
  for (const char* mapping : {"row bank stack_id column bank_group column:2",
                              "row stack_id bank column bank_group column:2 bank^column",
                              "row column bank_group bank stack_id column:2"}) {
    Dram config = stacks_of(part, 1);
    config.refresh = Refresh::per_bank;
    config.mapping = mapping;
    for (const int kind : {0, 1, 6}) {
      SCOPED_TRACE(mapping + std::string(" kind ") + std::to_string(kind));
      const Client client = client_of(kind, ++seed, part, config);
      expect_equal(tell(part, config, Shortcuts::checked, client, 200),
                   tell(part, config, Shortcuts::off, client, 200));
    }
  }
}

TEST(Memory, ShortcutsChangeNothingWhenManyRefreshesFallInAStretch) {
  // 48 banks are refreshed in turn, 81 ns apart; where rows cannot follow, as here, more of them
  // than a stretch describes fall in it.
  const MemoryPart part = part_named("hbm4-11000");
  Dram config = stacks_of(part, 1);
  config.refresh = Refresh::per_bank;
  config.page_policy = PagePolicy::closed;
  config.mapping = "row bank stack_id column bank_group column:2";
  config.controller.queue = 64;
  const Client client = client_of(0, 7, part, config);

  expect_equal(tell(part, config, Shortcuts::on, client, 300),
               tell(part, config, Shortcuts::off, client, 300));
}

TEST(Memory, ShortcutsChangeNothingAtTheEndOfThePart) {
  MemoryPart part = part_named("hbm3-6400");
  part.rows = 16;  // 16,384 atoms a pseudo-channel
  const Dram config = stacks_of(part, 1);
  const std::int64_t capacity = part.stack_capacity().count();
  Story stories[2];
  for (const Shortcuts shortcuts : {Shortcuts::off, Shortcuts::on}) {
    Memory memory(part, config, shortcuts);
    for (int i = 0; i < 20; ++i) memory.submit(read_of(0, capacity));
    stories[shortcuts == Shortcuts::on] = {drain(memory), memory.statistics()};
  }
  expect_equal(stories[0], stories[1]);
  EXPECT_GT(stories[1].statistics.replayed_atoms, 0);
}

}  // namespace
}  // namespace presil::dram
