#include "dram/event/pseudo_channel.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace presil::dram {
namespace {

Tick overlap(Tick from, Tick until, Tick other_from, Tick other_until) {
  return std::max<Tick>(0, std::min(until, other_until) - std::max(from, other_from));
}

}  // namespace

PseudoChannel::PseudoChannel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy,
                             int number, const TimingTable& table)
    : number_(number),
      banks_(static_cast<int>(part.total_banks())),
      queue_(static_cast<int>(policy.controller.queue)),
      refresh_(policy.refresh),
      page_(policy.page),
      in_order_(policy.controller.scheduler == Scheduler::fcfs),
      ticks_(part, rate, policy),
      timing_(table) {
  CHECK(queue_ >= 1 && queue_ <= Controller::kMaxQueue && banks_ <= 64,
        "a queue and banks within bounds");
  const auto ticks = [&](const DramTiming& timing) {
    return part.clocks(timing, rate) * part.ticks_per_clock;
  };
  edge_ = part.ticks_per_clock - 1;
  burst_ticks_ = part.burst_clocks() * part.ticks_per_clock;
  read_latency_ = ticks(part.tCL) + burst_ticks_;
  write_latency_ = ticks(part.tCWL) + burst_ticks_;
  refresh_cycle_ = ticks(part.tRFCab);
  refresh_due_ = ticks_.first_refresh(number);
  control_bound_ = refresh_due_;

  const auto banks = static_cast<std::size_t>(banks_);
  for (const int direction : {0, 1}) {
    queues_[direction].resize(banks);
  }
  open_row_.resize(banks, -1);
  active_request_.resize(banks);
  activations_.resize(banks);
  last_use_.resize(banks);
  idle_level_.resize(banks, kFirstIdleLevel);
  shut_idle_row_.resize(banks, -1);
  bank_counts_.resize(banks);
}

// ---- requests -----------------------------------------------------------------------------------

void PseudoChannel::accept(Tick now, const Location& at, bool write, std::uint32_t tag) {
  if (waiting() == 0) busy_from_ = now;
  const int bank = at.bank;
  const Mask b = bit(bank);
  BankQueue& queue = queues_[write][bank];
  queue.push({now, at.row, tag});
  ++queued_[write];
  const bool is_first = queue.size() == 1;
  const bool had_hit = (hit_[write] & b) != 0;
  // A younger request changes nothing for a bank that has a hit already.
  if (!had_hit) {
    waiting_[write] |= b;
    if (is_first) head_arrived_[write][bank] = now;
    if ((open_ & b) != 0 && open_row_[bank] == at.row) {
      hit_position_[write][bank] = static_cast<std::int8_t>(queue.size() - 1);
      hit_arrived_[write][bank] = now;
      hit_[write] |= b;
      if (is_first) head_hit_[write] |= b;
    }
  }
  if (starving_ == kNever && ticks_.starvation != kNever) {
    starving_ = now + ticks_.starvation;
    lower(control_bound_, starving_);
  }
  if (would_turn() || (bank == refresh_bank_ && owed_ > 0)) lower(control_bound_, now + 1);
  if (in_order_) {
    column_bound_ = row_bound_ = now + 1;
  } else if (write == draining_ && !had_hit) {
    if ((hit_[write] & b) != 0) {
      const Command command = write ? Command::WR : Command::RD;
      lower(column_bound_, edge(std::max(now + 1, timing_.earliest(command, bank))));
    } else if (is_first && (active_ & b) == 0) {
      const Command command = (open_ & b) != 0 ? Command::PREpb : Command::ACT;
      lower(row_bound_, std::max(now + 1, timing_.earliest(command, bank)));
    }
  }
}

/// Keeps the masks true after a change of the bank's queue or open row.
void PseudoChannel::note_queue(int bank, bool write) {
  const BankQueue& queue = queues_[write][bank];
  const Mask b = bit(bank);
  set(waiting_[write], b, queue.size() > 0);
  if (queue.size() > 0) head_arrived_[write][bank] = queue[0].arrived;
  const int position = (open_ & b) != 0 ? queue.find(open_row_[bank]) : -1;
  hit_position_[write][bank] = static_cast<std::int8_t>(position);
  if (position >= 0) hit_arrived_[write][bank] = queue[position].arrived;
  set(hit_[write], b, position >= 0);
  set(head_hit_[write], b, position == 0);
}

void PseudoChannel::note_open_row(int bank) {
  note_queue(bank, false);
  if (waiting_[1] != 0) note_queue(bank, true);
}

// ---- refreshes due, direction -------------------------------------------------------------------

void PseudoChannel::control(Tick now) {
  for (; now >= refresh_due_; refresh_due_ += ticks_.refresh_interval) ++owed_;
  if (owed_ > 0) settle_refresh(now);
  choose_direction(now);
  if (now >= starving_) look_for_starved(now);
  control_bound_ = std::min(refresh_due_, std::max(now + 1, starving_));
  if (in_order_) column_bound_ = row_bound_ = now;
}

