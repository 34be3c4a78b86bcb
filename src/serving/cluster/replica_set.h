// The replicas of a service: which are on, what they hold, and which of them steps next.
//
// A replica is off, starting (power, no work yet), awake, or draining (no new work, off when the
// last has ended). Every replica begins with an empty prefix cache.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "serving/cluster/admission.h"
#include "serving/cluster/cluster.h"
#include "serving/cluster/event_clock.h"
#include "serving/cluster/router.h"
#include "serving/metrics/collector.h"

namespace presil::serving {

/// How many replicas of `pool` there may be at once.
int slots_of(const Cluster& cluster, const Pool& pool);

class ReplicaSet {
 public:
  /// Switches on each pool's first replicas, awake at once. All arguments outlive it.
  ReplicaSet(const Cluster& cluster, Observer& observer, Collector& metrics);

  int count() const { return static_cast<int>(slots_.size()); }
  const Pool& pool_of(int replica) const;
  bool has_decoders() const { return decoders_.has_targets(); }

  /// The replica for a new request, and for one whose prompt was read.
  int choose(const Request& request) { return entrance_.choose(request); }
  int choose_decoder(const Request& request) { return decoders_.choose(request); }

  void submit(int replica, const Request& request, Nanoseconds now);
  /// A KV cache is on its way to a replica, which waits for it; and it has arrived.
  void expect(int replica);
  void submit_prefilled(int replica, const Request& request, const RequestRecord& so_far,
                        Nanoseconds now);

  /// The replica that has something to do first, and when.
  Nanoseconds next_step() const { return clock_.time(); }
  int next_to_step() const { return clock_.first(); }
  void step(int replica, Nanoseconds now);
  void worked(const StepRecord& step);

  /// When a starting replica is ready; kLongestService without one.
  Nanoseconds next_ready() const;
  void wake_next(Nanoseconds now);
  /// The autoscaler looks at every pool.
  void scale(const AutoscaleSpec& spec, Nanoseconds now);

  const Level& level() const { return level_; }
  /// Of the replicas that take new requests.
  ServiceLoad entrance_load() const;

 private:
  enum class Phase { off, starting, awake, draining };
  struct Slot {
    int pool = 0;
    Phase phase = Phase::off;
    std::unique_ptr<Replica> engine;  // awake or draining
    ReplicaLoad load;                 // its own
    ReplicaLoad seen;                 // by routers: what is on its way counts as waiting
    std::int64_t expected = 0;        // KV caches on their way
  };
  struct PoolState {
    int first = 0, count = 0;            // slots
    int awake = 0, starting = 0;         // of them
    double measured = 0;                 // what the autoscaler goes by, of all that are awake, now
    double measured_ns = 0;              // x time, since the last look
    double awake_ns = 0;                 // replicas x time, since the last look
    double busy_ns = 0;                  // of steps, since the last look
    Nanoseconds since{0};                // sums are up to here
    std::optional<Nanoseconds> changed;  // when replicas were last added or let go
  };

  Slot& slot(int replica) { return slots_[static_cast<std::size_t>(replica)]; }
  PoolState& state_of(const Slot& slot) { return pools_[static_cast<std::size_t>(slot.pool)]; }
  double measure(const ReplicaLoad& load) const;
  void sum_up_to(PoolState& pool, Nanoseconds now);
  void account(const Slot& slot, int sign);
  void set_phase(int replica, Phase phase, Nanoseconds now);
  void refresh(int replica, Nanoseconds now);
  void refresh_seen(Slot& slot);
  void power_on(int replica, Phase phase, Nanoseconds now);
  void make_engine(int replica);
  void power_off_if_drained(int replica, Nanoseconds now);
  int wanted(const AutoscaleSpec& spec, PoolState& pool) const;
  void grow(PoolState& pool, int more, const AutoscaleSpec& spec, Nanoseconds now);
  void shrink(PoolState& pool, int fewer, Nanoseconds now);
  void choose_targets();

  const Cluster& cluster_;
  Observer& observer_;
  Collector& metrics_;
  std::vector<Slot> slots_;
  std::vector<PoolState> pools_;
  EventClock clock_;
  Router entrance_, decoders_;
  std::set<std::pair<Nanoseconds, int>> starting_;  // (ready, replica)
  Level level_;
  double recent_tokens_ = 0, recent_ns_ = 0;  // of steps of the entrance, older ones fading
};

}  // namespace presil::serving
