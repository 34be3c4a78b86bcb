// One pseudo-channel: its banks, queues and refresh, by events.
//
// docs/dram_controller.md says what it does; src/dram/reference/reference.cpp does it tick by tick.
// Here each bank is a bit in masks (waiting, open, hit, ...), and for each bus and for the
// controller itself there is a tick before which nothing can happen. These bounds are kept from
// above: whatever makes something possible earlier lowers one; a slot that is looked at and finds
// nothing raises its own.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dram/address_map.h"
#include "dram/counts.h"
#include "dram/event/bank_queue.h"
#include "dram/event/command_bus.h"
#include "dram/policy.h"
#include "dram/timing.h"
#include "dram/transfers/channel_code.h"

namespace presil::dram {

class PseudoChannel {
 public:
  PseudoChannel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy, int number,
                const TimingTable& table);

  bool has_room(bool write) const { return queued_[write] < queue_; }
  /// Free entries of the queue.
  int room(bool write) const { return queue_ - queued_[write]; }
  /// Requests accepted and not yet served.
  int waiting() const { return queued_[0] + queued_[1] + active_count_; }

  /// Takes a request at tick `now`; requires has_room(write), and one call a tick at most.
  void accept(Tick now, const Location& at, bool write, std::uint32_t tag);

  // Step 3 of a tick, then 4 and 5; each may be left out before its bound.
  Tick control_bound() const { return control_bound_; }
  Tick column_bound() const { return column_bound_; }
  Tick row_bound() const { return row_bound_; }
  void control(Tick now);
  /// Returns whether a command was issued.
  bool column(Tick now, CommandBus& bus, Served& served);
  bool row(Tick now, CommandBus& bus);

  Tick read_latency() const { return read_latency_; }
  Tick write_latency() const { return write_latency_; }
  Tick burst_ticks() const { return burst_ticks_; }
  const ChannelCounts& counts() const { return counts_; }
  std::span<const BankCounts> banks() const { return bank_counts_; }

  // For whole periods (state_key.h).
  void describe(StateKey& key) const;
  void shift(const StateShift& shift);
  /// Adds `times` times what was counted from one mark to the other.
  void repeat_counts(const ChannelCounts& from, const ChannelCounts& to,
                     std::span<const BankCounts> banks_from, std::span<const BankCounts> banks_to,
                     std::int64_t times);

  // ---- for replay (channel_code.h), of open and closed pages, without RFM or postponed refreshes

  static constexpr int kNearRows = 8;

  Tick refresh_due() const { return refresh_due_; }
  Tick refresh_interval() const { return ticks_.refresh_interval; }
  Tick starvation() const { return ticks_.starvation; }
  int open_row(int bank) const { return open_row_[bank]; }
  bool is_draining() const { return draining_; }
  /// How often the direction has changed.
  std::int64_t turns() const { return turns_; }
  /// Whether requests of a direction wait, and none of them is active.
  bool has_inert(bool write) const {
    return queued_[write] > 0 && (write ? active_write_ : active_ & ~active_write_) == 0;
  }
  /// When the first queued request of a direction is overdue.
  Tick first_overdue(bool write) const;
  bool has_waiting(bool write) const {
    return queued_[write] > 0 || (write ? active_write_ : active_ & ~active_write_) != 0;
  }
  /// The requests accepted and not served, oldest first.
  void list_waiting(std::vector<QueuedRequest>& requests) const;

  /// Adds to `key` all that the future depends on, but for the requests (some of which are overdue
  /// or not), the next refresh, and the rows of far_banks().
  void encode(const StreamPlaces& places, StateKey& key) const;
  /// The other way round, but for time spent and commands counted.
  void decode(Tick now, const StreamPlaces& places, std::span<const int> far_rows,
              StateReader& reader);
  /// The open banks whose rows are far from all streams'.
  std::uint64_t far_banks(const StreamPlaces& places) const;
  /// Whether open rows are near the place of one stream only, by direction, or of both.
  struct NearRows {
    std::array<bool, 2> only{};
    bool both = false;
  };
  NearRows near_rows(const StreamPlaces& places) const;
  /// Replaces the requests, given oldest first. Requires the rows to be right.
  void refill(std::span<const Refill> requests);
  /// Adds what was counted, and lets `refreshes` fall due.
  void pass(const ChannelCounts& counts, std::int64_t refreshes) {
    counts_ += counts;
    if (refreshes > 0) refresh_due_ += refreshes * ticks_.refresh_interval;
  }
  /// Whether both have counted the same and are in the same state, but for what nobody asks (RFM).
  bool agrees_with(const PseudoChannel& other, Tick now) const;

 private:
  // ---- the channel itself

  using Mask = std::uint64_t;
  static constexpr Mask bit(int bank) { return Mask{1} << bank; }
  static void set(Mask& mask, Mask bits, bool on) { mask = on ? mask | bits : mask & ~bits; }

