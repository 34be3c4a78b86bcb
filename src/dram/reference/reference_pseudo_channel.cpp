#include "dram/reference/reference_pseudo_channel.h"

#include <algorithm>
#include <bitset>

#include "base/error.h"

namespace presil::dram {
namespace {

using BankSet = std::bitset<64>;  // a part has no more banks (chip/memory_part.cpp)

Command column_command(bool write) {
  return write ? Command::WR : Command::RD;
}

}  // namespace

ReferencePseudoChannel::ReferencePseudoChannel(const MemoryPart& part, BitsPerSecond rate,
                                               const Policy& policy, int number)
    : policy_(policy),
      ticks_(part, rate, policy),
      history_(part, rate),
      banks_(part.total_banks()),
      refresh_due_(ticks_.first_refresh(number)),
      bank_counts_(part.total_banks()) {}

bool ReferencePseudoChannel::has_room(bool write) const {
  return static_cast<std::int64_t>(queues_[write].size()) < policy_.controller.queue;
}

int ReferencePseudoChannel::waiting() const {
  const auto active = std::count_if(banks_.begin(), banks_.end(), is_active);
  return static_cast<int>(queues_[0].size() + queues_[1].size()) + static_cast<int>(active);
}

bool ReferencePseudoChannel::any_active() const {
  return std::any_of(banks_.begin(), banks_.end(), is_active);
}

void ReferencePseudoChannel::accept(const Request& request) {
  CHECK(has_room(request.write), "a request is sent only where there is room");
  queues_[request.write].push_back(request);
}

void ReferencePseudoChannel::begin_tick(Tick tick) {
  now_ = tick;
  note_refreshes();
  choose_direction();
}

// ---- what holds -----------------------------------------------------------------------------

bool ReferencePseudoChannel::is_hit(const Request& request) const {
  return banks_[request.bank].open_row == request.row;
}

bool ReferencePseudoChannel::is_starved(const Request& request) const {
  return now_ - request.arrived >= ticks_.starvation;
}

bool ReferencePseudoChannel::any_active_starved() const {
  return std::any_of(banks_.begin(), banks_.end(),
                     [&](const Bank& bank) { return bank.active && is_starved(*bank.active); });
}

bool ReferencePseudoChannel::wanted(int bank) const {
  const auto wants = [&](const Request& request) { return request.bank == bank; };
  return banks_[bank].active || std::any_of(queues_[0].begin(), queues_[0].end(), wants) ||
         std::any_of(queues_[1].begin(), queues_[1].end(), wants);
}

bool ReferencePseudoChannel::owes_rfm(int bank) const {
  return ticks_.rfm_threshold > 0 && banks_[bank].activates >= ticks_.rfm_threshold;
}

bool ReferencePseudoChannel::held(int bank) const {
  return (per_bank_pending_ && bank == refresh_bank_) || owes_rfm(bank);
}

// ---- step 3 ---------------------------------------------------------------------------------

void ReferencePseudoChannel::note_refreshes() {
  if (now_ == refresh_due_) {
    ++owed_;
    refresh_due_ += ticks_.refresh_interval;
  }
  const bool forced = owed_ > ticks_.postpone;
  if (policy_.refresh == Refresh::all_bank) {
    // Once pending, all that is owed is paid.
    all_bank_pending_ = owed_ > 0 && (all_bank_pending_ || forced || waiting() == 0);
  } else {
    per_bank_pending_ = owed_ > 0 && (forced || !wanted(refresh_bank_));
  }
}

void ReferencePseudoChannel::choose_direction() {
  const Queue& reads = queues_[0];
  const Queue& writes = queues_[1];
  const int waiting_writes = static_cast<int>(writes.size());
  const bool starved = !writes.empty() && is_starved(writes.front());
  if (draining_) {
    const bool drained = waiting_writes < ticks_.write_low && !reads.empty() && !starved;
    if (writes.empty() || drained) draining_ = false;
  } else {
    draining_ = waiting_writes > ticks_.write_high || (reads.empty() && !writes.empty()) || starved;
  }
}

// ---- step 4: column commands ----------------------------------------------------------------

std::optional<ReferencePseudoChannel::Column> ReferencePseudoChannel::next_column() const {
  if (policy_.controller.scheduler == Scheduler::fcfs) return first_come_column();
  if (const auto active = active_column()) return active;
  return all_bank_pending_ || any_active_starved() ? std::nullopt : hit_column();
}

/// Of the active requests whose column command is allowed, the first to arrive.
std::optional<ReferencePseudoChannel::Column> ReferencePseudoChannel::active_column() const {
  std::optional<Column> first;
  for (const Bank& bank : banks_) {
    if (!bank.active || (first && first->request.arrived < bank.active->arrived)) continue;
    if (!allowed(column_command(bank.active->write), bank.active->bank)) continue;
    first = Column{*bank.active, {}};
  }
  return first;
}

/// Of the row hits that are allowed, the first to arrive. (So each bank offers its oldest: the hits
/// of a bank are allowed at the same ticks.)
std::optional<ReferencePseudoChannel::Column> ReferencePseudoChannel::hit_column() const {
  BankSet seen, starving;
  for (std::size_t i = 0; i < queue().size(); ++i) {
    const Request& request = queue()[i];
    const bool oldest_of_bank = !seen[request.bank];
    seen.set(request.bank);
    if (!is_hit(request)) {
      if (oldest_of_bank && is_starved(request)) starving.set(request.bank);
      continue;
    }
    if (held(request.bank) || starving[request.bank]) continue;
    if (allowed(column_command(draining_), request.bank)) return Column{request, i};
  }
  return std::nullopt;
}

/// The active request, there is one at most; without one, the request whose turn it is.
std::optional<ReferencePseudoChannel::Column> ReferencePseudoChannel::first_come_column() const {
  if (any_active()) return active_column();
  const auto turn = first_come();
  if (all_bank_pending_ || !turn || !is_hit(queue()[*turn])) return std::nullopt;
  if (!allowed(column_command(draining_), queue()[*turn].bank)) return std::nullopt;
  return Column{queue()[*turn], turn};
}

/// With FCFS only this place of the queue counts: the oldest request whose bank is not held.
std::optional<std::size_t> ReferencePseudoChannel::first_come() const {
  for (std::size_t i = 0; i < queue().size(); ++i) {
    if (!held(queue()[i].bank)) return i;
  }
  return std::nullopt;
}

void ReferencePseudoChannel::serve(const Column& column) {
  const Request& request = column.request;
  Bank& bank = banks_[request.bank];
  if (column.queued) {
    Queue& queue = queues_[request.write];
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(*column.queued));
    ++counts_.hits;
  } else {
    bank.active.reset();
  }
  bank.last_use = now_;
  ++(request.write ? bank_counts_[request.bank].writes : bank_counts_[request.bank].reads);
  count(column_command(request.write), request.bank);
}

