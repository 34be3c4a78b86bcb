// One pseudo-channel of the reference engine: its queues, banks, refresh and policy, as
// docs/dram_controller.md states them, sentence by sentence.
//
// It answers which command it would issue now, and is told when the channel, which owns the command
// buses, lets it. Nothing is remembered that can be found again by looking.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dram/counts.h"
#include "dram/policy.h"
#include "dram/reference/command_history.h"

namespace presil::dram {

class ReferencePseudoChannel {
 public:
  struct Request {
    int bank = 0, row = 0;
    bool write = false;
    std::uint32_t tag = 0;
    Tick arrived = 0;
  };

  /// `number` within the channel: it staggers the refreshes.
  ReferencePseudoChannel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy,
                         int number);

  bool has_room(bool write) const;
  int waiting() const;  // queued + active
  /// Requires has_room(request.write), and that it arrived later than all before.
  void accept(const Request& request);

  /// Step 3 of a tick: refreshes due, what they make pending, the direction.
  void begin_tick(Tick tick);

  /// A request whose RD or WR is next: at a place of its queue, or the active one of its bank.
  struct Column {
    Request request;
    std::optional<std::size_t> queued;
  };
  std::optional<Column> next_column() const;
  void serve(const Column& column);

  struct Row {
    enum Reason { refresh, demand, idle };
    Command command = Command::ACT;
    int bank = 0;
    Reason reason = refresh;
    Request request;  // of an ACT
  };
  std::optional<Row> next_row() const;
  void issue(const Row& row);

  const ChannelCounts& counts() const { return counts_; }
  std::span<const BankCounts> banks() const { return bank_counts_; }

 private:
  struct Bank {
    std::optional<int> open_row;
    std::optional<Request> active;  // its ACT was issued, its RD or WR was not
    bool shut_on_demand = false;    // by step 4, and no REFab since
    std::int64_t activates = 0;     // that no RFM or refresh has paid for
    Tick last_use = 0;              // ACT, RD or WR
    int idle_level = kFirstIdleLevel;
    std::optional<int> idle_row;  // shut by step 5, and nothing opened since
  };
  using Queue = std::vector<Request>;  // in the order of arrival

  const Queue& queue() const { return queues_[draining_]; }  // of the direction
  bool allowed(Command command, int bank) const { return history_.allows(command, bank, now_); }
  bool is_hit(const Request& request) const;
  bool is_starved(const Request& request) const;
  static bool is_active(const Bank& bank) { return bank.active.has_value(); }
  bool any_active() const;
  bool any_active_starved() const;
  bool wanted(int bank) const;  // by a queued or active request
  bool held(int bank) const;    // takes no hits, no demand ACT or PREpb
  bool owes_rfm(int bank) const;
  bool is_idle_row(int bank) const;

  void note_refreshes();
  void choose_direction();

  std::optional<Column> active_column() const;
  std::optional<Column> hit_column() const;
  std::optional<Column> first_come_column() const;
  std::optional<std::size_t> first_come() const;

  std::optional<Row> refresh_all() const;
  std::optional<Row> refresh_or_manage(Command command, int bank) const;
  std::optional<Row> manage() const;
  std::optional<Row> demand() const;
  std::optional<Row> first_come_demand() const;
  std::optional<Row> step_towards(const Request& request) const;
  std::optional<Row> idle() const;

  void activate(const Request& request);
  void precharge(int bank, Row::Reason reason);
  void pay_activates(int bank);
  void count(Command command, int bank);

  Policy policy_;
  PolicyTicks ticks_;
  CommandHistory history_;
  Tick now_ = 0;
  std::array<Queue, 2> queues_;  // reads, writes
  std::vector<Bank> banks_;
  bool draining_ = false;  // the direction: serving writes

  Tick refresh_due_ = kNever;
  int owed_ = 0;
  bool all_bank_pending_ = false, per_bank_pending_ = false;
  int refresh_bank_ = 0;  // the next of per-bank refresh

  ChannelCounts counts_;
  std::vector<BankCounts> bank_counts_;
};

}  // namespace presil::dram
