// Describing a channel for StateKey, and shifting it.
//
// A rule that has run out is as good as any other that has, so the ticks of rules count from now at
// least. Bounds (what need not be looked at before) follow from the rest and are left out.

#include <bit>

#include "dram/event/channel.h"
#include "dram/state_key.h"

namespace presil::dram {

// ---- timing -------------------------------------------------------------------------------------

void TimingState::describe(StateKey& key) const {
  for (const Tick tick : earliest_) key.add_ahead(tick);
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const Tick gap = table_->windows()[i].gap;
    for_each_issue(static_cast<int>(i), [&](Tick tick) { key.add_ahead(tick + gap); });
  }
}

void TimingState::shift(Tick ticks) {
  for (Tick& tick : earliest_) tick += ticks;
  for (Ring& ring : rings_) {
    for (Tick& tick : ring.ticks) tick += ticks;
  }
}

// ---- buses --------------------------------------------------------------------------------------

void CommandBus::describe(StateKey& key) const {
  for (const Tick tick : free_) key.add_ahead(tick);
  for (const int turn : turn_) key.add(turn);
  key.add_past(last_issue_);
  for (const int row : last_row_) key.add_row(row);
}

void CommandBus::shift(const StateShift& shift) {
  for (Tick& tick : free_) tick += shift.ticks;
  last_issue_ += shift.ticks;
  for (int& row : last_row_) shift.row(row);
}

void CommandBus::repeat_hash(const LogHash& from, const LogHash& to, std::int64_t times) {
  LogHash hash = from;
  hash.append(to.since(from).repeated(times));
  hash.append(hash_.since(from));
  hash_ = hash;
}

// ---- pseudo-channel -----------------------------------------------------------------------------

void PseudoChannel::describe(StateKey& key) const {
  const Tick now = key.now();
  timing_.describe(key);
  for (const int direction : {0, 1}) {
    key.add(static_cast<std::int64_t>(waiting_[direction]));
    for (Mask mask = waiting_[direction]; mask != 0; mask &= mask - 1) {
      const BankQueue& queue = queues_[direction][std::countr_zero(mask)];
      key.add(queue.size());
      for (int i = 0; i < queue.size(); ++i) {
        key.add_past(queue[i].arrived);
        key.add_row(queue[i].row);
      }
    }
  }
  for (const Mask mask : {open_, active_, active_write_, held_, starved_, starved_active_,
                          rfm_owed_, closed_on_demand_, refreshed_}) {
    key.add(static_cast<std::int64_t>(mask));
  }
  for (Mask mask = open_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    key.add_row(open_row_[bank]);
    if ((active_ & bit(bank)) == 0) continue;
    key.add_past(active_request_[bank].arrived);
    key.add_row(active_request_[bank].row);
  }
  key.add(draining_ * 4 + refresh_pending_ * 2 + (last_column_ == Command::WR));
  if (refresh_due_ != kNever) key.add(refresh_due_ - now);
  key.add(owed_);
  key.add(refresh_bank_);
  if (ticks_.rfm_threshold > 0) {
    for (const int count : activations_) key.add(count);
  }
  if (page_ == PagePolicy::adaptive) {
    for (int bank = 0; bank < banks_; ++bank) {
      key.add_past(last_use_[bank], ticks_.idle_unit << kLastIdleLevel);
      key.add(idle_level_[bank]);
      if (shut_idle_row_[bank] < 0) {
        key.add(-1);
      } else {
        key.add_row(shut_idle_row_[bank]);
      }
    }
  }
  // Idle time of the data bus is counted from here; with nobody waiting, from the next request.
  const Tick from = std::max(column_end_, waiting() == 0 ? now : busy_from_);
  const bool refresh_counts =
      (refresh_pending_ && refresh_ == Refresh::all_bank) || refresh_until_ > from;
  key.add(from - now);
  key.add(refresh_counts ? std::max(refresh_from_, from) - now : 0);
  key.add(std::max(refresh_until_, from) - now);
}

void PseudoChannel::shift(const StateShift& shift) {
  timing_.shift(shift.ticks);
  for (Tick* tick : {&control_bound_, &column_bound_, &row_bound_, &starving_, &refresh_due_,
                     &column_end_, &busy_from_, &refresh_from_, &refresh_until_}) {
    shift.tick(*tick);
  }
  for (const int direction : {0, 1}) {
    for (int bank = 0; bank < banks_; ++bank) {
      queues_[direction][bank].shift(shift);
      head_arrived_[direction][bank] += shift.ticks;
      hit_arrived_[direction][bank] += shift.ticks;
    }
  }
  for (int bank = 0; bank < banks_; ++bank) {
    last_use_[bank] += shift.ticks;
    active_request_[bank].arrived += shift.ticks;
    shift.row(active_request_[bank].row);
    if (open_row_[bank] >= 0) shift.row(open_row_[bank]);
    if (shut_idle_row_[bank] >= 0) shift.row(shut_idle_row_[bank]);
  }
}

// ---- channel ------------------------------------------------------------------------------------

void Channel::describe(StateKey& key) const {
  bus_.describe(key);
  for (const PseudoChannel& p : pseudo_channels_) p.describe(key);
}

void Channel::repeat(const Mark& from, const Mark& to, std::int64_t times,
                     const StateShift& shift) {
  bus_.repeat_hash(from.log_hash, to.log_hash, times);
  bus_.shift(shift);
  for (std::size_t pc = 0; pc < pseudo_channels_.size(); ++pc) {
    pseudo_channels_[pc].shift(shift);
    pseudo_channels_[pc].repeat_counts(from.counts[pc], to.counts[pc], from.banks[pc], to.banks[pc],
                                       times);
  }
  now_ += shift.ticks;
  shift.tick(next_);
}

Channel::Mark Channel::mark() const {
  Mark mark;
  mark.log_hash = log_hash();
  for (const PseudoChannel& p : pseudo_channels_) {
    mark.counts.push_back(p.counts());
    mark.banks.emplace_back(p.banks().begin(), p.banks().end());
  }
  return mark;
}

void PseudoChannel::repeat_counts(const ChannelCounts& from, const ChannelCounts& to,
                                  std::span<const BankCounts> banks_from,
                                  std::span<const BankCounts> banks_to, std::int64_t times) {
  counts_ += (to - from) * times;
  for (std::size_t bank = 0; bank < banks_to.size(); ++bank) {
    bank_counts_[bank] += (banks_to[bank] - banks_from[bank]) * times;
  }
}

}  // namespace presil::dram
