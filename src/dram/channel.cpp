#include "dram/channel.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace presil::dram {
namespace {

constexpr std::uint64_t bit(int bank) {
  return std::uint64_t{1} << bank;
}

void set(std::uint64_t& mask, std::uint64_t bits, bool on) {
  mask = on ? mask | bits : mask & ~bits;
}

template <class F>
void for_each_bank(std::uint64_t mask, F visit) {
  for (; mask != 0; mask &= mask - 1) visit(std::countr_zero(mask));
}

std::int64_t overlap(Tick from, Tick until, Tick other_from, Tick other_until) {
  return std::max<Tick>(0, std::min(until, other_until) - std::max(from, other_from));
}

}  // namespace

ChannelCounts& ChannelCounts::operator+=(const ChannelCounts& other) {
  for (int i = 0; i < kCommands; ++i) commands[i] += other.commands[i];
  hits += other.hits;
  misses += other.misses;
  conflicts += other.conflicts;
  refresh_ticks += other.refresh_ticks;
  row_ticks += other.row_ticks;
  turnaround_ticks += other.turnaround_ticks;
  return *this;
}

ChannelCounts ChannelCounts::operator-(const ChannelCounts& other) const {
  ChannelCounts result = *this;
  for (int i = 0; i < kCommands; ++i) result.commands[i] -= other.commands[i];
  result.hits -= other.hits;
  result.misses -= other.misses;
  result.conflicts -= other.conflicts;
  result.refresh_ticks -= other.refresh_ticks;
  result.row_ticks -= other.row_ticks;
  result.turnaround_ticks -= other.turnaround_ticks;
  return result;
}

Channel::Channel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy)
    : policy_(policy),
      table_(part, rate),
      timing_(table_),
      banks_(static_cast<int>(part.total_banks())) {
  CHECK(policy.controller.queue >= 1 && policy.controller.queue <= BankQueue::kDepth,
        "a queue of 1 to 32 entries");
  const auto ticks = [&](const DramTiming& timing) {
    return part.clocks(timing, rate) * part.ticks_per_clock;
  };
  edge_ = part.ticks_per_clock - 1;
  column_bus_ = part.shared_command_bus ? row_bus_ : 1;
  for (int c = 0; c < kCommands; ++c) slots_[c] = slots_of(static_cast<Command>(c), part);
  burst_ticks_ = part.burst_clocks() * part.ticks_per_clock;
  read_latency_ = ticks(part.tCL) + burst_ticks_;
  write_latency_ = ticks(part.tCWL) + burst_ticks_;
  low_water_ =
      static_cast<int>(policy.controller.write_low * static_cast<double>(policy.controller.queue));
  high_water_ =
      static_cast<int>(policy.controller.write_high * static_cast<double>(policy.controller.queue));

  refresh_cycle_ = ticks(part.tRFCab);
  if (policy.refresh == Refresh::all_bank) refresh_interval_ = ticks(part.tREFI);
  if (policy.refresh == Refresh::per_bank) refresh_interval_ = ticks(part.tREFI) / banks_;
  refresh_due_ = refresh_interval_;

  for (int direction : {0, 1}) {
    queues_[direction].resize(static_cast<std::size_t>(banks_));
    hit_position_[direction].resize(static_cast<std::size_t>(banks_));
  }
  open_row_.resize(static_cast<std::size_t>(banks_), -1);
  active_order_.resize(static_cast<std::size_t>(banks_));
  active_tag_.resize(static_cast<std::size_t>(banks_));
}

// ---- requests -----------------------------------------------------------------------------------

void Channel::accept(const Location& at, bool write, std::uint32_t tag) {
  if (waiting() == 0) busy_from_ = now_;
  enqueue(at, write, tag);
}

void Channel::enqueue(const Location& at, bool write, std::uint32_t tag) {
  queues_[write][at.bank].push(at.row, next_order_++, tag);
  ++queued_[write];
  // A younger request changes nothing for a bank that has a hit already.
  if (queues_[write][at.bank].size() == 1 || (hit_[write] & bit(at.bank)) == 0) {
    note_queue(at.bank, write);
  }
}

/// Keeps the masks true after a change of the bank's queue or open row.
void Channel::note_queue(int bank, bool write) {
  const BankQueue& queue = queues_[write][bank];
  const std::uint64_t b = bit(bank);
  set(waiting_[write], b, queue.size() > 0);
  const int position = (open_ & b) != 0 ? queue.find(open_row_[bank]) : -1;
  hit_position_[write][bank] = position;
  set(hit_[write], b, position >= 0);
  set(head_hit_[write], b, position == 0);
}

void Channel::note_open_row(int bank) {
  note_queue(bank, false);
  note_queue(bank, true);
}

// ---- one tick -----------------------------------------------------------------------------------

