#include "dram/replay.h"

#include <algorithm>

#include "base/error.h"

namespace presil::dram {

Replay::Replay(const Tape& tape, Start start, Backlog& backlog, Backlog::Requester& next,
               Tick read_latency)
    : tape_(&tape),
      start_(std::move(start)),
      backlog_(&backlog),
      requester_(&next),
      read_latency_(read_latency),
      now_(start_.tick) {
  CHECK(tape.queue_served.size() == start_.queue.size(), "the tape is of another queue");
  const PendingTransfer& head = backlog.at(next.unsent.front());
  next_atom_ = head.stream.atom(head.sent);
  // Transfers that were wholly sent before and wait for their last reads.
  TransferId last = -1;
  for (const WaitingRead& read : start_.queue) {
    const PendingTransfer& transfer = backlog.at(read.transfer);
    if (read.transfer == last || transfer.sent < transfer.stream.count) continue;
    last = read.transfer;
    const auto known = [&](const Finishing& f) { return f.transfer == last; };
    if (std::none_of(finishing_.begin(), finishing_.end(), known)) note_finish(last, 0, 0);
  }
}

Replay::Result Replay::run(Tick horizon, Completions& done) {
  while (true) {
    Tick until = horizon;
    if (!done.empty()) until = std::min(until, done.top().first);
    for (const Finishing& f : finishing_) until = std::min(until, f.served + read_latency_);
    if (now_ >= until) return Result::at_horizon;

    const bool on_tape = check_reads(until);
    const Tick known = all_checked() ? start_.tick + tape_->length : tick_of(checked_);
    now_ = std::max(now_, std::min(until, known));
    report(done);
    if (!on_tape) return Result::off_the_tape;
    if (all_checked() && now_ == start_.tick + tape_->length) return Result::interval_over;
  }
}

/// Checks reads that are sent before `horizon`, to the end of one transfer at most. False when the
/// next one is not sent as on the tape.
bool Replay::check_reads(Tick horizon) {
  if (all_checked() || tick_of(checked_) >= horizon) return true;
  const Tick others = backlog_->others_ready(*requester_);
  if (tick_of(checked_) >= others) return false;
  if ((spans_.empty() || spans_.back().end == static_cast<std::int32_t>(checked_)) &&
      !open_span()) {
    return false;
  }
  const Span& span = spans_.back();
  const auto first = tape_->sent.begin();
  const auto limit = static_cast<std::int32_t>(
      std::min<Tick>(std::min(horizon, others) - start_.tick, Tape::kNotServed));
  const auto end = std::min(static_cast<std::size_t>(span.end), tape_->sent.size());
  const auto stop = std::lower_bound(first + static_cast<std::ptrdiff_t>(checked_),
                                     first + static_cast<std::ptrdiff_t>(end), limit);
  checked_ = static_cast<std::size_t>(stop - first);
  if (checked_ == static_cast<std::size_t>(span.end)) {
    note_finish(span.transfer, span.begin, span.end);
  }
  return true;
}

/// Turns to the transfer that the next read must come from. False when it is not there, not ready,
/// or not the continuation.
bool Replay::open_span() {
  if (spans_.size() >= requester_->unsent.size()) return false;
  const TransferId id = requester_->unsent[spans_.size()];
  const PendingTransfer& transfer = backlog_->at(id);
  const std::int64_t sent = spans_.empty() ? transfer.sent : 0;
  const auto begin = static_cast<std::int32_t>(checked_);
  const bool continues = !transfer.write && transfer.stream.block == 0 &&
                         transfer.stream.first + sent == next_atom_ + begin;
  if (!continues || transfer.ready > tick_of(checked_)) return false;
  const std::int64_t left = std::min<std::int64_t>(transfer.stream.count - sent, 1 << 30);
  spans_.push_back({id, begin, begin + static_cast<std::int32_t>(left)});
  return true;
}

/// Notes when the last read of a transfer is served, if that is within the interval.
void Replay::note_finish(TransferId transfer, std::int32_t begin, std::int32_t end) {
  std::int32_t last = -1;
  for (std::int32_t i = begin; i < end; ++i) last = std::max(last, tape_->served[i]);
  for (std::size_t i = 0; i < start_.queue.size(); ++i) {
    if (start_.queue[i].transfer == transfer) last = std::max(last, tape_->queue_served[i]);
  }
  if (last != Tape::kNotServed) finishing_.push_back({start_.tick + last, transfer});
}

void Replay::report(Completions& done) {
  std::erase_if(finishing_, [&](const Finishing& f) {
    if (f.served > now_) return false;
    PendingTransfer& transfer = backlog_->at(f.transfer);
    transfer.reported = true;
    done.emplace(f.served + read_latency_, f.transfer);
    return true;
  });
}

Replay::Start Replay::commit() {
  Start next;
  next.tick = start_.tick + tape_->length;
  next.refresh_due = next.tick + tape_->refresh_due;
  next.counts = start_.counts;
  next.counts += tape_->counts;
  for (std::size_t i = 0; i < start_.queue.size(); ++i) {
    if (tape_->queue_served[i] == Tape::kNotServed) {
      next.queue.push_back(start_.queue[i]);
    } else {
      ++backlog_->at(start_.queue[i].transfer).served;
    }
  }
  for (const Span& span : spans_) {
    const std::int32_t end = std::min(span.end, static_cast<std::int32_t>(checked_));
    PendingTransfer& transfer = backlog_->at(span.transfer);
    backlog_->send_many(*requester_, end - span.begin);
    transfer.served += end - span.begin;
    for (const std::int32_t read : tape_->left) {
      if (read < span.begin || read >= end) continue;
      --transfer.served;
      next.queue.push_back({span.transfer, next_atom_ + read});
    }
  }
  return next;
}

}  // namespace presil::dram
