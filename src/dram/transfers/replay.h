// One edge of the graph gone along instead of simulated.
//
// The edge is true as long as nobody else's turn comes before its end. Since clients may submit
// more whenever time stands still, the replay never looks past a tick at which somebody may, and
// the backlogs stay as they were at the start until the edge is over; if somebody does come
// between, it is simulated from its start.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dram/transfers/backlog.h"
#include "dram/transfers/state_graph.h"

namespace presil::dram {

/// What of one direction a pseudo-channel has before it.
struct Lane {
  Backlog::Requester* sender = nullptr;
  std::int64_t atom = 0;  // `run` contiguous ones come from here on
  std::int64_t run = 0;
};
using Lanes = std::array<Lane, 2>;           // reads, writes
using Places = std::array<std::int64_t, 2>;  // what each stream sends next; or kNowhere

class Replay {
 public:
  enum class Result { at_horizon, edge_over, off_the_edge };

  /// A transfer of which a pseudo-channel serves some atoms, and when the last of them.
  struct Part {
    std::size_t pc = 0;
    TransferId transfer = 0;
    std::int64_t served = 0;
    Tick last = 0;
    bool is_all = false;  // that it had to
  };

  bool is_running() const { return edge_ != nullptr; }
  void start(const StateGraph::Edge& edge, Tick start, std::span<const Lanes> lanes,
             std::span<const Places> places, std::span<const Backlog> backlogs);
  void stop() { edge_ = nullptr; }

  /// Everything up to this tick is known to be as on the edge.
  Tick now() const { return now_; }
  Tick end() const { return start_ + edge_->length; }
  const StateGraph::Edge& edge() const { return *edge_; }
  /// What the edge serves at all pseudo-channels together.
  std::span<const Part> parts() const { return parts_; }

  /// Says when the last RD or WR of a transfer comes that the edge completes, and its data's end.
  void completes(TransferId transfer, Tick served, Tick done) {
    completing_.push_back({served, done, transfer});
  }

  /// Moves now() on, to `horizon` at most, to `soonest` (when the client may next submit more), and
  /// to the first completion at most. `report` hears of the completions that it comes by. Off the
  /// edge when somebody comes before its end, at `others`.
  template <class Report>
  Result run(Tick horizon, Tick soonest, Tick others, Report report);

 private:
  struct Completing {
    Tick served = 0, done = 0;
    TransferId transfer = 0;
  };

  void list_parts(std::size_t pc, bool write, const Lane& lane, std::int64_t place,
                  const Backlog& backlog);

  const StateGraph::Edge* edge_ = nullptr;
  Tick start_ = 0, now_ = 0;
  std::vector<Part> parts_;
  std::vector<Completing> completing_;  // not yet reported
};

template <class Report>
Replay::Result Replay::run(Tick horizon, Tick soonest, Tick others, Report report) {
  if (others < end()) return Result::off_the_edge;
  Tick until = std::min({horizon, soonest, end()});
  for (const Completing& c : completing_) until = std::min(until, c.done);
  now_ = std::max(now_, until);
  std::erase_if(completing_, [&](const Completing& c) {
    if (c.served > now_) return false;
    report(c.transfer, c.done);
    return true;
  });
  return now_ == end() ? Result::edge_over : Result::at_horizon;
}

}  // namespace presil::dram
