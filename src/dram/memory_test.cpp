#include "dram/memory.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace presil::dram
