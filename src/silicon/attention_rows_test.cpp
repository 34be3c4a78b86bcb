#include "silicon/attention_rows.h"

#include <gtest/gtest.h>

namespace presil::silicon {
namespace {

Row measured() {
  Row row;
  row.op = MeasuredOp::attention_decode;
  row.backend = "trtllm";
  row.dtype = row.kv_dtype = "bf16";
  row.batch = 4;
  row.seq = 1;
  row.context = 1024;
  row.heads = 32;
  row.kv_heads = 8;
  row.head_dim = 128;
  row.latency_us = 27;
  return row;
}

kernels::Machine machine() {
  kernels::Machine m;
  m.generation = "wgmma";
  m.cores = 132;
  m.clock_ghz = 1.98;
  m.macs_per_cycle = {{Format::bf16, 2048}, {Format::fp8_e4m3, 4096}};
  m.exp_per_cycle = 16;
  m.l2_bytes = 26e6;
  m.l2_gbs = 6760;
  m.dram_gbs = 3350;
  m.dram_stream_gbs = 3266;
  return m;
}

TEST(DecodeRows, TheNewTokenIsOneOfTheContext) {
  const auto judged = judge_decode(measured(), machine());
  ASSERT_TRUE(std::holds_alternative<JudgedAttention>(judged));
  const JudgedAttention& j = std::get<JudgedAttention>(judged);
  EXPECT_EQ(j.group.seq, 1);
  EXPECT_EQ(j.group.context, 1023);
  EXPECT_EQ(j.situation.kernel, "xqa");
  EXPECT_EQ(j.situation.type, "bf16");
}

TEST(DecodeRows, ACacheOfItsOwnTypeIsNamedAfterASlash) {
  Row row = measured();
  row.kv_dtype = "fp8";
  const JudgedAttention j = std::get<JudgedAttention>(judge_decode(row, machine()));
  EXPECT_EQ(j.situation.type, "bf16/fp8");
  EXPECT_EQ(j.situation.kernel, "xqa_async");
  EXPECT_EQ(j.shape.cache, Format::fp8_e4m3);
}

TEST(DecodeRows, ProfiledKernelsOfTheFirstVllmAreNeverSplit) {
  Row row = measured();
  row.backend = "vllm";
  row.kernel = "vllm_flash_attn_fa3";
  EXPECT_EQ(std::get<JudgedAttention>(judge_decode(row, machine())).situation.kernel, "fa3");
  row.kernel = "flash_attention";
  EXPECT_EQ(std::get<JudgedAttention>(judge_decode(row, machine())).situation.kernel, "fa2_lone");
}

TEST(DecodeRows, AnUnknownTypeAndUnevenHeadsAreReasons) {
  Row row = measured();
  row.kv_dtype = "turbo3";
  EXPECT_EQ(std::get<std::string>(judge_decode(row, machine())), "unknown type turbo3");
  row = measured();
  row.heads = 9;
  EXPECT_EQ(std::get<std::string>(judge_decode(row, machine())),
            "9 heads do not share 8 of the cache evenly");
}

Row prefill(std::int64_t batch, std::int64_t seq, double us) {
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
  const auto judged = judge_prefill(prefill(4, 1000, 100), machine());
  ASSERT_TRUE(std::holds_alternative<JudgedAttention>(judged));
  const JudgedAttention j = std::get<JudgedAttention>(judged);
  EXPECT_EQ(j.situation, (kernels::Situation{"vllm", "bf16/fp8", "wgmma", "fa3"}));
  EXPECT_EQ(j.call().groups.front().batch, 4);
  EXPECT_EQ(j.call().cache, Format::fp8_e4m3);
}

TEST(PrefillRows, UnevenHeadsAndUnknownTypesAreRefusedWithAReason) {
  Row uneven = prefill(1, 10, 10);
  uneven.kv_heads = 7;
  EXPECT_EQ(std::get<std::string>(judge_prefill(uneven, machine())),
            "32 heads do not share 7 of the cache evenly");
  Row strange = prefill(1, 10, 10);
  strange.kv_dtype = "fp3";
  EXPECT_EQ(std::get<std::string>(judge_prefill(strange, machine())), "unknown type fp3");
}

}  // namespace
}  // namespace presil::silicon
