// One refresh interval read from a tape instead of simulated.
//
// The tape is true as long as the backlog does what it did when the tape was written: whenever it
// sent a read, the next contiguous read is there, ready, and nobody else's turn comes between. The
// replay checks this for each read before the tick at which it is sent, a transfer at a time, and
// never looks past a tick at which somebody may still submit. The backlog stays as it was at the
// start until the interval is over; if the check fails, the interval is simulated from its start.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dram/backlog.h"
#include "dram/interval_memo.h"

namespace presil::dram {

/// A read that was sent and not served.
struct WaitingRead {
  TransferId transfer = 0;
  std::int64_t atom = 0;
};

class Replay {
 public:
  enum class Result { at_horizon, interval_over, off_the_tape };

  /// What the channel must be restarted with.
  struct Start {
    Tick tick = 0;
    Tick refresh_due = 0;
    ChannelCounts counts;
    std::vector<WaitingRead> queue;  // oldest first
  };

  /// Requires that `next` sends next, reads only, and that the tape was found under the key of
  /// this very state.
  Replay(const Tape& tape, Start start, Backlog& backlog, Backlog::Requester& next,
         Tick read_latency);

  /// Everything up to this tick is known to be as on the tape.
  Tick now() const { return now_; }
  const Start& start() const { return start_; }

  /// Moves now() on, to `horizon` at most, and to the first completion at most: the caller may
  /// submit more then. Puts the completions it comes by into `done`.
  Result run(Tick horizon, Completions& done);

  /// After interval_over: brings the backlog up to date and returns the start of the next
  /// interval.
  Start commit();

 private:
  struct Span {
    TransferId transfer = 0;
    std::int32_t begin = 0, end = 0;  // reads on the tape
  };
  struct Finishing {
    Tick served = 0;
    TransferId transfer = 0;
  };

  Tick tick_of(std::size_t read) const { return start_.tick + tape_->sent[read]; }
  bool all_checked() const { return checked_ == tape_->sent.size(); }
  bool open_span();
  bool check_reads(Tick horizon);
  void note_finish(TransferId transfer, std::int32_t begin, std::int32_t end);
  void report(Completions& done);

  const Tape* tape_;
  Start start_;
  Backlog* backlog_;
  Backlog::Requester* requester_;
  Tick read_latency_;
  Tick now_;
  std::int64_t next_atom_;            // position of the tape's first read
  std::size_t checked_ = 0;           // reads known to be sent as on the tape
  std::vector<Span> spans_;           // the last may be open
  std::vector<Finishing> finishing_;  // wholly sent, the last RD known if we stay on the tape
};

}  // namespace presil::dram
