// The latencies of many requests, by the definitions of vLLM's benchmark (docs/metrics.md).
//
// Eight bytes a request and latency: a million requests take 24 MB.
#pragma once

#include <optional>
#include <vector>

#include "serving/metrics/percentiles.h"
#include "serving/metrics/slo.h"
#include "serving/metrics/weighted_samples.h"
#include "serving/request.h"

namespace presil::serving {

/// TTFT = first token - arrival, E2EL = last token - arrival, TPOT = (E2EL - TTFT) / (tokens - 1)
/// of requests with more than one token. Requires a finished request.
RequestLatency latency_of(const RequestRecord& record);

class Latencies {
 public:
  void add(const RequestLatency& request);
  void add_gap(Nanoseconds since, std::int64_t count) { itl_.add(since, count); }
  void add(const Latencies& other);

  /// In seconds; `percentile` nothing: the mean. NaN without samples. Sorts on first use.
  double statistic(Latency latency, std::optional<double> percentile);
  Summary summary(Latency latency);
  std::vector<SloCheck> check(const Slo& slo);

 private:
  std::vector<double>& values_of(Latency latency);
  void sort();

  std::vector<double> ttft_ns_, tpot_ns_, e2e_ns_;
  WeightedSamples itl_;
  bool sorted_ = true;
};

}  // namespace presil::serving
