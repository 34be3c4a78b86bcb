// One pseudo-channel and its controller, tick by tick or straight to the next tick that matters.
//
// The policy is that of Ramulator 2's HBM3 controller: read and write queues of 32, one request
// taken a tick, row hits first and then the oldest (FR-FCFS), a request that opened a row served
// before others, writes drained between two watermarks, all-bank refresh with priority once due.
// Commands start on whole clocks, PRE on any slot; row and column commands have their own buses
// unless the part shares one. Ramulator's rule that a PRE on a falling edge may not pair with a
// command to the same bank is left out: tRAS and tPPD exclude it.
//
// The two pseudo-channels of an HBM channel share those buses in silicon. Here each has its own
// slots; `buses_` stands apart so that a channel can own it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "chip/chip.h"
#include "dram/address_map.h"
#include "dram/bank_queue.h"
#include "dram/timing.h"

namespace presil::dram {

struct Policy {
  Refresh refresh = Refresh::all_bank;
  PagePolicy page = PagePolicy::open;
  int queue = BankQueue::kDepth;  // entries for reads, and as many for writes
  double write_low = 0.2;         // drain writes down to this share of the queue ...
  double write_high = 0.8;        // ... once it is fuller than this
};

/// What happened, counted in commands and in ticks of the data bus.
struct ChannelCounts {
  std::array<std::int64_t, kCommands> commands{};
  std::int64_t hits = 0, misses = 0, conflicts = 0;
  // Ticks in which some request waited and the data bus stood idle, by reason.
  std::int64_t refresh_ticks = 0, row_ticks = 0, turnaround_ticks = 0;

  ChannelCounts& operator+=(const ChannelCounts& other);
  ChannelCounts operator-(const ChannelCounts& other) const;
  friend bool operator==(const ChannelCounts&, const ChannelCounts&) = default;
};

struct LoggedCommand {
  Tick tick = 0;
  Command command = Command::ACT;
  int bank = 0;  // 0 for commands to all banks
  int row = 0;   // of ACT, RD and WR
};

class Channel {
 public:
  struct Step {
    bool acted = false;      // something changed: the next tick must be looked at too
    bool refreshed = false;  // REFab was issued
    bool served = false;     // RD or WR was issued, for the request with this tag
    bool write = false;
    std::uint32_t tag = 0;
    Tick done = 0;  // end of its data
  };

  Channel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy);

  Tick now() const { return now_; }
  bool has_room(bool write) const { return queued_[write] < policy_.queue; }
  /// Requests accepted and not yet served.
  int waiting() const { return queued_[0] + queued_[1] + active_count_; }

  /// Takes a request at tick now(); it can be served from the next tick on, and comes back with its
  /// tag. Requires has_room(write), and at most one call a tick.
  void accept(const Location& at, bool write, std::uint32_t tag);

  /// Moves to the next tick and does what is due there.
  Step step();
  /// After a step that did not act and with nothing accepted since: the next tick at which a step
  /// could act.
  Tick next_event() const { return next_; }
  /// Lets the ticks up to `tick` pass. Requires now() <= tick < next_event().
  void skip_to(Tick tick) { now_ = tick; }

  /// From the RD (WR) to the end of its data.
  Tick read_latency() const { return read_latency_; }
  Tick write_latency() const { return write_latency_; }
  Tick burst_ticks() const { return burst_ticks_; }

  const ChannelCounts& counts() const { return counts_; }
  /// Appends every command to `log` from now on; nullptr stops it.
  void log_to(std::vector<LoggedCommand>* log) { log_ = log; }

