// The scoreboard as a user meets it: a folder of rows in, errors out.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;

class SiliconCli : public Cli {
 protected:
  void write_rows(const std::string& rows) const {
    std::ofstream(folder_ / "gemm.csv") << "chip,backend,dtype,m,n,k,latency_us,colour\n" << rows;
  }
};

TEST_F(SiliconCli, RowsAreScoredOrSkippedWithAReason) {
  write_rows(
      "H100-SXM-80GB,trtllm,bf16,4096,4096,4096,230,red\n"
      "TPU-v6e,jax,bf16,4096,4096,4096,190,red\n"
      "Nimbus-9,vllm,bf16,4096,4096,4096,100,red\n");
  const Answer a = presil({"verify", "silicon", "--data", ".", "--json"});
  ASSERT_EQ(a.status, 0) << a.err;
  const Json json = a.json();
  ASSERT_EQ(json["scores"].size(), 2U);
  for (const Json& s : json["scores"]) {
    EXPECT_EQ(s["rows"], 1);
    EXPECT_EQ(s["regime"], "compute") << s;
    EXPECT_LT(s["mape"].get<double>(), 40) << s;
  }
  ASSERT_EQ(json["skipped"].size(), 1U);
  EXPECT_EQ(json["skipped"][0]["reason"], "no chip file has the alias Nimbus-9");
  EXPECT_EQ(json["notes"][0], "gemm.csv: ignored columns: colour");
}

TEST_F(SiliconCli, TheSameRowsGiveTheSameBytes) {
  write_rows(
      "H100-SXM-80GB,trtllm,bf16,4096,4096,4096,230,red\n"
      "A100-SXM-80GB,vllm,bf16,8,4096,4096,30,red\n");
  const auto once = [&](const char* threads) {
    return presil({"verify", "silicon", "--data", ".", "--json", "--no-host", "-j", threads}).out;
  };
  EXPECT_EQ(once("1"), once("2"));
}

TEST_F(SiliconCli, WhatCannotBeDoneIsRefused) {
  EXPECT_EQ(presil({"verify", "silicon", "--data", "none"}).status, 3);
  EXPECT_EQ(presil({"verify", "silicon", "--folds", "5", "--fit"}).status, 2);
  EXPECT_EQ(presil({"verify", "silicon", "--out", "x.yaml"}).status, 2);
  write_rows("H100-SXM-80GB,trtllm,bf16,4096,x,4096,230,red\n");
  const Answer a = presil({"verify", "silicon", "--data", "."});
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("gemm.csv:2:32"), std::string::npos) << a.err;
}

}  // namespace
