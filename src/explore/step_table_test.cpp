#include "explore/step_table.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "explore/step_sample.h"
#include "explore/step_table_meter.h"

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, {}};

DeploymentRequest small_request(const std::string& chip) {
  DeploymentRequest q;
  q.design.chip = chip;
  q.design.model = "llama-3.2-1b";
  q.engine.max_num_seqs = 32;
  q.engine.max_num_batched_tokens = 512;
  q.engine.max_model_len = 4096;
  return q;
}

const Deployment& small_gpu() {
  static const Deployment d = deploy(small_request("a100-sxm-80gb"), kPlaces).value();
  return d;
}

const StepTable& small_table() {
  static const StepTable table(small_gpu());
  return table;
}

struct NamedStep {
  Step step;
  serving::StepFeatures features;
};

/// `decodes` sequences, and after them one prompt of `prompt` tokens where that is not 0.
NamedStep mixed_step(std::int64_t decodes, std::int64_t context, std::int64_t prompt,
                     std::int64_t decode_tokens = 1) {
  NamedStep s;
  for (std::int64_t i = 0; i < decodes; ++i) {
    const std::int64_t before = context / 2 + i * context / std::max<std::int64_t>(1, decodes - 1);
    s.step.sequences.push_back({decode_tokens, before});
    s.features.add_decode(decode_tokens, before);
  }
  if (prompt > 0) {
    s.step.sequences.push_back({prompt, 0});
    s.features.add_prefill(prompt, 0);
  }
  return s;
}

StepTableError error_on(const Deployment& d, const StepTable& table,
                        const std::vector<NamedStep>& steps) {
  std::vector<SampledStep> sampled;
  for (const NamedStep& s : steps) {
    sampled.emplace_back().cost = table.cost(s.features);
    for (const Sequence& part : s.step.sequences) {
      auto& sequences = sampled.back().sequences;
      const bool decodes = std::ssize(sequences) < s.features.decode_sequences;
      sequences.push_back({part.new_tokens, part.context, decodes});
    }
  }
  return time_sample(d, sampled).value().error;
}

std::vector<NamedStep> usual_steps() {
  return {mixed_step(1, 300, 0),    mixed_step(7, 1000, 0),   mixed_step(20, 700, 0),
          mixed_step(32, 1500, 0),  mixed_step(0, 0, 512),    mixed_step(0, 0, 77),
          mixed_step(12, 900, 500), mixed_step(30, 400, 100), mixed_step(3, 2000, 33)};
}

TEST(StepTable, IsWithinThreePercentOfStepsTimedDirectly) {
  const StepTableError e = error_on(small_gpu(), small_table(), usual_steps());
  EXPECT_EQ(e.samples, 9);
  EXPECT_LT(e.mean(), 1);
  EXPECT_LT(e.max(), 3);
  EXPECT_GT(small_table().points(), 100);
}

TEST(StepTable, HoldsForAChipWithoutALibraryOfKernels) {
  const Deployment d = deploy(small_request("artemis-hbm3e"), kPlaces).value();
  const StepTableError e = error_on(d, StepTable(d), usual_steps());
  EXPECT_LT(e.mean(), 1);
  EXPECT_LT(e.max(), 3);
}

TEST(StepTable, OfAPipelineTakesAllStagesAndTheNextStepWaitsForTheSlowest) {
  DeploymentRequest q = small_request("a100-sxm-80gb");
  q.design.pipeline_parallel = 2;
  const Deployment d = deploy(q, kPlaces).value();
  const StepTable table(d);
  const NamedStep step = mixed_step(16, 800, 0);
  const serving::StepCost found = table.cost(step.features);
  const serving::StepCost exact = time_step_of(d, step.step).value().cost;
  const auto ns = [](Nanoseconds t) { return static_cast<double>(t.count()); };
  EXPECT_NEAR(ns(found.time), ns(exact.time), 0.02 * ns(exact.time));
  EXPECT_NEAR(ns(found.interval), ns(exact.interval), 0.02 * ns(exact.interval));
  EXPECT_NEAR(found.energy_j, exact.energy_j, 0.02 * exact.energy_j);
  EXPECT_LT(exact.interval, exact.time);
  EXPECT_EQ(d.engine.pipeline_stages, 2);
}

