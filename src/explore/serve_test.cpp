#include "explore/serve.h"

#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <nlohmann/json.hpp>

#include "explore/serve_json.h"

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, {}};

constexpr std::string_view kSmall = R"(presil: scenario/1
name: small
question: Does it work?
model: llama-3.2-1b
load:
  requests: 60
  arrivals: {process: poisson}
  rate: 4 /s
  lengths: {prompt: {fixed: 100}, output: {fixed: 20}}
slo: [p99_ttft<=500ms]
)";

constexpr std::string_view kEngine =
    "engine: {max_model_len: 512, max_num_seqs: 8, max_num_batched_tokens: 128}";

Scenario scenario(const std::string& rest) {
  const auto source = std::make_shared<Source>(Source{"small.yaml", std::string(kSmall) + rest});
  return read_scenario(parse_document(source, Syntax::yaml));
}

std::string service(const std::string& name, const std::string& pools) {
  return "  - name: " + name + "\n    pools:\n" + pools;
}

std::string pool(const std::string& chip, const std::string& more = "") {
  return "      - {chip: " + chip + ", " + more + std::string(kEngine) + "}\n";
}

const ServeAnswer& one_gpu() {
  static const ServeAnswer answer =
      serve(scenario("services:\n" + service("a100", pool("a100-sxm-80gb"))), kPlaces, 0);
  return answer;
}

TEST(Serve, EveryRequestIsAnsweredAndItsTokensAreWritten) {
  const serving::ServiceResult& result = one_gpu().services.front().result;

  EXPECT_EQ(result.counts.completed, 60);
  EXPECT_EQ(result.counts.output_tokens, 60 * 20);
  EXPECT_EQ(result.counts.prompt_tokens, 60 * 100);
}

TEST(Serve, APriceIsTheSumOfItsLines) {
  const ServicePrice& price = one_gpu().services.front().price.value();

  Band sum;
  for (const CostLine& line : price.lines) sum += line.usd;
  EXPECT_DOUBLE_EQ(sum.low, price.usd_per_mtoken.low);
  EXPECT_DOUBLE_EQ(sum.typical, price.usd_per_mtoken.typical);
  EXPECT_DOUBLE_EQ(sum.high, price.usd_per_mtoken.high);
}

TEST(Serve, SlowerStepsMakeUsersWaitLonger) {
  const ServiceAnswer& a = one_gpu().services.front();

  EXPECT_LT(a.if_fast.factors.front(), 1);
  EXPECT_GT(a.if_slow.factors.front(), 1);
  EXPECT_LT(a.if_fast.latency.ttft_s.mean, a.result.latency.ttft_s.mean);
  EXPECT_GT(a.if_slow.latency.ttft_s.mean, a.result.latency.ttft_s.mean);
}

TEST(Serve, TablesAreHeldAgainstStepsOfTheRun) {
  const StepTableError& error = one_gpu().services.front().pools.front().table_error;

  EXPECT_GT(error.samples, 10u);
  EXPECT_LT(error.mean(), 1.5);
}

TEST(Serve, APoolSaysWhatTheTimeOfItsStepsWentTo) {
  const ServeAnswer& answer = one_gpu();
  const Json pool = to_json(answer)["pools"][0];

  double sum = 0;
  std::string most;
  for (const auto& [resource, share] : pool["bound_shares"].items()) {
    sum += share.get<double>();
    if (most.empty() || share > pool["bound_shares"][most]) most = resource;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(pool["bound_by"], most);
  EXPECT_NE(sentences(answer).back().find("; " + most + " takes "), std::string::npos);
}

TEST(Serve, TheSameScenarioGivesTheSameBytesOnAnyNumberOfThreads) {
  const tbb::global_control one_thread(tbb::global_control::max_allowed_parallelism, 1);
  const ServeAnswer again =
      serve(scenario("services:\n" + service("a100", pool("a100-sxm-80gb"))), kPlaces, 0);

  EXPECT_EQ(to_json(again).dump(), to_json(one_gpu()).dump());
}

TEST(Serve, ADraftIsHeldAgainstStepsOfTheRunToo) {
  const ServeAnswer answer = serve(scenario(R"(services:
  - name: speculates
    pools:
      - chip: a100-sxm-80gb
        model: llama-3.2-3b
        engine:
          max_model_len: 512
          max_num_seqs: 8
          max_num_batched_tokens: 128
          speculative: {num_speculative_tokens: 2, acceptance: 0.7, draft: llama-3.2-1b}
)"),
                                   kPlaces, 0);
  const Json json = to_json(answer);

  EXPECT_EQ(json["completed"], 60);
  EXPECT_EQ(json["pools"][0]["draft"], "llama-3.2-1b");
  EXPECT_GE(json["step_table"]["samples"], 10);
  EXPECT_LT(json["step_table"]["error_mean"], 1);
  EXPECT_LT(json["step_table"]["error_max"], 3);
}

/// Two services at their highest rates: one that does not fit its chip, one on two kinds of chip.
const ServeAnswer& two_services() {
  static const ServeAnswer answer =
      serve(scenario("find_max_rate: true\nservices:\n" +
                     service("too-small", pool("a100-sxm-80gb", "model: llama-3-70b, ")) +
                     service("mixed", pool("a100-sxm-80gb") + pool("h100-sxm"))),
            kPlaces, 0);
  return answer;
}

TEST(Serve, AModelThatDoesNotFitIsAnAnswerBesideOthers) {
  const std::vector<ServiceAnswer>& services = two_services().services;

  ASSERT_TRUE(services[0].no.has_value());
  EXPECT_FALSE(services[0].no->remedy.empty());
  EXPECT_FALSE(services[1].no.has_value());
}

TEST(Serve, TwoKindsOfChipShareALoad) {
  const ServiceAnswer& mixed = two_services().services[1];

  ASSERT_EQ(mixed.result.pools.size(), 2u);
  EXPECT_GT(mixed.result.pools[0].steps, 0);
  EXPECT_GT(mixed.result.pools[1].steps, 0);
  EXPECT_EQ(mixed.result.counts.completed, 60);
}

TEST(Serve, TheHighestRateIsWhereThePromiseStillHolds) {
  const ServiceAnswer& mixed = two_services().services[1];

  ASSERT_TRUE(mixed.max_rate.has_value());
  EXPECT_TRUE(mixed.result.meets_slo());
  EXPECT_GE(mixed.if_fast.max_rate.value(), mixed.rate);
  EXPECT_LE(mixed.if_slow.max_rate.value(), mixed.rate);
}

TEST(Scenario, SaysWhatIsWrongWithItAllAtOnce) {
  try {
    scenario(
        "find_max_rate: true\nservices:\n  - name: a\n    pools:\n"
        "      - {chip: a100-sxm-80gb, tensor_paralel: 2}\n  - name: a\n");
    FAIL() << "it should have been refused";
  } catch (const InputError& e) {
    std::string all;
    for (const Diagnostic& d : e.diagnostics()) all += render(d);
    EXPECT_NE(all.find("tensor_parallel"), std::string::npos) << all;
    EXPECT_NE(all.find("without pools"), std::string::npos) << all;
    EXPECT_NE(all.find("two are called 'a'"), std::string::npos) << all;
  }
}

}  // namespace
}  // namespace presil
