#include "silicon/prefill_rows.h"

#include <gtest/gtest.h>

namespace presil::silicon {
namespace {

kernels::Machine hopper() {
  kernels::Machine m;
  m.generation = "wgmma";
  m.cores = 132;
  m.clock_ghz = 1.98;
  m.macs_per_cycle = {{Format::bf16, 2048}, {Format::fp8_e4m3, 4096}};
  m.exp_per_cycle = 16;
  m.local_bytes = 256 * 1024;
  m.l2_bytes = 25.0 * 1024 * 1024;
  m.l2_gbs = 10454;
  m.dram_stream_gbs = 3266;
  return m;
}

Row row_of(std::int64_t batch, std::int64_t seq, double us) {
  Row r;
  r.op = MeasuredOp::attention_prefill;
  r.chip = "H";
  r.backend = "vllm";
  r.dtype = "bf16";
  r.kv_dtype = "fp8";
  r.batch = batch;
  r.seq = seq;
  r.heads = 32;
  r.kv_heads = 8;
  r.head_dim = 128;
  r.latency_us = us;
  return r;
}

TEST(PrefillRows, ARowBecomesTheCallItMeasured) {
  const auto judged = judge_prefill(row_of(4, 1000, 100), hopper());
  ASSERT_TRUE(std::holds_alternative<JudgedPrefill>(judged));
  const JudgedPrefill j = std::get<JudgedPrefill>(judged);
  EXPECT_EQ(j.situation, (kernels::Situation{"vllm", "bf16/fp8", "wgmma", "fa3"}));
  EXPECT_EQ(j.call().groups.front().batch, 4);
  EXPECT_EQ(j.call().cache, Format::fp8_e4m3);
}

TEST(PrefillRows, UnevenHeadsAndUnknownTypesAreRefusedWithAReason) {
  Row uneven = row_of(1, 10, 10);
  uneven.kv_heads = 7;
  EXPECT_EQ(std::get<std::string>(judge_prefill(uneven, hopper())),
            "32 heads do not share 7 KV heads evenly");
  Row strange = row_of(1, 10, 10);
  strange.kv_dtype = "fp3";
  EXPECT_EQ(std::get<std::string>(judge_prefill(strange, hopper())),
            "type bf16 with a cache of fp3");
}

}  // namespace
}  // namespace presil::silicon
