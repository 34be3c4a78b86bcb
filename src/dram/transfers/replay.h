// One segment read from a tape instead of simulated.
//
// The tape is true as long as nobody else's turn comes before its end. Since clients may submit
// more whenever time stands still, the replay never looks past a tick at which somebody may, and
// the channel and the backlogs stay as they were at the start until the segment is over; if
// somebody does come between, it is simulated from its start.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dram/transfers/backlog.h"
#include "dram/transfers/segment_memo.h"

namespace presil::dram {

class Replay {
 public:
  enum class Result { at_horizon, segment_over, off_the_tape };

  /// A transfer of which a pseudo-channel served some reads, and when the last of them.
  struct Part {
    std::size_t pc = 0;
    TransferId transfer = 0;
    std::int64_t served = 0;
    Tick last = 0;
    bool is_all = false;  // that it had to
  };

  /// Whether, as far as is known now, nobody comes between.
  static bool holds(const Tape& tape, Tick start, std::span<const Lane> lanes,
                    std::span<const Backlog> backlogs);

  bool is_running() const { return tape_ != nullptr; }
  /// Requires the tape of this very segment; refers to all it is given until stop().
  void start(const Tape& tape, Tick start, std::span<const Lane> lanes,
             std::span<const Backlog> backlogs);
  void stop() { tape_ = nullptr; }

  /// Everything up to this tick is known to be as on the tape.
  Tick now() const { return now_; }
  const Tape& tape() const { return *tape_; }
  /// What the segment serves at all pseudo-channels together.
  std::span<const Part> parts() const { return parts_; }

  /// Says when the last RD of a transfer comes that the segment completes.
  void completes(TransferId transfer, Tick served) { completing_.push_back({served, transfer}); }

  /// Moves now() on, to `horizon` at most, to `soonest` (when the client may next submit more), and
  /// to the first completion at most. `report` hears of the completions that it comes by.
  template <class Report>
  Result run(Tick horizon, Tick soonest, Tick read_latency, Report report);

 private:
  struct Completing {
    Tick served = 0;
    TransferId transfer = 0;
  };

  void list_parts(std::size_t pc, const Backlog& backlog);

  const Tape* tape_ = nullptr;
  std::span<const Lane> lanes_;
  std::span<const Backlog> backlogs_;
  Tick start_ = 0, now_ = 0;
  std::vector<Part> parts_;
  std::vector<Completing> completing_;  // not yet reported
};

template <class Report>
Replay::Result Replay::run(Tick horizon, Tick soonest, Tick read_latency, Report report) {
  if (!holds(*tape_, start_, lanes_, backlogs_)) return Result::off_the_tape;
  const Tick end = start_ + tape_->length;
  Tick until = std::min({horizon, soonest, end});
  for (const Completing& c : completing_) until = std::min(until, c.served + read_latency);
  now_ = std::max(now_, until);
  std::erase_if(completing_, [&](const Completing& c) {
    if (c.served > now_) return false;
    report(c.transfer, c.served);
    return true;
  });
  return now_ == end ? Result::segment_over : Result::at_horizon;
}

}  // namespace presil::dram