/// Decides whether what is owed is pending.
void PseudoChannel::settle_refresh(Tick now) {
  if (refresh_ == Refresh::all_bank) {
    if (refresh_pending_ || (owed_ <= ticks_.postpone && waiting() > 0)) return;
    refresh_pending_ = true;
    refresh_from_ = now;
    row_bound_ = now;
    return;
  }
  const Mask b = bit(refresh_bank_);
  const bool is_idle = ((waiting_[0] | waiting_[1] | active_) & b) == 0;
  const bool pending = owed_ > ticks_.postpone || is_idle;
  if (pending == refresh_pending_) return;
  refresh_pending_ = pending;
  held_ = (pending ? b : 0) | rfm_owed_;
  column_bound_ = row_bound_ = now;
}

/// Whether the numbers of queued requests ask for the other direction.
bool PseudoChannel::would_turn() const {
  const int reads = queued_[0], writes = queued_[1];
  if (draining_) return writes == 0 || (writes < ticks_.write_low && reads > 0);
  return writes > ticks_.write_high || (reads == 0 && writes > 0);
}

bool PseudoChannel::write_starved(Tick now) const {
  if (now < starving_) return false;
  for (Mask mask = waiting_[1]; mask != 0; mask &= mask - 1) {
    if (now - head_arrived_[1][std::countr_zero(mask)] >= ticks_.starvation) return true;
  }
  return false;
}

void PseudoChannel::choose_direction(Tick now) {
  const bool starved = write_starved(now);
  bool draining = draining_;
  if (draining_) {
    if (would_turn() && (queued_[1] == 0 || !starved)) draining = false;
  } else if (would_turn() || starved) {
    draining = true;
  }
  if (draining == draining_) return;
  draining_ = draining;
  ++turns_;
  column_bound_ = row_bound_ = now;
}

/// Finds the requests that are overtaken by row hits for too long: the oldest of their banks, and
/// active ones. While any is overdue this is done at every tick.
void PseudoChannel::look_for_starved(Tick now) {
  Mask starved = 0;
  starving_ = kNever;
  for (const int direction : {0, 1}) {
    for (Mask mask = waiting_[direction]; mask != 0; mask &= mask - 1) {
      const int bank = std::countr_zero(mask);
      const Tick overdue = head_arrived_[direction][bank] + ticks_.starvation;
      starving_ = std::min(starving_, overdue);
      if (overdue <= now && direction == draining_) starved |= bit(bank) & ~head_hit_[direction];
    }
  }
  Mask starved_active = 0;
  for (Mask mask = active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    const Tick overdue = active_request_[bank].arrived + ticks_.starvation;
    starving_ = std::min(starving_, overdue);
    if (overdue <= now) starved_active |= bit(bank);
  }
  if (starved != starved_ || starved_active != starved_active_) column_bound_ = row_bound_ = now;
  starved_ = starved;
  starved_active_ = starved_active;
}

// ---- column commands ----------------------------------------------------------------------------

bool PseudoChannel::column(Tick now, CommandBus& bus, Served& served) {
  if (bus.column_free() > now || !on_edge(now)) {
    column_bound_ = edge(std::max(now + 1, bus.column_free()));
    return false;
  }
  const bool no_hits = (refresh_pending_ && refresh_ == Refresh::all_bank) || starved_active_ != 0;
  Pick pick = active_column(now);
  const bool is_active = pick.bank >= 0;
  if (!is_active && !no_hits && !(in_order_ && active_ != 0)) {
    const Tick soonest = pick.soonest;
    pick = in_order_ ? first_in_order(now) : hit_column(now);
    pick.soonest = std::min(pick.soonest, soonest);
  }
  if (pick.bank < 0) {
    column_bound_ = pick.soonest == kNever ? kNever : edge(pick.soonest);
    return false;
  }
  serve(now, bus, pick.bank, pick.command == Command::WR, is_active, served);
  return true;
}

/// Among the requests that opened their row.
PseudoChannel::Pick PseudoChannel::active_column(Tick now) const {
  Pick pick;
  if (active_ == 0) return pick;
  const Tick base =
      std::min(timing_.channel_earliest(Command::RD), timing_.channel_earliest(Command::WR));
  if (base > now) {  // no bank can be earlier
    pick.soonest = base;
    return pick;
  }
  for (Mask mask = active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    const Command command = (active_write_ & bit(bank)) != 0 ? Command::WR : Command::RD;
    if (is_beaten(pick, active_request_[bank].arrived)) continue;
    offer(pick, now, timing_.earliest(command, bank), bank, active_request_[bank].arrived, command);
  }
  return pick;
}

