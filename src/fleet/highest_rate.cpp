#include "fleet/highest_rate.h"

#include <algorithm>
#include <array>

#include "base/draws.h"
#include "base/parallel.h"
#include "serving/metrics/percentiles.h"

namespace presil::fleet {
namespace {

constexpr double kPrecision = 1.02;
constexpr int kMostDoublings = 40;
constexpr double kGrowingQueue = 0.97;  // requests that end over those that come: below, it grows

/// What `rate` does to a replica.
struct Trial {
  double rate = 0;
  double watts = 0;
  bool kept = true;
  std::string broken;  // the limit that is not kept; "": none, but the queue grows
  double broken_value_s = 0;
};

double statistic(std::vector<double>& sorted, const serving::SloLimit& limit) {
  if (sorted.empty()) return 0;
  if (limit.percentile) return serving::percentile(sorted, *limit.percentile);
  double sum = 0;
  for (const double v : sorted) sum += v;
  return sum / static_cast<double>(sorted.size());
}

class Search {
 public:
  Search(const PodRun& run, std::int64_t sections)
      : run_(run), sections_(static_cast<std::size_t>(sections)) {}

  Trial try_rate(double rate) {
    std::vector<PodResult> results(sections_);
    const std::array<double, 1> rates = {rate};
    parallel_each(sections_, [&](std::size_t j) {
      PodRun run = run_;
      run.rates = rates;
      run.seed = mix(run_.seed + j);
      results[j] = simulate_pod(run);
    });
    return judge(rate, results);
  }

  std::int64_t requests() const { return requests_; }
  double most_watts() const { return most_watts_; }

 private:
  Trial judge(double rate, const std::vector<PodResult>& results) {
    Trial trial{.rate = rate, .watts = 0, .kept = true, .broken = {}, .broken_value_s = 0};
    std::vector<double> ttft, tpot, e2e;
    double replica_seconds = 0;
    std::int64_t arrived = 0;
    std::int64_t ended = 0;
    for (const PodResult& result : results) {
      requests_ += result.arrived;
      const WindowSums& sums = result.windows[0];
      replica_seconds += sums.seconds * static_cast<double>(run_.replicas);
      trial.watts += sums.joules;
      arrived += sums.arrived;
      ended += sums.finished + sums.refused;
      ttft.insert(ttft.end(), sums.ttft_s.begin(), sums.ttft_s.end());
      tpot.insert(tpot.end(), sums.tpot_s.begin(), sums.tpot_s.end());
      e2e.insert(e2e.end(), sums.e2e_s.begin(), sums.e2e_s.end());
    }
    trial.watts /= replica_seconds;
    for (std::vector<double>* values : {&ttft, &tpot, &e2e})
      std::sort(values->begin(), values->end());
    for (const serving::SloLimit& limit : run_.slo->limits) {
      std::vector<double>& values = limit.latency == serving::Latency::ttft   ? ttft
                                    : limit.latency == serving::Latency::tpot ? tpot
                                                                              : e2e;
      const double value = statistic(values, limit);
      if (value <= seconds_of(limit)) continue;
      trial.kept = false;
      trial.broken = limit.text;
      trial.broken_value_s = value;
      return trial;
    }
    trial.kept = static_cast<double>(ended) >= kGrowingQueue * static_cast<double>(arrived);
    if (trial.kept) most_watts_ = std::max(most_watts_, trial.watts);
    return trial;
  }

  static double seconds_of(const serving::SloLimit& limit) {
    return to_seconds(limit.limit).count();
  }

  const PodRun& run_;
  std::size_t sections_;
  std::int64_t requests_ = 0;
  double most_watts_ = 0;  // of trials that kept the promise
};

/// Requests/s of a replica that serves them one after the other, at hardly any load.
double lone_rate(const PodRun& run) {
  serving::StepFeatures prefill, decode;
  const serving::Request& body = run.bodies.front();
  prefill.add_prefill(std::min(body.prompt_tokens, run.replica.engine.max_num_batched_tokens), 0);
  decode.add_decode(1, body.prompt_tokens);
  const double tokens = static_cast<double>(body.output_tokens);
  const double time = to_seconds(run.replica.costs->cost(prefill).time).count() +
                      tokens * to_seconds(run.replica.costs->cost(decode).time).count();
  return 0.5 / std::max(time, 1e-6);
}

}  // namespace

HighestRate find_highest_rate(const PodRun& run, std::int64_t sections) {
  Search search(run, sections);
  Trial good = search.try_rate(lone_rate(run));
  Trial bad = good;
  for (int i = 0; i < kMostDoublings && good.kept; ++i) {
    bad = search.try_rate(good.rate * 2);
    if (!bad.kept) break;
    good = bad;
  }
  while (good.kept && bad.rate > good.rate * kPrecision) {
    Trial middle = search.try_rate((good.rate + bad.rate) / 2);
    (middle.kept ? good : bad) = std::move(middle);
  }
  return {good.kept ? good.rate : 0, good.watts, search.most_watts(),
          search.requests(),         bad.broken, bad.broken_value_s};
}

}  // namespace presil::fleet