// ---- step 5: row commands -------------------------------------------------------------------

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::next_row() const {
  if (all_bank_pending_) return refresh_all();
  if (per_bank_pending_) {
    if (const auto row = refresh_or_manage(Command::REFpb, refresh_bank_)) return row;
  }
  if (const auto row = manage()) return row;
  if (const auto row = demand()) return row;
  return idle();
}

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::refresh_all() const {
  const bool open = std::any_of(banks_.begin(), banks_.end(),
                                [](const Bank& bank) { return bank.open_row.has_value(); });
  if (open && any_active()) return std::nullopt;
  const Command command = open ? Command::PREab : Command::REFab;
  if (!allowed(command, 0)) return std::nullopt;
  return Row{command, 0, Row::refresh, {}};
}

/// The bank's REFpb or RFM, or the PREpb before it.
std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::refresh_or_manage(
    Command command, int bank) const {
  if (banks_[bank].active) return std::nullopt;
  const Command next = banks_[bank].open_row ? Command::PREpb : command;
  if (!allowed(next, bank)) return std::nullopt;
  return Row{next, bank, Row::refresh, {}};
}

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::manage() const {
  for (int bank = 0; bank < static_cast<int>(banks_.size()); ++bank) {
    if (!owes_rfm(bank)) continue;
    if (const auto row = refresh_or_manage(Command::RFM, bank)) return row;
  }
  return std::nullopt;
}

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::demand() const {
  if (policy_.controller.scheduler == Scheduler::fcfs) return first_come_demand();
  BankSet seen;
  for (const Request& request : queue()) {
    if (seen[request.bank]) continue;  // each bank offers its oldest
    seen.set(request.bank);
    if (const auto row = step_towards(request)) return row;
  }
  return std::nullopt;
}

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::first_come_demand() const {
  const auto turn = first_come();
  if (any_active() || !turn) return std::nullopt;
  return step_towards(queue()[*turn]);
}

