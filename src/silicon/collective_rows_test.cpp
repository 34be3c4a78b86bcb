#include "silicon/collective_rows.h"

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil::silicon {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Row row(const std::string& kernel, const std::string& kind, std::int64_t tp) {
  Row r;
  r.op = MeasuredOp::collective;
  r.chip = "A100-SXM-80GB";
  r.backend = "nccl";
  r.backend_version = kernel.find("per_node") == std::string::npos ? "2.27.3" : "vidur-2024";
  r.kernel = kernel;
  r.kind = kind;
  r.tp = tp;
  r.bytes = 1e6;
  r.latency_us = 100;
  return r;
}

class CollectiveRows : public testing::Test {
 protected:
  std::variant<JudgedCollective, std::string> judge(const Row& r) {
    return judge_collective(r, machine, files.chip, [](const std::string& name) {
      return load_network(name, {}, kHome).network;
    });
  }
  kernels::Fabric fabric(const Row& r) { return std::get<JudgedCollective>(judge(r)).call.fabric; }

  ChipFiles files = load_chip("A100-SXM-80GB", {}, kHome);
  kernels::Machine machine = kernels::machine_of(files, 1800);
};

TEST_F(CollectiveRows, AServersRowsTakeTheChipsLinks) {
  const kernels::Fabric f = fabric(row("NCCL", "all_gather", 8));
  EXPECT_EQ(f.nodes(), 1);
  EXPECT_DOUBLE_EQ(f.link_gbs, 300);
}

TEST_F(CollectiveRows, KernelNamesSayHowManyRanksANodeHolds) {
  EXPECT_EQ(fabric(row("NCCL/a100_dgx/per_node_4", "all_reduce", 8)).nodes(), 2);
  EXPECT_EQ(fabric(row("NCCL/a100_dgx/per_node_8", "all_reduce", 8)).nodes(), 1);
}

TEST_F(CollectiveRows, BridgesJoinPairsAndPcieTheRest) {
  const kernels::Fabric f = fabric(row("NCCL/a100_pairwise_nvlink/per_node_4", "all_reduce", 4));
  EXPECT_EQ(f.ranks_a_node, 2);
  EXPECT_TRUE(f.in_host);
  EXPECT_DOUBLE_EQ(f.network_gbs, 31.5);
}

TEST_F(CollectiveRows, HostTimeIsToldFromGraphs) {
  Row r = row("vLLM_custom_eager/vllm_eager", "all_reduce", 2);
  r.backend = "vllm";
  EXPECT_EQ(std::get<JudgedCollective>(judge(r)).situation.kernel, "eager");
  r.kernel = "vLLM_custom_graph/vllm_graph";
  EXPECT_EQ(std::get<JudgedCollective>(judge(r)).situation.kernel, "graph");
}

TEST_F(CollectiveRows, WhatCannotBePredictedSaysWhy) {
  EXPECT_EQ(std::get<std::string>(judge(row("NCCL", "broadcast", 8))),
            "no collective is called 'broadcast'");
  EXPECT_EQ(std::get<std::string>(judge(row("NCCL", "all_reduce", 1))),
            "a group of fewer than two");
}

}  // namespace
}  // namespace presil::silicon
