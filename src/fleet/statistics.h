// What a sample says of the whole, and how surely.
//
// A fleet is sampled in sections: section j holds the j-th sampled replica of every kind, site and
// hour, so that each section is a small fleet of its own and the sections are independent. Any
// statistic, a mean, a ratio or a percentile, is computed over all sections together and once more
// over each; how far the sections lie apart says how far the whole may be off.
#pragma once

#include <span>
#include <vector>

namespace presil::fleet {

/// A value and the half-width of its confidence interval; 0 where nothing was drawn.
struct Estimate {
  double value = 0;
  double half_width = 0;

  double low() const { return value - half_width; }
  double high() const { return value + half_width; }
};

/// The quantile of Student's t that leaves (1 - confidence) / 2 on either side: 2.262 for 0.95 and
/// 9 degrees of freedom. Requires 0 < confidence < 1 and freedom > 0.
double student_t(double confidence, double freedom);

/// `value` is the statistic over all sections, `sections` the same over each. The half-width is
/// t s / sqrt(n), s being the standard deviation of the sections. Requires two sections at least.
Estimate estimate(double value, std::span<const double> sections, double confidence);

/// The mean of `sections` with its interval.
Estimate mean_estimate(std::span<const double> sections, double confidence);

/// A sample value and how many it stands for.
struct Weighted {
  float value = 0;
  double weight = 1;
};

/// The smallest value that at least `share` of all weight does not exceed; 0 of nothing. Sorts
/// `values`.
double weighted_quantile(std::vector<Weighted>& values, double share);

}  // namespace presil::fleet