Channel::Step Channel::step() {
  Step step;
  ++now_;
  next_ = kNever;
  if (now_ >= refresh_due_) {
    start_refresh_when_due();
    step.acted = true;
  }
  choose_direction();
  column_slot(step);
  row_slot(step);
  wake_at(refresh_due_);
  return step;
}

void Channel::start_refresh_when_due() {
  refresh_due_ += refresh_interval_;
  if (policy_.refresh == Refresh::all_bank) {
    if (!refresh_pending_) refresh_from_ = now_;
    refresh_pending_ = true;
  } else {
    ++banks_owed_;
    held_ = bit(refresh_bank_);
  }
}

void Channel::choose_direction() {
  const int reads = queued_[0], writes = queued_[1];
  if (reads == 0) out_of_reads_ = now_;
  if (draining_) {
    if (writes == 0 || (writes < low_water_ && reads > 0)) draining_ = false;
  } else if (writes > high_water_ || (reads == 0 && writes > 0)) {
    draining_ = true;
  }
}

// ---- column commands ----------------------------------------------------------------------------

void Channel::column_slot(Step& step) {
  const Pick active = active_column();
  if (active.bank >= 0) return serve(active, step);
  if (refresh_pending_) return;
  const Pick hit = hit_column();
  if (hit.bank >= 0) serve(hit, step);
}

/// Among the requests that opened their row.
Channel::Pick Channel::active_column() {
  Pick pick;
  if (active_ != 0 && buses_.free[column_bus_] > now_ + 1) {  // no bank can be earlier
    wake_at(next_edge(buses_.free[column_bus_]));
    return pick;
  }
  for_each_bank(active_, [&](int bank) {
    const Command command = (active_write_ & bit(bank)) != 0 ? Command::WR : Command::RD;
    const Tick earliest = std::max(buses_.free[column_bus_], timing_.earliest(command, bank));
    consider(pick, bank, active_order_[bank], command, earliest);
  });
  return pick;
}

/// Among the queued requests whose row is open.
Channel::Pick Channel::hit_column() {
  Pick pick;
  const std::uint64_t candidates = hit_[draining_] & ~held_;
  if (candidates == 0) return pick;
  const Command command = draining_ ? Command::WR : Command::RD;
  const Tick base = std::max(buses_.free[column_bus_], timing_.channel_earliest(command));
  if (base > now_ + 1) {  // no bank can be earlier
    wake_at(next_edge(base));
    return pick;
  }
  for_each_bank(candidates, [&](int bank) {
    const std::uint32_t order = queues_[draining_][bank].order(hit_position_[draining_][bank]);
    consider(pick, bank, order, command, std::max(base, timing_.bank_earliest(command, bank)));
  });
  return pick;
}

void Channel::serve(const Pick& pick, Step& step) {
  const int bank = pick.bank;
  const bool opened = (active_ & bit(bank)) != 0 && active_order_[bank] == pick.order;
  const bool write = pick.command == Command::WR;
  account_gap(bank, pick.command, opened);
  issue(pick.command, bank, open_row_[bank]);
  if (opened) {
    step.tag = active_tag_[bank];
    active_ &= ~bit(bank);
    refreshed_ &= ~bit(bank);
    --active_count_;
  } else {
    const int position = hit_position_[write][bank];
    step.tag = queues_[write][bank].tag(position);
    queues_[write][bank].remove(position);
    ++counts_.hits;
    --queued_[write];
    note_queue(bank, write);
  }
  step.acted = step.served = true;
  step.write = write;
  step.done = now_ + (write ? write_latency_ : read_latency_);
}

