// Mappings as a user meets them: printed, edited, pinned, refused.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli.h"

namespace {

using presil::testing::Answer;
using presil::testing::Cli;
using presil::testing::Json;
using presil::testing::operator+;

class MappingCli : public Cli {
 protected:
  const std::vector<std::string> decode_ = {"run",     "mtia-v2", "llama-3.2-1b",
                                            "--phase", "decode",  "--json"};

  std::vector<std::string> pinned(const std::string& lines) const {
    std::ofstream(folder_ / "mine.yaml") << "presil: mapping/1\nmappings:\n" << lines;
    return {"--mapping", "mine.yaml"};
  }
};

TEST_F(MappingCli, WhatCompilePrintsPinsTheSameTime) {
  const Answer printed = presil({"compile", "mtia-v2", "llama-3.2-1b", "--emit", "mapping"});
  ASSERT_EQ(printed.status, 0) << printed.err;
  std::ofstream(folder_ / "all.yaml") << printed.out;
  const Json searched = presil(decode_).json();
  const Answer again = presil(decode_ + std::vector<std::string>{"--mapping", "all.yaml"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.json()["phases"]["decode"]["time_s"], searched["phases"]["decode"]["time_s"]);
  EXPECT_EQ(presil({"check", "all.yaml"}).status, 0);
}

TEST_F(MappingCli, AWorseMappingIsSlower) {
  const double searched = presil(decode_).json()["phases"]["decode"]["time_s"];
  // All of n in one tile: one core works, 63 wait.
  const Answer a = presil(decode_ + pinned("  - {kernel: layer.down, loops: [n/2048 cores, m/1 "
                                           "cores, k/32 time]}\n"));
  ASSERT_EQ(a.status, 0) << a.err;
  EXPECT_GT(a.json()["phases"]["decode"]["time_s"].get<double>(), 1.1 * searched);
}

TEST_F(MappingCli, EveryComplaintHasItsPlace) {
  const Answer a = presil(decode_ + pinned("  - {kernel: layer.qvk, loops: [n/64 cores]}\n"
                                           "  - {kernel: layer.down, loops: [n/48 cores, m/1 "
                                           "cores, k/64 time]}\n"));
  EXPECT_EQ(a.status, 2);
  EXPECT_NE(a.err.find("mine.yaml:3:14"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("did you mean 'layer.qkv'?"), std::string::npos) << a.err;
  EXPECT_NE(a.err.find("mine.yaml:4:34"), std::string::npos) << a.err;
  EXPECT_EQ(presil(decode_ + std::vector<std::string>{"--mapping", "none.yaml"}).status, 3);
}

}  // namespace