  // What a shortcut needs. Right after a REFab all banks are shut and every older rule has run out
  // (can_restart() checks that the part's timings are such), so with reads only the queue and the
  // refresh phase are the whole state.
  bool can_restart() const;
  bool reads_only() const { return !draining_ && queued_[1] == 0 && last_column_ == Command::RD; }
  Tick refresh_due() const { return refresh_due_; }
  /// The tags of the waiting reads, oldest first. Requires that no row is open.
  std::vector<std::uint32_t> queue() const;
  /// Back (or forward) to the tick right after a REFab at `tick`, as it was with reads only. The
  /// queue is empty then, to be filled by requeue, oldest first.
  void restart(Tick tick, Tick refresh_due, const ChannelCounts& counts);
  void requeue(const Location& at, std::uint32_t tag) { enqueue(at, false, tag); }

 private:
  struct Buses {
    std::array<Tick, 2> free{};
  };
  struct Pick {
    int bank = -1;
    std::uint32_t order = 0;
    Command command = Command::ACT;
  };

  bool on_edge() const { return (now_ & edge_) == edge_; }
  Tick next_edge(Tick tick) const { return std::max(tick, now_ + 1) | edge_; }
  void wake_at(Tick tick) { next_ = std::min(next_, tick); }
  /// Takes the request if it can go now and is the oldest such; else notes when it could.
  void consider(Pick& pick, int bank, std::uint32_t order, Command command, Tick earliest) {
    const bool any_slot = command == Command::PREpb;
    if (earliest > now_) {
      wake_at(any_slot ? earliest : next_edge(earliest));
    } else if (!any_slot && !on_edge()) {
      wake_at(now_ + 1);
    } else if (pick.bank < 0 || older(order, pick.order)) {
      pick = {bank, order, command};
    }
  }

  void enqueue(const Location& at, bool write, std::uint32_t tag);
  void note_queue(int bank, bool write);
  void note_open_row(int bank);
  void start_refresh_when_due();
  void choose_direction();
  void column_slot(Step& step);
  Pick active_column();
  Pick hit_column();
  void serve(const Pick& pick, Step& step);
  void row_slot(Step& step);
  void refresh_all_slot(Step& step);
  bool refresh_bank_slot();
  Pick demand_row();
  Pick idle_row();
  void activate(int bank);
  void precharge(int bank, bool on_demand);
  void issue(Command command, int bank, int row);
  void account_gap(int bank, Command command, bool opened);

  Policy policy_;
  TimingTable table_;
  TimingState timing_;
  Buses buses_;
  int row_bus_ = 0, column_bus_ = 1;
  std::array<std::int64_t, kCommands> slots_{};
  Tick edge_ = 0;  // commands start on ticks with these low bits
  Tick read_latency_ = 0, write_latency_ = 0, burst_ticks_ = 0;
  int banks_ = 0;
  int low_water_ = 0, high_water_ = 0;

  Tick now_ = 0, next_ = 0;
  std::uint32_t next_order_ = 0;

  // By bank; masks have one bit a bank; [0] reads, [1] writes.
  std::array<std::vector<BankQueue>, 2> queues_;
  std::array<int, 2> queued_{};
  std::array<std::uint64_t, 2> waiting_{}, hit_{}, head_hit_{};
  std::array<std::vector<int>, 2> hit_position_;
  std::vector<int> open_row_;
  std::uint64_t open_ = 0;
  // Requests taken from the queue by their ACT, at most one a bank.
  std::vector<std::uint32_t> active_order_, active_tag_;
  std::uint64_t active_ = 0, active_write_ = 0;
  int active_count_ = 0;
  bool draining_ = false;  // serving writes

  Tick refresh_interval_ = kNever, refresh_due_ = kNever, refresh_cycle_ = 0;
  bool refresh_pending_ = false;  // all banks
  int banks_owed_ = 0, refresh_bank_ = 0;
  std::uint64_t held_ = 0;  // the bank that waits for its REFpb

  // For the counts.
  ChannelCounts counts_;
  std::uint64_t closed_on_demand_ = 0, refreshed_ = 0;
  Tick column_end_ = 0, busy_from_ = 0, refresh_from_ = 0, refresh_until_ = 0;
  Command last_column_ = Command::RD;
  std::vector<LoggedCommand>* log_ = nullptr;
};

}  // namespace presil::dram
