// What a run of a service comes to. docs/metrics.md has each definition with its formula.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serving/metrics/gantt.h"
#include "serving/metrics/percentiles.h"
#include "serving/metrics/series.h"
#include "serving/metrics/slo.h"

namespace presil::serving {

/// Mean over the time of the run, and the most at any instant.
struct OverTime {
  double mean = 0;
  double max = 0;
};

struct Counts {
  std::int64_t requests = 0;  // that arrived and are measured
  std::int64_t warm_up = 0;   // that arrived before the warm-up was over
  std::int64_t completed = 0;
  std::int64_t too_long = 0;     // longer than the model's context, or than the KV cache
  std::int64_t turned_away = 0;  // by admission control
  std::int64_t kept = 0;         // completed, with their own latencies within the SLO
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;  // of them, found in a prefix cache
  std::int64_t output_tokens = 0;
  std::int64_t preemptions = 0;

  std::int64_t rejected() const { return too_long + turned_away; }
};

struct LatencySummaries {
  Summary ttft_s, tpot_s, itl_s, e2e_s;
};

/// Requests of one SLO class.
struct ClassResult {
  std::string name;
  Counts counts;
  LatencySummaries latency;
  std::vector<SloCheck> slo;
};

/// Replicas of one kind.
struct PoolResult {
  std::string name;
  int first_replica = 0;  // the numbers of its replicas begin here
  int replica_count = 0;  // and are so many, whether they ever had power or not
  int chips_per_replica = 1;
  int most_replicas = 0;     // with power at once
  double mean_replicas = 0;  // with power
  std::int64_t steps = 0;
  std::int64_t step_tokens = 0;  // new tokens of all steps
  double busy_s = 0;             // of all replicas: a step is in the first stage
  double idle_s = 0;             // of all replicas: power without a step
  double step_energy_j = 0;
  double idle_energy_j = 0;  // = idle_s x idle watts
  double flops = 0;
  double mfu = 0;       // flops / (peak x time with power)
  double mfu_busy = 0;  // flops / (peak x busy time)
};

/// KV caches that went from prefill replicas to decode replicas.
struct TransferResult {
  std::int64_t count = 0;
  double bytes = 0;
  double mean_wait_s = 0;  // for the link of their replica
  double mean_s = 0;       // from the end of prefill until all of it is there
};

/// Requests x time, in whole nanoseconds: Little's law holds to the last one.
struct RequestTime {
  __int128_t waiting_ns = 0, running_ns = 0, in_transfer_ns = 0;
};

struct ServiceResult {
  Counts counts;
  LatencySummaries latency;
  std::vector<SloCheck> slo;
  double duration_s = 0;  // from time 0, or the end of the warm-up, to the last event
  double request_throughput = 0;
  double output_throughput = 0;       // tokens written a second
  double total_token_throughput = 0;  // read and written
  double request_goodput = 0;         // requests a second that keep the SLO
  double prefix_hit_rate = 0;         // share of the prompts' tokens
  OverTime kv_use;                    // share of the blocks of replicas with power
  OverTime queue, running;            // requests
  RequestTime request_time;
  double mfu = 0;       // flops / sum of (peak x time with power)
  double mfu_busy = 0;  // flops / sum of (peak x busy time)
  double power_w = 0;
  double energy_j = 0;            // = sum over pools of step and idle energy
  double energy_j_per_token = 0;  // written; NaN when none was
  std::vector<ClassResult> classes;
  std::vector<PoolResult> pools;
  TransferResult transfers;
  std::vector<SeriesPoint> series;
  std::vector<GanttStep> gantt;

  /// Every limit of `slo` holds, and nobody was turned away. Classes have their own checks.
  bool meets_slo() const;
};

}  // namespace presil::serving
