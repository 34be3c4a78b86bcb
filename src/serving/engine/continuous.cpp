#include "serving/engine/continuous.h"

#include <algorithm>

#include "base/draws.h"
#include "base/error.h"
#include "base/integers.h"
#include "serving/engine/block_names.h"

namespace presil::serving {
namespace {

std::int32_t place_in(auto& pool, std::vector<std::int32_t>& spare) {
  if (spare.empty()) {
    pool.emplace_back();
    return static_cast<std::int32_t>(pool.size() - 1);
  }
  const std::int32_t place = spare.back();
  spare.pop_back();
  return place;
}

}  // namespace

ContinuousScheduler::ContinuousScheduler(const EngineOptions& options)
    : options_(options), blocks_(options.num_blocks) {}

void ContinuousScheduler::add(const Request& request, const RequestRecord& so_far, bool kv_here) {
  const std::int32_t number = place_in(sequences_, spare_sequences_);
  Sequence& sequence = sequences_[number];
  sequence.request = request;
  sequence.record = so_far;
  sequence.kv_here = kv_here;
  sequence.admitted = kv_here;
  if (options_.prefix_caching) name_blocks(request, options_.block_size, sequence.names);
  waiting_.push_back(number);
  outstanding_ += kv_here ? 1 : request.prompt_tokens;
}

bool ContinuousScheduler::schedule(Nanoseconds now, Batch& batch) {
  batch.sequences.clear();
  batch.record.features = {};
  batch.record.preempted = 0;
  budget_ = options_.max_num_batched_tokens;

  for (std::size_t i = 0; i < running_.size() && budget_ > 0; ++i) {
    const std::int32_t number = running_[i];
    Seat& seat = seats_[number];
    const std::int64_t tokens = tokens_of(seat);
    if (tokens == 0) continue;
    if (seat.computed + tokens > seat.room && !make_room(seat, tokens, batch)) break;
    put_into(batch, number, tokens);
  }
  if (batch.record.preempted == 0) admit(now, batch);

  batch.record.waiting = static_cast<std::int64_t>(waiting_.size());
  batch.record.running = static_cast<std::int64_t>(running_.size());
  batch.record.used_blocks = blocks_.used();
  return !batch.sequences.empty();
}

/// How many tokens the next step could compute of a sequence: the rest of its prompt, or one more
/// token and the proposed ones after it; none while that token is not written.
std::int64_t ContinuousScheduler::tokens_of(const Seat& seat) const {
  if (seat.computed < seat.target) return std::min(seat.target - seat.computed, budget_);
  if (seat.in_flight > 0) return 0;
  if (options_.speculation.tokens == 0) return 1;
  return std::min(
      {options_.speculation.tokens + 1, options_.max_model_len - seat.computed, budget_});
}

/// Blocks for `tokens` more, taken from the last that run if need be. False: the sequence itself
/// was preempted, or all blocks are in steps in flight.
bool ContinuousScheduler::make_room(Seat& seat, std::int64_t tokens, Batch& batch) {
  const std::int64_t more = ceil_div(seat.computed + tokens - seat.room, options_.block_size);
  HeldBlocks& held = sequences_[seat.sequence].held;
  const std::int32_t sequence = seat.sequence;
  while (!blocks_.grow(held, more)) {
    if (!preempt_last()) return false;
    ++batch.record.preempted;
    if (waiting_.front() == sequence) return false;
  }
  seat.room += more * options_.block_size;
  return true;
}

/// The last sequence that is in no batch, that of this step included, gives back its blocks.
bool ContinuousScheduler::preempt_last() {
  const auto idle = [&](std::int32_t seat) { return seats_[seat].in_flight == 0; };
  const auto last = std::find_if(running_.rbegin(), running_.rend(), idle);
  if (last == running_.rend()) return false;
  const std::int32_t number = *last;
  const Seat& seat = seats_[number];
  Sequence& sequence = sequences_[seat.sequence];

  const std::int64_t written = sequence.request.output_tokens - seat.output_left;
  outstanding_ += sequence.request.prompt_tokens + written;
  outstanding_ -= std::max<std::int64_t>(1, seat.target - seat.computed);
  blocks_.release(sequence.held);
  sequence.kv_here = false;
  sequence.record.output_tokens = written;
  sequence.record.last_token = seat.last_token;
  ++sequence.record.preemptions;
  waiting_.push_front(seat.sequence);
  spare_seats_.push_back(number);
  running_.erase(std::next(last).base());
  return true;
}

void ContinuousScheduler::admit(Nanoseconds now, Batch& batch) {
  while (!waiting_.empty() && budget_ > 0 &&
         static_cast<std::int64_t>(running_.size()) < options_.max_num_seqs) {
    const auto seat = seat_of(waiting_.front(), now);
    if (!seat) return;
    waiting_.pop_front();
    running_.push_back(*seat);
    put_into(batch, *seat, tokens_of(seats_[*seat]));
  }
}

/// Gives the sequence a seat and blocks for its first step; nothing when there are too few, or when
/// its prompt may not be cut and the budget is too small.
std::optional<std::int32_t> ContinuousScheduler::seat_of(std::int32_t number, Nanoseconds now) {
  Sequence& sequence = sequences_[number];
  const std::int64_t known = sequence.request.prompt_tokens + sequence.record.output_tokens;
  // At least one token is computed, for what comes after it; so the last block is when all are
  // kept.
  const std::int64_t findable =
      std::min(static_cast<std::int64_t>(sequence.names.size()), (known - 1) / options_.block_size);
  const std::span names = std::span(sequence.names).first(static_cast<std::size_t>(findable));
  const std::int64_t hits = blocks_.cached(names);

  Seat seat;
  seat.sequence = number;
  seat.computed = sequence.kv_here ? known - 1 : hits * options_.block_size;
  seat.target = sequence.kv_here ? known - 1 : known;
  const std::int64_t tokens = tokens_of(seat);
  if (!options_.chunked_prefill && seat.computed + tokens < seat.target) return std::nullopt;
  const std::int64_t more = ceil_div(seat.computed + tokens, options_.block_size) - hits;
  if (!blocks_.admit(sequence.held, names.first(static_cast<std::size_t>(hits)), more)) {
    return std::nullopt;
  }

  seat.room = (hits + more) * options_.block_size;
  seat.output_left = sequence.request.output_tokens - sequence.record.output_tokens;
  if (sequence.record.output_tokens > 0) seat.last_token = sequence.record.last_token;
  seat.slo_class = sequence.request.slo_class;
  seat.naming = !sequence.names.empty();
  if (!sequence.admitted) {
    sequence.admitted = true;
    sequence.record.first_scheduled = now;
    sequence.record.cached_tokens = seat.computed;
  }
  if (!sequence.kv_here) outstanding_ -= seat.computed;
  const std::int32_t place = place_in(seats_, spare_seats_);
  seats_[place] = seat;
  return place;
}

void ContinuousScheduler::put_into(Batch& batch, std::int32_t number, std::int64_t tokens) {
  Seat& seat = seats_[number];
  budget_ -= tokens;
  std::int64_t drafted = tokens - 1;
  if (seat.computed < seat.target) {
    batch.add_prefill(tokens, seat.computed);
    const bool completes = seat.computed + tokens == seat.target;
    outstanding_ += (completes ? 1 : 0) - tokens;
    drafted = completes ? 0 : ScheduledSequence::kReadsOnly;
  } else {
    batch.add_decode(tokens, seat.computed);
  }
  if (seat.naming) name_full_blocks(seat, seat.computed + tokens);
  seat.computed += tokens;
  ++seat.in_flight;
  batch.sequences.push_back({number, static_cast<std::int32_t>(drafted)});
}

/// Blocks are found by others from now on: whoever is scheduled later computes later.
void ContinuousScheduler::name_full_blocks(Seat& seat, std::int64_t tokens) {
  Sequence& sequence = sequences_[seat.sequence];
  const std::size_t full =
      std::min(sequence.names.size(), static_cast<std::size_t>(tokens / options_.block_size));
  for (std::size_t i = sequence.held.named.size(); i < full; ++i) {
    blocks_.name(sequence.held, sequence.names[i]);
  }
  seat.naming = full < sequence.names.size();
}

/// Proposed tokens that are right, up to the first that is not. A draw belongs to a place in a
/// request's text, whenever it is made.
std::int64_t ContinuousScheduler::accepted(const Seat& seat, std::int64_t drafted) const {
  const Sequence& sequence = sequences_[seat.sequence];
  Draws draws(options_.seed, static_cast<std::uint64_t>(sequence.request.id),
              static_cast<std::uint64_t>(seat.output_left));
  std::int64_t count = 0;
  while (count < drafted && draws.uniform() < options_.speculation.acceptance) ++count;
  return count;
}

void ContinuousScheduler::end(const Batch& batch, StepOutcome& outcome) {
  const Nanoseconds now = batch.record.end;
  bool any_left = false;
  for (const ScheduledSequence& part : batch.sequences) {
    Seat& seat = seats_[part.seat];
    --seat.in_flight;
    if (part.drafted == ScheduledSequence::kReadsOnly) continue;

    std::int64_t written = 1;
    if (part.drafted > 0) {
      const std::int64_t right = accepted(seat, part.drafted);
      seat.computed -= part.drafted - right;
      written = std::min(right + 1, seat.output_left);
    }
    if (seat.last_token.count() >= 0) {
      outcome.add_gap(now - seat.last_token, seat.slo_class);
    } else {
      sequences_[seat.sequence].record.first_token = now;
    }
    seat.last_token = now;
    seat.output_left -= written;
    if (seat.output_left > 0 && options_.role != Role::prefill) continue;
    leave(part.seat, now, outcome);
    any_left = true;
  }
  if (any_left) std::erase_if(running_, [&](std::int32_t seat) { return seats_[seat].finished; });
}

/// The sequence has written what it writes here.
void ContinuousScheduler::leave(std::int32_t number, Nanoseconds now, StepOutcome& outcome) {
  Seat& seat = seats_[number];
  Sequence& sequence = sequences_[seat.sequence];
  seat.finished = true;
  spare_seats_.push_back(number);
  spare_sequences_.push_back(seat.sequence);
  blocks_.release(sequence.held);
  --outstanding_;

  sequence.record.last_token = now;
  sequence.record.output_tokens = sequence.request.output_tokens - seat.output_left;
  if (options_.role == Role::prefill) {
    outcome.prefilled.push_back({std::move(sequence.request), sequence.record});
  } else {
    outcome.finished.push_back(sequence.record);
  }
}

ReplicaLoad ContinuousScheduler::load() const {
  return {.waiting = static_cast<std::int64_t>(waiting_.size()),
          .running = static_cast<std::int64_t>(running_.size()),
          .outstanding_tokens = outstanding_,
          .used_blocks = blocks_.used(),
          .free_blocks = blocks_.free()};
}

std::int64_t ContinuousScheduler::cached_tokens(const Request& request) const {
  if (!options_.prefix_caching) return 0;
  std::vector<std::uint64_t> names;
  name_blocks(request, options_.block_size, names);
  return blocks_.cached(names) * options_.block_size;
}

}  // namespace presil::serving
