#include "silicon/decode_rows.h"

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
  ASSERT_TRUE(std::holds_alternative<JudgedDecode>(judged));
  const JudgedDecode& j = std::get<JudgedDecode>(judged);
  EXPECT_EQ(j.group.seq, 1);
  EXPECT_EQ(j.group.context, 1023);
  EXPECT_EQ(j.situation.kernel, "xqa");
  EXPECT_EQ(j.situation.type, "bf16");
}

TEST(DecodeRows, ACacheOfItsOwnTypeIsNamedAfterASlash) {
  Row row = measured();
  row.kv_dtype = "fp8";
  const JudgedDecode j = std::get<JudgedDecode>(judge_decode(row, machine()));
  EXPECT_EQ(j.situation.type, "bf16/fp8");
  EXPECT_EQ(j.situation.kernel, "xqa_async");
  EXPECT_EQ(j.shape.cache, Format::fp8_e4m3);
}

TEST(DecodeRows, ProfiledKernelsOfTheFirstVllmAreNeverSplit) {
  Row row = measured();
  row.backend = "vllm";
  row.kernel = "vllm_flash_attn_fa3";
  EXPECT_EQ(std::get<JudgedDecode>(judge_decode(row, machine())).situation.kernel, "fa3");
  row.kernel = "flash_attention";
  EXPECT_EQ(std::get<JudgedDecode>(judge_decode(row, machine())).situation.kernel, "fa2_lone");
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

}  // namespace
}  // namespace presil::silicon
