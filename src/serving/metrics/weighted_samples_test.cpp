#include "serving/metrics/weighted_samples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

// Numbers over many orders of magnitude, the same on every machine.
std::int64_t draw(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  const int shift = static_cast<int>(state >> 58) % 30;
  return static_cast<std::int64_t>((state >> 24) >> shift);
}

struct Drawn {
  WeightedSamples samples;
  std::vector<double> one_by_one;  // in seconds, ascending
};

Drawn drawn(std::size_t durations) {
  Drawn result;
  std::uint64_t state = 7;
  for (std::size_t i = 0; i < durations; ++i) {
    const std::int64_t value = draw(state);
    const std::int64_t count = 1 + static_cast<std::int64_t>(i % 5);
    result.samples.add(Nanoseconds(value), count);
    result.one_by_one.insert(result.one_by_one.end(), static_cast<std::size_t>(count),
                             static_cast<double>(value) * 1e-9);
  }
  std::sort(result.one_by_one.begin(), result.one_by_one.end());
  return result;
}

TEST(WeightedSamples, FewDurationsAreExact) {
  const auto [samples, one_by_one] = drawn(1000);

  ASSERT_TRUE(samples.exact());
  for (const double q : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    EXPECT_NEAR(samples.percentile(q), percentile(one_by_one, q), 1e-15) << q;
  }
}

TEST(WeightedSamples, ManyDurationsAreOffByLessThanABin) {
  const auto [samples, one_by_one] = drawn(50'000);

  ASSERT_FALSE(samples.exact());
  double total = 0;
  for (const double value : one_by_one) total += value;
  EXPECT_NEAR(samples.mean(), total / static_cast<double>(one_by_one.size()),
              1e-9 * samples.mean());
  for (const double q : {0.0, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const double exact = percentile(one_by_one, q);
    EXPECT_NEAR(samples.percentile(q), exact, 0.001 * exact) << q;
  }
}

TEST(WeightedSamples, AddUpLikeTheirParts) {
  const Drawn many = drawn(20'000);
  const Drawn few = drawn(100);
  WeightedSamples both = few.samples;

  both.add(many.samples);

  EXPECT_EQ(both.count(), few.samples.count() + many.samples.count());
  std::vector<double> all = many.one_by_one;
  all.insert(all.end(), few.one_by_one.begin(), few.one_by_one.end());
  std::sort(all.begin(), all.end());
  for (const double q : {10.0, 50.0, 99.0}) {
    EXPECT_NEAR(both.percentile(q), percentile(all, q), 0.001 * percentile(all, q)) << q;
  }
}

TEST(WeightedSamples, WithoutSamplesHaveNoValue) {
  EXPECT_TRUE(std::isnan(WeightedSamples{}.mean()));
  EXPECT_TRUE(std::isnan(WeightedSamples{}.percentile(50)));
}

TEST(WeightedSamples, TakeTheLongestTimeThereIs) {
  WeightedSamples samples;
  for (std::int64_t i = 0; i < 5000; ++i) samples.add(kLongestService - Nanoseconds(i), 1);

  EXPECT_NEAR(samples.percentile(50), to_seconds(kLongestService).count(),
              0.001 * to_seconds(kLongestService).count());
}

}  // namespace
}  // namespace presil::serving
