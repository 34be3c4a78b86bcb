#include "kernels/gemm_law.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "kernels/gemm_tiles.h"

namespace presil::kernels {
namespace {

/// 100 cores of 1000 bf16 multiply-adds a clock at 1 GHz: 200 TFLOP/s; 1000 GB/s; no power limit.
Machine round_machine() {
  Machine m;
  m.generation = "wgmma";
  m.cores = 100;
  m.clock_ghz = 1;
  m.macs_per_cycle = {{Format::bf16, 1000}, {Format::fp8_e4m3, 2000}};
  m.vector_flops_per_cycle = 128;
  m.l2_bytes = 20e6;
  m.l2_gbs = 5000;
  m.dram_gbs = 1000;
  m.dram_stream_gbs = 1000;
  return m;
}

std::vector<double> values(const std::string& engine = "trtllm", const std::string& type = "bf16") {
  return ConstantTable().values(gemm_law(), {engine, type, "wgmma", "library"});
}

double dram_us(const Machine& m, const Traffic& t) {
  return (t.read + t.written) / (m.dram_stream_gbs * 1e3);
}

double predicted_us(const GemmCall& call, const Machine& m,
                    Residency residency = Residency::streaming,
                    const std::optional<GemmTile>& pinned = {}) {
  const double dram = dram_us(m, gemm_traffic(call, m, residency));
  const auto constants = values();
  return total_us(gemm_terms(call, m, constants, dram, pinned), dram);
}

TEST(GemmLaw, ColdOperandsAreReadOnceAndResultsWrittenOnce) {
  // A: 100 x 3000, B: 2000 x 3000, C: 100 x 2000, all of two bytes.
  const Traffic t = gemm_traffic({100, 2000, 3000}, round_machine(), Residency::streaming);
  EXPECT_EQ(t.read, 2.0 * (100 * 3000 + 2000 * 3000));
  EXPECT_EQ(t.written, 2.0 * 100 * 2000);
}

TEST(GemmLaw, FiveCopiesOfASmallWeightStayInTheCache) {
  const Machine m = round_machine();
  const Traffic small = gemm_traffic({16, 512, 512}, m, Residency::cycling);
  const Traffic large = gemm_traffic({16, 8192, 8192}, m, Residency::cycling);
  EXPECT_LT(small.read, 0.01 * 2 * 512 * 512);  // 2.7 MB of 20
  EXPECT_GT(large.read, 0.99 * 2 * 8192 * 8192);
}

TEST(GemmLaw, QuantisingReadsSixteenBitsAndWritesEight) {
  GemmCall call{100, 2000, 4096};
  call.types = *gemm_types("fp8_block");
  const Traffic t = gemm_traffic(call, round_machine(), Residency::streaming);
  // fp8 operands with fp32 scales of 128 elements and 128 x 128 blocks, and the pass before.
  EXPECT_EQ(t.read, 100 * (4096 + 32 * 4) + 2000 * 4096 + 16 * 32 * 4 + 2.0 * 100 * 4096);
  EXPECT_EQ(t.written, 2.0 * 100 * 2000 + 100 * 4096);
}

TEST(GemmLaw, IsNeverFasterThanItsArithmeticOrItsBytes) {
  const Machine m = round_machine();
  for (const std::int64_t rows : {1, 17, 129, 1000, 5000}) {
    for (const std::int64_t n : {32, 1024, 20000}) {
      for (const std::int64_t k : {32, 4096, 60000}) {
        const GemmCall call{rows, n, k};
        const double us = predicted_us(call, m);
        EXPECT_GE(us, 2e-6 * static_cast<double>(rows * n * k) / m.peak_tflops(Format::bf16));
        EXPECT_GE(us, dram_us(m, gemm_traffic(call, m, Residency::streaming)));
      }
    }
  }
}

TEST(GemmLaw, TheTermsAddUpToTheTotalTheTileWasChosenBy) {
  const Machine m = round_machine();
  const GemmCall call{1000, 4096, 4096};
  EXPECT_NEAR(predicted_us(call, m),
              predicted_us(call, m, Residency::streaming, gemm_tile(call, m, values(), 56.0)),
              0.1 * predicted_us(call, m));
}

TEST(GemmLaw, MoreComputeOrBandwidthIsNeverSlowerOnAPinnedTile) {
  const GemmCall call{700, 3000, 5000};
  const GemmTile pinned{128, 128, 2};
  Machine m = round_machine();
  double last = predicted_us(call, m, Residency::streaming, pinned);
  for (int step = 0; step < 8; ++step) {
    (step % 2 == 0 ? m.dram_stream_gbs : m.macs_per_cycle[Format::bf16]) *= 1.3;
    const double now = predicted_us(call, m, Residency::streaming, pinned);
    EXPECT_LE(now, last * 1.0001);
    last = now;
  }
}

TEST(GemmLaw, ASplitOfKHelpsWhenTilesAreFew) {
  EXPECT_GT(gemm_tile({16, 256, 65536}, round_machine(), values(), 34).split, 1);
  EXPECT_EQ(gemm_tile({8192, 8192, 1024}, round_machine(), values(), 170).split, 1);
}

TEST(GemmLaw, ABoardThatGivesHalfTheWattsHalvesALongProduct) {
  Machine m = round_machine();
  m.pj_per_flop = {{Format::bf16, 2.0}};
  m.power_limit_w = 130;
  m.power_idle_w = 30;
  const GemmCall call{8192, 8192, 8192};
  const double energy = values()[8];  // of the chip's own, of the constants
  const double flops = 2.0 * 8192 * 8192 * 8192;
  EXPECT_NEAR(predicted_us(call, m), flops * 2e-12 * energy / 100 * 1e6, 50);
}

TEST(GemmLaw, EveryTypeIsPredictedEvenWhereTheEngineLacksIt) {
  const Machine m = round_machine();
  for (const char* name : {"bf16", "fp16", "fp8", "fp8_block", "int4_wo", "int8_wo", "sq", "int8",
                           "nvfp4", "mxfp4", "mxfp8"}) {
    GemmCall call{64, 4096, 4096};
    call.types = *gemm_types(name);
    const double us = predicted_us(call, m);
    EXPECT_GT(us, 1) << name;
    EXPECT_LT(us, 1000) << name;
  }
  EXPECT_FALSE(gemm_types("fp7"));
}

TEST(GemmKernels, FollowTheEnginesRules) {
  EXPECT_EQ(gemm_kernel("trtllm", "bf16", "wgmma", 64, 4096, 4096), GemmKernel::library);
  EXPECT_EQ(gemm_kernel("trtllm", "fp8", "wgmma", 64, 4096, 4096), GemmKernel::library);
  EXPECT_EQ(gemm_kernel("vllm", "fp8", "wgmma", 64, 4096, 4096), GemmKernel::cutlass);
  EXPECT_EQ(gemm_kernel("sglang", "fp8", "wgmma", 64, 4096, 4096), GemmKernel::sgl_cutlass);
  EXPECT_EQ(gemm_kernel("trtllm", "fp8_block", "wgmma", 31, 4096, 4096), GemmKernel::swapped);
  EXPECT_EQ(gemm_kernel("trtllm", "fp8_block", "wgmma", 32, 4096, 4096), GemmKernel::blocks);
  EXPECT_EQ(gemm_kernel("sglang", "fp8_block", "wgmma", 1, 4096, 4096), GemmKernel::tall_blocks);
  EXPECT_EQ(gemm_kernel("vllm", "fp8_block", "wgmma", 31, 4096, 4096), GemmKernel::flashinfer);
  EXPECT_EQ(gemm_kernel("vllm", "fp8_block", "wgmma", 32, 4096, 4096), GemmKernel::tall_blocks);
  EXPECT_EQ(gemm_kernel("vllm", "fp8_block", "wgmma", 32, 4096, 64), GemmKernel::cutlass_block);
}

GemmCall blocks_of(std::int64_t m, std::int64_t n, std::int64_t k, GemmKernel kernel) {
  GemmCall call{m, n, k};
  call.types = *gemm_types("fp8_block");
  call.kernel = kernel;
  return call;
}

TEST(GemmTiles, OfScaledBlocksFillTheFewestWavesBest) {
  const auto expect = [](bool tall, std::int64_t m, std::int64_t n, std::int64_t tm,
                         std::int64_t tn) {
    const GemmTile t = tile_by_waves(tall, m, n, 132);
    EXPECT_EQ(t.m, tm) << m << " x " << n;
    EXPECT_EQ(t.n, tn) << m << " x " << n;
  };
  // Two rows of tiles: 16 wide they are 2 x 64 = 128 of 132 cores, 24 wide 2 x 43 = 86.
  expect(false, 256, 1024, 128, 16);
  // 32 x 8 tiles of 128 x 128 fill 2 waves of 132, as do no others that are narrower.
  expect(false, 4096, 1024, 128, 128);
  // 16 x 8 tiles of 256 x 128 fit one wave; of 128 x 192 it takes 32 x 6 = 192, two.
  expect(true, 4096, 1024, 256, 128);
  // Few tokens: 16 rows are enough, 4096 / 32 = 128 tiles.
  expect(true, 16, 4096, 16, 32);
}

TEST(GemmTiles, StallInOneWaveOfTallOnesOnly) {
  EXPECT_TRUE(stalls({256, 128}, 4096, 1024, 132));   // 16 x 8 = 128 full tiles
  EXPECT_FALSE(stalls({256, 128}, 4097, 1024, 132));  // 17 x 8 = 136, two waves
  EXPECT_FALSE(stalls({256, 128}, 1025, 3072, 132));  // 4 x 24 = 96 full ones, under 106
  EXPECT_FALSE(stalls({256, 112}, 4096, 896, 132));   // 112 is no multiple of 32
  EXPECT_FALSE(stalls({128, 128}, 2048, 1024, 132));  // 16,384 sums
}

TEST(GemmLaw, RowsOutsideTheProductCostScaledBlocksTimeWhereCopiesAreBulk) {
  Machine m = round_machine();
  const auto us = [&](std::int64_t tokens) {
    GemmCall call = blocks_of(tokens, 4096, 8192, GemmKernel::blocks);
    call.types.quantises = false;
    return total_us(gemm_terms(call, m, values("trtllm", "fp8_block"), 20), 20);
  };
  // 129 tokens are two tiles, as 256 are, but 127 rows of the second are outside.
  EXPECT_GT(us(129), 1.05 * us(256));
  m.generation = "mma";
  EXPECT_LE(us(129), us(256));
}

TEST(GemmLaw, ScalesOfBlocksTakeVectorWorkUnlessTheMatrixEngineAppliesThem) {
  Machine m = round_machine();
  const auto us = [&](double vector_flops) {
    m.vector_flops_per_cycle = vector_flops;
    const GemmCall call = blocks_of(4096, 4096, 8192, GemmKernel::blocks);
    return total_us(gemm_terms(call, m, values("trtllm", "fp8_block"), 20), 20);
  };
  EXPECT_GT(us(64), us(128));
  m.generation = "tcgen05";
  EXPECT_EQ(us(64), us(128));
}

TEST(GemmLaw, ATileOfAFixedTableTakesAtLeastItsLatency) {
  const Machine m = round_machine();
  GemmCall call{64, 100 * 64 * 8, 32};  // 8 waves of 100 tiles with next to nothing to multiply
  call.types = *gemm_types("fp8");
  call.kernel = GemmKernel::sgl_cutlass;
  const auto c = values("sglang", "fp8");
  const double tile_cycles = c[15];
  EXPECT_GE(total_us(gemm_terms(call, m, c, 1), 1), 8 * tile_cycles / 1e3);
}

}  // namespace
}  // namespace presil::kernels
