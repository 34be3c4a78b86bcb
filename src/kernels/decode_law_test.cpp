#include <cmath>

#include <gtest/gtest.h>

#include "kernels/attention_law.h"
#include "kernels/decode_plan.h"

namespace presil::kernels {
namespace {

/// As large as an A100, with round numbers.
Machine small_gpu(std::string generation = "mma") {
  Machine m;
  m.generation = std::move(generation);
  m.cores = 100;
  m.clock_ghz = 1;
  m.macs_per_cycle = {{Format::bf16, 1000}, {Format::fp8_e4m3, 2000}};
  m.vector_flops_per_cycle = 128;
  m.exp_per_cycle = 16;
  m.l2_bytes = 20e6;
  m.l2_gbs = 5000;
  m.dram_gbs = 2000;
  m.dram_stream_gbs = 1900;
  return m;
}

struct Timed {
  Traffic traffic;
  Terms terms;
  double us;
};

Timed timed(std::string_view engine, const AttentionCall& call, const Machine& m,
            Residency residency = Residency::streaming) {
  const Situation s{std::string(engine), "bf16", m.generation,
                    decode_kernel(engine, m.generation, call)};
  const std::vector<double> constants = ConstantTable{}.values(decode_law(), s);
  const Traffic traffic = decode_traffic(call, m, residency, s.kernel);
  const double dram_us = (traffic.read + traffic.written) / (m.dram_stream_gbs * 1e3);
  const Terms terms = decode_terms(call, m, s, constants, dram_us);
  return {traffic, terms, total_us(terms, dram_us)};
}

AttentionCall grouped(std::span<const AttentionGroup> groups) {
  return {.groups = groups, .heads = 32, .kv_heads = 8, .head_dim = 128};
}

TEST(DecodeLaw, ReadsKeysAndValuesOnce) {
  const AttentionGroup group{.batch = 4, .seq = 1, .context = 999};
  const Timed t = timed("trtllm", grouped({&group, 1}), small_gpu());
  // 4 sequences x 1000 keys x 8 heads x 128 x keys and values x 2 bytes, and the queries.
  const double queries = 4.0 * 32 * 128 * 2;
  EXPECT_DOUBLE_EQ(t.traffic.read, 4.0 * 1000 * 8 * 128 * 2 * 2 + queries);
  EXPECT_DOUBLE_EQ(t.traffic.written, queries);
}

TEST(DecodeLaw, AWindowBoundsWhatIsRead) {
  const AttentionGroup near{.batch = 4, .seq = 1, .context = 4095};
  const AttentionGroup far{.batch = 4, .seq = 1, .context = 65535};
  AttentionCall short_call = grouped({&near, 1}), long_call = grouped({&far, 1});
  short_call.window = long_call.window = 1024;
  for (const std::string_view engine : {"vllm", "sglang"}) {
    const Timed a = timed(engine, short_call, small_gpu());
    const Timed b = timed(engine, long_call, small_gpu());
    EXPECT_EQ(a.traffic.read, b.traffic.read) << engine;
    EXPECT_EQ(a.us, b.us) << engine;
  }
}

TEST(DecodeLaw, AShortLoopFindsItsCacheInTheLastLevel) {
  const AttentionGroup small{.batch = 1, .seq = 1, .context = 1023};   // 4 MB
  const AttentionGroup large{.batch = 32, .seq = 1, .context = 1023};  // 134 MB
  const Machine m = small_gpu();
  const auto share = [&](const AttentionGroup& g) {
    const AttentionCall call = grouped({&g, 1});
    return timed("vllm", call, m, Residency::cycling).traffic.read /
           timed("vllm", call, m).traffic.read;
  };
  EXPECT_LT(share(small), 0.01);
  EXPECT_GT(share(large), 0.99);
}

TEST(DecodeLaw, GroupsThatAreAlikeAreOneGroup) {
  const AttentionGroup whole{.batch = 16, .seq = 1, .context = 2000};
  const AttentionGroup halves[] = {{.batch = 8, .seq = 1, .context = 2000},
                                   {.batch = 8, .seq = 1, .context = 2000}};
  for (const std::string_view generation : {"mma", "wgmma", "tcgen05", "mfma"}) {
    for (const std::string_view engine : {"trtllm", "vllm", "sglang", "pytorch"}) {
      const Machine m = small_gpu(std::string(generation));
      EXPECT_DOUBLE_EQ(timed(engine, grouped({&whole, 1}), m).us,
                       timed(engine, grouped(halves), m).us)
          << generation << " " << engine;
    }
  }
}

TEST(DecodeLaw, ALongSequenceAmongShortOnesTakesAsLongAsItsKeys) {
  // FlashAttention 2 never splits plain heads: one CTA reads all 65536 keys of the longest.
  const AttentionGroup ragged[] = {{.batch = 99, .seq = 1, .context = 127},
                                   {.batch = 1, .seq = 1, .context = 65535}};
  AttentionCall call{.groups = ragged, .heads = 8, .kv_heads = 8, .head_dim = 128};
  const Machine m = small_gpu();
  const DecodePlan p = decode_plan(decode_kernel_named("fa2_plain", "mma"), "vllm", call, m);
  EXPECT_EQ(p.ctas, 800);
  EXPECT_EQ(p.longest, 65536);
  EXPECT_EQ(p.keys, 8 * (99.0 * 128 + 65536));
  // At least the products of that CTA's tiles of 64 rows at the peak of its core.
  EXPECT_GT(timed("vllm", call, m).terms.work, 4.0 * 64 * 128 * 65536 / (2 * 1000 * 1e3));
}

TEST(DecodeLaw, AKernelWithoutMatrixEnginesTakesAsLongForElementsOfAnySize) {
  // MMHA on one core: 65536 keys of 128 elements, and values, one element after the other.
  const AttentionGroup group{.batch = 100, .seq = 1, .context = 65535};
  AttentionCall call{.groups = {&group, 1}, .heads = 1, .kv_heads = 1, .head_dim = 128};
  const Machine m = small_gpu();
  const double wide = timed("trtllm", call, m).terms.work;
  call.cache = Format::fp8_e4m3;
  EXPECT_DOUBLE_EQ(timed("trtllm", call, m).terms.work, wide);
}

TEST(DecodePlan, FlashAttention2FillsTwoCtasACore) {
  // 8 CTAs on 100 cores: 25 splits fill one wave of 200 slots, 22 the first to pass 85 % of that;
  // of 64 blocks, 22 splits take 3 blocks each, as 32 would not.
  const AttentionGroup group{.batch = 1, .seq = 1, .context = 8191};
  const DecodePlan p =
      decode_plan(decode_kernel_named("fa2", "mma"), "vllm", grouped({&group, 1}), small_gpu());
  EXPECT_EQ(p.splits, 22);
  EXPECT_EQ(p.longest, 3 * 128);
}

TEST(DecodePlan, FlashAttention3SharesBlocksOut) {
  // 16 sequences x 8 heads x 64 blocks on 100 cores, and a tenth: 91 blocks a core, so no split.
  // 4 sequences: 23 blocks a core, so three splits of 22 blocks at most.
  const DecodeKernel& kernel = decode_kernel_named("fa3", "wgmma");
  const AttentionGroup many{.batch = 16, .seq = 1, .context = 8191};
  const AttentionGroup few{.batch = 4, .seq = 1, .context = 8191};
  EXPECT_EQ(decode_plan(kernel, "vllm", grouped({&many, 1}), small_gpu()).splits, 1);
  const DecodePlan p = decode_plan(kernel, "vllm", grouped({&few, 1}), small_gpu());
  EXPECT_EQ(p.splits, 3);
  EXPECT_EQ(p.longest, 22 * 128);
}

TEST(DecodePlan, VllmCutsNoSequenceIntoMoreThan32ForFlashAttention3) {
  // One CTA on 100 cores, 1,024 blocks: 11 a core with a tenth more, so 94 splits that SGLang
  // makes.
  const AttentionGroup group{.batch = 1, .seq = 1, .context = 131071};
  AttentionCall call{.groups = {&group, 1}, .heads = 8, .kv_heads = 1, .head_dim = 128};
  const DecodeKernel& kernel = decode_kernel_named("fa3", "wgmma");
  EXPECT_GT(decode_plan(kernel, "sglang", call, small_gpu()).splits, 64);
  EXPECT_EQ(decode_plan(kernel, "vllm", call, small_gpu()).splits, 32);
}

TEST(DecodePlan, CtasOutsideAWindowAreNotBusy) {
  // TensorRT-LLM cuts all 8,192 keys for 8 waves: one sequence and head, so 64 splits of 128 keys.
  // A window of 256 is in three of them at most.
  const AttentionGroup group{.batch = 1, .seq = 1, .context = 8191};
  AttentionCall call{.groups = {&group, 1}, .heads = 8, .kv_heads = 1, .head_dim = 128};
  const DecodeKernel& kernel = decode_kernel_named("xqa", "wgmma");
  EXPECT_EQ(decode_plan(kernel, "trtllm", call, small_gpu()).busy, 64);
  call.window = 256;
  const DecodePlan p = decode_plan(kernel, "trtllm", call, small_gpu());
  EXPECT_EQ(p.ctas, 64);
  EXPECT_GE(p.busy, 2);
  EXPECT_LE(p.busy, 3);
}

TEST(DecodePlan, ManyQueryHeadsACacheHeadAreTakenOneByOne) {
  const AttentionGroup group{.batch = 2, .seq = 1, .context = 100};
  AttentionCall call{.groups = {&group, 1}, .heads = 64, .kv_heads = 2, .head_dim = 128};
  EXPECT_EQ(decode_kernel("trtllm", "wgmma", call), "xqa");  // 32 to one
  call.kv_heads = 1;
  EXPECT_EQ(decode_kernel("trtllm", "wgmma", call), "mmha");
  EXPECT_EQ(decode_plan(decode_kernel_named("mmha", "wgmma"), "trtllm", call, small_gpu()).ctas,
            128);
}

TEST(DecodeLaw, NoCallIsFasterThanItsBytesOrItsProducts) {
  for (const std::string_view generation : {"mma", "wgmma", "tcgen05", "mfma", "xmx", ""}) {
    const Machine m = small_gpu(std::string(generation));
    for (const std::string_view engine : {"trtllm", "vllm", "sglang", "pytorch", "other"}) {
      for (const Format cache : {Format::bf16, Format::fp8_e4m3, Format::fp4_e2m1}) {
        for (const std::int64_t heads : {1, 8, 40, 128}) {
          for (const std::int64_t batch : {1, 7, 2048}) {
            for (const std::int64_t context : {0, 1, 1000, 131071}) {
              const AttentionGroup group{.batch = batch, .seq = 1, .context = context};
              const AttentionCall call{.groups = {&group, 1},
                                       .heads = heads,
                                       .kv_heads = heads > 8 ? 1 : heads,
                                       .head_dim = 128,
                                       .cache = cache};
              const Timed t = timed(engine, call, m);
              ASSERT_TRUE(std::isfinite(t.us));
              ASSERT_GE(t.us, (t.traffic.read + t.traffic.written) / (m.dram_gbs * 1e3));
              const double flops = 4.0 * static_cast<double>(heads * batch * (context + 1)) * 128;
              ASSERT_GE(t.us, flops / (m.peak_tflops(Format::fp8_e4m3) * 1e6));
            }
          }
        }
      }
    }
  }
}

TEST(DecodeLaw, MoreBandwidthIsNeverSlower) {
  const AttentionGroup group{.batch = 32, .seq = 1, .context = 4095};
  Machine m = small_gpu("wgmma");
  double before = 1e9;
  for (const double gbs : {500.0, 1000.0, 2000.0, 4000.0, 8000.0}) {
    m.dram_gbs = m.dram_stream_gbs = gbs;
    const double us = timed("trtllm", grouped({&group, 1}), m).us;
    EXPECT_LE(us, before);
    before = us;
  }
}

}  // namespace
}  // namespace presil::kernels