/// Among the queued requests whose row is open.
PseudoChannel::Pick PseudoChannel::hit_column(Tick now) const {
  Pick pick;
  Mask mask = hit_[draining_] & ~held_ & ~starved_;
  if (mask == 0) return pick;
  const Command command = draining_ ? Command::WR : Command::RD;
  const Tick base = timing_.channel_earliest(command);
  if (base > now) {  // no bank can be earlier
    pick.soonest = base;
    return pick;
  }
  const TimingState::OfBanks earliest = timing_.banks_earliest(command);
  const std::array<Tick, 64>& arrived = hit_arrived_[draining_];
  for (; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    if (is_beaten(pick, arrived[bank])) continue;
    offer(pick, now, earliest(bank), bank, arrived[bank], command);
  }
  return pick;
}

/// FCFS: the oldest queued request, if it is a hit.
PseudoChannel::Pick PseudoChannel::first_in_order(Tick now) const {
  const int bank = oldest_in_order();
  Pick pick;
  if (bank < 0 || (head_hit_[draining_] & bit(bank)) == 0) return pick;
  const Command command = draining_ ? Command::WR : Command::RD;
  offer(pick, now, timing_.earliest(command, bank), bank, 0, command);
  return pick;
}

/// The bank of the oldest queued request of the direction, among those not held; -1 if none.
int PseudoChannel::oldest_in_order() const {
  int oldest = -1;
  const std::array<Tick, 64>& arrived = head_arrived_[draining_];
  for (Mask mask = waiting_[draining_] & ~held_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    if (oldest < 0 || arrived[bank] < arrived[oldest]) oldest = bank;
  }
  return oldest;
}

void PseudoChannel::serve(Tick now, CommandBus& bus, int bank, bool write, bool is_active,
                          Served& served) {
  const Mask b = bit(bank);
  const Command command = write ? Command::WR : Command::RD;
  account_gap(now, bank, command, is_active);
  issue(now, bus, command, bank, open_row_[bank]);
  BankQueue::Request request;
  if (is_active) {
    request = active_request_[bank];
    active_ &= ~b;
    active_write_ &= ~b;
    refreshed_ &= ~b;
    --active_count_;
  } else {
    BankQueue& queue = queues_[write][bank];
    const int position = hit_position_[write][bank];
    request = queue[position];
    queue.remove(position);
    ++counts_.hits;
    --queued_[write];
    note_queue(bank, write);
  }
  last_use_[bank] = now;
  ++(write ? bank_counts_[bank].writes : bank_counts_[bank].reads);
  served = {true,        write,           number_,
            request.tag, request.arrived, now + (write ? write_latency_ : read_latency_)};

  // What this made possible.
  const bool has_reads = (active_ & ~active_write_) != 0 || (!draining_ && hit_[0] != 0);
  const bool has_writes = active_write_ != 0 || (draining_ && hit_[1] != 0);
  column_bound_ = kNever;
  if (has_reads) column_bound_ = timing_.channel_earliest(Command::RD);
  if (has_writes) lower(column_bound_, timing_.channel_earliest(Command::WR));
  if (column_bound_ != kNever) column_bound_ = edge(std::max(column_bound_, bus.column_free()));
  const Mask kept = page_ == PagePolicy::open ? ~Mask{0} : hit_[0] | hit_[1];
  if (refresh_pending_ || rfm_owed_ != 0) {
    lower(row_bound_, now + 1);
  } else if (((waiting_[draining_] & ~head_hit_[draining_]) & b) != 0 || (kept & b) == 0) {
    lower(row_bound_, timing_.earliest(Command::PREpb, bank));
  }
  if (would_turn() || (owed_ > 0 && (waiting() == 0 || bank == refresh_bank_))) {
    lower(control_bound_, now + 1);
  }
  if (in_order_) {
    column_bound_ = now + 1;
    row_bound_ = now;
  }
}

/// Says where the data bus's idle time before this command went.
void PseudoChannel::account_gap(Tick now, int bank, Command command, bool opened) {
  const Tick from = std::max(column_end_, busy_from_);
  const Tick gap = now - from;
  if (gap > 0) {
    const Tick refresh = overlap(from, now, refresh_from_, refresh_until_);
    Tick rest = gap - refresh;
    if (command != last_column_) {
      const Tick turn = std::clamp<Tick>(timing_.channel_earliest(command) - from, 0, rest);
      counts_.turnaround_ticks += turn;
      rest -= turn;
    }
    const bool refreshed = opened && (refreshed_ & bit(bank)) != 0;
    counts_.refresh_ticks += refresh + (refreshed ? rest : 0);
    if (opened && !refreshed) counts_.row_ticks += rest;
  }
  last_column_ = command;
  column_end_ = now + burst_ticks_;
}

void PseudoChannel::issue(Tick now, CommandBus& bus, Command command, int bank, int row) {
  timing_.issue(command, bank, now);
  ++counts_.commands[static_cast<std::size_t>(command)];
  bus.issue(now, number_, command, bank, row);
}

}  // namespace presil::dram
