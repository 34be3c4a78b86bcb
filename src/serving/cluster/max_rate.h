// How much load a service takes: latency against load, and the most it takes within its SLO.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "serving/metrics/service_result.h"

namespace presil::serving {

/// The service under `requests_per_s`; the same every time, and may be called from any thread.
using RunAtRate = std::function<ServiceResult(double requests_per_s)>;

/// One point of latency against load.
struct LoadPoint {
  double rate = 0;  // requests a second that arrive
  LatencySummaries latency;
  double request_throughput = 0;
  double output_throughput = 0;
  double request_goodput = 0;
  double queue = 0;  // requests, mean over time
  double power_w = 0;
  double energy_j_per_token = 0;
  std::vector<SloCheck> slo;
  bool meets = false;
};

LoadPoint load_point(double rate, const ServiceResult& result);

/// One run for each rate, side by side.
std::vector<LoadPoint> load_curve(const RunAtRate& run, std::span<const double> rates);

struct MaxRate {
  double rate = 0;  // the highest that was found to meet the SLO
  // The SLO held at every rate, and more load gave no more throughput: `rate` is that throughput.
  bool saturated = false;
  ServiceResult at_rate;          // the run at `rate`; when saturated, the one that showed it
  std::vector<LoadPoint> points;  // every rate that was tried, ascending
};

/// Brackets from `start` by doubling, or by one run at start / 1024, then halves the bracket in
/// proportion until its ends are within `precision`. Infeasible when the SLO is not met even at
/// start / 1024: says which limit fails, and at what value. Requires start > 0, precision > 0.
Feasible<MaxRate> find_max_rate(const RunAtRate& run, double start, double precision = 0.01);

}  // namespace presil::serving
