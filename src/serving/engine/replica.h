// One replica: a scheduler, its paged KV cache, and the time its steps take.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "serving/engine/options.h"
#include "serving/request.h"
#include "serving/step_cost.h"

namespace presil::serving {

/// One step as it ran.
struct StepRecord {
  int replica = 0;
  Nanoseconds start, end;
  StepFeatures features;
  StepCost cost;
  std::int64_t waiting = 0, running = 0;  // requests, when it was scheduled
  std::int64_t used_blocks = 0;
  std::int64_t preempted = 0;  // requests, by this scheduling
};

/// Hears what happens in replicas, in order of time within each. Nothing may be kept of what a
/// reference points to.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A request's last token is written, or it was refused.
  virtual void finished(const RequestRecord& record) = 0;
  /// A step has ended.
  virtual void stepped(const StepRecord&) {}
  /// `count` sequences got a token `since` after their one before: samples of inter-token latency.
  virtual void between_tokens(Nanoseconds since, std::int64_t count, int slo_class) = 0;
  /// A prefill replica has read a prompt and written its first token: the request goes on
  /// elsewhere.
  virtual void prefilled(const Request& request, const RequestRecord& so_far) {
    (void)request;
    (void)so_far;
  }
};

/// What routers and autoscalers may see.
struct ReplicaLoad {
  std::int64_t waiting = 0, running = 0;
  std::int64_t outstanding_tokens = 0;  // prompt tokens not read yet, and sequences that decode
  std::int64_t used_blocks = 0, free_blocks = 0;
};

class Replica {
 public:
  /// `costs`, `draft` (the draft model's steps; nullptr without) and `observer` outlive the
  /// replica.
  Replica(int number, const EngineOptions& options, const StepCosts& costs, const StepCosts* draft,
          Observer& observer);
  ~Replica();
  Replica(Replica&&) noexcept;

  /// Takes a request at `now`, never before an event that advance() has passed. What cannot ever be
  /// served is reported as finished with Outcome::too_long.
  void submit(const Request& request, Nanoseconds now);
  /// Takes a request whose prompt was read elsewhere and whose KV cache arrives complete at `now`.
  void submit_prefilled(const Request& request, const RequestRecord& so_far, Nanoseconds now);

  /// When something next happens here: the end of a step in flight; kLongestService when idle.
  Nanoseconds next_event() const;
  /// Ends the steps that end at or before `now` and starts what can start.
  void advance(Nanoseconds now);

  ReplicaLoad load() const;
  /// Tokens of the prompt that this replica's prefix cache holds now.
  std::int64_t cached_tokens(const Request& request) const;
  /// KV blocks that nobody uses, those of the prefix cache included; all of them when idle.
  std::int64_t free_blocks() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace presil::serving
