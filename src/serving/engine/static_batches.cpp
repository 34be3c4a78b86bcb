#include "serving/engine/static_batches.h"

#include <algorithm>

#include "base/error.h"
#include "base/integers.h"

namespace presil::serving {

StaticScheduler::StaticScheduler(const EngineOptions& options)
    : options_(options),
      blocks_each_(
          std::min(ceil_div(options.max_model_len, options.block_size), options.num_blocks)),
      most_(std::min(options.max_num_seqs, options.num_blocks / blocks_each_)) {
  CHECK(options.role == Role::both && options.speculation.tokens == 0,
        "static batches read and write, a token a step");
}

void StaticScheduler::add(const Request& request, const RequestRecord& so_far, bool) {
  waiting_.push_back({request, so_far});
  outstanding_ += request.prompt_tokens;
}

bool StaticScheduler::schedule(Nanoseconds now, Batch& batch) {
  if (in_flight_ || (writing_ == 0 && waiting_.empty())) return false;
  batch.sequences.clear();
  batch.record.features = {};
  batch.record.preempted = 0;

  if (writing_ == 0) {
    batch_.clear();
    std::int64_t longest = 0;
    for (; !waiting_.empty() && static_cast<std::int64_t>(batch_.size()) < most_;
         waiting_.pop_front()) {
      Sequence& sequence = batch_.emplace_back(std::move(waiting_.front()));
      sequence.record.first_scheduled = now;
      longest = std::max(longest, sequence.request.prompt_tokens);
      outstanding_ += 1 - sequence.request.prompt_tokens;
    }
    writing_ = static_cast<std::int64_t>(batch_.size());
    for (std::size_t i = 0; i < batch_.size(); ++i) batch.add_prefill(longest, 0);
  } else {
    for (const Sequence& sequence : batch_) {
      batch.add_decode(1, sequence.request.prompt_tokens + sequence.record.output_tokens - 1);
    }
  }
  in_flight_ = true;
  batch.record.waiting = static_cast<std::int64_t>(waiting_.size());
  batch.record.running = static_cast<std::int64_t>(batch_.size());
  batch.record.used_blocks = load().used_blocks;
  return true;
}

void StaticScheduler::end(const Batch& batch, StepOutcome& outcome) {
  in_flight_ = false;
  const Nanoseconds now = batch.record.end;
  for (Sequence& sequence : batch_) {
    if (sequence.record.output_tokens == sequence.request.output_tokens) continue;
    if (sequence.record.output_tokens++ == 0) {
      sequence.record.first_token = now;
    } else {
      outcome.add_gap(now - sequence.record.last_token, sequence.request.slo_class);
    }
    sequence.record.last_token = now;
    if (sequence.record.output_tokens < sequence.request.output_tokens) continue;
    outcome.finished.push_back(sequence.record);
    --writing_;
    --outstanding_;
  }
  if (writing_ == 0) batch_.clear();
}

ReplicaLoad StaticScheduler::load() const {
  const std::int64_t used = static_cast<std::int64_t>(batch_.size()) * blocks_each_;
  return {.waiting = static_cast<std::int64_t>(waiting_.size()),
          .running = static_cast<std::int64_t>(batch_.size()),
          .outstanding_tokens = outstanding_,
          .used_blocks = used,
          .free_blocks = options_.num_blocks - used};
}

}  // namespace presil::serving
