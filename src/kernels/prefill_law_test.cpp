#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/attention_law.h"

namespace presil::kernels {
namespace {

/// The two fitted chips' features (data sheets), and a Blackwell-like third.
Machine a100() {
  Machine m;
  m.generation = "mma";
  m.cores = 108;
  m.clock_ghz = 1.41;
  m.macs_per_cycle = {{Format::bf16, 1024}};
  m.vector_flops_per_cycle = 128;
  m.exp_per_cycle = 16;
  m.local_bytes = 192 * 1024;
  m.l2_bytes = 20.0 * 1024 * 1024;
  m.l2_gbs = 6091;
  m.dram_gbs = 2039;
  m.dram_stream_gbs = 1829;
  return m;
}

Machine h100() {
  Machine m = a100();
  m.generation = "wgmma";
  m.cores = 132;
  m.clock_ghz = 1.98;
  m.macs_per_cycle = {{Format::bf16, 2048}, {Format::fp8_e4m3, 4096}};
  m.vector_flops_per_cycle = 256;
  m.l2_bytes = 25.0 * 1024 * 1024;
  m.l2_gbs = 10454;
  m.dram_gbs = 3350;
  m.dram_stream_gbs = 3266;
  return m;
}

Machine b200() {
  Machine m = h100();
  m.generation = "tcgen05";
  m.cores = 148;
  m.clock_ghz = 1.9;
  m.macs_per_cycle = {{Format::bf16, 4096}, {Format::fp8_e4m3, 8192}};
  m.dram_gbs = 8000;
  m.dram_stream_gbs = 7800;
  return m;
}

AttentionCall llama(const AttentionGroup& group) {
  AttentionCall call;
  call.groups = std::span(&group, 1);
  call.heads = 32;
  call.kv_heads = 8;
  call.head_dim = 128;
  return call;
}

double microseconds(const AttentionCall& call, const Machine& m, const std::string& engine = "vllm",
                    Residency residency = Residency::streaming) {
  const Situation s{engine, "bf16", m.generation, prefill_kernel(engine, m.generation, call)};
  const std::vector<double> constants = ConstantTable{}.values(prefill_law(), s);
  const Traffic traffic = prefill_traffic(call, m, residency);
  const double dram_us = (traffic.read + traffic.written) / (m.dram_stream_gbs * 1e3);
  return total_us(prefill_terms(call, m, s, constants, dram_us), dram_us);
}

TEST(PrefillLaw, ColdTrafficIsEachOperandOnce) {
  const AttentionGroup group{.batch = 2, .seq = 100, .context = 50};
  AttentionCall call = llama(group);
  call.cache = Format::fp8_e4m3;
  const Traffic t = prefill_traffic(call, h100(), Residency::streaming);
  // bf16 Q, K and V of 200 new tokens; fp8 K and V of 2 x 50 earlier ones.
  EXPECT_EQ(t.read, 200 * (32 + 2 * 8) * 128 * 2 + 100 * 2 * 8 * 128);
  // bf16 O, and the new tokens' K and V into the fp8 cache.
  EXPECT_EQ(t.written, 200 * 32 * 128 * 2 + 200 * 2 * 8 * 128);
}

TEST(PrefillLaw, AWindowLimitsTheCacheThatIsRead) {
  const AttentionGroup group{.batch = 1, .seq = 1, .context = 10000};
  AttentionCall call = llama(group);
  call.window = 1000;
  const Traffic t = prefill_traffic(call, h100(), Residency::streaming);
  EXPECT_EQ(t.read, (32 + 2 * 8) * 128 * 2 + 1000 * 2 * 8 * 128 * 2);
}

TEST(PrefillLaw, WhatFitsIntoACyclingCacheMovesNothing) {
  const AttentionGroup group{.batch = 1, .seq = 16};
  const AttentionCall call = llama(group);
  const Traffic cold = prefill_traffic(call, h100(), Residency::streaming);
  const Traffic warm = prefill_traffic(call, h100(), Residency::cycling);
  EXPECT_LT(warm.read, 1e-3 * cold.read);
}

TEST(PrefillLaw, NeverBeatsThePeak) {
  for (const Machine& m : {a100(), h100(), b200()}) {
    for (const std::string engine : {"trtllm", "vllm", "sglang", "pytorch"}) {
      for (const std::int64_t d : {64, 128, 192, 256, 512}) {
        for (const std::int64_t seq : {1, 100, 1000, 30000}) {
          const AttentionGroup group{.batch = 4, .seq = seq};
          AttentionCall call = llama(group);
          call.head_dim = d;
          const double pairs = 4.0 * 32 * static_cast<double>(seq) * static_cast<double>(seq) / 2;
          const double us = microseconds(call, m, engine);
          EXPECT_GT(us, 4 * static_cast<double>(d) * pairs / (m.peak_tflops(Format::bf16) * 1e6))
              << m.generation << ' ' << engine << " head_dim " << d << " seq " << seq;
        }
      }
    }
  }
}

TEST(PrefillLaw, MoreHeadsMoreTokensMoreContextAreNeverFaster) {
  const AttentionGroup small{.batch = 2, .seq = 1000, .context = 500};
  const AttentionGroup more_context{.batch = 2, .seq = 1000, .context = 5000};
  const AttentionGroup more_tokens{.batch = 2, .seq = 2000, .context = 500};
  const AttentionGroup more_sequences{.batch = 4, .seq = 1000, .context = 500};
  const double us = microseconds(llama(small), h100());
  EXPECT_GT(microseconds(llama(more_context), h100()), us);
  EXPECT_GT(microseconds(llama(more_tokens), h100()), us);
  EXPECT_GT(microseconds(llama(more_sequences), h100()), us);
}

TEST(PrefillLaw, GroupsOfEqualSequencesAreOneLargerGroup) {
  const AttentionGroup four{.batch = 4, .seq = 700, .context = 300};
  const std::array<AttentionGroup, 4> apart = {
      AttentionGroup{.batch = 1, .seq = 700, .context = 300},
      AttentionGroup{.batch = 1, .seq = 700, .context = 300},
      AttentionGroup{.batch = 1, .seq = 700, .context = 300},
      AttentionGroup{.batch = 1, .seq = 700, .context = 300}};
  AttentionCall call = llama(four);
  const double together = microseconds(call, h100());
  call.groups = apart;
  EXPECT_DOUBLE_EQ(microseconds(call, h100()), together);
}

TEST(PrefillLaw, MoreExpUnitsHelpWhereTensorCoresHaveGrownPastThem) {
  // 128 x 128 scores at d = 128: 2,048 cycles of Hopper's tensor cores against 1,024 of exps, but
  // 1,024 against 1,024 on tcgen05; so doubling exps gains more there.
  const AttentionGroup group{.batch = 4, .seq = 8192};
  const auto gain = [&](Machine m) {
    const double before = microseconds(llama(group), m);
    m.exp_per_cycle *= 2;
    return before / microseconds(llama(group), m);
  };
  EXPECT_GT(gain(h100()), 1);
  EXPECT_GT(gain(b200()), gain(h100()));
}

TEST(PrefillLaw, SlowerTensorCoresReachMoreOfTheirPeak) {
  // What keeps tensor cores waiting (exps, fragments from local memory) takes the same cycles
  // whatever their rate.
  const AttentionGroup group{.batch = 4, .seq = 8192};
  for (const Machine& m : {a100(), h100()}) {
    Machine slow = m;
    slow.macs_per_cycle[Format::bf16] /= 4;
    EXPECT_LT(microseconds(llama(group), slow), 3.2 * microseconds(llama(group), m));
  }
}

TEST(PrefillLaw, AWindowSavesMostOfALongSequence) {
  const AttentionGroup group{.batch = 4, .seq = 16384};
  AttentionCall call = llama(group);
  const double full = microseconds(call, h100());
  call.window = 1024;  // of 8,192 keys on average: an eighth, with tile edges less than a quarter
  EXPECT_LT(microseconds(call, h100()), full / 4);
}

TEST(PrefillLaw, KernelsFollowEngineAndTensorCores) {
  const AttentionGroup group{.seq = 100};
  AttentionCall call = llama(group);
  EXPECT_EQ(prefill_kernel("vllm", "mma", call), "fa2");
  EXPECT_EQ(prefill_kernel("vllm", "wgmma", call), "fa3");
  EXPECT_EQ(prefill_kernel("trtllm", "wgmma", call), "fmha");
  EXPECT_EQ(prefill_kernel("trtllm", "tcgen05", call), "fa3");
  call.head_dim = 512;
  EXPECT_EQ(prefill_kernel("sglang", "wgmma", call), "triton");
}

TEST(PrefillLaw, BoundsHoldEachFirstGuess) {
  for (const ConstantInfo& c : prefill_law().constants) {
    EXPECT_LE(c.low, c.start) << c.name;
    EXPECT_LE(c.start, c.high) << c.name;
  }
}

}  // namespace
}  // namespace presil::kernels
