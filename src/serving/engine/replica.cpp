#include "serving/engine/replica.h"

#include <algorithm>

#include "base/error.h"
#include "base/integers.h"
#include "serving/engine/scheduler.h"

namespace presil::serving {

Replica::Replica(int number, const EngineOptions& options, const StepCosts& costs,
                 const StepCosts* draft, Observer& observer)
    : number_(number),
      options_(options),
      costs_(&costs),
      draft_(draft),
      observer_(&observer),
      scheduler_(make_scheduler(options)),
      outcome_(std::make_unique<StepOutcome>()),
      batches_(static_cast<std::size_t>(options.pipeline_stages)) {}

Replica::~Replica() = default;
Replica::Replica(Replica&&) noexcept = default;

void Replica::submit(const Request& request, Nanoseconds now) {
  RequestRecord record;
  record.id = request.id;
  record.slo_class = request.slo_class;
  record.prompt_tokens = request.prompt_tokens;
  record.arrival = request.arrival;
  if (!refuse(request, record)) take(request, record, false, now);
}

void Replica::submit_prefilled(const Request& request, const RequestRecord& so_far,
                               Nanoseconds now) {
  if (!refuse(request, so_far)) take(request, so_far, true, now);
}

/// Reports what is too long for the model, for the KV cache, or for a step that must hold it whole.
bool Replica::refuse(const Request& request, RequestRecord record) {
  const bool fits =
      request.prompt_tokens + request.output_tokens <= options_.max_model_len &&
      ceil_div(longest_kv(request, options_), options_.block_size) <= options_.num_blocks &&
      (options_.chunked_prefill || options_.batching == Batching::static_batches ||
       longest_kv(request, options_) <= options_.max_num_batched_tokens);
  if (fits) return false;
  record.outcome = Outcome::too_long;
  record.replica = number_;
  observer_->finished(record);
  return true;
}

void Replica::take(const Request& request, const RequestRecord& record, bool kv_here,
                   Nanoseconds now) {
  scheduler_->add(request, record, kv_here);
  wake(now);
}

/// A step is tried at `at`, or as soon as the first stage is free. When all stages are busy, the
/// next step that ends will try.
void Replica::wake(Nanoseconds at) {
  if (flying_ < batches_.size()) wake_ = std::min(wake_, std::max(at, next_start_));
}

Nanoseconds Replica::next_event() const {
  return flying_ == 0 ? wake_ : std::min(wake_, batches_[oldest_].record.end);
}

void Replica::advance(Nanoseconds now) {
  for (Nanoseconds at = next_event(); at <= now && at < kLongestService; at = next_event()) {
    while (flying_ > 0 && batches_[oldest_].record.end <= at) {
      end_step();
      wake(at);
    }
    if (wake_ <= at) start_step(at);
  }
}

void Replica::end_step() {
  const Batch& batch = batches_[oldest_];
  oldest_ = (oldest_ + 1) % batches_.size();
  --flying_;
  outcome_->clear();
  scheduler_->end(batch, *outcome_);

  for (const TokenGap& gap : outcome_->gaps) {
    observer_->between_tokens(gap.since, gap.count, gap.slo_class);
  }
  for (RequestRecord& record : outcome_->finished) {
    record.replica = number_;
    observer_->finished(record);
  }
  for (Handover& handover : outcome_->prefilled) {
    handover.so_far.replica = number_;
    observer_->prefilled(handover.request, handover.so_far);
  }
  observer_->stepped(batch.record);
}

void Replica::start_step(Nanoseconds now) {
  wake_ = kLongestService;
  Batch& batch = batches_[(oldest_ + flying_) % batches_.size()];
  batch.is_listed = observer_->wants_sequences();
  batch.list.clear();
  if (!scheduler_->schedule(now, batch)) return;

  StepRecord& record = batch.record;
  record.replica = number_;
  record.sequences = batch.list;
  record.cost = step_cost(record.features, options_, *costs_, draft_);
  record.start = now;
  // The last stage works on one batch at a time, so a short step does not overtake a long one.
  record.end = now + record.cost.time;
  if (flying_ > 0) record.end = std::max(record.end, last_end_ + record.cost.interval);
  last_end_ = record.end;
  next_start_ = now + record.cost.interval;
  ++flying_;
  wake(next_start_);
}

ReplicaLoad Replica::load() const {
  return scheduler_->load();
}

std::int64_t Replica::cached_tokens(const Request& request) const {
  return scheduler_->cached_tokens(request);
}

std::int64_t Replica::free_blocks() const {
  return scheduler_->load().free_blocks;
}

StepCost step_cost(const StepFeatures& features, const EngineOptions& options,
                   const StepCosts& costs, const StepCosts* draft) {
  StepCost total = costs.cost(features);
  if (draft == nullptr) return total;

  // The draft reads the prompts that the model reads, and proposes a token a step.
  StepFeatures step = features;
  step.decode_tokens = step.decode_sequences;
  for (std::int64_t i = 0; i < options.speculation.tokens && step.tokens() > 0; ++i) {
    const StepCost more = draft->cost(step);
    total.time += more.time;
    total.interval += more.interval;
    total.energy_j += more.energy_j;
    total.dram_bytes += more.dram_bytes;
    total.flops += more.flops;
    step = {.decode_sequences = step.decode_sequences,
            .decode_tokens = step.decode_sequences,
            .decode_context = step.decode_context + step.decode_sequences,
            .longest_context = step.longest_context + (step.decode_sequences > 0 ? 1 : 0)};
  }
  return total;
}

}  // namespace presil::serving
