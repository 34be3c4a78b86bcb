// Static batching, as engines did before continuous batching, for comparison.
//
// A batch is taken whole from the head of the queue when the one before has ended. Its prompts are
// read in one step, padded to the longest; then every step decodes for all of its sequences, those
// that have written all included, until the last has. Blocks are kept for max_model_len tokens a
// sequence all the while.
#pragma once

#include <deque>

#include "serving/engine/scheduler.h"

namespace presil::serving {

class StaticScheduler final : public Scheduler {
 public:
  explicit StaticScheduler(const EngineOptions& options);

  void add(const Request& request, const RequestRecord& so_far, bool kv_here) override;
  bool schedule(Nanoseconds now, Batch& batch) override;
  void end(const Batch& batch, StepOutcome& outcome) override;
  ReplicaLoad load() const override;
  std::int64_t cached_tokens(const Request&) const override { return 0; }

 private:
  struct Sequence {
    Request request;
    RequestRecord record;
  };

  EngineOptions options_;
  std::int64_t blocks_each_ = 0, most_ = 0;  // blocks of a sequence, sequences of a batch
  std::deque<Sequence> waiting_;
  std::vector<Sequence> batch_;
  std::int64_t writing_ = 0;  // sequences of the batch that have tokens left to write
  bool in_flight_ = false;
  std::int64_t outstanding_ = 0;
};

}  // namespace presil::serving