/// ACT or PREpb, if the request needs one and it is allowed.
std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::step_towards(
    const Request& request) const {
  const Bank& bank = banks_[request.bank];
  if (held(request.bank) || is_hit(request)) return std::nullopt;
  if (bank.open_row && bank.active) return std::nullopt;
  const Command command = bank.open_row ? Command::PREpb : Command::ACT;
  if (!allowed(command, request.bank)) return std::nullopt;
  return Row{command, request.bank, Row::demand, request};
}

std::optional<ReferencePseudoChannel::Row> ReferencePseudoChannel::idle() const {
  if (policy_.page == PagePolicy::open) return std::nullopt;
  for (int bank = 0; bank < static_cast<int>(banks_.size()); ++bank) {
    if (is_idle_row(bank) && allowed(Command::PREpb, bank)) {
      return Row{Command::PREpb, bank, Row::idle, {}};
    }
  }
  return std::nullopt;
}

bool ReferencePseudoChannel::is_idle_row(int number) const {
  const Bank& bank = banks_[number];
  if (!bank.open_row || bank.active) return false;
  const Tick patience = ticks_.idle_unit << bank.idle_level;
  if (policy_.page == PagePolicy::adaptive && now_ - bank.last_use < patience) return false;
  const auto wants = [&](const Request& r) { return r.bank == number && is_hit(r); };
  return std::none_of(queues_[0].begin(), queues_[0].end(), wants) &&
         std::none_of(queues_[1].begin(), queues_[1].end(), wants);
}

// ---- what row commands do -------------------------------------------------------------------

void ReferencePseudoChannel::issue(const Row& row) {
  count(row.command, row.bank);
  switch (row.command) {
    case Command::ACT:
      return activate(row.request);
    case Command::PREpb:
      return precharge(row.bank, row.reason);
    case Command::PREab:
      for (Bank& bank : banks_) bank.open_row.reset();
      return;
    case Command::REFab:
      --owed_;
      for (int bank = 0; bank < static_cast<int>(banks_.size()); ++bank) {
        pay_activates(bank);
        banks_[bank].shut_on_demand = false;
      }
      return;
    case Command::REFpb:
      --owed_;
      pay_activates(row.bank);
      refresh_bank_ = (refresh_bank_ + 1) % static_cast<int>(banks_.size());
      return;
    case Command::RFM:
      return pay_activates(row.bank);
    case Command::RD:
    case Command::WR:
      break;
  }
  CHECK(false, "RD and WR are no row commands");
}

void ReferencePseudoChannel::activate(const Request& request) {
  Bank& bank = banks_[request.bank];
  BankCounts& bank_counts = bank_counts_[request.bank];
  ++bank_counts.activates;
  if (bank.shut_on_demand) {
    ++counts_.conflicts;
    ++bank_counts.conflicts;
  } else {
    ++counts_.misses;
  }
  bank.shut_on_demand = false;
  if (bank.idle_row == request.row && bank.idle_level < kLastIdleLevel) ++bank.idle_level;
  bank.idle_row.reset();
  bank.open_row = request.row;
  bank.active = request;
  bank.last_use = now_;
  ++bank.activates;

  Queue& queue = queues_[request.write];
  queue.erase(std::find_if(queue.begin(), queue.end(), [&](const Request& queued) {
    return queued.arrived == request.arrived;
  }));
}

void ReferencePseudoChannel::precharge(int number, Row::Reason reason) {
  Bank& bank = banks_[number];
  if (reason == Row::demand) {
    bank.shut_on_demand = true;
    if (bank.idle_level > 0) --bank.idle_level;
  }
  if (reason == Row::idle) bank.idle_row = bank.open_row;
  bank.open_row.reset();
}

/// A refresh or an RFM of the bank covers as many activates as call for one RFM.
void ReferencePseudoChannel::pay_activates(int number) {
  Bank& bank = banks_[number];
  bank.activates = std::max<std::int64_t>(0, bank.activates - ticks_.rfm_threshold);
}

void ReferencePseudoChannel::count(Command command, int bank) {
  ++counts_.commands[static_cast<std::size_t>(command)];
  history_.add(command, bank, now_);
}

}  // namespace presil::dram
