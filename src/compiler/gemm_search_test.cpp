#include "compiler/gemm_search.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "compiler/tiling.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

/// Draws of our own shaping, the same everywhere.
class Draw {
 public:
  explicit Draw(std::uint32_t seed) : bits_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits_() % static_cast<std::uint32_t>(high - low + 1));
  }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[between(0, static_cast<std::int64_t>(list.size()) - 1)];
  }

 private:
  std::mt19937 bits_;
};

/// Links of a network, a second die, DMA queues: each on every other chip.
void add_supply(Chip& chip, Draw& draw) {
  if (draw.between(0, 1) == 1) {
    chip.noc.topology = Topology::mesh;
    chip.noc.links = NocLinks{BytesPerSecond(static_cast<double>(draw.one_of({20, 200})) * 1e9),
                              Seconds(0), chip.core.count, 1, 1};
  }
  if (draw.between(0, 1) == 1 && chip.core.count % 2 == 0 && !chip.noc.links) {
    chip.die.count = 2;
    chip.die.link = DieLink{BytesPerSecond(1e11), Seconds(0), {}};
  }
  if (draw.between(0, 1) == 1) {
    chip.dma = Dma{4, draw.one_of<std::int64_t>({4, 64}), Bytes(512), Seconds(1e-6), Seconds(0)};
  }
}

Chip any_chip(Draw& draw) {
  Chip chip;
  MatrixEngine& e = chip.core.matrix;
  chip.core.count = draw.one_of<std::int64_t>({1, 4, 7, 8, 64, 132});
  chip.core.clock = Hertz(1e9);
  const bool stationary = draw.between(0, 1) == 1;
  e.dataflow = stationary ? Dataflow::weight_stationary : Dataflow::output_stationary;
  e.m = stationary ? 1 : draw.one_of<std::int64_t>({8, 16});
  e.n = draw.one_of<std::int64_t>({16, 32, 128});
  e.k = draw.one_of<std::int64_t>({16, 32, 128});
  e.macs_per_cycle[Format::bf16] = static_cast<double>(draw.one_of({256, 2048, 16384}));
  e.preload_cycles = stationary ? draw.one_of({0, 32, 128}) : 0;
  e.preload_overlapped = draw.between(0, 1) == 1;
  chip.core.vector.flops_per_cycle = static_cast<double>(draw.one_of({16, 256}));
  chip.core.sram.size = Bytes(draw.one_of<std::int64_t>({64, 256, 4096}) * 1024);
  chip.core.sram.read = BytesPerCycle(static_cast<double>(draw.one_of({64, 512})));
  if (draw.between(0, 2) > 0) {
    chip.sram = SharedMemory{Bytes(draw.one_of<std::int64_t>({1, 32}) << 20),
                             BytesPerSecond(static_cast<double>(draw.one_of({1, 8})) * 1e12)};
  }
  chip.noc.bandwidth = BytesPerSecond(static_cast<double>(draw.one_of({1, 4, 16})) * 1e12);
  chip.noc.multicast = draw.one_of<std::int64_t>({1, 2, 8});
  add_supply(chip, draw);
  return chip;
}

GemmShape any_shape(Draw& draw) {
  GemmShape s;
  s.m = draw.one_of<std::int64_t>({1, 7, 8, 100, 512, 1000});
  s.n = draw.one_of<std::int64_t>({96, 512, 1000, 4096});
  s.k = 32 * draw.between(4, 128);
  if (draw.between(0, 2) == 0) s.weights = Format::fp8_e4m3;
  if (draw.between(0, 2) == 0) s.vector = {1, 1, 2, 128, 4, 2};
  return s;
}

TEST(GemmSearch, FindsTheBestOfAllCuts) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Draw draw(seed);
    const Chip chip = any_chip(draw);
    const GemmShape shape = any_shape(draw);
    const GemmSearch search(shape, chip, BytesPerSecond(draw.one_of({1e11, 1e12, 5e12})));
    const auto found = search.best();
    const std::vector<GemmChoice> all = search.all();
    ASSERT_EQ(found.has_value(), !all.empty()) << seed;
    if (!found) continue;
    const auto best = std::min_element(
        all.begin(), all.end(),
        [](const GemmChoice& a, const GemmChoice& b) { return a.seconds < b.seconds; });
    EXPECT_LE(found->seconds, best->seconds * (1 + 1e-6))
        << seed << ": " << shape.m << " x " << shape.n << " x " << shape.k;
  }
}

TEST(GemmSearch, TheLoopNestHoldsTheCut) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    Draw draw(seed);
    const Chip chip = any_chip(draw);
    const GemmShape shape = any_shape(draw);
    const GemmSearch search(shape, chip, BytesPerSecond(1e12));
    const auto found = search.best();
    if (!found) continue;
    EXPECT_TRUE(search.fits(found->cut));
    EXPECT_EQ(search.seconds(cut_of(mapping_of(found->cut, shape), shape)), found->seconds) << seed;
  }
}

