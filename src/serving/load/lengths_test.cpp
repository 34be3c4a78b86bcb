#include "serving/load/lengths.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"

namespace presil::serving {
namespace {

constexpr int kDraws = 100'000;
const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

std::vector<double> draws_of(const LengthSpec& spec) {
  const Lengths lengths(spec, LengthSpec::Side::output, kHome);
  std::vector<double> tokens;
  for (int i = 0; i < kDraws; ++i) {
    tokens.push_back(static_cast<double>(lengths.draw(Draws(1, 0, static_cast<std::uint64_t>(i)))));
  }
  std::sort(tokens.begin(), tokens.end());
  return tokens;
}

double mean(const std::vector<double>& tokens) {
  double sum = 0;
  for (const double t : tokens) sum += t;
  return sum / static_cast<double>(tokens.size());
}

TEST(Lengths, ThatAreFixedAreAllAlike) {
  const auto tokens = draws_of({.fixed = 128, .file = {}});
  EXPECT_EQ(tokens.front(), 128);
  EXPECT_EQ(tokens.back(), 128);
}

TEST(Lengths, ThatAreLognormalHaveTheirMean) {
  const double sigma = 0.8;
  const auto tokens = draws_of(lognormal_by_mean(1000, sigma));
  // Standard deviation over mean: sqrt(exp(sigma^2) - 1).
  const double cv = std::sqrt(std::exp(sigma * sigma) - 1);
  EXPECT_NEAR(mean(tokens), 1000, 5 * 1000 * cv / std::sqrt(kDraws));
  // The median of a lognormal is its mean / exp(sigma^2 / 2); its standard error is
  // sqrt(pi / 2) sigma / sqrt(n) of it, and lengths are whole.
  const double median = 1000 / std::exp(sigma * sigma / 2);
  EXPECT_NEAR(tokens[kDraws / 2], median, 5 * 1.2533 * sigma * median / std::sqrt(kDraws) + 1);
}

TEST(Lengths, ThatAreLognormalHaveTheirQuantiles) {
  const auto tokens = draws_of(lognormal_by_quantiles(200, 1500));
  EXPECT_NEAR(tokens[kDraws / 2], 200, 5);
  // 1 % of 100,000 draws lie above p99: 1,000 +- 5 x 31.
  const auto above = tokens.end() - std::upper_bound(tokens.begin(), tokens.end(), 1500);
  EXPECT_NEAR(static_cast<double>(above), 1000, 5 * 31.5);
}

TEST(Lengths, ThatAreLognormalStayWithinTheirBounds) {
  LengthSpec spec = lognormal_by_quantiles(2, 2000);
  spec.most = 1000;
  const auto tokens = draws_of(spec);
  EXPECT_EQ(tokens.front(), 1);
  EXPECT_EQ(tokens.back(), 1000);
}

TEST(Lengths, ThatAreEmpiricalAreThoseOfTheFile) {
  const auto file = testing::scratch_folder() / "lengths.csv";
  std::ofstream(file) << "num_prefill_tokens,num_decode_tokens\n7,10\n8,20\n9,20\n6,40\n";
  const auto tokens = draws_of({.kind = LengthSpec::Kind::empirical, .file = file.string()});
  const auto share = [&](double length) {
    return static_cast<double>(std::count(tokens.begin(), tokens.end(), length)) / kDraws;
  };
  const double error = 5 * std::sqrt(0.25 / kDraws);
  EXPECT_NEAR(share(10), 0.25, error);
  EXPECT_NEAR(share(20), 0.5, error);
  EXPECT_NEAR(share(40), 0.25, error);
}

}  // namespace
}  // namespace presil::serving
