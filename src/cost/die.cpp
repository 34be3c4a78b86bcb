#include "cost/die.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace presil {
namespace {

constexpr double kSquareMillimetresPerSquareCentimetre = 100;
constexpr double kMostDies = 1e9;  // of one wafer; dies of no area are no dies

double defects_on(SquareMillimetres area, double defects) {
  return area.count() / kSquareMillimetresPerSquareCentimetre * defects;
}

/// P(at most `spare` of n cores are bad), each good with probability p.
double enough_good(std::int64_t n, std::int64_t spare, double p) {
  if (p >= 1) return 1;
  if (p <= 0) return spare >= n ? 1 : 0;
  const double odds = (1 - p) / p;
  double term = std::exp(static_cast<double>(n) * std::log(p));  // none bad
  if (term == 0) return 0;  // over 700 bad cores are expected: no design keeps so many spares
  double sum = term;
  for (std::int64_t bad = 1; bad <= spare; ++bad) {
    term *= odds * static_cast<double>(n - bad + 1) / static_cast<double>(bad);
    sum += term;
    const bool past_the_peak = static_cast<double>(bad) > static_cast<double>(n) * (1 - p);
    if (past_the_peak && term < 1e-15 * sum) break;
  }
  return std::min(1.0, sum);
}

/// The mean of f(x), where x is a die's defect density over the mean one.
template <class F>
double mean_over_density(YieldModel model, double alpha, F f) {
  // Simpson's rule; the densities are smooth on each side of 1.
  const auto integrate = [&](double from, double to, auto density) {
    constexpr int kIntervals = 2000;
    const double h = (to - from) / kIntervals;
    double sum = 0;
    for (int i = 0; i <= kIntervals; ++i) {
      const double x = from + i * h;
      const double weight = i == 0 || i == kIntervals ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * density(x) * f(x);
    }
    return sum * h / 3;
  };
  switch (model) {
    case YieldModel::poisson:
      return f(1);
    case YieldModel::murphy:
      return integrate(0, 1, [](double x) { return x; }) +
             integrate(1, 2, [](double x) { return 2 - x; });
    case YieldModel::negative_binomial: {
      const double scale = alpha * std::log(alpha) - std::lgamma(alpha);
      const auto gamma = [&](double x) {
        if (x == 0) return alpha == 1 ? 1.0 : 0.0;
        return std::exp(scale + (alpha - 1) * std::log(x) - alpha * x);
      };
      return integrate(0, 1, gamma) + integrate(1, 1 + 40 / std::sqrt(alpha), gamma);
    }
  }
  return 0;
}

}  // namespace

std::string_view to_string(YieldModel model) {
  switch (model) {
    case YieldModel::poisson:
      return "poisson";
    case YieldModel::murphy:
      return "murphy";
    case YieldModel::negative_binomial:
      return "negative_binomial";
  }
  return "";
}

double dies_per_wafer(SquareMillimetres area, Millimetres diameter) {
  using std::numbers::pi;
  const double d = diameter.count();
  const double a = area.count();
  return std::max(0.0, pi * d * d / 4 / a - pi * d / std::sqrt(2 * a));
}

std::int64_t gross_dies(SquareMillimetres area, const ProcessNode& node) {
  const double side = std::sqrt(area.count()) + node.scribe.count();
  const double dies = dies_per_wafer(SquareMillimetres(side * side),
                                     node.wafer_diameter - 2.0 * node.edge_exclusion);
  return static_cast<std::int64_t>(std::min(dies, kMostDies));
}

double perfect_yield(YieldModel model, SquareMillimetres area, double defects, double alpha) {
  const double ad = defects_on(area, defects);
  if (ad == 0) return 1;
  switch (model) {
    case YieldModel::poisson:
      return std::exp(-ad);
    case YieldModel::murphy:
      return std::pow(-std::expm1(-ad) / ad, 2);
    case YieldModel::negative_binomial:
      return std::pow(1 + ad / alpha, -alpha);
  }
  return 0;
}

double sellable_yield(YieldModel model, const Die& die, double defects, double alpha) {
  const std::int64_t spare = die.physical - die.enabled;
  if (spare == 0) return perfect_yield(model, die.area, defects, alpha);
  const double in_cores = defects_on(die.area, defects) * die.core_share;
  const double outside = defects_on(die.area, defects) - in_cores;
  const double in_core = in_cores / static_cast<double>(die.physical);
  return mean_over_density(model, alpha, [&](double x) {
    return std::exp(-outside * x) * enough_good(die.physical, spare, std::exp(-in_core * x));
  });
}

}  // namespace presil
