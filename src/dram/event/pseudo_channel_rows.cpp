// The row commands of a pseudo-channel: refresh first, then what requests ask for, then idle rows.

#include <algorithm>
#include <bit>

#include "dram/event/pseudo_channel.h"

namespace presil::dram {

bool PseudoChannel::row(Tick now, CommandBus& bus) {
  if (bus.row_free() > now) {
    row_bound_ = bus.row_free();
    return false;
  }
  if (refresh_pending_ && refresh_ == Refresh::all_bank) return refresh_all_row(now, bus);
  Tick soonest = kNever;
  bool issued = (refresh_pending_ && refresh_bank_row(now, bus, soonest)) ||
                (rfm_owed_ != 0 && manage_row(now, bus, soonest));
  if (!issued) {
    Pick pick = in_order_ ? demand_in_order(now) : demand_row(now);
    soonest = std::min(soonest, pick.soonest);
    const bool on_demand = pick.bank >= 0;
    if (!on_demand && page_ != PagePolicy::open) {
      pick = idle_row(now);
      soonest = std::min(soonest, pick.soonest);
    }
    if (pick.bank < 0) {
      row_bound_ = soonest;
      return false;
    }
    if (pick.command == Command::ACT) {
      activate(now, bus, pick.bank);
    } else {
      precharge(now, bus, pick.bank, on_demand ? Shut::on_demand : Shut::idle);
    }
  }
  row_bound_ = bus.row_free();
  if (in_order_) column_bound_ = row_bound_ = now + 1;
  return true;
}

/// Drains the active requests, shuts all banks, refreshes.
bool PseudoChannel::refresh_all_row(Tick now, CommandBus& bus) {
  if (active_ != 0) {
    row_bound_ = kNever;  // until the last of them is served
    return false;
  }
  const Command command = open_ != 0 ? Command::PREab : Command::REFab;
  Tick earliest = std::max(now, timing_.channel_earliest(command));
  if (command == Command::REFab) earliest = edge(earliest);
  row_bound_ = earliest;
  if (earliest > now) return false;
  issue(now, bus, command, 0, 0);
  row_bound_ = bus.row_free();
  if (command == Command::PREab) {
    open_ = 0;
    for (const int direction : {0, 1}) hit_[direction] = head_hit_[direction] = 0;
    return true;
  }
  // What falls due at the next tick is noted there before anyone asks whether any is owed.
  refresh_pending_ = --owed_ > 0 || refresh_due_ == now + 1;
  closed_on_demand_ = 0;
  for (int bank = 0; ticks_.rfm_threshold > 0 && bank < banks_; ++bank) forgive_activations(bank);
  if (waiting() > 0) {
    counts_.refresh_ticks +=
        std::max<Tick>(0, now - std::max({column_end_, busy_from_, refresh_from_}));
  }
  column_end_ = refresh_from_ = now;
  refresh_until_ = now + refresh_cycle_;
  column_bound_ = now + 1;
  return true;
}

/// Refreshes the bank whose turn it is, once its row is shut.
bool PseudoChannel::refresh_bank_row(Tick now, CommandBus& bus, Tick& soonest) {
  const int bank = refresh_bank_;
  const Mask b = bit(bank);
  if ((active_ & b) != 0) return false;
  const bool is_open = (open_ & b) != 0;
  if (!may_go(now, is_open ? Command::PREpb : Command::REFpb, bank, soonest)) return false;
  if (is_open) {
    precharge(now, bus, bank, Shut::for_refresh);
    return true;
  }
  issue(now, bus, Command::REFpb, bank, 0);
  refreshed_ |= b;
  forgive_activations(bank);
  refresh_bank_ = bank + 1 == banks_ ? 0 : bank + 1;
  refresh_pending_ = false;
  held_ = rfm_owed_;
  column_bound_ = now + 1;
  if (--owed_ > 0) lower(control_bound_, now + 1);
  return true;
}

/// Refresh management: RFM for the banks that were activated too often.
bool PseudoChannel::manage_row(Tick now, CommandBus& bus, Tick& soonest) {
  for (Mask mask = rfm_owed_ & ~active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    const bool is_open = (open_ & bit(bank)) != 0;
    if (!may_go(now, is_open ? Command::PREpb : Command::RFM, bank, soonest)) continue;
    if (is_open) {
      precharge(now, bus, bank, Shut::for_refresh);
    } else {
      issue(now, bus, Command::RFM, bank, 0);
      refreshed_ |= bit(bank);
      forgive_activations(bank);
      column_bound_ = now + 1;
    }
    return true;
  }
  return false;
}

/// Takes one RFM's worth of activates off the bank's count.
void PseudoChannel::forgive_activations(int bank) {
  if (ticks_.rfm_threshold == 0) return;
  int& count = activations_[bank];
  count = std::max(0, count - ticks_.rfm_threshold);
  const bool owed = count >= ticks_.rfm_threshold;
  set(rfm_owed_, bit(bank), owed);
  const bool refreshing = refresh_pending_ && refresh_ == Refresh::per_bank;
  held_ = (refreshing ? bit(refresh_bank_) : 0) | rfm_owed_;
}

/// Whether a command to an idle bank may go; if not, `soonest` hears when.
bool PseudoChannel::may_go(Tick now, Command command, int bank, Tick& soonest) const {
  Tick earliest = std::max(now, timing_.earliest(command, bank));
  if (command != Command::PREpb) earliest = edge(earliest);
  if (earliest > now) soonest = std::min(soonest, earliest);
  return earliest <= now;
}

/// The oldest request that needs its bank opened, or shut because another row is open.
PseudoChannel::Pick PseudoChannel::demand_row(Tick now) const {
  Pick pick;
  const Mask waiting = waiting_[draining_] & ~held_;
  const std::array<Tick, 64>& arrived = head_arrived_[draining_];
  if (const Mask shut = waiting & ~open_; shut != 0) {
    const Tick base = edge(std::max(now, timing_.channel_earliest(Command::ACT)));
    if (base > now) {  // no bank can be earlier
      pick.soonest = base;
    } else {
      const TimingState::OfBanks earliest = timing_.banks_earliest(Command::ACT);
      for (Mask mask = shut; mask != 0; mask &= mask - 1) {
        const int bank = std::countr_zero(mask);
        if (is_beaten(pick, arrived[bank])) continue;
        offer(pick, now, edge(earliest(bank)), bank, arrived[bank], Command::ACT);
      }
    }
  }
  // The oldest request of a bank, if it is a hit, protects the row.
  if (const Mask other = waiting & open_ & ~head_hit_[draining_] & ~active_; other != 0) {
    const Tick base = timing_.channel_earliest(Command::PREpb);
    if (base > now) {
      pick.soonest = std::min(pick.soonest, base);
    } else {
      const TimingState::OfBanks earliest = timing_.banks_earliest(Command::PREpb);
      for (Mask mask = other; mask != 0; mask &= mask - 1) {
        const int bank = std::countr_zero(mask);
        if (is_beaten(pick, arrived[bank])) continue;
        offer(pick, now, earliest(bank), bank, arrived[bank], Command::PREpb);
      }
    }
  }
  return pick;
}

/// FCFS: what the oldest request needs.
PseudoChannel::Pick PseudoChannel::demand_in_order(Tick now) const {
  Pick pick;
  const int bank = active_ != 0 ? -1 : oldest_in_order();
  if (bank < 0 || (head_hit_[draining_] & bit(bank)) != 0) return pick;
  const Command command = (open_ & bit(bank)) != 0 ? Command::PREpb : Command::ACT;
  if (may_go(now, command, bank, pick.soonest)) {
    pick.bank = bank;
    pick.command = command;
  }
  return pick;
}

/// An open row that nobody waits for.
PseudoChannel::Pick PseudoChannel::idle_row(Tick now) const {
  Pick pick;
  for (Mask mask = open_ & ~hit_[0] & ~hit_[1] & ~active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    Tick earliest = timing_.earliest(Command::PREpb, bank);
    if (page_ == PagePolicy::adaptive) {
      earliest = std::max(earliest, last_use_[bank] + (ticks_.idle_unit << idle_level_[bank]));
    }
    offer(pick, now, earliest, bank, bank, Command::PREpb);
  }
  return pick;
}

void PseudoChannel::activate(Tick now, CommandBus& bus, int bank) {
  const Mask b = bit(bank);
  BankQueue& queue = queues_[draining_][bank];
  const BankQueue::Request request = queue[0];
  issue(now, bus, Command::ACT, bank, request.row);
  queue.remove(0);
  --queued_[draining_];
  active_request_[bank] = request;
  active_ |= b;
  set(active_write_, b, draining_);
  ++active_count_;
  open_ |= b;
  open_row_[bank] = request.row;
  note_open_row(bank);

  ++bank_counts_[bank].activates;
  if ((closed_on_demand_ & b) != 0) {
    ++counts_.conflicts;
    ++bank_counts_[bank].conflicts;
  } else {
    ++counts_.misses;
  }
  closed_on_demand_ &= ~b;
  last_use_[bank] = now;
  if (page_ == PagePolicy::adaptive) {
    int& level = idle_level_[bank];
    if (shut_idle_row_[bank] == request.row) level = std::min(level + 1, kLastIdleLevel);
    shut_idle_row_[bank] = -1;
  }
  if (ticks_.rfm_threshold > 0 && ++activations_[bank] >= ticks_.rfm_threshold) {
    rfm_owed_ |= b;
    held_ |= b;
  }
  const Command column = draining_ ? Command::WR : Command::RD;
  lower(column_bound_, edge(timing_.earliest(column, bank)));
  if (would_turn() || (owed_ > 0 && bank == refresh_bank_)) lower(control_bound_, now + 1);
}

void PseudoChannel::precharge(Tick now, CommandBus& bus, int bank, Shut why) {
  const Mask b = bit(bank);
  issue(now, bus, Command::PREpb, bank, 0);
  open_ &= ~b;
  for (const int direction : {0, 1}) {
    hit_[direction] &= ~b;
    head_hit_[direction] &= ~b;
  }
  set(closed_on_demand_, b, why == Shut::on_demand);
  if (page_ != PagePolicy::adaptive) return;
  if (why == Shut::on_demand) {
    idle_level_[bank] = std::max(idle_level_[bank] - 1, 0);
  } else if (why == Shut::idle) {
    shut_idle_row_[bank] = open_row_[bank];
  }
}

}  // namespace presil::dram
