// Is a command log legal? The checker reads nothing but the log and the part's own timings
// (checker_rules.h): it shares no table, no state and no policy with the engines, which it judges.
//
// It remembers the last commands of each bank, bank group and pseudo-channel, so that a command
// costs a glance at each, and a log of any length takes the same memory.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "chip/memory_part.h"
#include "dram/check/checker_rules.h"
#include "dram/command.h"

namespace presil::dram {

/// A rule broken by `second`, because of `first` where an earlier command has to do with it.
struct Violation {
  Rule rule = Rule::order;
  int channel = 0;
  std::int64_t line = 0;  // of `second` in the log; 0 where the caller gave none
  // Timing and bus rules: ticks from `first` (else from tick 0) to `second`. `required` is the
  // least, for tREFI the most.
  Tick required = 0, found = 0;
  std::optional<LoggedCommand> first;
  LoggedCommand second;
};

/// Counts all violations; keeps the first ones.
class Violations {
 public:
  static constexpr std::size_t kKept = 1000;

  void add(const Violation& violation);
  std::int64_t count() const { return count_; }
  std::int64_t count(Rule rule) const { return by_rule_[static_cast<std::size_t>(rule)]; }
  const std::vector<Violation>& kept() const { return kept_; }

 private:
  std::int64_t count_ = 0;
  std::array<std::int64_t, kRules> by_rule_{};
  std::vector<Violation> kept_;
};

class Checker {
 public:
  /// Checks a log of `channels` channels of the part whose pins carry `rate`.
  Checker(const MemoryPart& part, BitsPerSecond rate, int channels);

  /// The next command of the log. Channels may come one after the other or mixed; the commands of
  /// one come in order.
  void check(int channel, const LoggedCommand& command, std::int64_t line = 0);
  /// Finds the refreshes that never came. Call it once, after the last command.
  void finish();

  const Violations& violations() const { return violations_; }
  std::int64_t commands() const { return commands_; }
  /// REFab and REFpb. With none in the whole log, refresh is taken to be off, and is not checked.
  std::int64_t refreshes() const { return refreshes_; }
  /// PRE where no row was open: legal, and a slot for nothing.
  std::int64_t idle_precharges() const { return idle_precharges_; }

 private:
  static constexpr LoggedCommand kNone{.tick = -kNever};

  struct Bank {
    int row = 0;  // while open
    LoggedCommand act = kNone, rd = kNone, wr = kNone, pre = kNone;
    LoggedCommand busy = kNone;       // the last REFpb or RFM
    LoggedCommand refreshed = kNone;  // the last REFpb
    std::int64_t refreshes = 0;       // REFpb
  };
  struct Group {
    LoggedCommand act = kNone, rd = kNone, wr = kNone;
  };
  struct Burst {
    Tick from = 0;
    LoggedCommand command;
  };
  struct PseudoChannel {
    std::vector<Bank> banks;
    std::vector<Group> groups;  // of all stack IDs
    std::uint64_t open = 0;     // a bit a bank
    std::array<LoggedCommand, 4> acts = {kNone, kNone, kNone, kNone};
    std::size_t fourth_last = 0;  // in acts
    LoggedCommand act = kNone, rd = kNone, wr = kNone, pre = kNone, preab = kNone, refab = kNone;
    LoggedCommand busy = kNone;        // the last REFpb or RFM of any bank
    LoggedCommand busy_other = kNone;  // the last one of another bank than that
    std::int64_t all_refreshes = 0;    // REFab
    std::deque<Burst> reads, writes;   // on the data bus now or later
    LoggedCommand last = kNone;
    std::int64_t last_line = 0;
  };
  struct Bus {
    Tick free = 0;
    LoggedCommand last = kNone;
  };
  struct Channel {
    std::vector<PseudoChannel> pseudo_channels;
    Bus row_bus, column_bus;
    LoggedCommand last = kNone;
  };

  bool is_in_range() const;
  Channel& channel_of_now();
  int group_of(int bank) const { return bank / banks_; }
  bool is_open(const PseudoChannel& pc) const { return (pc.open >> now_.bank & 1) != 0; }

  void broken(Rule rule, const LoggedCommand& first, Tick required = 0, Tick found = 0);
  /// That `gap` lies between `first` and the command being checked.
  void expect(const Gap& gap, const LoggedCommand& first) {
    if (now_.tick - first.tick < gap.ticks) {
      broken(gap.rule, first, gap.ticks, now_.tick - first.tick);
    }
  }
  void check_slots(Channel& channel);
  void check_refresh_since(const LoggedCommand& last);
  const LoggedCommand& last_refresh(const PseudoChannel& pc, const Bank& bank) const;
  const Bank& longest_without_refresh(const PseudoChannel& pc) const;

  void activate(PseudoChannel& pc);
  void read(PseudoChannel& pc);
  void write(PseudoChannel& pc);
  void check_row(const PseudoChannel& pc);
  void use_data_bus(PseudoChannel& pc);
  void expect_apart(const std::deque<Burst>& bursts, Tick from, Tick required);
  void precharge(PseudoChannel& pc);
  void precharge_all(PseudoChannel& pc);
  void refresh_bank(PseudoChannel& pc);
  void refresh_all(PseudoChannel& pc);

  MemoryPart part_;
  Gaps gaps_;
  int channel_count_, banks_, groups_a_stack_;
  Tick longest_refresh_gap_;
  std::size_t most_bursts_;  // that can wait for the data bus in a legal log
  std::array<Tick, kCommands> slots_{};
  std::vector<std::unique_ptr<Channel>> channels_;

  // The command being checked.
  LoggedCommand now_;
  int channel_ = 0;
  std::int64_t line_ = 0;

  Violations violations_;
  std::int64_t commands_ = 0, refreshes_ = 0, idle_precharges_ = 0;
};

}  // namespace presil::dram
