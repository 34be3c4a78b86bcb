#include "serving/load/arrivals.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil::serving {
namespace {

constexpr int kGaps = 100'000;

std::vector<Nanoseconds> first_of(const Arrivals& arrivals, double rate, int count,
                                  std::uint64_t seed = 1) {
  ArrivalProcess process(arrivals, PerSecond(rate), seed);
  std::vector<Nanoseconds> times;
  for (int i = 0; i < count; ++i) times.push_back(process.next());
  return times;
}

struct Gaps {
  double mean_s = 0;
  double cv = 0;
};

Gaps gaps_of(const std::vector<Nanoseconds>& times) {
  double sum = 0;
  double squares = 0;
  Nanoseconds last;
  for (const Nanoseconds t : times) {
    EXPECT_GE(t, last);
    const double gap = to_seconds(t - last).count();
    sum += gap;
    squares += gap * gap;
    last = t;
  }
  const auto n = static_cast<double>(times.size());
  return {sum / n, std::sqrt(squares / n - sum / n * sum / n) / (sum / n)};
}

TEST(Arrivals, OfPoissonHaveExponentialGaps) {
  const auto times = first_of({}, 8, kGaps);
  const Gaps gaps = gaps_of(times);
  // Five standard errors: of the mean, cv / sqrt(n); of an exponential's cv, 1 / sqrt(n) (delta
  // method).
  const double error = 5 / std::sqrt(kGaps);
  EXPECT_NEAR(gaps.mean_s * 8, 1, error);
  EXPECT_NEAR(gaps.cv, 1, error);
  int long_gaps = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    long_gaps += times[i] - times[i - 1] > Nanoseconds(250'000'000) ? 1 : 0;  // two mean gaps
  }
  EXPECT_NEAR(long_gaps / double{kGaps}, std::exp(-2), error);
}

TEST(Arrivals, OfGammaHaveTheirCoefficientOfVariation) {
  for (const double cv : {0.5, 2.0, 4.0}) {
    const Gaps gaps = gaps_of(first_of({.process = Process::gamma, .cv = cv}, 100, kGaps));
    EXPECT_NEAR(gaps.mean_s * 100, 1, 5 * cv / std::sqrt(kGaps)) << cv;
    // The delta method for a gamma's cv: variance (cv^2 / 2 + cv^4) / n.
    const double error = 5 * cv * std::sqrt((0.5 + cv * cv) / kGaps);
    EXPECT_NEAR(gaps.cv, cv, error) << cv;
  }
}

TEST(Arrivals, ThatAreConstantDoNotDrift) {
  const auto times = first_of({.process = Process::constant}, 3, 3001);
  EXPECT_EQ(times[0], Nanoseconds(0));
  EXPECT_EQ(times[1], Nanoseconds(333'333'333));
  EXPECT_EQ(times[3000], Nanoseconds(1'000'000'000'000));
}

TEST(Arrivals, OfADayFollowItsRate) {
  // 200 days of 100 s at 20 a second; the rate is highest at 30 s.
  const Arrivals day{
      .process = Process::diurnal, .period = Seconds(100), .amplitude = 0.8, .peak = Seconds(30)};
  const int days = 200;
  std::vector<int> counts(10);
  ArrivalProcess process(day, PerSecond(20), 3);
  const Nanoseconds second(1'000'000'000);
  for (Nanoseconds t = process.next(); t < 100 * days * second; t = process.next()) {
    ++counts[static_cast<std::size_t>(t.count() % (100 * second.count()) / (10 * second.count()))];
  }
  int total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    // The integral of 20 (1 + 0.8 cos(2 pi (t - 30) / 100)) over ten seconds.
    const double turn = 2 * M_PI / 100;
    const auto swing = [&](double t) { return 0.8 / turn * std::sin(turn * (t - 30)); };
    const double from = 10.0 * static_cast<double>(i);
    const double expected = days * 20 * (10 + swing(from + 10) - swing(from));
    EXPECT_NEAR(counts[i], expected, 5 * std::sqrt(expected)) << i;
    total += counts[i];
  }
  EXPECT_NEAR(total, days * 2000, 5 * std::sqrt(days * 2000));
}

TEST(Arrivals, OfBurstsKeepTheMeanRate) {
  // In 10 s of each 100 s the rate r is 6 times that around it: 10 x 6 r + 90 r = 100 x 30, r = 20.
  const Arrivals bursts{
      .process = Process::burst, .period = Seconds(100), .length = Seconds(10), .factor = 6};
  EXPECT_NEAR(relative_rate(bursts, Nanoseconds(0)), 4, 1e-12);
  EXPECT_NEAR(relative_rate(bursts, Nanoseconds(10'000'000'000)), 2.0 / 3, 1e-12);
  int inside = 0;
  int outside = 0;
  ArrivalProcess process(bursts, PerSecond(30), 5);
  const std::int64_t second = 1'000'000'000;
  for (Nanoseconds t = process.next(); t.count() < 10'000 * second; t = process.next()) {
    ++(t.count() % (100 * second) < 10 * second ? inside : outside);
  }
  EXPECT_NEAR(inside, 100 * 10 * 120, 5 * std::sqrt(120'000));
  EXPECT_NEAR(outside, 100 * 90 * 20, 5 * std::sqrt(180'000));
}

TEST(Arrivals, DependOnTheSeedOnly) {
  EXPECT_EQ(first_of({}, 8, 100), first_of({}, 8, 100));
  EXPECT_NE(first_of({}, 8, 100, 1), first_of({}, 8, 100, 2));
  // A curve of loads is one sample: at twice the rate the same requests come twice as close.
  const auto slow = first_of({}, 4, 100);
  const auto fast = first_of({}, 8, 100);
  for (std::size_t i = 0; i < slow.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(slow[i].count()), 2 * static_cast<double>(fast[i].count()),
                300);
  }
}

TEST(Arrivals, EndAfter146Years) {
  ArrivalProcess process({}, PerSecond(1e-9), 1);
  EXPECT_THROW(for (int i = 0; i < 100; ++i) process.next(), InputError);
}

}  // namespace
}  // namespace presil::serving
