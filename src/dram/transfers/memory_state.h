// What a Memory is made of: transfers on their way through the channel, simulated in memory.cpp
// and, where a segment was seen before, replayed in memory_replay.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "chip/dram_shape.h"
#include "dram/event/channel.h"
#include "dram/load/inline_codes.h"
#include "dram/transfers/backlog.h"
#include "dram/transfers/memory.h"
#include "dram/transfers/replay.h"
#include "dram/transfers/segment_memo.h"

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
    std::int32_t on_tape = 0;  // while one is written
    bool is_code = false;      // of inline ECC
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

struct Memory::State {
  State(const MemoryPart& as_read, const Dram& config, Shortcuts wanted);

  TransferId submit(const Transfer& transfer);
  std::optional<Arrival> advance(Picoseconds limit);
  MemoryStatistics statistics();

  Tick now() const { return replay.is_running() ? replay.now() : channel.now(); }
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

  // Segments from the memo.
  bool enter_segment();
  bool next_segment();
  bool next_lane(std::size_t pc);
  void start_recording();
  void finish_recording();
  bool is_at_cut(std::size_t pc, const Backlog::Requester& requester, std::int64_t atom) const;
  void start_replay(const Tape& tape);
  void run_replay(Tick horizon);
  void commit_replay();
  void refill(std::size_t pc, Tick start);
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
  std::shared_ptr<SegmentMemo> memo;
  bool memoise, checks;

  std::vector<Backlog> backlogs;   // one a pseudo-channel, of the same transfers
  std::deque<Progress> transfers;  // by id, from `first`
  TransferId first = 0;
  std::vector<CodesFirst> codes_first;  // with inline ECC, one a pseudo-channel
  Completions done;                     // known, not yet returned
  std::int64_t returned = 0, unserved = 0;
  Slots slots;

  bool at_cut = memoise;  // here a segment may start
  unsigned dry = 0;       // pseudo-channels with nobody ready; the first who is starts a segment
  Replay replay;
  std::vector<Lane> lanes;
  // Kept for their memory.
  std::vector<QueuedRead> waiting;
  std::vector<std::vector<Tape::Left>> left;
  std::vector<Refill> refills;

  BusyTime busy;
  std::int64_t rounded = 0, replayed = 0;
};

}  // namespace presil::dram
