// Hears everything that happens in a service and sums it up, in memory that grows by 24 bytes a
// request.
#pragma once

#include <string>
#include <vector>

#include "serving/engine/options.h"
#include "serving/engine/replica.h"
#include "serving/metrics/latencies.h"
#include "serving/metrics/service_result.h"

namespace presil::serving {

/// What the metrics need to know of a pool. Its replicas have consecutive numbers, in the order of
/// the pools.
struct PoolFacts {
  std::string name;
  int replicas = 1;  // numbers that it may use, with power or without
  int chips_per_replica = 1;
  double idle_watts = 0;  // of a replica
  double peak_flops = 0;  // of a replica, a second; 0: its MFU is not known
};

struct ClassFacts {
  std::string name;
  Slo slo;
};

class Collector : public Observer {
 public:
  /// Without classes all requests are of one. A class that promises nothing promises `slo`.
  Collector(std::vector<PoolFacts> pools, std::vector<ClassFacts> classes, Slo slo);

  void finished(const RequestRecord& record) override;
  void stepped(const StepRecord& step) override;
  void between_tokens(Nanoseconds since, std::int64_t count, int slo_class) override;

  void power_on(int replica, Nanoseconds now);
  /// Measures from `now` on: forgets all but the series, and does not count requests that arrived
  /// before. A step that is in flight counts whole.
  void end_warm_up(Nanoseconds now);
  /// Requires that no step of it is in flight.
  void power_off(int replica, Nanoseconds now);
  /// `level` holds from `now` on; `in_transfer` requests are between two replicas.
  void level(Nanoseconds now, const Level& level, std::int64_t in_transfer);
  void transferred(double bytes, Nanoseconds waited, Nanoseconds took);

  /// Everything, at the end of the run. Call once; requires that nothing is in flight.
  ServiceResult result(Nanoseconds end);

 private:
  struct ReplicaState {
    int pool = 0;
    bool powered = false;
    bool shown = false;  // in the Gantt chart
    Nanoseconds idle_since{};
  };
  struct ClassState {
    Counts counts;
    Latencies latencies;
  };
  struct PoolSums {
    PoolResult so_far;  // its times, shares and idle energy are worked out in the end
    __int128_t busy_ns = 0, idle_ns = 0;
  };
  struct Sums {  // of requests x time
    __int128_t waiting = 0, running = 0, in_transfer = 0;
    double used_blocks = 0, blocks = 0;  // x ns
  };
  PoolSums nothing_yet(std::size_t pool) const;
  void idle_until(ReplicaState& replica, Nanoseconds now);
  void sum_up_pools(ServiceResult& result) const;
  void sum_up_levels(ServiceResult& result) const;
  void sum_up_classes(ServiceResult& result);

  std::vector<PoolFacts> facts_;
  std::vector<ClassFacts> class_facts_;
  Slo slo_;
  std::vector<ReplicaState> replicas_;
  std::vector<PoolSums> pools_;
  std::vector<int> powered_;  // replicas of each pool
  Nanoseconds begin_;         // of what is measured
  std::vector<ClassState> classes_;
  TimeSeries series_;
  GanttWindow gantt_;
  Level level_;
  std::int64_t in_transfer_ = 0;
  Nanoseconds level_since_;
  Sums sums_;
  double most_kv_use_ = 0;
  std::int64_t most_waiting_ = 0, most_running_ = 0;
  TransferResult transfers_;
  double transfer_wait_ns_ = 0, transfer_ns_ = 0;
};

}  // namespace presil::serving
