// One segment read from a tape instead of simulated.
//
// The tape is true as long as nobody else's turn comes before its end. Since clients may submit
// more whenever time stands still, the replay never looks past a tick at which somebody may, and
// the channel and the backlog stay as they were at the start until the segment is over; if somebody
// does come between, it is simulated from its start.
#pragma once

#include <cstdint>
#include <vector>

#include "dram/backlog.h"
#include "dram/segment_memo.h"

namespace presil::dram {

class Replay {
 public:
  enum class Result { at_horizon, segment_over, off_the_tape };

  struct Start {
    Tick tick = 0;
    std::vector<WaitingRead> waiting;  // oldest first
    Backlog::Requester* sender = nullptr;
    SegmentMemo::Reads reads;  // of the sender's first transfer
  };

  /// Requires the tape of this very segment.
  Replay(const Tape& tape, Start start, Backlog& backlog, Tick read_latency);

  /// Whether, as far as is known now, nobody comes between.
  static bool holds(const Tape& tape, const Start& start, const Backlog& backlog);

  /// Everything up to this tick is known to be as on the tape.
  Tick now() const { return now_; }
  const Start& start() const { return start_; }
  const Tape& tape() const { return *tape_; }

  /// Moves now() on, to `horizon` at most, and to the first completion at most: the caller may
  /// submit more then. Puts the completions it comes by into `done`.
  Result run(Tick horizon, Completions& done);

  /// After segment_over: brings the backlog up to date.
  void commit();

 private:
  struct Finishing {
    Tick served = 0;
    TransferId transfer = 0;
  };

  void find_finishing();
  void report(Completions& done);

  const Tape* tape_;
  Start start_;
  Backlog* backlog_;
  Tick read_latency_;
  Tick now_;
  std::vector<Finishing> finishing_;  // transfers whose last RD is on the tape
};

}  // namespace presil::dram