TEST(StepTable, OfGroupsInDataParallelTimesTheOneWithMostToDo) {
  DeploymentRequest q = small_request("a100-sxm-80gb");
  q.design.data_parallel = 2;
  const Deployment d = deploy(q, kPlaces).value();
  EXPECT_EQ(d.chips, 2);
  // The prompt goes to one of the groups, whole.
  const StepTableError e = error_on(
      d, StepTable(d), {mixed_step(16, 800, 0), mixed_step(16, 800, 400), mixed_step(0, 0, 512)});
  EXPECT_LT(e.max(), 3);
}

TEST(StepTable, ChecksSeveralTokensOfASequenceAtOnce) {
  const StepTable table(small_gpu(), 4);
  const StepTableError e =
      error_on(small_gpu(), table, {mixed_step(8, 1000, 0, 4), mixed_step(20, 500, 0, 4)});
  EXPECT_LT(e.max(), 3);
}

TEST(StepMeter, TimesAttentionAloneAsItDoesWithinTheStep) {
  const StepMeter meter(small_gpu(), 0);
  ASSERT_TRUE(meter.kernels_stand_alone());
  for (const NamedStep& s : usual_steps()) {
    const PartCost within = meter.measure(s.step).attention;
    const PartCost alone = meter.measure_attention(s.step);
    EXPECT_DOUBLE_EQ(alone.full_s, within.full_s);
    EXPECT_DOUBLE_EQ(alone.dram_bytes, within.dram_bytes);
    EXPECT_NEAR(alone.event_j, within.event_j, 1e-4 * within.event_j);  // rows opened are rounded
  }
}

TEST(StepTable, OfAlternatingLayersIsAsNearAsOfLikeOnes) {
  DeploymentRequest q = small_request("a100-sxm-80gb");
  q.design.model = "gpt-oss-20b";
  const Deployment d = deploy(q, kPlaces).value();
  const StepTableError e = error_on(d, StepTable(d), usual_steps());
  EXPECT_LT(e.mean(), 1);
  EXPECT_LT(e.max(), 3);
}

TEST(StepTable, LongerContextsAndMorePromptTokensNeverCostLess) {
  double last_decode = 0, last_prefill = 0;
  for (std::int64_t context = 100; context < 4000; context += 300) {
    const double j = small_table().cost(mixed_step(16, context / 2, 0).features).energy_j;
    EXPECT_GE(j, last_decode);
    last_decode = j;
    const double p = small_table().cost(mixed_step(0, 0, context / 8 + 1).features).energy_j;
    EXPECT_GE(p, last_prefill);
    last_prefill = p;
  }
}

TEST(StepTable, IsTheSameOnOneThreadAndOnSeveral) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const StepTable alone(small_gpu());
  EXPECT_EQ(alone.points(), small_table().points());
  for (const NamedStep& s : usual_steps()) {
    EXPECT_EQ(alone.cost(s.features).time, small_table().cost(s.features).time);
    EXPECT_EQ(alone.cost(s.features).energy_j, small_table().cost(s.features).energy_j);
  }
}

TEST(Deployment, GivesTheCacheWhatUtilisationLeavesBesideWeightsAndActivations) {
  const Deployment& d = small_gpu();
  // 16 layers of 8 KV heads of 64, keys and values, in bf16.
  EXPECT_EQ(d.cache_bytes_per_token, 16 * 8 * 64 * 2 * 2);
  const double room = 0.9 * static_cast<double>(d.memory.count()) -
                      static_cast<double>((d.weights + d.workspace).count());
  EXPECT_EQ(d.engine.num_blocks, static_cast<std::int64_t>(room / d.cache_bytes_per_token / 16));
  EXPECT_LE(d.cache.count(), room);
  EXPECT_EQ(d.chips, 1);
}

