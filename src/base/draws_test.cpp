#include "base/draws.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/elementary.h"

namespace presil {
namespace {

constexpr int kDraws = 200'000;

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <class F>
Moments moments_of(F draw) {
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw(i);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

/// Five standard errors of a mean of kDraws numbers of this variance.
double five_errors(double variance) {
  return 5 * std::sqrt(variance / kDraws);
}

TEST(Elementary, AgreesWithTheLibraryToTheLastPlaces) {
  for (int i = 1; i < 20'000; ++i) {
    const double x = 1e-3 * i;
    EXPECT_NEAR(log_of(x), std::log(x), 1e-15 + 1e-15 * std::abs(std::log(x))) << x;
    EXPECT_NEAR(exp_of(x) / std::exp(x), 1, 1e-15) << x;
    EXPECT_NEAR(exp_of(-x) / std::exp(-x), 1, 1e-15) << x;
    EXPECT_NEAR(cos_of_turns(x), std::cos(2 * M_PI * (x - std::floor(x))), 2e-15) << x;
  }
  EXPECT_NEAR(log_of(1e-300), std::log(1e-300), 1e-12);
  EXPECT_NEAR(log_of(1e300), std::log(1e300), 1e-12);
  EXPECT_EQ(log_of(1), 0);
  EXPECT_EQ(exp_of(0), 1);
  EXPECT_EQ(exp_of(-1e4), 0);
  EXPECT_EQ(cos_of_turns(0.5), -1);
  EXPECT_EQ(cos_of_turns(7), 1);
}

TEST(Draws, AreThoseOfSplitmix64) {
  // mix(state + step) for state 0: the generator's first output from seed 0, as published.
  EXPECT_EQ(mix(0x9e3779b97f4a7c15U), 0xe220a8397b1dcdafU);
}

TEST(Draws, DependOnSeedStreamAndIndexOnly) {
  Draws first(1, 2, 3);
  const std::uint64_t a = first.bits();
  const std::uint64_t b = first.bits();
  Draws again(1, 2, 3);
  EXPECT_EQ(again.bits(), a);
  EXPECT_EQ(again.bits(), b);
  EXPECT_NE(Draws(2, 2, 3).bits(), a);
  EXPECT_NE(Draws(1, 3, 3).bits(), a);
  EXPECT_NE(Draws(1, 2, 4).bits(), a);
  EXPECT_NE(Draws(1, 3, 2).bits(), a);
}

TEST(Draws, BelowIsEven) {
  std::vector<int> counts(10);
  for (int i = 0; i < kDraws; ++i)
    ++counts.at(Draws(5, 0, static_cast<std::uint64_t>(i)).below(10));
  // A binomial count with p = 0.1: five standard deviations.
  for (const int n : counts) EXPECT_NEAR(n, kDraws * 0.1, 5 * std::sqrt(kDraws * 0.09));
}

TEST(Draws, UniformsHaveTheirMoments) {
  Draws draws(1, 0, 0);
  const Moments m = moments_of([&](int) { return draws.uniform(); });
  EXPECT_NEAR(m.mean, 0.5, five_errors(1.0 / 12));
  EXPECT_NEAR(m.variance, 1.0 / 12, five_errors(1.0 / 180));  // of (x - 1/2)^2
}

TEST(Draws, ExponentialsHaveTheirMoments) {
  const Moments m =
      moments_of([](int i) { return Draws(1, 0, static_cast<std::uint64_t>(i)).exponential(); });
  EXPECT_NEAR(m.mean, 1, five_errors(1));
  EXPECT_NEAR(m.variance, 1, five_errors(8));  // fourth central moment 9
}

TEST(Draws, NormalsHaveTheirMomentsAndTails) {
  int below_minus_2 = 0;
  const Moments m = moments_of([&](int i) {
    const double x = Draws(1, 0, static_cast<std::uint64_t>(i)).normal();
    below_minus_2 += x < -2 ? 1 : 0;
    return x;
  });
  EXPECT_NEAR(m.mean, 0, five_errors(1));
  EXPECT_NEAR(m.variance, 1, five_errors(2));
  EXPECT_NEAR(below_minus_2 / double{kDraws}, 0.022750, five_errors(0.02275));
}

TEST(Draws, GammasHaveTheirMoments) {
  for (const double shape : {0.25, 0.9, 1.0, 3.0, 40.0}) {
    const Moments m =
        moments_of([&](int i) { return Draws(7, 0, static_cast<std::uint64_t>(i)).gamma(shape); });
    EXPECT_NEAR(m.mean, shape, five_errors(shape)) << shape;
    // Fourth central moment: 3 k^2 + 6 k.
    EXPECT_NEAR(m.variance, shape, five_errors(2 * shape * shape + 6 * shape)) << shape;
  }
}

}  // namespace
}  // namespace presil
