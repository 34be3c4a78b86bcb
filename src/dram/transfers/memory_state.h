// What a Memory is made of: transfers on their way through the channel, simulated in memory.cpp;
// states described, and what comes after them recorded, in memory_record.cpp; what was seen before
// gone through again in memory_replay.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "chip/dram_shape.h"
#include "dram/event/channel.h"
#include "dram/load/inline_codes.h"
#include "dram/transfers/backlog.h"
#include "dram/transfers/memory.h"
#include "dram/transfers/replay.h"
#include "dram/transfers/state_graph.h"

namespace presil::dram {

/// The union of stretches of time, added in the order of their ends.
class BusyTime {
 public:
  void add(Tick from, Tick until) {
    while (!stretches_.empty() && stretches_.back().second >= from) {
      from = std::min(from, stretches_.back().first);
      total_ -= stretches_.back().second - stretches_.back().first;
      stretches_.pop_back();
    }
    stretches_.emplace_back(from, until);
    total_ += until - from;
  }
  Tick total() const { return total_; }
  Tick end() const { return stretches_.empty() ? 0 : stretches_.back().second; }

 private:
  std::vector<std::pair<Tick, Tick>> stretches_;  // apart, ascending
  Tick total_ = 0;
};

/// The requests inside the channel; a request's tag is its place here.
class Slots {
 public:
  struct Request {
    TransferId transfer = 0;
    std::int64_t atom = 0;
    Location at{};
    std::int32_t recorded = 0;  // while an edge is: as in Track::waiting
    bool is_code = false;       // of inline ECC
  };

  std::uint32_t take(const Request& request) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(requests_.size()));
      requests_.emplace_back();
    }
    const std::uint32_t tag = free_.back();
    free_.pop_back();
    requests_[tag] = request;
    return tag;
  }
  Request give_back(std::uint32_t tag) {
    free_.push_back(tag);
    return requests_[tag];
  }
  Request& operator[](std::uint32_t tag) { return requests_[tag]; }
  const Request& operator[](std::uint32_t tag) const { return requests_[tag]; }

 private:
  std::vector<Request> requests_;
  std::vector<std::uint32_t> free_;
};

/// The accesses to codes that come before the next data of a pseudo-channel.
struct CodesFirst {
  struct Access {
    Location at;
    bool write = false;
    TransferId transfer = 0;
  };
  InlineCodes codes;
  std::deque<Access> due{};
};

/// A stretch of simulated time that becomes an edge of the graph.
struct Recording {
  StateGraph::Node* from = nullptr;  // nullptr: none
  Tick start = 0;
  Tick first_overdue = 0;  // of those not overdue at the start
  std::vector<Lanes> lanes;
  std::vector<Places> places;
  std::vector<int> inert;
  std::vector<StateGraph::Due> dues;
  struct Start {
    ChannelCounts counts;
    Tick refresh_due = 0;
    std::int64_t turns = 0;
    std::uint64_t far_banks = 0;
  };
  std::vector<Start> starts;  // by pseudo-channel
  StateGraph::Edge edge;

  bool is_on() const { return from != nullptr; }
  void spoil() { from = nullptr; }
};

/// Going along edges: the channel stays as it was at the start until somebody needs it.
struct Ride {
  bool on = false;
  bool stale = false;  // the channel is
  StateGraph::Node* node = nullptr;
  Tick now = 0;
  Tick first_overdue = 0;
  std::vector<Places> places;
  std::vector<Places> bounds;              // before which a stream is far from the far rows
  std::vector<std::vector<int>> far_rows;  // by pseudo-channel and bank
  std::vector<std::vector<QueuedRequest>> waiting;  // at the start
  std::vector<std::vector<QueuedRequest>> inert;    // all the way
  struct Leg {
    const StateGraph::Edge* edge = nullptr;
    Tick start = 0;
  };
  std::vector<Leg> legs;
  StateGraph::Node* long_from = nullptr;       // from where the last legs may make a longer one
  std::vector<const StateGraph::Edge*> alike;  // those legs
};

struct Memory::State {
  State(const MemoryPart& as_read, const Dram& config, Shortcuts wanted);

