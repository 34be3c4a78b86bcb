#include "fleet/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace presil::fleet {
namespace {

/// The continued fraction of the incomplete beta function, by Lentz's method (Press et al.,
/// Numerical Recipes, 6.4). Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double h = d;
  for (int m = 1; m <= 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double change = d * c;
    h *= change;
    if (std::abs(change - 1) < 1e-15) break;
  }
  return h;
}

/// The regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double student_t(double confidence, double freedom) {
  CHECK(confidence > 0 && confidence < 1 && freedom > 0, "an interval needs a level and samples");
  // P(|T| > t) = I_x(freedom / 2, 1/2) at x = freedom / (freedom + t^2).
  const auto outside = [&](double t) {
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
  };
  double low = 0;
  double high = 1;
  while (outside(high) > 1 - confidence) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (outside(middle) > 1 - confidence ? low : high) = middle;
  }
  return (low + high) / 2;
}

Estimate estimate(double value, std::span<const double> sections, double confidence) {
  CHECK(sections.size() >= 2, "an interval needs two sections");
  const auto n = static_cast<double>(sections.size());
  const double mean = std::accumulate(sections.begin(), sections.end(), 0.0) / n;
  double squares = 0;
  for (const double s : sections) squares += (s - mean) * (s - mean);
  return {value, student_t(confidence, n - 1) * std::sqrt(squares / (n - 1) / n)};
}

Estimate mean_estimate(std::span<const double> sections, double confidence) {
  const auto n = static_cast<double>(sections.size());
  return estimate(std::accumulate(sections.begin(), sections.end(), 0.0) / n, sections, confidence);
}

double weighted_quantile(std::vector<Weighted>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) {
    return a.value != b.value ? a.value < b.value : a.weight < b.weight;
  });
  double all = 0;
  for (const Weighted& v : values) all += v.weight;
  double below = 0;
  for (const Weighted& v : values) {
    below += v.weight;
    if (below >= share * all) return v.value;
  }
  return values.back().value;
}

}  // namespace presil::fleet
