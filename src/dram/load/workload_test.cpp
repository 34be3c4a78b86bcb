#include "dram/load/workload.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace presil::dram {
namespace {

/// The generator behind the golden numbers, as it was published with them: kinds 0 seq, 1 rand, 2
/// rand with every third a write, 3 stride, 5 random 4 KB blocks.
struct GoldenStream {
  int kind;
  std::uint64_t span, stride = 4096;
  std::uint64_t i = 0, base = 0, s = 0x9E3779B97F4A7C15ull;

  std::uint64_t next64() {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s * 0x2545F4914F6CDD1Dull;
  }
  std::uint64_t next() {
    std::uint64_t a = 0;
    if (kind == 0) a = (i * 64) % span;
    if (kind == 1 || kind == 2) a = ((next64() >> 20) % (span / 64)) * 64;
    if (kind == 3) {
      const std::uint64_t per = span / stride, k = i % per, r = i / per;
      a = (k * stride + (r * 64) % stride) % span;
    }
    if (kind == 5) {
      if (i % 64 == 0) base = ((next64() >> 20) % (span / 4096)) * 4096;
      a = base + (i % 64) * 64;
    }
    ++i;
    return a;
  }
};

constexpr std::int64_t kSpan = std::int64_t{512} << 20;
constexpr std::int64_t kAtom = 32;

Workload workload(std::string_view pattern, std::int64_t atoms) {
  Workload w;
  parse_pattern(pattern, w);
  w.atoms = atoms;
  return w;
}

/// One by one; the stream may give several of a line at once.
std::vector<Block> blocks_of(const Workload& w, std::int64_t capacity = kSpan,
                             std::int64_t atom = kAtom) {
  BlockStream stream(w, capacity, atom, /*ticks_per_atom=*/4, /*ticks_per_cycle=*/2);
  std::vector<Block> blocks;
  const std::int64_t most = block_bytes(atom) / atom;
  for (Block b; stream.next(b);) {
    for (; b.atoms > 0; b.atoms -= most, b.address += most * atom) {
      blocks.push_back(b);
      blocks.back().atoms = std::min(b.atoms, most);
    }
  }
  return blocks;
}

std::string complaint(const std::function<void()>& act) {
  try {
    act();
  } catch (const InputError& e) {
    return e.what();
  }
  return "no complaint";
}

TEST(Workload, PatternsAreTheGoldenStreams) {
  const std::pair<const char*, GoldenStream> patterns[] = {
      {"sequential", {0, kSpan}},        {"random", {1, kSpan}},
      {"stride:4096", {3, kSpan}},       {"stride:1280", {3, kSpan, 1280}},
      {"stride:8KiB", {3, kSpan, 8192}}, {"blocks:4096", {5, kSpan}},
  };
  for (auto [pattern, golden] : patterns) {
    // Long enough for stride:8KiB to come round: 65,536 blocks a round.
    for (const Block& b : blocks_of(workload(pattern, 200'000))) {
      ASSERT_EQ(b.address, static_cast<std::int64_t>(golden.next())) << pattern;
      ASSERT_EQ(b.atoms, 2);
      ASSERT_FALSE(b.write);
      ASSERT_EQ(b.ready, 0);
    }
    EXPECT_EQ(golden.i, 100'000u) << pattern;
  }
}

TEST(Workload, WrapsAtTheCapacity) {
  GoldenStream seq{0, 640};
  GoldenStream stride{3, 640, 192};  // 3 steps a round, then 64 B further
  for (const Block& b : blocks_of(workload("sequential", 100), 640)) {
    EXPECT_EQ(b.address, static_cast<std::int64_t>(seq.next()));
  }
  for (const Block& b : blocks_of(workload("stride:192", 100), 640)) {
    EXPECT_EQ(b.address, static_cast<std::int64_t>(stride.next()));
  }
}

TEST(Workload, BlocksOfAnySizeStartAtRandomMultiplesOfIt) {
  const std::vector<Block> blocks = blocks_of(workload("blocks:16KiB", 10 * 512));
  ASSERT_EQ(blocks.size(), 10u * 256);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t inside = static_cast<std::int64_t>(i % 256) * 64;
    EXPECT_EQ((blocks[i].address - inside) % 16384, 0);
    EXPECT_LT(blocks[i].address, kSpan);
  }
  EXPECT_NE(blocks[0].address, blocks[256].address);
}

TEST(Workload, ABlockIs64BytesOrOneAtom) {
  EXPECT_EQ(blocks_of(workload("sequential", 8), kSpan, 64).at(1).address, 64);
  EXPECT_EQ(blocks_of(workload("sequential", 8), kSpan, 64).at(1).atoms, 1);
  EXPECT_EQ(blocks_of(workload("sequential", 8), kSpan, 128).at(1).address, 128);
  EXPECT_EQ(blocks_of(workload("sequential", 8), kSpan, 48).at(1).address, 48);
  EXPECT_EQ(blocks_of(workload("sequential", 8), kSpan, 16).at(1).atoms, 4);
}

TEST(Workload, TheLastBlockMayBeShort) {
  const std::vector<Block> blocks = blocks_of(workload("random", 5));
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[2].atoms, 1);
}

TEST(Workload, BlockIIsAWriteWhenTheShareTimesIPassesAWholeNumber) {
  for (const char* text : {"0", "1", "0.25", "1/3", "2/3", "0.999", "3/7", "1.0", ".5"}) {
    Workload w = workload("random", 20'000);
    w.writes = parse_write_share(text);
    std::int64_t i = 0, writes = 0;
    for (const Block& b : blocks_of(w)) {
      ASSERT_EQ(b.write, w.writes.is_write(i)) << text << " at " << i;
      writes += b.write ? 1 : 0;
      ++i;
    }
    EXPECT_EQ(writes, 10'000 * w.writes.numerator / w.writes.denominator) << text;
  }
  // The golden mix: every third is a write.
  EXPECT_FALSE(parse_write_share("1/3").is_write(1));
  EXPECT_TRUE(parse_write_share("1/3").is_write(2));
}

TEST(Workload, AnotherSeedIsAnotherStreamAndTheSameSeedTheSame) {
  Workload w = workload("random", 200);
  w.seed = 1;
  const std::vector<Block> one = blocks_of(w), again = blocks_of(w);
  w.seed = 2;
  const std::vector<Block> two = blocks_of(w);
  int equal = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].address, again[i].address);
    equal += one[i].address == two[i].address ? 1 : 0;
  }
  EXPECT_LT(equal, 3);
}

TEST(Workload, AnOfferedLoadSpacesTheBlocksEvenly) {
  Workload w = workload("sequential", 2'000);
  w.load = 0.3;
  const std::vector<Block> blocks = blocks_of(w);
  // An atom takes 4 ticks at the peak, a block of two 8; at 30 % one comes every 26.67.
  EXPECT_EQ(blocks[0].ready, 0);
  EXPECT_EQ(blocks[1].ready, 26);
  EXPECT_EQ(blocks[2].ready, 53);
  EXPECT_EQ(blocks[999].ready, 26640);
}

TEST(Workload, ABadPatternIsRefusedWithWhatWasExpected) {
  Workload w;
  EXPECT_NE(complaint([&] { parse_pattern("randon", w); }).find("did you mean 'random'?"),
            std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("random:64", w); }).find("expected sequential"),
            std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("stride", w); }).find("stride:4096"), std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("stride:0", w); }).find("found 0"), std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("stride:-64", w); }).find("expected"), std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("blocks:4 GHz", w); }).find("expected"),
            std::string::npos);
  EXPECT_NE(complaint([&] { parse_pattern("trace:", w); }).find("trace:FILE"), std::string::npos);
}

TEST(Workload, AStepThatIsNoMultipleOfABlockOrDoesNotFitIsRefused) {
  for (const char* pattern : {"stride:100", "blocks:96", "stride:1GiB", "blocks:1GiB"}) {
    const std::string said = complaint([&] { blocks_of(workload(pattern, 10)); });
    EXPECT_NE(said.find("expected a multiple of 64 bytes of at most 536870912"), std::string::npos)
        << said;
  }
}

TEST(Workload, AShareOutsideZeroToOneIsRefused) {
  for (const char* text : {"", "-1", "1.5", "2", "4/3", "1/0", "x", "0.1x", "1/", "0.0000000001",
                           "/3", "-1/3", "0x1", "."}) {
    EXPECT_NE(complaint([&] { parse_write_share(text); }).find("a share from 0 to 1"),
              std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace presil::dram