  TransferId submit(const Transfer& transfer);
  std::optional<Arrival> advance(Picoseconds limit);
  MemoryStatistics statistics();

  Tick now() const {
    return replay.is_running() ? replay.now() : ride.on ? ride.now : channel.now();
  }
  bool is_next_completion_known() const;

  // Tick by tick.
  void simulate(Tick horizon);
  void step(Tick horizon);
  /// Whether the pseudo-channel could send at tick `now`.
  Backlog::Requester* sender(int pc, Tick now);
  bool can_send(int pc, Tick now);
  /// Sends one request, if there is one and room for it.
  void send(int pc);
  bool send_codes_first(int pc, const Location& at, bool write, TransferId transfer);
  void serve(const Served& served);
  void complete(TransferId id, Tick tick);

  // States and edges.
  bool is_at_cut(std::size_t pc, const Backlog::Requester& requester, std::int64_t atom) const;
  bool look_for_edge();
  bool find_lanes();
  void find_places();
  int inert_direction(std::size_t pc) const;
  std::uint64_t ahead(std::span<const Places> at) const;
  void list_waiting(std::size_t pc);
  void list_dues(Tick now);
  StateGraph::Node* describe(std::span<const Places> at);
  void start_recording(StateGraph::Node* from);
  StateGraph::Node* finish_recording();
  void note_sent(std::size_t pc, bool write, const Backlog::Requester& requester, std::int64_t atom,
                 std::uint32_t tag);
  void note_served(std::size_t pc, bool write, const Slots::Request& request);

  bool are_transfers_clear() const;
  void start_ride(StateGraph::Node& node);
  Tick next_refresh() const;
  bool has_plenty_for_long() const;
  void note_leg(const StateGraph::Edge& edge);
  void continue_ride();
  bool follow_lanes();
  const StateGraph::Edge* next_edge(const StateGraph::Node& node, Tick now,
                                    std::span<const Places> at);
  bool fits(const StateGraph::Edge& edge) const;
  void leave_ride();
  void restore();
  Tick arrival(std::size_t pc, std::size_t waiting) const;
  void start_replay(const StateGraph::Edge& edge);
  void run_replay(Tick horizon);
  void commit_replay();
  State simulated_until(Tick end) const;
  bool agrees_with(const State& other) const;

  /// A transfer over all pseudo-channels of the channel.
  struct Progress {
    Tick ready = 0, done = 0;
    int parts_left = 0;      // pseudo-channels that have not served all of theirs
    bool completed = false;  // its completion is known
    bool returned = false;   // ... and the client has it
  };
  Progress& progress(TransferId id) { return transfers[static_cast<std::size_t>(id - first)]; }
  void forget_finished();

  MemoryPart part;
  BitsPerSecond rate;
  DramClock clock;
  AddressMap map;
  Channel channel;
  std::int64_t channels;
  Tick soonest = 0;  // no column command completes a transfer earlier
  Bytes total_capacity;
  std::shared_ptr<StateGraph> graph;
  bool memoise, checks;

  std::vector<Backlog> backlogs;   // one a pseudo-channel, of the same transfers
  std::deque<Progress> transfers;  // by id, from `first`
  TransferId first = 0;
  std::vector<CodesFirst> codes_first;  // with inline ECC, one a pseudo-channel
  Completions done;                     // known, not yet returned
  std::int64_t returned = 0, unserved = 0;
  Slots slots;

  bool at_cut = memoise;       // here an edge may start
  Tick quiet_until = kNever;   // nobody but the lanes' senders is ready before
  bool looked = false;         // for an edge
  std::vector<Lanes> lanes;    // by pseudo-channel
  std::vector<Places> places;  // of the state described last
  std::vector<int> inert;      // the direction that is, or kNone
  static constexpr int kNone = 2;
  std::vector<Places> sent;  // what comes after the atoms sent last
  Recording recording;
  Ride ride;
  Replay replay;
  // Kept for their memory.
  StateKey key{0, 0, 1};
  std::vector<std::vector<QueuedRequest>> waiting;
  std::vector<StateGraph::Due> dues;
  std::vector<Refill> refills;

  BusyTime busy;
  std::int64_t rounded = 0, replayed = 0;
};

}  // namespace presil::dram