TEST(Deployment, ThatHasNoRoomForASequenceSaysByHowMuchAndWhatWould) {
  DeploymentRequest q;
  q.design.chip = "a100-sxm-80gb";
  q.design.model = "llama-3.1-70b";
  const auto d = deploy(q, kPlaces);
  ASSERT_FALSE(d);
  EXPECT_NE(d.error().reason.find("too much"), std::string::npos);
  EXPECT_NE(d.error().remedy.find("--tp"), std::string::npos);
}

TEST(Deployment, RefusesOptionsThatNoEngineCanRunWith) {
  DeploymentRequest q = small_request("a100-sxm-80gb");
  q.engine.block_size = 0;
  EXPECT_THROW(deploy(q, kPlaces), InputError);
  q = small_request("a100-sxm-80gb");
  q.engine.gpu_memory_utilization = 1.5;
  EXPECT_THROW(deploy(q, kPlaces), InputError);
}

/// Llama-3.2-3B, for which `draft` proposes.
DeploymentRequest with_draft(const std::string& draft) {
  DeploymentRequest q = small_request("a100-sxm-80gb");
  q.design.model = "llama-3.2-3b";
  q.engine.speculation = {.tokens = 3, .acceptance = 0.7, .draft = draft};
  return q;
}

TEST(Deployment, KeepsADraftInTheMemoryOfItsModel) {
  const Deployment alone = deploy(with_draft(""), kPlaces).value();
  const Deployment d = deploy(with_draft("llama-3.2-1b"), kPlaces).value();
  ASSERT_NE(d.draft, nullptr);
  EXPECT_EQ(d.weights, alone.weights + small_gpu().weights);
  EXPECT_EQ(d.workspace, std::max(alone.workspace, small_gpu().workspace));
  EXPECT_EQ(d.cache_bytes_per_token,
            alone.cache_bytes_per_token + small_gpu().cache_bytes_per_token);
  EXPECT_LT(d.engine.num_blocks, alone.engine.num_blocks);
}

TEST(Deployment, RefusesADraftOfOtherTokensOrOfTooFew) {
  EXPECT_THROW(deploy(with_draft("smollm2-135m"), kPlaces), InputError);
  DeploymentRequest q = with_draft("llama-3-8b");
  q.engine.max_model_len = 8193;
  EXPECT_THROW(deploy(q, kPlaces), InputError);
}

/// One that has to check four tokens a sequence, and before that proposes three.
TEST(StepSample, TimesTheStepsOfTheDraftToo) {
  const Deployment d = deploy(with_draft("llama-3.2-1b"), kPlaces).value();
  const StepTable model(d, 4), draft(*d.draft);
  SampledStep s;
  serving::StepFeatures features;
  for (const std::int64_t context : {400, 900, 1300}) {
    s.sequences.push_back({4, context, true});
    features.add_decode(4, context);
  }
  s.sequences.push_back({200, 0, false});
  features.add_prefill(200, 0);
  s.cost = serving::step_cost(features, d.engine, model, &draft);

  const StepTableError both = time_sample(d, {s}).value().error;
  EXPECT_LT(both.max(), 3);
  s.cost = model.cost(features);
  EXPECT_GT(time_sample(d, {s}).value().error.time_max, 20);
}

TEST(StepSample, KeepsStepsEvenlyOverARunOfAnyLength) {
  StepSample sample(4);
  for (std::int64_t i = 1; i <= 100; ++i) {
    serving::StepRecord record;
    const serving::StepSequence sequence{1, i};
    if (sample.wants()) record.sequences = {&sequence, 1};
    sample.keep(record);
  }
  ASSERT_LE(sample.steps().size(), 4);
  ASSERT_GE(sample.steps().size(), 2);
  EXPECT_EQ(sample.steps().front().sequences.front().context, 1);
  EXPECT_GE(sample.steps().back().sequences.front().context, 50);
}

}  // namespace
}  // namespace presil
