#include "serving/metrics/latencies.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace presil::serving {

RequestLatency latency_of(const RequestRecord& record) {
  CHECK(record.outcome == Outcome::finished, "only a finished request has latencies");
  const auto since_arrival = [&](Nanoseconds t) {
    return static_cast<double>((t - record.arrival).count());
  };
  RequestLatency latency{.ttft_ns = since_arrival(record.first_token),
                         .tpot_ns = std::nullopt,
                         .e2e_ns = since_arrival(record.last_token)};
  if (record.output_tokens > 1) {
    latency.tpot_ns =
        (latency.e2e_ns - latency.ttft_ns) / static_cast<double>(record.output_tokens - 1);
  }
  return latency;
}

void Latencies::add(const RequestLatency& request) {
  ttft_ns_.push_back(request.ttft_ns);
  if (request.tpot_ns) tpot_ns_.push_back(*request.tpot_ns);
  e2e_ns_.push_back(request.e2e_ns);
  sorted_ = false;
}

void Latencies::add(const Latencies& other) {
  const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(ttft_ns_, other.ttft_ns_);
  append(tpot_ns_, other.tpot_ns_);
  append(e2e_ns_, other.e2e_ns_);
  itl_.add(other.itl_);
  sorted_ = false;
}

std::vector<double>& Latencies::values_of(Latency latency) {
  switch (latency) {
    case Latency::ttft:
      return ttft_ns_;
    case Latency::tpot:
      return tpot_ns_;
    case Latency::e2e:
      return e2e_ns_;
    case Latency::itl:
      break;
  }
  throw InternalError("gaps between tokens are not kept one by one");
}

void Latencies::sort() {
  if (sorted_) return;
  for (std::vector<double>* values : {&ttft_ns_, &tpot_ns_, &e2e_ns_}) {
    std::sort(values->begin(), values->end());
  }
  sorted_ = true;
}

double Latencies::statistic(Latency latency, std::optional<double> percentile) {
  if (latency == Latency::itl) return percentile ? itl_.percentile(*percentile) : itl_.mean();
  sort();
  const std::vector<double>& values = values_of(latency);
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (percentile) return serving::percentile(values, *percentile) * 1e-9;
  const double total = std::accumulate(values.begin(), values.end(), 0.0);
  return total / static_cast<double>(values.size()) * 1e-9;
}

Summary Latencies::summary(Latency latency) {
  return {.mean = statistic(latency, std::nullopt),
          .p50 = statistic(latency, 50),
          .p90 = statistic(latency, 90),
          .p99 = statistic(latency, 99)};
}

std::vector<SloCheck> Latencies::check(const Slo& slo) {
  std::vector<SloCheck> checks;
  for (const SloLimit& limit : slo.limits) {
    const double value = statistic(limit.latency, limit.percentile);
    checks.push_back({limit, value, value <= to_seconds(limit.limit).count()});
  }
  return checks;
}

}  // namespace presil::serving