  struct Pick {
    int bank = -1;
    Tick arrived = 0;
    Command command = Command::ACT;
    Tick soonest = kNever;  // of what cannot go yet
  };

  Tick edge(Tick tick) const { return tick | edge_; }
  bool on_edge(Tick now) const { return (now & edge_) == edge_; }
  /// Whether a request cannot beat the one picked already.
  static bool is_beaten(const Pick& pick, Tick arrived) {
    return pick.bank >= 0 && pick.arrived < arrived;
  }
  /// Takes a command at `bank` if it may go now and its request is the first to have arrived.
  static void offer(Pick& pick, Tick now, Tick earliest, int bank, Tick arrived, Command command) {
    if (earliest > now) {
      pick.soonest = std::min(pick.soonest, earliest);
    } else if (!is_beaten(pick, arrived)) {
      pick.bank = bank;
      pick.arrived = arrived;
      pick.command = command;
    }
  }

  bool is_row_near(int bank, const StreamPlaces& places, int direction) const;
  std::int64_t code_of_row(int bank, const StreamPlaces& places) const;
  void lower(Tick& bound, Tick tick) { bound = std::min(bound, tick); }
  void note_queue(int bank, bool write);
  void note_open_row(int bank);
  bool would_turn() const;
  bool write_starved(Tick now) const;
  void choose_direction(Tick now);
  void look_for_starved(Tick now);
  void settle_refresh(Tick now);

  Pick active_column(Tick now) const;
  Pick hit_column(Tick now) const;
  Pick first_in_order(Tick now) const;
  int oldest_in_order() const;
  void serve(Tick now, CommandBus& bus, int bank, bool write, bool is_active, Served& served);
  void account_gap(Tick now, int bank, Command command, bool opened);

  bool refresh_all_row(Tick now, CommandBus& bus);
  bool refresh_bank_row(Tick now, CommandBus& bus, Tick& soonest);
  bool manage_row(Tick now, CommandBus& bus, Tick& soonest);
  void forgive_activations(int bank);
  bool may_go(Tick now, Command command, int bank, Tick& soonest) const;
  Pick demand_row(Tick now) const;
  Pick demand_in_order(Tick now) const;
  Pick idle_row(Tick now) const;
  void activate(Tick now, CommandBus& bus, int bank);
  enum class Shut { on_demand, idle, for_refresh };
  void precharge(Tick now, CommandBus& bus, int bank, Shut why);
  void issue(Tick now, CommandBus& bus, Command command, int bank, int row);

  int number_;
  int banks_;
  int queue_;
  Refresh refresh_;
  PagePolicy page_;
  bool in_order_;
  PolicyTicks ticks_;
  Tick edge_ = 0;  // commands but PRE start on ticks with these low bits
  Tick read_latency_ = 0, write_latency_ = 0, burst_ticks_ = 0, refresh_cycle_ = 0;

  TimingState timing_;
  Tick control_bound_ = 0, column_bound_ = 0, row_bound_ = 0;

  // By direction (reads, writes) and bank; masks have one bit a bank.
  std::array<std::vector<BankQueue>, 2> queues_;
  std::array<int, 2> queued_{};
  std::array<Mask, 2> waiting_{}, hit_{}, head_hit_{};
  // Meaningful where the masks say so: when the oldest request, and the oldest row hit, arrived.
  std::array<std::array<Tick, 64>, 2> head_arrived_{}, hit_arrived_{};
  std::array<std::array<std::int8_t, 64>, 2> hit_position_{};
  std::vector<int> open_row_;
  Mask open_ = 0;
  // Requests taken from the queue by their ACT, one a bank.
  std::vector<BankQueue::Request> active_request_;
  Mask active_ = 0, active_write_ = 0;
  int active_count_ = 0;
  bool draining_ = false;
  std::int64_t turns_ = 0;

  Mask held_ = 0;  // for a REFpb or an RFM
  // By row hits: banks whose oldest request is starved, and whose active one is.
  Mask starved_ = 0, starved_active_ = 0;
  Tick starving_ = kNever;  // no head of a queue or active request is overdue before

  Tick refresh_due_ = kNever;
  int owed_ = 0;
  bool refresh_pending_ = false;  // all banks, or the next one
  int refresh_bank_ = 0;
  std::vector<int> activations_;  // for RFM
  Mask rfm_owed_ = 0;

  // Adaptive pages.
  std::vector<Tick> last_use_;
  std::vector<int> idle_level_, shut_idle_row_;

  // For the counts.
  ChannelCounts counts_;
  std::vector<BankCounts> bank_counts_;
  Mask closed_on_demand_ = 0, refreshed_ = 0;
  Tick column_end_ = 0, busy_from_ = 0, refresh_from_ = 0, refresh_until_ = 0;
  Command last_column_ = Command::RD;
};

}  // namespace presil::dram
