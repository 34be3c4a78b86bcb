#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <presilicon/memory.h>

#include "dram/testing/golden_stream.h"

namespace presilicon {
namespace {

using presil::dram::testing::GoldenStream;

const std::string kRoot = PRESIL_SOURCE_DIR;
const std::string kGolden = kRoot + "/test/dram/r-hbm3-1pc.yaml";

std::string part(const std::string& name) {
  return kRoot + "/memories/" + name + ".yaml";
}

/// HBM3 at 6.4 Gb/s: CK is 625 ps, a tick 312.5 ps, its edge rounded up to a picosecond.
std::uint64_t edge(std::uint64_t tick) {
  return (tick * 625 + 1) / 2;
}

MemoryOptions golden_options(std::vector<std::string> set = {}) {
  MemoryOptions options;
  options.line = 32;  // an atom
  options.set = std::move(set);
  options.share = kRoot;
  return options;
}

MemoryOptions with(int channels, std::vector<std::string> set = {}) {
  MemoryOptions options;
  options.channels = channels;
  options.set = std::move(set);
  return options;
}

// ---- the same ticks as the channel alone --------------------------------------------------------

/// Sends one atom a tick, retried when refused: at every tick, or only when told to.
std::uint64_t end_of_stream(MemorySystem& memory, std::uint64_t atoms, GoldenStream stream) {
  std::uint64_t end = 0, sent = 0, tick = 0;
  const auto take = [&](const std::vector<Completion>& done) {
    for (const Completion& c : done) end = std::max(end, c.time);
  };
  auto atom = stream();
  while (sent < atoms) {
    if (memory.send(static_cast<std::uint64_t>(atom.index) * 32, atom.write, sent)) {
      ++sent;
      atom = stream();
      take(memory.advance(edge(++tick)));
    } else {
      take(memory.advance(memory.next_event()));
      tick = memory.now() * 2 / 625;
    }
  }
  while (memory.pending() > 0) take(memory.advance(memory.next_event()));
  return end;
}

TEST(MemorySystem, TakesTheGoldenTicks) {
  const auto golden = [](std::uint64_t atoms, GoldenStream::Kind kind, const char* refresh) {
    MemorySystem memory(kGolden, golden_options({std::string("dram.refresh=") + refresh}));
    return end_of_stream(memory, atoms, GoldenStream(kind));
  };
  EXPECT_EQ(golden(100'000, GoldenStream::sequential, "off"), edge(407'343));
  EXPECT_EQ(golden(100'000, GoldenStream::random, "off"), edge(1'200'165));
  EXPECT_EQ(golden(40'000, GoldenStream::random, "all_bank"), edge(532'485));
  EXPECT_EQ(golden(100'000, GoldenStream::blocks, "all_bank"), edge(469'117));
}

// ---- next_event() -------------------------------------------------------------------------------

struct Request {
  std::uint64_t time = 0;  // not sent before
  std::uint64_t address = 0;
  bool write = false;
};

/// Bursts and pauses, runs and random places, reads and writes.
std::vector<Request> requests(std::size_t count, std::uint64_t capacity) {
  std::vector<Request> all;
  std::uint64_t bits = 0x9E3779B97F4A7C15ULL, time = 0, at = 0;
  const auto draw = [&](std::uint64_t n) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    return (bits >> 20) % n;
  };
  for (std::size_t i = 0; i < count; ++i) {
    if (draw(50) == 0) time += draw(10'000'000);  // up to two and a half tREFI
    if (draw(3) == 0) time += draw(20'000);
    at = draw(4) == 0 ? draw(capacity / 64) * 64 : (at + 64) % capacity;
    all.push_back({time, at, draw(3) == 0});
  }
  return all;
}

struct Outcome {
  std::vector<std::uint64_t> sent;  // when each was accepted
  std::vector<Completion> completions;
  std::uint64_t calls = 0;  // of advance()
  Statistics statistics;
};

/// Sends each request in its turn as soon as there is room, and wakes when `wake(memory)` says.
Outcome drive(MemorySystem memory, const std::vector<Request>& all,
              const std::function<std::uint64_t(const MemorySystem&)>& wake) {
  Outcome o;
  while (o.sent.size() < all.size() || memory.pending() > 0) {
    std::uint64_t own = kNever;
    while (o.sent.size() < all.size()) {
      const Request& next = all[o.sent.size()];
      if (next.time > memory.now()) {
        own = next.time;
        break;
      }
      if (!memory.send(next.address, next.write, o.sent.size())) break;
      o.sent.push_back(memory.now());
    }
    const std::uint64_t until = std::min(own, wake(memory));
    for (const Completion& c : memory.advance(until)) o.completions.push_back(c);
    ++o.calls;
  }
  memory.advance(all.back().time + 1'000'000'000);
  o.statistics = memory.statistics();
  return o;
}

std::uint64_t next_tick(const MemorySystem& memory) {
  return edge(memory.now() * 2 / 625 + 1);
}

TEST(MemorySystem, IsNeverLateForWhoWakesAtItsEvents) {
  for (const char* page : {"open", "closed", "adaptive"}) {
    for (const char* refresh : {"all_bank", "per_bank"}) {
      const auto make = [&] {
        return MemorySystem(part("hbm3-6400"), with(2, {std::string("dram.page_policy=") + page,
                                                        std::string("dram.refresh=") + refresh,
                                                        "dram.controller.queue=8"}));
      };
      const std::vector<Request> all = requests(1500, make().capacity());
      const Outcome stepping = drive(make(), all, next_tick);
      const Outcome waking =
          drive(make(), all, [](const MemorySystem& m) { return m.next_event(); });

      std::size_t held_up = 0;
      for (std::size_t i = 0; i < all.size(); ++i) held_up += waking.sent[i] > all[i].time;
      EXPECT_GT(held_up, all.size() / 10) << "or else nothing is said about room";
      EXPECT_EQ(waking.sent, stepping.sent) << "room was found at the very tick";
      EXPECT_TRUE(waking.completions == stepping.completions);
      EXPECT_EQ(waking.statistics.log_hash, stepping.statistics.log_hash);
      EXPECT_LT(waking.calls * 10, stepping.calls);
    }
  }
}

void expect_completions_at_events(MemorySystem& memory) {
  while (memory.pending() > 0) {
    const std::uint64_t event = memory.next_event();
    ASSERT_GT(event, memory.now());
    for (const Completion& c : memory.advance(event)) EXPECT_EQ(c.time, event);
  }
  EXPECT_EQ(memory.next_event(), kNever);
}

TEST(MemorySystem, CompletesAtTheTimeOfTheEventThatItNamed) {
  for (const int line : {32, 64}) {
    MemoryOptions options = with(2);
    options.line = line;
    MemorySystem memory(part("lpddr5x-8533"), options);
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(memory.send(i * 4160, i % 3 == 0, i));
    expect_completions_at_events(memory);
    // One by one, so that no other event wakes the host: a write to an open row is the shortest.
    for (std::uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(memory.send(0, i % 2 == 0, i));
      expect_completions_at_events(memory);
    }
  }
}

TEST(MemorySystem, DoesNotDependOnHowTheHostCutsTheTime) {
  const std::vector<Request> all = requests(300, MemorySystem(part("hbm3-6400")).capacity());
  const auto run = [&](std::uint64_t piece) {
    MemorySystem memory(part("hbm3-6400"), with(16));
    std::vector<Completion> completions;
    const auto advance = [&](std::uint64_t until) {
      while (memory.now() < until) {
        const auto& done = memory.advance(std::min(until, memory.now() + piece));
        completions.insert(completions.end(), done.begin(), done.end());
      }
    };
    for (const Request& r : all) {
      advance(r.time);
      EXPECT_TRUE(memory.send(r.address, r.write, r.time));
    }
    advance(all.back().time + 1'000'000);
    return std::pair(completions, memory.statistics().log_hash);
  };
  const auto [whole, hash] = run(kNever / 4);
  const auto [pieces, same_hash] = run(777);
  EXPECT_TRUE(whole == pieces);
  EXPECT_EQ(hash, same_hash);
  EXPECT_EQ(whole.size(), all.size());
}

// ---- room ---------------------------------------------------------------------------------------

TEST(MemorySystem, TakesALineWholeOrNotAtAll) {
  // 9 entries hold four lines of two atoms; the ninth is too little for a fifth.
  MemorySystem memory(part("hbm3-6400"), with(1, {"dram.controller.queue=9"}));
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(memory.send(i * 512, false, i));
  EXPECT_FALSE(memory.send(4 * 512, false, 4));
  EXPECT_EQ(memory.pending(), 4u);

  EXPECT_TRUE(memory.send(4 * 512, true, 5)) << "writes have a queue of their own";
  EXPECT_TRUE(memory.send(256, false, 6)) << "and so has the other pseudo-channel";
}

TEST(MemorySystem, GivesBackEveryTagOnceAndCountsItsAtoms) {
  MemorySystem memory(part("hbm3e-9800-12h"), with(3));
  const std::vector<Request> all = requests(3000, memory.capacity());
  std::uint64_t writes = 0;
  for (const Request& r : all) writes += r.write;
  Outcome o = drive(std::move(memory), all, [](const MemorySystem& m) { return m.next_event(); });

  std::map<std::uint64_t, int> times;
  for (const Completion& c : o.completions) {
    ++times[c.tag];
    EXPECT_GT(c.time, o.sent[c.tag]);
  }
  ASSERT_EQ(times.size(), all.size());
  for (const auto& [tag, n] : times) EXPECT_EQ(n, 1) << tag;
  const Statistics& s = o.statistics;
  EXPECT_EQ(s.lines_written, writes);
  EXPECT_EQ(s.lines_read, all.size() - writes);
  EXPECT_EQ(s.WR, 2 * writes);  // a line is two atoms
  EXPECT_EQ(s.RD, 2 * s.lines_read);
  EXPECT_EQ(s.row_hits + s.row_misses + s.row_conflicts, s.RD + s.WR);
}

TEST(MemorySystem, TakesEveryShippedPart) {
  int parts = 0;
  for (const auto& file : std::filesystem::directory_iterator(kRoot + "/memories")) {
    SCOPED_TRACE(file.path());
    MemorySystem memory(file.path(), with(2));
    const std::vector<Request> all = requests(500, memory.capacity());
    const Outcome o =
        drive(std::move(memory), all, [](const MemorySystem& m) { return m.next_event(); });
    EXPECT_EQ(o.completions.size(), all.size());
    ++parts;
  }
  EXPECT_GE(parts, 8);
}

TEST(MemorySystem, AnswersASingleReadAfterTheSumOfItsTimings) {
  // hbm3-6400, banks shut, in ticks of half a CK. Sent at 0, the ACT may start at tick 1, an edge.
  // tRCDRD is 31 CK from the last slot of the ACT to that of the RD, so 2 x 31 + 3 - 2 between
  // their starts, and the RD starts on an edge: tick 65. The line's second atom lies in the same
  // bank group: tCCDL, 4 CK. Then tCL, 20 CK, and 2 CK of data.
  const std::uint64_t tick = 65 + 2 * 4 + 2 * 20 + 2 * 2;
  MemorySystem memory(part("hbm3-6400"), with(1));
  ASSERT_TRUE(memory.send(0, false, 42));
  const std::vector<Completion> done = memory.advance(1'000'000);

  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].tag, 42u);
  EXPECT_EQ(done[0].time, edge(tick));
  EXPECT_DOUBLE_EQ(memory.statistics().read_latency_mean, static_cast<double>(tick) * 312.5);
}

// ---- idleness -----------------------------------------------------------------------------------

TEST(MemorySystem, AsksForNothingWhileNothingIsUnderWay) {
  MemorySystem memory(part("hbm3-6400"));
  EXPECT_EQ(memory.next_event(), kNever);
  EXPECT_TRUE(memory.advance(10'000'000'000).empty());  // 10 ms in one call
  EXPECT_EQ(memory.next_event(), kNever);

  // 10 ms are 2564.1 times tREFI (3.9 us), in each of 16 channels x 2 pseudo-channels.
  EXPECT_EQ(memory.statistics().REFab, 16u * 2 * 2564);
}

// ---- the address map and what is refused --------------------------------------------------------

TEST(MemorySystem, DealsLinesOverTheChannelsAndThenOverTheirPseudoChannels) {
  // With queues of one line, a second line is refused exactly where it meets the first.
  MemorySystem memory(part("hbm3-6400"), with(3, {"dram.controller.queue=2"}));
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_TRUE(memory.send(i * 256, false, i)) << i;
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_FALSE(memory.send(i * 256 + 64, false, i)) << i;
  EXPECT_FALSE(memory.send(6 * 256, false, 6));
}

TEST(MemorySystem, KnowsItsCapacityAndPeak) {
  // 16 channels x 2 of 512 MiB and of 32 pins at 6.4 Gb/s: 16 GiB, 819.2 GB/s; half of it as one.
  MemorySystem memory(part("hbm3-6400"));
  EXPECT_EQ(memory.capacity(), 16ull << 30);
  EXPECT_DOUBLE_EQ(memory.peak_bandwidth(), 819.2e9);
  EXPECT_EQ(MemorySystem(part("hbm3-6400"), with(8)).capacity(), 8ull << 30);
  EXPECT_TRUE(memory.send((16ull << 30) - 1, false, 0));
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void expect_in(const std::string& text, const std::string& message) {
  EXPECT_NE(message.find(text), std::string::npos) << message;
}

TEST(MemorySystem, SaysWhatIsWrongWithItsFileAndOptions) {
  expect_in("no such file", error_of([] { MemorySystem("nowhere.yaml"); }));
  expect_in("did you mean 'tRP'?", error_of([] {
              MemorySystem(part("hbm3-6400"), with(1, {"memory.timing.tRO=14 ns"}));
            }));
  expect_in("channels: expected 1 to 4096, found -1",
            error_of([] { MemorySystem(part("hbm3-6400"), with(-1)); }));
  expect_in("line: 64 bytes are 2 atoms, and the queue has 1", error_of([] {
              MemorySystem(part("hbm3-6400"), with(1, {"dram.controller.queue=1"}));
            }));
  expect_in("inline ECC",
            error_of([] { MemorySystem(part("lpddr5x-8533"), with(1, {"dram.ecc=inline"})); }));
  MemoryOptions options;
  options.line = 48;
  expect_in("atoms of 32 bytes", error_of([&] { MemorySystem(part("hbm3-6400"), options); }));
  options.line = 64;
  options.interleave = 96;
  expect_in("interleave: expected a multiple of the line",
            error_of([&] { MemorySystem(part("hbm3-6400"), options); }));
}

TEST(MemorySystem, RefusesThePastAndAddressesItDoesNotHave) {
  MemorySystem memory(part("hbm3-6400"));
  memory.advance(1000);
  expect_in("before the present", error_of([&] { memory.advance(999); }));
  expect_in("is past", error_of([&] { memory.advance(kNever); }));
  expect_in("past the end", error_of([&] { memory.send(16ull << 30, false, 0); }));
}

}  // namespace
}  // namespace presilicon