/// Says where the data bus's idle time before this command went.
void Channel::account_gap(int bank, Command command, bool opened) {
  const Tick from = std::max(column_end_, busy_from_);
  const Tick gap = now_ - from;
  if (gap > 0) {
    const Tick refresh = overlap(from, now_, refresh_from_, refresh_until_);
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
  column_end_ = now_ + burst_ticks_;
}

// ---- row commands -------------------------------------------------------------------------------

void Channel::row_slot(Step& step) {
  if (refresh_pending_) return refresh_all_slot(step);
  if (banks_owed_ > 0 && refresh_bank_slot()) {
    step.acted = true;
    return;
  }
  Pick pick = demand_row();
  if (pick.bank < 0 && policy_.page == PagePolicy::closed) pick = idle_row();
  if (pick.bank < 0) return;
  step.acted = true;
  if (pick.command == Command::ACT) {
    activate(pick.bank);
  } else {
    precharge(pick.bank, true);
  }
}

/// Drains the active requests, shuts all banks, refreshes.
void Channel::refresh_all_slot(Step& step) {
  const Command command = open_ != 0 ? Command::PREab : Command::REFab;
  if (open_ != 0 && active_ != 0) return;
  const Tick earliest = std::max(buses_.free[row_bus_], timing_.channel_earliest(command));
  const bool needs_edge = command == Command::REFab;
  if (earliest > now_ || (needs_edge && !on_edge())) {
    return wake_at(needs_edge ? next_edge(earliest) : std::max(earliest, now_ + 1));
  }
  step.acted = true;
  issue(command, 0, 0);
  if (command == Command::PREab) {
    open_ = 0;
    for (int direction : {0, 1}) hit_[direction] = head_hit_[direction] = 0;
    return;
  }
  step.refreshed = true;
  refresh_pending_ = false;
  closed_on_demand_ = 0;
  if (waiting() > 0) {
    counts_.refresh_ticks += overlap(std::max(column_end_, busy_from_), now_, refresh_from_, now_);
  }
  column_end_ = refresh_from_ = now_;
  refresh_until_ = now_ + refresh_cycle_;
}

/// Refreshes the bank whose turn it is, once its row is shut; true if a command was issued.
bool Channel::refresh_bank_slot() {
  const int bank = refresh_bank_;
  if ((active_ & bit(bank)) != 0) return false;
  const bool is_open = (open_ & bit(bank)) != 0;
  const Command command = is_open ? Command::PREpb : Command::REFpb;
  const Tick earliest = std::max(buses_.free[row_bus_], timing_.earliest(command, bank));
  Pick pick;
  consider(pick, bank, 0, command, earliest);
  if (pick.bank < 0) return false;
  if (is_open) {
    precharge(bank, false);
    return true;
  }
  issue(Command::REFpb, bank, 0);
  refreshed_ |= bit(bank);
  refresh_bank_ = (bank + 1) % banks_;
  --banks_owed_;
  held_ = banks_owed_ > 0 ? bit(refresh_bank_) : 0;
  return true;
}

/// The oldest request that needs its bank opened, or shut because another row is open.
Channel::Pick Channel::demand_row() {
  Pick pick;
  const std::uint64_t waiting = waiting_[draining_] & ~held_;
  const std::vector<BankQueue>& queues = queues_[draining_];
  const auto scan = [&](std::uint64_t candidates, Command command) {
    if (candidates == 0) return;
    const Tick base = std::max(buses_.free[row_bus_], timing_.channel_earliest(command));
    if (base > now_ + 1) {  // no bank can be earlier
      wake_at(command == Command::PREpb ? base : next_edge(base));
      return;
    }
    for_each_bank(candidates, [&](int bank) {
      consider(pick, bank, queues[bank].order(0), command,
               std::max(base, timing_.bank_earliest(command, bank)));
    });
  };
  scan(waiting & ~open_, Command::ACT);
  // The oldest request of a bank, if it is a hit, protects the row.
  scan(waiting & open_ & ~head_hit_[draining_] & ~active_, Command::PREpb);
  return pick;
}

/// Closed page: an open row that nobody waits for.
Channel::Pick Channel::idle_row() {
  Pick pick;
  for_each_bank(open_ & ~hit_[0] & ~hit_[1] & ~active_, [&](int bank) {
    const Tick earliest = std::max(buses_.free[row_bus_], timing_.earliest(Command::PREpb, bank));
    consider(pick, bank, static_cast<std::uint32_t>(bank), Command::PREpb, earliest);
  });
  return pick;
}

void Channel::activate(int bank) {
  BankQueue& queue = queues_[draining_][bank];
  const int row = queue.row(0);
  issue(Command::ACT, bank, row);
  active_order_[bank] = queue.order(0);
  active_tag_[bank] = queue.tag(0);
  active_ |= bit(bank);
  set(active_write_, bit(bank), draining_);
  ++active_count_;
  queue.remove(0);
  --queued_[draining_];
  open_ |= bit(bank);
  open_row_[bank] = row;
  ++((closed_on_demand_ & bit(bank)) != 0 ? counts_.conflicts : counts_.misses);
  closed_on_demand_ &= ~bit(bank);
  note_open_row(bank);
}

void Channel::precharge(int bank, bool on_demand) {
  issue(Command::PREpb, bank, 0);
  open_ &= ~bit(bank);
  set(closed_on_demand_, bit(bank), on_demand && (waiting_[draining_] & bit(bank)) != 0);
  note_open_row(bank);
}

void Channel::issue(Command command, int bank, int row) {
  timing_.issue(command, bank, now_);
  const bool column = command == Command::RD || command == Command::WR;
  const auto c = static_cast<std::size_t>(command);
  buses_.free[column ? column_bus_ : row_bus_] = now_ + slots_[c];
  ++counts_.commands[c];
  if (log_ != nullptr) log_->push_back({now_, 0, command, bank, row});
}

}  // namespace presil::dram
