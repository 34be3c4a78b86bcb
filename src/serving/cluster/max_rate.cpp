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

class Search {
 public:
  Search(const RunAtRate& run, std::vector<LoadPoint>& points) : run_(run), points_(points) {}

  LoadPoint at(double rate) {
    points_.push_back(load_point(rate, run_(rate)));
    return points_.back();
  }

 private:
  const RunAtRate& run_;
  std::vector<LoadPoint>& points_;
};

struct Bracket {
  double meets = 0;
  std::optional<double> fails;  // nothing: every rate meets
};

Feasible<Bracket> bracket(Search& search, double start) {
  LoadPoint last = search.at(start);
  if (!last.meets) {
    const LoadPoint idle = search.at(start * kNearlyIdle);
    if (idle.meets) return Bracket{idle.rate, start};
    return tl::unexpected(
        Infeasible{fmt::format("no rate meets the SLO: at {:.3g} requests a second it misses {}",
                               idle.rate, missed(idle)),
                   "a looser limit, a faster chip or more chips to a replica"});
  }
  for (int i = 0; i < kMostDoublings; ++i) {
    LoadPoint twice = search.at(2 * last.rate);
    if (!twice.meets) return Bracket{last.rate, twice.rate};
    if (twice.request_throughput < kSaturated * last.request_throughput) {
      return Bracket{last.rate, std::nullopt};
    }
    last = std::move(twice);
  }
  return Bracket{last.rate, std::nullopt};
}

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
  MaxRate found;
  Search search(run, found.points);
  const Feasible<Bracket> within = bracket(search, start);
  if (!within) return tl::unexpected(within.error());

  found.rate = within->meets;
  found.saturated = !within->fails;
  double fails = within->fails.value_or(found.rate);
  while (fails > found.rate * (1 + precision)) {
    const double middle = std::sqrt(found.rate * fails);
    (search.at(middle).meets ? found.rate : fails) = middle;
  }
  std::sort(found.points.begin(), found.points.end(),
            [](const LoadPoint& a, const LoadPoint& b) { return a.rate < b.rate; });
  return found;
}

}  // namespace presil::serving
