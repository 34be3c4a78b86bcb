#include "explore/agreement.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil {
namespace {

VerifiedPrompt prompt(std::string weights, double difference, double spread) {
  VerifiedPrompt p;
  p.weights = std::move(weights);
  p.prompt_tokens_equal = true;
  p.max_probability_difference = difference;
  p.reference_spread = spread;
  p.equal = {true, false, true};
  p.gaps = {0.5, 0.05, 0.3};
  return p;
}

bool all_hold(const std::vector<Claim>& claims) {
  for (const Claim& c : claims) {
    if (!c.holds) return false;
  }
  return true;
}

TEST(Agreement, ProbabilitiesAreTheSoftmax) {
  const std::vector<float> logits = {std::log(1.0F), std::log(2.0F), std::log(5.0F)};

  const std::vector<float> p = probabilities(logits);

  EXPECT_NEAR(p[0], 1.0 / 8, 1e-7);
  EXPECT_NEAR(p[1], 2.0 / 8, 1e-7);
  EXPECT_NEAR(p[2], 5.0 / 8, 1e-7);
  EXPECT_NEAR(lead(p, 2), 3.0 / 8, 1e-7);
  EXPECT_NEAR(lead(p, 1), -3.0 / 8, 1e-7);
}

TEST(Agreement, TheErrorIsOfTheWholeVector) {
  const std::vector<float> found = {3, 4.5};
  const std::vector<double> expected = {3, 4};

  EXPECT_DOUBLE_EQ(relative_error(found, expected), 0.5 / 5);
  EXPECT_DOUBLE_EQ(largest_difference(found, std::vector<float>{2, 4}), 1);
}

TEST(Agreement, QuantisedWeightsAreMeasuredByLlamaCppsOwnSpread) {
  // The second choice differs, with a lead of 0.05: undecided where builds are 0.03 apart.
  std::vector<VerifiedPrompt> near = {prompt("q4_1", 0.06, 0.03)};
  std::vector<VerifiedPrompt> far = {prompt("q4_1", 0.07, 0.03)};
  std::vector<VerifiedPrompt> decided = {prompt("q4_1", 0.02, 0.02)};

  EXPECT_TRUE(all_hold(judge_against_llama_cpp(near)));
  EXPECT_EQ(near[0].choices_decided, 2);
  EXPECT_EQ(near[0].choices_equal, 2);
  EXPECT_FALSE(all_hold(judge_against_llama_cpp(far)));
  EXPECT_FALSE(all_hold(judge_against_llama_cpp(decided)));
  EXPECT_EQ(decided[0].choices_decided, 3);
  EXPECT_EQ(decided[0].choices_equal, 2);
}

TEST(Agreement, TheSpreadIsThatOfAllPrompts) {
  std::vector<VerifiedPrompt> prompts = {prompt("q4_1", 0.06, 0), prompt("q4_1", 0.01, 0.03)};

  EXPECT_TRUE(all_hold(judge_against_llama_cpp(prompts)));
}

TEST(Agreement, WeightsInF32HaveToAgreeWhateverTheSpread) {
  std::vector<VerifiedPrompt> prompts = {prompt("fp32", 2e-5, 1)};
  prompts[0].equal = {true, true, true};

  EXPECT_FALSE(all_hold(judge_against_llama_cpp(prompts)));
  prompts[0].max_probability_difference = 1e-6;
  EXPECT_TRUE(all_hold(judge_against_llama_cpp(prompts)));
  prompts[0].equal = {true, false, true};
  EXPECT_FALSE(all_hold(judge_against_llama_cpp(prompts)));
}

TEST(Agreement, PromptsThatBecomeOtherTokensFail) {
  std::vector<VerifiedPrompt> prompts = {prompt("q4_1", 0.06, 0.03)};
  prompts[0].prompt_tokens_equal = false;

  EXPECT_FALSE(all_hold(judge_against_llama_cpp(prompts)));
}

TEST(Agreement, NumpyBindsTheLogits) {
  std::vector<VerifiedPrompt> prompts = {prompt("fp32", 0, 0)};
  prompts[0].equal = {true, true, true};
  prompts[0].logits_error = 9e-6;

  EXPECT_TRUE(all_hold(judge_against_numpy(prompts)));
  prompts[0].choices_decided = prompts[0].choices_equal = 0;
  prompts[0].logits_error = 1.1e-5;
  EXPECT_FALSE(all_hold(judge_against_numpy(prompts)));
}

}  // namespace
}  // namespace presil
