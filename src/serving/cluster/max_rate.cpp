#include "serving/cluster/max_rate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/quantity_text.h"

namespace presil::serving {
namespace {

constexpr double kNearlyIdle = 1.0 / 1024;  // of the rate that a search starts from
constexpr int kMostDoublings = 40;
constexpr double kSaturated = 1.05;  // less more throughput at twice the rate is none

// The limits that a service misses, with what it did instead.
std::string missed(const LoadPoint& point) {
  std::string text;
  for (const SloCheck& check : point.slo) {
    if (check.met) continue;
    if (!text.empty()) text += ", ";
    text += std::isnan(check.value_s)
                ? fmt::format("{} (nothing to measure)", check.limit.text)
                : fmt::format("{} (it is {})", check.limit.text,
                              format_quantity(check.value_s, Dimension::seconds));
  }
  return text.empty() ? "requests are turned away" : text;
}

/// Runs the service, and keeps every point and all of the last run that met the SLO.
class Search {
 public:
  explicit Search(const RunAtRate& run) : run_(run) {}

  LoadPoint at(double rate) {
    ServiceResult result = run_(rate);
    LoadPoint point = load_point(rate, result);
    found_.points.push_back(point);
    if (point.meets) {
      found_.rate = rate;
      found_.at_rate = std::move(result);
    }
    return point;
  }

  /// Doubles the rate until the SLO is missed, and returns that rate; nothing when more load no
  /// longer gives more throughput before that. Requires a point that meets.
  std::optional<double> rate_that_fails(LoadPoint last) {
    for (int i = 0; i < kMostDoublings; ++i) {
      LoadPoint twice = at(2 * last.rate);
      if (!twice.meets) return twice.rate;
      const bool rises = twice.request_throughput >= kSaturated * last.request_throughput;
      last = std::move(twice);
      if (!rises) break;
    }
    found_.saturated = true;
    found_.rate = last.request_throughput;
    return std::nullopt;
  }

  void narrow(double fails, double precision) {
    while (fails > found_.rate * (1 + precision)) {
      const double middle = std::sqrt(found_.rate * fails);
      if (!at(middle).meets) fails = middle;
    }
  }

  MaxRate result() {
    std::sort(found_.points.begin(), found_.points.end(),
              [](const LoadPoint& a, const LoadPoint& b) { return a.rate < b.rate; });
    return std::move(found_);
  }

 private:
  const RunAtRate& run_;
  MaxRate found_;
};

}  // namespace

LoadPoint load_point(double rate, const ServiceResult& result) {
  return {.rate = rate,
          .latency = result.latency,
          .request_throughput = result.request_throughput,
          .output_throughput = result.output_throughput,
          .request_goodput = result.request_goodput,
          .queue = result.queue.mean,
          .power_w = result.power_w,
          .energy_j_per_token = result.energy_j_per_token,
          .slo = result.slo,
          .meets = result.meets_slo()};
}

std::vector<LoadPoint> load_curve(const RunAtRate& run, std::span<const double> rates) {
  std::vector<LoadPoint> points(rates.size());
  parallel_each(rates.size(),
                [&](std::size_t i) { points[i] = load_point(rates[i], run(rates[i])); });
  return points;
}

Feasible<MaxRate> find_max_rate(const RunAtRate& run, double start, double precision) {
  CHECK(start > 0 && precision > 0, "a search starts somewhere and ends");
  Search search(run);
  const LoadPoint first = search.at(start);
  std::optional<double> fails = start;
  if (first.meets) {
    fails = search.rate_that_fails(first);
  } else if (const LoadPoint idle = search.at(start * kNearlyIdle); !idle.meets) {
    return tl::unexpected(
        Infeasible{fmt::format("no rate meets the SLO: at {:.3g} requests a second it misses {}",
                               idle.rate, missed(idle)),
                   "a looser limit, a faster chip or more chips to a replica"});
  }
  if (fails) search.narrow(*fails, precision);
  return search.result();
}

}  // namespace presil::serving
