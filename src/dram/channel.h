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
#include <span>
#include <vector>

#include "chip/chip.h"
#include "dram/address_map.h"
#include "dram/bank_queue.h"
#include "dram/channel_state.h"
#include "dram/policy.h"
#include "dram/timing.h"

namespace presil::dram {

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
  bool has_room(bool write) const { return queued_[write] < policy_.controller.queue; }
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

  // What a shortcut needs (channel_state.h).

  /// Reads alone are served. Writes may wait: they do nothing before the reads run out
  /// (ChannelChange::ran_out_of_reads), but that idle rows they want stay open (wants_write_in).
  bool reads_only() const {
    return !draining_ && queued_[1] <= high_water_ && (active_ & active_write_) == 0 &&
           last_column_ == Command::RD;
  }
  bool has_writes() const { return queued_[1] > 0; }
  /// Whether a waiting write may keep one of these rows open, or one that is open already.
  bool wants_write_in(int first_row, int last_row) const;
  Tick refresh_due() const { return refresh_due_; }
  Tick refresh_interval() const { return refresh_interval_; }
  /// The waiting reads, oldest first, with the active ones.
  void list_waiting(std::vector<QueuedRead>& reads) const;

  /// Starts a cast with what every stretch touches.
  void begin_cast(Cast& cast) const;
  /// The bank of a read; the oldest of the waiting first, then those to come.
  void add_to_cast(Cast& cast, int bank, int row) const;
  /// Ends it with what is touched whatever the reads: the other stack IDs, and the banks with an
  /// idle row, which the closed-page policy shuts.
  void complete_cast(Cast& cast) const;
  /// Appends all that reads to the cast's banks depend on, short of refreshes that become due.
  void describe(const Cast& cast, StateKey& key) const;
  /// Appends what refreshes depend on: those owed and the next `due`, of which the first `known`
  /// banks are in the key already. Returns the banks then in the key.
  int describe_refreshes(int due, int known, Cast& cast, StateKey& key) const;

  ChannelMark mark() const;
  /// What happened since `mark`, when only the cast's banks were touched.
  ChannelChange change_since(const ChannelMark& mark, const Cast& cast) const;
  /// Makes `change` happen to a channel that was described as the changed one. The queue must be
  /// refilled then, oldest first.
  void apply(const ChannelChange& change, const Cast& cast);
  void refill(std::span<const Refill> reads);

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
  void add_level_to_cast(Cast& cast, Scope level, int first_slot) const;
  std::int64_t flags(int bank) const;
  std::array<Tick*, 6> clocks();
  std::array<Tick, 6> clocks() const;
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
  Tick out_of_reads_ = 0;  // the last tick at which no read was queued

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
