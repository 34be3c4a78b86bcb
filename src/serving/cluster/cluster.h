// A service: pools of replicas behind a gate and a router, under a load.
//
// One loop takes events in the total order of (time, kind, number): a replica is ready, the
// autoscaler looks, a KV cache arrives, the gate opens, a request arrives, a replica steps.
// Replicas step last, so that all that arrives at an instant is there when the next batch is made.
// Nothing else decides an order, so a run is the same to the last bit wherever it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serving/cluster/spec.h"
#include "serving/engine/options.h"
#include "serving/engine/replica.h"
#include "serving/metrics/service_result.h"
#include "serving/source.h"
#include "serving/step_cost.h"

namespace presil::serving {

/// Replicas of one kind. Everything is of one replica: all chips of its parallel group.
struct Pool {
  std::string name;
  EngineOptions engine;  // its role says what the pool does
  const StepCosts* costs = nullptr;
  const StepCosts* draft = nullptr;  // of the draft model, with speculation
  int replicas = 1;                  // awake at time 0
  int chips_per_replica = 1;
  double idle_watts = 0;          // whenever no step runs, while starting too
  double peak_flops = 0;          // a second, at the precision of its products
  double kv_bytes_per_token = 0;  // what a transfer carries
  double weight = 1;              // how much of the load it shall get, relative to other pools
};

struct Cluster {
  std::vector<Pool> pools;
  ClusterSpec spec;
  std::vector<ServiceClass> classes;  // none: all requests are alike
  Slo slo;                            // of all requests
  Nanoseconds warm_up{0};             // requests that arrive before are served, not measured
  std::uint64_t seed = 0;
};

/// Runs `load` to its end: until every request has ended. `listener`, when there is one, hears what
/// the metrics hear. Throws InputError for a cluster that cannot work (no replica, prefill without
/// decode or the link between them) or whose load ends within its warm-up, and whatever `load`
/// throws.
ServiceResult simulate(const Cluster& cluster, RequestSource& load, Observer* listener = nullptr);

}  // namespace presil::serving
