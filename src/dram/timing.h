// The timing of one pseudo-channel: rules as rows of data, compiled to flat integer tables.
//
// A rule says how far apart two commands must be, and which banks it binds. All rules end up as
// "when `from` is issued at tick t, nothing may use this slot before t + gap", where a slot is a
// command at the pseudo-channel, at one stack ID, one bank group or one bank. Issuing is then a
// short walk over a list; asking is the maximum of four numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "chip/memory_part.h"
#include "dram/command.h"
#include "dram/state_key.h"

namespace presil::dram {

enum class Scope { bank, bank_group, other_stack_ids, pseudo_channel };

/// The last slot of `to` comes at least `cycles` CK after the last slot of `from`. With window n,
/// this holds for the n-th `from` before.
struct TimingRule {
  Scope scope = Scope::bank;
  Command from = Command::ACT;
  Command to = Command::ACT;
  std::int64_t cycles = 0;
  int window = 1;
};

/// Every rule of `part` when a pin carries `rate`.
std::vector<TimingRule> timing_rules(const MemoryPart& part, BitsPerSecond rate);

/// The command slots that `command` occupies on its bus.
std::int64_t slots_of(Command command, const MemoryPart& part);

/// Where a bank stands: bank = (stack_id x bank_groups + bank_group) x banks + index.
struct BankPlace {
  int stack_id = 0;
  int group = 0;  // counted over all stack IDs
};
BankPlace place_of(int bank, const MemoryPart& part);

/// The compiled rules; shared by all pseudo-channels of a kind.
class TimingTable {
 public:
  struct Update {
    std::int32_t slot = 0;
    std::int32_t gap = 0;
  };
  struct Window {
    Command command = Command::ACT;  // of itself, over the pseudo-channel
    std::int32_t gap = 0;
    int window = 1;
  };
  /// The places of a bank that rules may speak of; place 0 is the pseudo-channel.
  struct Places {
    int stack_id = 0, group = 0, bank = 0;
  };

  /// Rules about commands that are not `used` (a bit each) are left out. `skipped_rule` leaves out
  /// one of timing_rules(), for tests that want a faulty engine.
  TimingTable(const MemoryPart& part, BitsPerSecond rate, unsigned used = ~0U,
              int skipped_rule = -1);

  /// What issuing `command` at `bank` pushes back.
  std::span<const Update> updates(Command command, int bank) const {
    const std::size_t i =
        static_cast<std::size_t>(command) * banks_ + static_cast<std::size_t>(bank);
    return {updates_.data() + first_[i], updates_.data() + first_[i + 1]};
  }
  const std::vector<Window>& windows() const { return windows_; }

  const Places& places_of(int bank) const { return bank_places_[static_cast<std::size_t>(bank)]; }
  int places() const { return places_; }
  int banks() const { return static_cast<int>(banks_); }
  int slots() const { return places_ * kCommands; }
  int slot(Command command, int place) const { return static_cast<int>(command) * places_ + place; }

 private:
  std::int32_t gap(const TimingRule& rule, const MemoryPart& part) const;
  void add(const TimingRule& rule, int bank, const MemoryPart& part);

  std::size_t banks_;
  int places_ = 0;
  std::vector<Places> bank_places_;
  std::vector<Update> updates_;
  std::vector<std::int32_t> first_;
  std::vector<Window> windows_;
};

/// One pseudo-channel's timing state. Holds state, not time: the caller passes the tick.
class TimingState {
 public:
  explicit TimingState(const TimingTable& table);
  const TimingTable& table() const { return *table_; }

  /// The rules of the pseudo-channel alone: no bank may issue `command` before.
  Tick channel_earliest(Command command) const { return at(table_->slot(command, 0)); }
  /// The rest of the rules, for a loop over banks.
  struct OfBanks {
    const Tick* earliest;  // by place
    const TimingTable::Places* places;
    Tick operator()(int bank) const {
      const TimingTable::Places& own = places[bank];
      return std::max({earliest[own.stack_id], earliest[own.group], earliest[own.bank]});
    }
  };
  OfBanks banks_earliest(Command command) const {
    return {earliest_.data() + table_->slot(command, 0), &table_->places_of(0)};
  }
  Tick bank_earliest(Command command, int bank) const { return banks_earliest(command)(bank); }
  /// The first tick at which `command` breaks no rule at `bank`; changes nothing.
  Tick earliest(Command command, int bank) const {
    return std::max(channel_earliest(command), bank_earliest(command, bank));
  }

  /// Requires tick >= earliest(command, bank). Commands to all banks pass bank 0.
  void issue(Command command, int bank, Tick tick) {
    for (const TimingTable::Update& update : table_->updates(command, bank)) {
      Tick& slot = at(update.slot);
      slot = std::max(slot, tick + update.gap);
    }
    if ((windowed_ >> static_cast<int>(command) & 1U) != 0) note_in_windows(command, tick);
  }

  // What a shortcut reads and sets; slots are TimingTable's.
  Tick at(int slot) const { return earliest_[static_cast<std::size_t>(slot)]; }
  Tick& at(int slot) { return earliest_[static_cast<std::size_t>(slot)]; }
  int windows() const { return static_cast<int>(rings_.size()); }
  /// The last issues that window rule i counts, oldest first.
  template <class F>
  void for_each_issue(int i, F visit) const {
    const Ring& ring = rings_[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < ring.ticks.size(); ++k) {
      visit(ring.ticks[(ring.oldest + k) % ring.ticks.size()]);
    }
  }
  int issues(int i) const {
    return static_cast<int>(rings_[static_cast<std::size_t>(i)].ticks.size());
  }
  void push_issue(int i, Tick tick) {
    Ring& ring = rings_[static_cast<std::size_t>(i)];
    ring.ticks[ring.oldest] = tick;
    if (++ring.oldest == ring.ticks.size()) ring.oldest = 0;
  }
  /// As if everything had happened so much later.
  void shift(Tick ticks);
  void describe(StateKey& key) const;

 private:
  void note_in_windows(Command command, Tick tick);

  const TimingTable* table_;
  std::vector<Tick> earliest_;
  struct Ring {
    std::vector<Tick> ticks;  // of the last `window` issues
    std::size_t oldest = 0;
  };
  std::vector<Ring> rings_;  // one a window rule
  unsigned windowed_ = 0;    // the commands that window rules count
};

}  // namespace presil::dram
