// A few replicas that share their requests, simulated request by request through the hours of a
// day.
//
// Requests arrive as a Poisson process: what a random router gives a pod out of many is one.
// What each asks is drawn from the scenario's load. Of every hour a window is simulated, one window
// after another without a pause, so that an hour begins with the queue the last one left; the first
// part of each window is not counted, and before the first hour a window runs for nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/units.h"
#include "serving/cluster/spec.h"
#include "serving/engine/options.h"
#include "serving/metrics/slo.h"
#include "serving/request.h"
#include "serving/step_cost.h"

namespace presil::fleet {

/// What every replica of a pod is. What is pointed to outlives the pod.
struct PodReplica {
  const serving::StepCosts* costs = nullptr;
  const serving::StepCosts* draft = nullptr;  // of a draft model, where there is one
  serving::EngineOptions engine;
  Watts idle;  // of the replica's chips
};

struct PodRun {
  PodReplica replica;
  std::int64_t replicas = 1;
  serving::RouterSpec router;
  std::span<const serving::Request> bodies;  // what requests may ask; at least one
  const serving::Slo* slo = nullptr;
  std::span<const double> rates;  // requests/s of each replica, hour by hour
  double requests_per_window = 0;
  double warm_up = 0;  // share of a window that is not counted
  std::uint64_t seed = 0;
};

/// What was counted in one window; latencies and tokens are of the requests that ended in it.
struct WindowSums {
  double seconds = 0;  // counted, of each replica; 0: nobody asked, nothing was simulated
  std::int64_t arrived = 0;
  std::int64_t finished = 0;
  std::int64_t refused = 0;  // longer than the engine takes
  std::int64_t kept = 0;     // finished within the promise
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  double joules = 0;           // of all replicas, idle time included
  double request_seconds = 0;  // from arrival to last token, summed
  std::vector<float> ttft_s, tpot_s, e2e_s;
};

struct PodResult {
  std::vector<WindowSums> windows;  // as rates
  std::int64_t arrived = 0, ended = 0,
               left = 0;  // arrived == ended + left, in the queues at the end
};

/// The same run gives the same bytes.
PodResult simulate_pod(const PodRun& run);

}  // namespace presil::fleet
