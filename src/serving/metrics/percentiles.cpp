#include "serving/metrics/percentiles.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace presil::serving {

PercentileRank percentile_rank(double q, std::size_t count) {
  CHECK(count > 0, "a percentile needs a value");
  CHECK(q >= 0 && q <= 100, "a percentile lies between 0 and 100");
  const double rank = q / 100 * static_cast<double>(count - 1);
  const double below = std::floor(rank);
  return {static_cast<std::size_t>(below), rank - below};
}

double percentile(std::span<const double> sorted, double q) {
  const PercentileRank rank = percentile_rank(q, sorted.size());
  const double low = sorted[rank.below];
  const double high = sorted[std::min(rank.below + 1, sorted.size() - 1)];
  return low + (high - low) * rank.fraction;
}

}  // namespace presil::serving
