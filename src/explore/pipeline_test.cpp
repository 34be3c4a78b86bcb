#include "explore/pipeline.h"

#include <gtest/gtest.h>

#include "explore/run.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
const Places kPlaces{kHome, {}};

PhaseResult stage(const std::string& phase, std::int64_t microseconds) {
  PhaseResult p;
  p.name = phase;
  p.steps = 1;
  p.timeline.total = Picoseconds(microseconds * 1'000'000);
  p.timeline.charges[0] = p.timeline.total;
  p.timeline.dram_bytes = Bytes(100);
  p.timeline.counts.time = p.timeline.total;
  p.timeline.counts.dram_read = Bytes(100);
  return p;
}

double microseconds(Picoseconds t) {
  return 1e6 * to_seconds(t).count();
}

TEST(Pipeline, APromptPassesAllStagesAndOthersFollowTheSlowest) {
  const ChipFiles chip = load_chip("h100-sxm", {}, kHome);
  const PhaseResult p =
      join_stages({stage("prefill", 10), stage("prefill", 30), stage("prefill", 20)}, 4, chip);
  EXPECT_DOUBLE_EQ(microseconds(p.latency), 60);
  EXPECT_DOUBLE_EQ(microseconds(p.timeline.total), 60 + 3 * 30);
  EXPECT_EQ(p.timeline.dram_bytes, Bytes(3 * 4 * 100));  // four microbatches through three stages
  EXPECT_EQ(p.timeline.charges[0], p.timeline.total);
  EXPECT_EQ(p.line(), 3);
}

TEST(Pipeline, ADecodeStepIsHiddenBehindTheStagesOrTheSlowestOfThem) {
  const ChipFiles chip = load_chip("h100-sxm", {}, kHome);
  const auto step = [&](std::int64_t microbatches) {
    return microseconds(
        join_stages({stage("decode", 10), stage("decode", 30)}, microbatches, chip).timeline.total);
  };
  EXPECT_DOUBLE_EQ(step(1), 40);
  EXPECT_DOUBLE_EQ(step(2), 60);
  EXPECT_DOUBLE_EQ(step(4), 120);
}

TEST(Pipeline, OneMicrobatchTakesWhatOneChipTakesAndTheSends) {
  RunRequest q;
  q.chip = "h100-sxm";
  q.model = "llama-3.2-1b";
  q.phase = PhaseChoice::decode;
  q.batch = 4;
  q.microbatches = 1;
  const PhaseResult one = run(q, kPlaces).value().phases.front();
  q.pipeline_parallel = 4;
  const PhaseResult four = run(q, kPlaces).value().phases.front();
  EXPECT_EQ(four.tokens, one.tokens);
  EXPECT_EQ(four.timeline.weight_bytes, one.timeline.weight_bytes);
  EXPECT_EQ(four.timeline.kv_bytes, one.timeline.kv_bytes);
  EXPECT_GT(four.timeline.total, one.timeline.total);
  EXPECT_LT(microseconds(four.timeline.total), 1.05 * microseconds(one.timeline.total));
}

TEST(Pipeline, ManyChipsWithoutDramHoldAModelInTheirSram) {
  RunRequest q;
  q.chip = "groq-lpu";
  q.model = "llama-3.2-1b";
  q.phase = PhaseChoice::decode;
  const auto no = run(q, kPlaces);
  ASSERT_FALSE(no.has_value());
  EXPECT_NE(no.error().reason.find("groq-lpu has 0.230 GB"), std::string::npos)
      << no.error().reason;
  q.tensor_parallel = 8;
  q.pipeline_parallel = 4;
  const PhaseResult many = run(q, kPlaces).value().phases.front();
  const Timeline& t = many.timeline;
  EXPECT_EQ(t.charges[static_cast<std::size_t>(Resource::dram)], Picoseconds(0));
  EXPECT_EQ(t.counts.dram_REFab + t.counts.dram_REFpb, 0);
  // Eight chips a stage read their share of all weights at no more than 80 TB/s each.
  EXPECT_GE(to_seconds(t.total).count() * 80e12 * 8, static_cast<double>(t.weight_bytes.count()));
}

TEST(Pipeline, ReplicasServeAsManyTimesTheTokens) {
  RunRequest q;
  q.chip = "h100-sxm";
  q.model = "llama-3.2-1b";
  q.phase = PhaseChoice::decode;
  q.batch = 2;
  const RunResult one = run(q, kPlaces).value();
  q.batch = 8;
  q.data_parallel = 4;
  const RunResult four = run(q, kPlaces).value();
  EXPECT_EQ(four.phases.front().timeline.total, one.phases.front().timeline.total);
  EXPECT_DOUBLE_EQ(tokens_per_second(four.phases.front()),
                   4 * tokens_per_second(one.phases.front()));
}

TEST(WhatWouldFit, NamesSplitsAndFormatsThatWereTried) {
  RunRequest q;
  q.chip = "h100-sxm";
  q.model = "mixtral-8x7b";
  const auto no = run(q, kPlaces);
  ASSERT_FALSE(no.has_value());
  EXPECT_NE(no.error().reason.find("GB too much"), std::string::npos) << no.error().reason;
  EXPECT_NE(no.error().remedy.find("--tp 2 would fit"), std::string::npos) << no.error().remedy;
  EXPECT_NE(no.error().remedy.find("--dtype fp8_e4m3 would fit"), std::string::npos)
      << no.error().remedy;
  q.tensor_parallel = 2;
  EXPECT_TRUE(run(q, kPlaces).has_value());
}

}  // namespace
}  // namespace presil
