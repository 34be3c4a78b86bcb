// Continuous batching as vLLM's v1 engine does it (scheduler of v0.9; docs/serving.md says each
// rule).
//
// A step has a budget of tokens. Sequences that run take from it first, in the order in which they
// were admitted, decodes and unfinished prompts alike; when blocks run out, the last of them gives
// its own back and starts over from the head of the queue. What is left of the budget goes to
// those that wait, first come first served, unless somebody was preempted in this step.
#pragma once

#include <deque>
#include <optional>

#include "serving/engine/kv_blocks.h"
#include "serving/engine/scheduler.h"

namespace presil::serving {

class ContinuousScheduler final : public Scheduler {
 public:
  explicit ContinuousScheduler(const EngineOptions& options);

  void add(const Request& request, const RequestRecord& so_far, bool kv_here) override;
  bool schedule(Nanoseconds now, Batch& batch) override;
  void end(const Batch& batch, StepOutcome& outcome) override;
  ReplicaLoad load() const override;
  std::int64_t cached_tokens(const Request& request) const override;

 private:
  // A request in the house; what a step does not touch.
  struct Sequence {
    Request request;
    RequestRecord record;   // output_tokens: written when it last left its seat
    bool kv_here = false;   // a prompt read elsewhere
    bool admitted = false;  // at least once, here or elsewhere
    HeldBlocks held;
    std::vector<std::uint64_t> names;  // of the prompt's whole blocks
  };

  // A sequence that runs; what every step touches.
  struct Seat {
    std::int32_t sequence = 0;
    std::int32_t in_flight = 0;  // batches that it is in
    std::int64_t computed = 0;   // tokens in the KV cache when the batches in flight have ended
    std::int64_t target = 0;     // while computed < target it reads, then it writes
    std::int64_t room = 0;       // tokens its blocks hold
    std::int64_t output_left = 0;
    Nanoseconds last_token{-1};  // -1: none written
    int slo_class = 0;
    bool naming = false;  // some whole blocks of its prompt have no name yet
    bool finished = false;
  };

  std::int64_t tokens_of(const Seat& seat) const;
  bool make_room(Seat& seat, std::int64_t tokens, Batch& batch);
  bool preempt_last();
  void admit(Nanoseconds now, Batch& batch);
  std::optional<std::int32_t> seat_of(std::int32_t sequence, Nanoseconds now);
  void put_into(Batch& batch, std::int32_t seat, std::int64_t tokens);
  void name_full_blocks(Seat& seat, std::int64_t tokens);
  std::int64_t accepted(const Seat& seat, std::int64_t drafted) const;
  void leave(std::int32_t seat, Nanoseconds now, StepOutcome& outcome);

  EngineOptions options_;
  KvBlocks blocks_;
  std::vector<Sequence> sequences_;
  std::vector<std::int32_t> spare_sequences_;
  std::vector<Seat> seats_;
  std::vector<std::int32_t> spare_seats_;
  std::deque<std::int32_t> waiting_;   // sequences
  std::vector<std::int32_t> running_;  // seats
  std::int64_t budget_ = 0;            // of the step that is being scheduled
  std::int64_t outstanding_ = 0;       // ReplicaLoad::outstanding_tokens
};

}  // namespace presil::serving
