#include "silicon/gemm_rows.h"

#include <gtest/gtest.h>

namespace presil::silicon {
namespace {

using kernels::Machine;
using kernels::Residency;

Machine hopper_like() {
  Machine m;
  m.generation = "wgmma";
  m.cores = 132;
  m.clock_ghz = 1.98;
  m.macs_per_cycle = {{Format::bf16, 2048}, {Format::fp8_e4m3, 4096}};
  m.l2_bytes = 25e6;
  m.l2_gbs = 6760;
  m.dram_stream_gbs = 3266;
  return m;
}

Row row(const std::string& backend, const std::string& dtype, double us) {
  Row r;
  r.source = "ai-dynamo/aiconfigurator";
  r.chip = "H100-SXM-80GB";
  r.backend = backend;
  r.dtype = dtype;
  r.m = 64;
  r.n = 4096;
  r.k = 4096;
  r.latency_us = us;
  return r;
}

TEST(GemmRows, TakeTheKernelFromTheEnginesRules) {
  const auto judged = judge_gemm(row("trtllm", "fp8_block", 10), hopper_like());
  const auto& gemm = std::get<JudgedGemm>(judged);
  EXPECT_EQ(gemm.situation, (kernels::Situation{"trtllm", "fp8_block", "wgmma", "blocks"}));
  EXPECT_EQ(gemm.residency, Residency::cycling);
}

TEST(GemmRows, OfWholeLayersFindColdCachesAndOfPythonCallsTheHost) {
  Row r = row("pytorch", "fp16", 30);
  r.source = "PrincetonUniversity/LLMCompass";
  r.kernel = "torch_matmul";
  const auto judged = judge_gemm(r, hopper_like());
  EXPECT_EQ(std::get<JudgedGemm>(judged).residency, Residency::streaming);
  EXPECT_EQ(std::get<JudgedGemm>(judged).situation.kernel, "eager");
}

TEST(GemmRows, OfAnUnknownTypeSayWhy) {
  const auto judged = judge_gemm(row("vllm", "fp7", 10), hopper_like());
  EXPECT_EQ(std::get<std::string>(judged), "type fp7 is unknown");
}

}  // namespace
}  // namespace presil::silicon
