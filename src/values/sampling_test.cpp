#include "values/sampling.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::refusal;
using testing::says;

// Probabilities 0.5, 0.25, 0.125, 0.125 at temperature 1.
const std::vector<float> kLogits = {std::log(0.25f), std::log(0.5f), std::log(0.125f),
                                    std::log(0.125f)};

/// How often each token comes in 20,000 draws, as a share.
std::map<int, double> shares(SamplingOptions options) {
  check_sampling(options);
  Sampler sampler(options);
  constexpr int kDraws = 20'000;
  std::map<int, double> share;
  for (int i = 0; i < kDraws; ++i) share[sampler.choose(kLogits)] += 1.0 / kDraws;
  return share;
}

// Three standard deviations of a share from 20,000 draws: 3 * sqrt(0.25 / 20000) = 0.0106.
constexpr double kNoise = 0.0106;

TEST(Sampling, TemperatureZeroTakesTheLargestAndTiesGoToTheLowerToken) {
  EXPECT_EQ(Sampler({}).choose(kLogits), 1);
  EXPECT_EQ(Sampler({}).choose(std::vector<float>{1, 3, 3}), 1);
}

TEST(Sampling, TemperatureOneDrawsFromTheModelsProbabilities) {
  const auto share = shares({.temperature = 1});
  EXPECT_NEAR(share.at(0), 0.25, kNoise);
  EXPECT_NEAR(share.at(1), 0.5, kNoise);
  EXPECT_NEAR(share.at(2), 0.125, kNoise);
  EXPECT_NEAR(share.at(3), 0.125, kNoise);
}

TEST(Sampling, HalfTheTemperatureSquaresTheProbabilities) {
  // 16 : 4 : 1 : 1, of 22.
  const auto share = shares({.temperature = 0.5});
  EXPECT_NEAR(share.at(1), 16.0 / 22, kNoise);
  EXPECT_NEAR(share.at(0), 4.0 / 22, kNoise);
}

TEST(Sampling, TopKKeepsTheKLargest) {
  const auto share = shares({.temperature = 1, .top_k = 2});
  ASSERT_EQ(share.size(), 2u);
  EXPECT_NEAR(share.at(1), 2.0 / 3, kNoise);
  EXPECT_EQ(shares({.temperature = 1, .top_k = 9}).size(), 4u);
}

TEST(Sampling, TopPKeepsTheFewestThatReachIt) {
  EXPECT_EQ(shares({.temperature = 1, .top_p = 0.49}).size(), 1u);
  EXPECT_EQ(shares({.temperature = 1, .top_p = 0.7}).size(), 2u);
  EXPECT_EQ(shares({.temperature = 1, .top_p = 0.8}).size(), 3u);  // and of equal ones the lower
  EXPECT_TRUE(shares({.temperature = 1, .top_p = 0.8}).contains(2));
}

TEST(Sampling, MinPIsAShareOfTheLargestProbability) {
  EXPECT_EQ(shares({.temperature = 1, .min_p = 0.4}).size(), 2u);  // of 0.5: 0.2
  EXPECT_EQ(shares({.temperature = 1, .min_p = 0.2}).size(), 4u);  // 0.1
}

TEST(Sampling, TheRepetitionPenaltyDividesPositiveAndMultipliesNegativeLogits) {
  Sampler sampler({.repetition_penalty = 2});
  const std::vector<float> logits = {3, 2, -1, -1.5f};
  EXPECT_EQ(sampler.choose(logits), 0);
  sampler.note(std::vector<int>{0});  // 3 / 2 < 2
  EXPECT_EQ(sampler.choose(logits), 1);
  const std::vector<float> negative = {-1, -1.5f};
  EXPECT_EQ(sampler.choose(negative), 1);  // -1 * 2 < -1.5
}

TEST(Sampling, ASeedGivesTheSameTokensAndAnotherSeedOthers) {
  const auto draw = [](std::uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed});
    std::vector<int> tokens;
    for (int i = 0; i < 32; ++i) tokens.push_back(sampler.choose(kLogits));
    return tokens;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST(Sampling, TheGeneratorIsSplitmix64) {
  // The first outputs of the published generator from seed 1234567.
  UniformBits bits(1234567);
  EXPECT_EQ(bits.next(), 6457827717110365317U);
  EXPECT_EQ(bits.next(), 3203168211198807973U);
}

TEST(Sampling, NumbersOutOfRangeAreRefusedByTheirOption) {
  const auto refused = [](SamplingOptions options, const char* what) {
    EXPECT_TRUE(says(refusal<InputError>([&] { check_sampling(options); }), what));
  };
  refused({.temperature = -1}, "--temperature: expected 0 (greedy) to 100, found -1");
  refused({.temperature = std::nan("")}, "--temperature");
  refused({.temperature = 1, .top_k = -1}, "--top-k");
  refused({.temperature = 1, .top_p = 0}, "--top-p");
  refused({.temperature = 1, .min_p = 1.5}, "--min-p");
  refused({.repetition_penalty = 0}, "--repetition-penalty");
  refused({.top_k = 40}, "--top-k: needs a --temperature above 0");
}

}  // namespace
}  // namespace presil
