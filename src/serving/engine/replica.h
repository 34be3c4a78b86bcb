// One replica: a scheduler, its paged KV cache, and the time its steps take.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "serving/engine/options.h"
#include "serving/request.h"
#include "serving/step_cost.h"

namespace presil::serving {

/// What a step does for one sequence.
struct StepSequence {
  std::int64_t new_tokens = 1;
  std::int64_t context = 0;  // in the cache before it
  bool decodes = false;      // its prompt is read
};

/// One step as it ran.
struct StepRecord {
  int replica = 0;
  Nanoseconds start, end;
  StepFeatures features;
  StepCost cost;
  std::int64_t waiting = 0, running = 0;  // requests, when it was scheduled
  std::int64_t used_blocks = 0;
  std::int64_t preempted = 0;               // requests, by this scheduling
  std::span<const StepSequence> sequences;  // only where the observer wants them
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
  /// Asked of every step before it is scheduled: whether its record is to list its sequences.
  virtual bool wants_sequences() { return false; }
  /// `count` sequences got tokens `since` after their ones before: samples of inter-token latency.
  /// Tokens that one step writes for a sequence (speculation) come together: one sample.
  virtual void between_tokens(Nanoseconds since, std::int64_t count, int slo_class) = 0;
  /// A prefill replica has read a prompt and written its first token (so_far.output_tokens is 1):
  /// the request goes on elsewhere. Its blocks are free now, and stay in the prefix cache.
  virtual void prefilled(const Request& request, const RequestRecord& so_far) {
    (void)request;
    (void)so_far;
  }
};

/// What routers and autoscalers may see.
struct ReplicaLoad {
  std::int64_t waiting = 0, running = 0;
  // Tokens of prompts (of all text, after a preemption) not in a step yet, and one for each
  // sequence that writes.
  std::int64_t outstanding_tokens = 0;
  std::int64_t used_blocks = 0, free_blocks = 0;
};

class Scheduler;
struct Batch;
struct StepOutcome;

class Replica {
 public:
  /// `costs`, `draft` (the draft model's steps; nullptr without) and `observer` outlive the
  /// replica. Requires options that read_engine() would accept, and num_blocks > 0.
  Replica(int number, const EngineOptions& options, const StepCosts& costs, const StepCosts* draft,
          Observer& observer);
  ~Replica();
  Replica(Replica&&) noexcept;

  /// Takes a request at `now`, never before an event that advance() has passed; starts nothing.
  /// What cannot ever be served is reported at once as finished with Outcome::too_long. An observer
  /// may call it.
  void submit(const Request& request, Nanoseconds now);
  /// Takes a request whose prompt was read elsewhere and whose KV cache arrives complete at `now`,
  /// with so_far.output_tokens tokens written there. At 0 the prompt's last token is computed once
  /// more here, and this replica writes the first token.
  void submit_prefilled(const Request& request, const RequestRecord& so_far, Nanoseconds now);

  /// When something next happens here: a step ends or may start; kLongestService when idle.
  Nanoseconds next_event() const;
  /// Ends the steps that end at or before `now` and starts what can start.
  void advance(Nanoseconds now);

  ReplicaLoad load() const;
  /// Tokens of the prompt that this replica's prefix cache holds now.
  std::int64_t cached_tokens(const Request& request) const;
  /// KV blocks that nobody uses, those of the prefix cache included; all of them when idle.
  std::int64_t free_blocks() const;

 private:
  bool refuse(const Request& request, RequestRecord record);
  void take(const Request& request, const RequestRecord& record, bool kv_here, Nanoseconds now);
  void end_step();
  void start_step(Nanoseconds now);
  void wake(Nanoseconds at);

  int number_ = 0;
  EngineOptions options_;
  const StepCosts* costs_ = nullptr;
  const StepCosts* draft_ = nullptr;
  Observer* observer_ = nullptr;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<StepOutcome> outcome_;
  std::vector<Batch> batches_;  // a ring: those in flight, oldest first
  std::size_t oldest_ = 0, flying_ = 0;
  Nanoseconds next_start_{0};           // the first stage is free from then on
  Nanoseconds last_end_{0};             // of the step that started last
  Nanoseconds wake_ = kLongestService;  // when to try to start a step
};

/// What a step costs: the model's, and before it the draft's steps that propose tokens.
StepCost step_cost(const StepFeatures& features, const EngineOptions& options,
                   const StepCosts& costs, const StepCosts* draft);

}  // namespace presil::serving
