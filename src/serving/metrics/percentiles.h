// Percentiles as numpy.percentile gives them (method "linear"), which vLLM's benchmark reports.
//
// The q-th percentile of n sorted values lies at rank r = q / 100 (n - 1), counted from 0. Between
// two ranks it is interpolated linearly.
#pragma once

#include <span>

namespace presil::serving {

/// Of a latency, in seconds. All NaN when there was nothing to measure.
struct Summary {
  double mean;
  double p50;
  double p90;
  double p99;
};

/// Where a percentile lies among n sorted values: between `below` and the value after it.
struct PercentileRank {
  std::size_t below = 0;
  double fraction = 0;  // of the way to the next value; 0 at the last one
};

/// Requires count > 0 and 0 <= q <= 100.
PercentileRank percentile_rank(double q, std::size_t count);

/// Of ascending values. Requires at least one and 0 <= q <= 100.
double percentile(std::span<const double> sorted, double q);

}  // namespace presil::serving
