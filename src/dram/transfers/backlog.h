// Transfers that are not complete, as one pseudo-channel sees them.
//
// Each requester is a queue in the order of submission, as a DMA engine's is: its first transfer
// that is not wholly sent must be ready before anything behind it moves. Requesters with something
// ready take turns by atom, in the order of their numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <utility>
#include <vector>

#include "dram/timing.h"
#include "dram/transfers/memory.h"

namespace presil::dram {

/// A Stream cut down to one pseudo-channel, in atoms; block 0 means contiguous.
struct LocalStream {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t block = 0;
  std::int64_t stride = 0;

  std::int64_t atom(std::int64_t i) const {
    return block == 0 ? first + i : first + i / block * stride + i % block;
  }
};

/// What each of `pseudo_channels` sees of `stream` when lines of `line` bytes are dealt out in
/// turn: the lines of the first of them, at least one. Exact for all when base, length, block and
/// stride are multiples of line x pseudo_channels; else `rounded` is set, and a pseudo-channel may
/// in truth have one line more or less.
LocalStream local_stream(const Stream& stream, std::int64_t pseudo_channels, std::int64_t line,
                         std::int64_t atom_size, bool& rounded);

struct PendingTransfer {
  LocalStream stream;
  bool write = false;
  int requester = 0;
  Tick ready = 0;  // its first atom may be sent at this tick
  std::int64_t sent = 0, served = 0;
  std::int64_t codes_unserved = 0;  // accesses to its inline ECC

  bool is_served() const { return served == stream.count && codes_unserved == 0; }
};

/// When transfers complete; the earliest on top, of equal ones the first submitted.
using Completions = std::priority_queue<std::pair<Tick, TransferId>,
                                        std::vector<std::pair<Tick, TransferId>>, std::greater<>>;

class Backlog {
 public:
  struct Requester {
    int number = 0;
    std::deque<TransferId> unsent;  // not wholly sent, in order
  };

  TransferId submit(const PendingTransfer& transfer);
  PendingTransfer& at(TransferId id) { return transfers_[static_cast<std::size_t>(id - first_)]; }
  const PendingTransfer& at(TransferId id) const {
    return transfers_[static_cast<std::size_t>(id - first_)];
  }

  /// Whose turn it is at tick `now`, given which directions have room; nullptr when nobody can
  /// send.
  Requester* next(Tick now, bool read_room, bool write_room);
  /// Notes that an atom of the requester's first transfer was sent. Returns the transfer.
  TransferId send(Requester& requester);
  /// As `count` times send, over the ends of transfers.
  void send_many(Requester& requester, std::int64_t count);

  /// The least tick after `now` at which a requester becomes ready; kNever when none will.
  Tick next_ready(Tick now) const;
  /// Of the transfers at the requester's front, how many atoms are contiguous, of one direction and
  /// ready at tick `now`; `most` at most. Transfers that follow one another in the memory count as
  /// one. 0 when the first of them is cut in blocks.
  std::int64_t ready_run(const Requester& requester, Tick now, std::int64_t most) const;
  /// The last transfer of that direction of which this atom was sent and not all are served;
  /// kNobody when there is none.
  static constexpr TransferId kNobody = -1;
  TransferId holder(std::int64_t atom, bool write) const;
  /// The requesters with something to send, in the order of their numbers.
  template <class F>
  void for_each_waiting(F visit) {
    for (auto& [number, requester] : requesters_) {
      if (!requester.unsent.empty()) visit(requester);
    }
  }
  /// Whether of the two it is the turn of the one with the higher number.
  bool is_second_next(const Requester& a, const Requester& b) const {
    return std::min(a.number, b.number) <= last_turn_ && last_turn_ < std::max(a.number, b.number);
  }
  /// Whether the requester of a number has nothing to send.
  bool is_dry(int number) const {
    const auto found = requesters_.find(number);
    return found == requesters_.end() || found->second.unsent.empty();
  }

  std::int64_t submitted() const { return first_ + static_cast<std::int64_t>(transfers_.size()); }
  /// Drops the oldest transfers that are wholly served.
  void forget_finished();

 private:
  Tick ready_of(const Requester& requester) const {
    if (requester.unsent.empty()) return kNever;
    return transfers_[static_cast<std::size_t>(requester.unsent.front() - first_)].ready;
  }

  std::deque<PendingTransfer> transfers_;  // by id, from first_
  TransferId first_ = 0;
  std::map<int, Requester> requesters_;  // by number
  int last_turn_ = -1;
};

}  // namespace presil::dram