TEST(GemmSearch, NoCutIsFasterThanTheResourcesAllow) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    Draw draw(seed);
    const Chip chip = any_chip(draw);
    const GemmShape s = any_shape(draw);
    const double dram = 1e12;
    const auto found = GemmSearch(s, chip, BytesPerSecond(dram)).best();
    if (!found) continue;
    const auto bytes = static_cast<double>(stored_bytes(s.weights, s.scaling, s.n, s.k).count());
    EXPECT_GE(found->seconds, bytes / dram);
    const double macs = static_cast<double>(s.m * s.n * s.k);
    const double rate = chip.core.matrix.macs_per_cycle.at(Format::bf16) *
                        static_cast<double>(chip.core.count) * chip.core.clock.count();
    EXPECT_GE(found->seconds, macs / rate);
  }
}

/// 5 tiles of 64 columns on 4 cores: a second wave for one of them. Cut to 16 columns, all four
/// cores take a share of it.
TEST(GemmSearch, ALastWaveIsSharedByNarrowerTiles) {
  Chip chip;
  chip.core.count = 4;
  chip.core.clock = Hertz(1e9);
  chip.core.matrix.n = 16;
  chip.core.matrix.k = 16;
  chip.core.matrix.macs_per_cycle[Format::bf16] = 256;
  const GemmOperands g{1, 320, 64, 128, 40960, Format::bf16, {}, 1};
  const GemmCut plain{.m = 1, .n = 64, .k = 64};
  GemmCut shared = plain;
  shared.last_n = 16;
  // A tile of 64 columns is 1 x 64 x 64 / 256 = 16 cycles, one of 16 columns four.
  EXPECT_EQ(gemm_demand(g, plain, chip).matrix, CoreCycles(32));
  EXPECT_EQ(gemm_demand(g, shared, chip).matrix, CoreCycles(20));
  EXPECT_DOUBLE_EQ(gemm_demand(g, plain, chip).busy_share, 5.0 / 8);
  EXPECT_DOUBLE_EQ(gemm_demand(g, shared, chip).busy_share, 1.0);
}

/// 4 x 4 tiles on 4 cores. Column by column each wave reads one column of tiles and all the rows;
/// in strips of two rows a wave is 2 x 2 tiles and reads two of each.
TEST(GemmSearch, StripsShareOperandsAmongTheCoresOfAWave) {
  Chip chip;
  chip.core.count = 4;
  chip.core.matrix.macs_per_cycle[Format::bf16] = 256;
  const GemmOperands g{256, 256, 256, 1000, 1000, Format::bf16, {}, 1};
  GemmCut cut{.m = 64, .n = 64, .k = 64};
  EXPECT_EQ(gemm_demand(g, cut, chip).unique_bytes, 4 * 1000 + 1000);
  cut.strip = 2;
  EXPECT_EQ(gemm_demand(g, cut, chip).unique_bytes, 2 * 1000 + 2 * 1000);
  // Nothing is kept between waves here: each strip reads the weights again.
  EXPECT_EQ(gemm_demand(g, cut, chip).weight_passes, 2);
  EXPECT_EQ(gemm_demand(g, cut, chip).input_passes, 2);
  // All of k in one tile: the rows of a strip stay in their cores while its columns pass.
  cut.k = 256;
  EXPECT_EQ(gemm_demand(g, cut, chip).input_passes, 1);
  EXPECT_EQ(gemm_demand(g, cut, chip).carried_bytes, 2 * 1000 + 4 * 1000);
}

/// 128 heads that share keys of 576 numbers: with 8 keys they need 484,352 bytes, 64 heads 260,608:
/// 36,864 for keys and values, 73,728 for queries, 64 x (576 + 8 + 2) x 4 for scores and sums.
TEST(AttentionTiles, HeadsThatShareKeysArePackedAsManyAsFit) {
  const Chip chip = load_chip("h100-sxm", {}, kHome).chip;
  const AttentionShape latent{1, 128, 576, 1, {Format::bf16, Scaling::none}};
  EXPECT_EQ(tile_bytes(latent, 1, 8).total(), 484'352);
  const Mapping mapping = choose_attention_mapping(latent, chip).value();
  EXPECT_EQ(mapping.tile(Axis::n), 64);
  EXPECT_EQ(mapping.tile(Axis::c), 8);
}

TEST(GemmSearch, SaysWhichBufferIsTooLarge) {
  Chip chip = load_chip("trainium2", {}, kHome).chip;
  chip.core.sram.size = 1_KiB;
  GemmShape shape;
  shape.n = shape.k = 4096;
  const auto no = choose_gemm_mapping(shape, chip, BytesPerSecond(1e12));
  ASSERT_FALSE(no.has_value());
  // One row of 128 inputs in bf16, 128 x 128 weights, 128 sums; less the 1,024 bytes of a core.
  EXPECT_NE(no.error().reason.find("33536 bytes of local memory (core.sram: 256 for inputs, 32768 "
                                   "for weights, 512 for sums), 32512 more than a core has"),
            std::string::npos)
      << no.error().reason;
}

}  // namespace
}  // namespace presil
