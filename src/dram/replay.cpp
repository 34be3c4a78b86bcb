#include "dram/replay.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace presil::dram {

Replay::Replay(const Tape& tape, Start start, Backlog& backlog, Tick read_latency)
    : tape_(&tape),
      start_(std::move(start)),
      backlog_(&backlog),
      read_latency_(read_latency),
      now_(start_.tick) {
  CHECK(tape.waiting_served.size() == start_.waiting.size(), "the tape is of another queue");
  find_finishing();
}

bool Replay::holds(const Tape& tape, const Start& start, const Backlog& backlog) {
  return backlog.others_ready(start.sender) >= start.tick + tape.change.length;
}

/// The transfers that are wholly sent by the end and have no read left then.
void Replay::find_finishing() {
  TransferId last = -1;
  const auto note = [&](TransferId id, Tick served) {
    last = id;
    for (std::size_t i = 0; i < start_.waiting.size(); ++i) {
      if (start_.waiting[i].transfer != id) continue;
      if (tape_->waiting_served[i] == Tape::kNotServed) return;
      served = std::max(served, start_.tick + tape_->waiting_served[i]);
    }
    finishing_.push_back({served, id});
  };
  if (start_.sender != nullptr) {
    const TransferId id = start_.sender->unsent.front();
    const LocalStream& stream = backlog_->at(id).stream;
    const bool wholly_sent = backlog_->at(id).sent + start_.reads.count == stream.count;
    last = id;
    if (wholly_sent && tape_->all_served) note(id, start_.tick + tape_->last_served);
  }
  std::vector<TransferId> seen{last};
  for (const WaitingRead& read : start_.waiting) {
    if (std::find(seen.begin(), seen.end(), read.transfer) != seen.end()) continue;
    seen.push_back(read.transfer);
    const PendingTransfer& transfer = backlog_->at(read.transfer);
    if (transfer.sent == transfer.stream.count) note(read.transfer, 0);
  }
}

Replay::Result Replay::run(Tick horizon, Completions& done) {
  if (!holds(*tape_, start_, *backlog_)) return Result::off_the_tape;
  const Tick end = start_.tick + tape_->change.length;
  Tick until = std::min(horizon, end);
  if (!done.empty()) until = std::min(until, done.top().first);
  for (const Finishing& f : finishing_) until = std::min(until, f.served + read_latency_);
  now_ = std::max(now_, until);
  report(done);
  return now_ == end ? Result::segment_over : Result::at_horizon;
}

void Replay::report(Completions& done) {
  std::erase_if(finishing_, [&](const Finishing& f) {
    if (f.served > now_) return false;
    backlog_->at(f.transfer).reported = true;
    done.emplace(f.served + read_latency_, f.transfer);
    return true;
  });
}

void Replay::commit() {
  const auto note_served = [&](PendingTransfer& transfer, std::int64_t count, Tick last) {
    transfer.served += count;
    transfer.done = std::max(transfer.done, start_.tick + last + read_latency_);
  };
  for (std::size_t i = 0; i < start_.waiting.size(); ++i) {
    if (tape_->waiting_served[i] == Tape::kNotServed) continue;
    note_served(backlog_->at(start_.waiting[i].transfer), 1, tape_->waiting_served[i]);
  }
  if (start_.sender == nullptr) return;
  std::int64_t served = start_.reads.count;
  for (const Tape::Left& left : tape_->left) {
    served -= static_cast<std::size_t>(left.read) >= start_.waiting.size();
  }
  if (served > 0) {
    note_served(backlog_->at(start_.sender->unsent.front()), served, tape_->last_served);
  }
  backlog_->send_many(*start_.sender, start_.reads.count);
}

}  // namespace presil::dram
