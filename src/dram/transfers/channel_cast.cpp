// The state of a pseudo-channel for replay: described relative to now and to the reads that come,
// compared with a mark, and set forward.
//
// A tick that has passed is as good as any other that has: whatever asks takes the maximum with a
// later one. Slots of banks outside the cast are neither read nor pushed back; those of its groups
// and of all stack IDs are in.
#include "dram/transfers/channel_cast.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "dram/event/pseudo_channel.h"

namespace presil::dram {

LiveSlots::LiveSlots(const TimingTable& table) {
  std::vector<bool> pushed(static_cast<std::size_t>(table.slots()));
  for (int command = 0; command < kCommands; ++command) {
    for (int bank = 0; bank < table.banks(); ++bank) {
      for (const TimingTable::Update& u : table.updates(static_cast<Command>(command), bank)) {
        pushed[static_cast<std::size_t>(u.slot)] = true;
      }
    }
  }
  for (const TimingTable::Window& window : table.windows()) {
    pushed[static_cast<std::size_t>(table.slot(window.command, 0))] = true;
  }
  const auto slots_at = [&](int place) {
    std::vector<int> slots;
    for (int c = 0; c < kCommands; ++c) {
      const int slot = table.slot(static_cast<Command>(c), place);
      const bool is_asked = static_cast<Command>(c) != Command::RFM;  // replay is without
      if (is_asked && pushed[static_cast<std::size_t>(slot)]) slots.push_back(slot);
    }
    return slots;
  };
  for (int place = 0; place < table.places(); ++place) at_place.push_back(slots_at(place));
  first_stack_id = table.places_of(0).stack_id;
  first_group = table.places_of(0).group;
}

void Cast::clear() {
  members.clear();
  slots.clear();
  banks = 0;
  places.reset();
}

void Cast::add(const LiveSlots& live, int place) {
  const auto i = static_cast<std::size_t>(place);
  if (places[i]) return;
  places.set(i);
  slots.insert(slots.end(), live.at_place[i].begin(), live.at_place[i].end());
}

// ---- description --------------------------------------------------------------------------------

bool PseudoChannel::reads_only() const {
  return !draining_ && queued_[1] <= ticks_.write_high && active_write_ == 0 && starved_ == 0 &&
         starved_active_ == 0 && last_column_ == Command::RD;
}

void PseudoChannel::list_waiting(std::vector<QueuedRead>& reads) const {
  reads.clear();
  for (Mask mask = waiting_[0]; mask != 0; mask &= mask - 1) {
    const BankQueue& queue = queues_[0][std::countr_zero(mask)];
    for (int i = 0; i < queue.size(); ++i) reads.push_back({queue[i].arrived, queue[i].tag, false});
  }
  for (Mask mask = active_; mask != 0; mask &= mask - 1) {
    const BankQueue::Request& request = active_request_[std::countr_zero(mask)];
    reads.push_back({request.arrived, request.tag, true});
  }
  std::sort(reads.begin(), reads.end(),
            [](const QueuedRead& a, const QueuedRead& b) { return a.arrived < b.arrived; });
}

Tick PseudoChannel::first_overdue(Tick now) const {
  if (ticks_.starvation == kNever) return kNever;
  Tick oldest = now;
  for (const int direction : {0, 1}) {
    for (Mask mask = waiting_[direction]; mask != 0; mask &= mask - 1) {
      oldest = std::min(oldest, head_arrived_[direction][std::countr_zero(mask)]);
    }
  }
  for (Mask mask = active_; mask != 0; mask &= mask - 1) {
    oldest = std::min(oldest, active_request_[std::countr_zero(mask)].arrived);
  }
  return oldest + ticks_.starvation;
}

bool PseudoChannel::wants_write_in(int first_row, int last_row) const {
  if (page_ == PagePolicy::open) return false;
  for (Mask mask = waiting_[1]; mask != 0; mask &= mask - 1) {
    const BankQueue& queue = queues_[1][std::countr_zero(mask)];
    for (int i = 0; i < queue.size(); ++i) {
      if (queue[i].row >= first_row && queue[i].row <= last_row) return true;
    }
  }
  return hit_[1] != 0;
}

void PseudoChannel::add_to_cast(Cast& cast, const LiveSlots& live, int bank, int row) const {
  if ((cast.banks & bit(bank)) != 0) return;
  cast.banks |= bit(bank);
  cast.members.push_back({bank, row});
  const TimingTable::Places& places = timing_.table().places_of(bank);
  for (const int place : {places.stack_id, places.group, places.bank}) cast.add(live, place);
}

void PseudoChannel::complete_cast(Cast& cast, const LiveSlots& live) const {
  // A read pushes back the other stack IDs too.
  for (int place = live.first_stack_id; place < live.first_group; ++place) cast.add(live, place);
  if (page_ == PagePolicy::open) return;
  for (Mask mask = open_ & ~cast.banks; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    add_to_cast(cast, live, bank, open_row_[bank]);
  }
}

/// What is true of a bank, but for its row.
std::uint32_t PseudoChannel::flags(int bank) const {
  return ((open_ & bit(bank)) != 0 ? 4U : 0U) + ((closed_on_demand_ & bit(bank)) != 0 ? 2U : 0U) +
         ((refreshed_ & bit(bank)) != 0 ? 1U : 0U);
}

void PseudoChannel::describe_cast(Tick now, const Cast& cast, CastKey& key) const {
  const auto note = [&](Tick ticks) { key.push_back(static_cast<std::uint32_t>(ticks)); };
  const auto ahead = [&](Tick tick) { return std::max<Tick>(tick - now, 0); };
  note((refresh_pending_ ? 2 : 0) + (waiting() == 0 ? 1 : 0));
  note(owed_);
  note(static_cast<Tick>(cast.members.size()));
  for (const int slot : cast.slots) note(ahead(timing_.at(slot)));
  for (int i = 0; i < timing_.windows(); ++i) {
    const Tick gap = timing_.table().windows()[static_cast<std::size_t>(i)].gap;
    timing_.for_each_issue(i, [&](Tick tick) { note(ahead(tick + gap)); });
  }
  // Idle time of the data bus is counted from here; with nobody waiting, from the next read.
  const Tick from = std::max(column_end_, waiting() == 0 ? now : busy_from_);
  const bool is_all_banks = refresh_ == Refresh::all_bank;
  const bool refresh_counts = is_all_banks && (refresh_pending_ || refresh_until_ > from);
  note(from - now);
  note(refresh_counts ? std::max(refresh_from_, from) - now : 0);
  note(std::max(refresh_until_, from) - now);
  for (const Cast::Member& member : cast.members) {
    const bool open = (open_ & bit(member.bank)) != 0;
    const std::int64_t row = open ? open_row_[member.bank] - member.row : 0;
    note(row * 8 + flags(member.bank));
    // Idle rows are shut in the order of their banks.
    if (page_ != PagePolicy::open) note(member.bank);
  }
}

int PseudoChannel::describe_refreshes(Tick now, int due, int known, Cast& cast,
                                      const LiveSlots& live, CastKey& key) const {
  if (refresh_ == Refresh::all_bank) {
    if (due > 0 || refresh_pending_) key.push_back((open_ & ~cast.banks) != 0 ? 1 : 0);
    return 0;
  }
  const auto group_of = [&](int bank) { return timing_.table().places_of(bank).group; };
  for (; known < std::min(owed_ + due, banks_); ++known) {
    const int bank = (refresh_bank_ + known) % banks_;
    const auto first_of = [&](auto same) {
      const auto place = std::find_if(cast.members.begin(), cast.members.end(), same);
      return static_cast<std::uint32_t>(place - cast.members.begin());
    };
    if ((cast.banks & bit(bank)) != 0) {
      key.push_back(~first_of([&](const Cast::Member& member) { return member.bank == bank; }));
      continue;
    }
    // Apart from the pseudo-channel's, only the bank's and its group's rules bind PREpb and REFpb.
    const int group = group_of(bank);
    key.push_back(first_of([&](const Cast::Member& m) { return group_of(m.bank) == group; }));
    const std::size_t first = cast.slots.size();
    add_to_cast(cast, live, bank, Cast::kNoRow);
    key.push_back(flags(bank));
    for (std::size_t i = first; i < cast.slots.size(); ++i) {
      const Tick ahead = std::max<Tick>(timing_.at(cast.slots[i]) - now, 0);
      key.push_back(static_cast<std::uint32_t>(ahead));
    }
  }
  return known;
}

// ---- change -------------------------------------------------------------------------------------

std::array<Tick*, 4> PseudoChannel::clocks() {
  return {&column_end_, &busy_from_, &refresh_from_, &refresh_until_};
}

std::array<Tick, 4> PseudoChannel::clocks() const {
  return {column_end_, busy_from_, refresh_from_, refresh_until_};
}

CastMark PseudoChannel::mark(Tick now) const {
  return {now, refresh_due_, first_overdue(now), clocks(), timing_, counts_};
}

CastChange PseudoChannel::change_since(const CastMark& mark, const Cast& cast) const {
  CastChange change;
  const auto note = [&](std::vector<CastChange::Moment>& list, std::size_t which, Tick tick) {
    list.push_back({static_cast<std::int32_t>(which), static_cast<std::int32_t>(tick - mark.now)});
  };
  const std::array<Tick, 4> clocks = this->clocks();
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    if (clocks[i] != mark.clocks[i]) note(change.ticks, i, clocks[i]);
  }
  int changed_in_cast = 0, changed = 0;
  for (std::size_t i = 0; i < cast.slots.size(); ++i) {
    const int slot = cast.slots[i];
    if (timing_.at(slot) == mark.timing.at(slot)) continue;
    note(change.ticks, clocks.size() + i, timing_.at(slot));
    ++changed_in_cast;
  }
  const TimingTable& table = timing_.table();
  for (int slot = 0; slot < table.slots(); ++slot) {
    const bool is_asked = slot / table.places() != static_cast<int>(Command::RFM);
    changed += is_asked && timing_.at(slot) != mark.timing.at(slot);
  }
  CHECK(changed == changed_in_cast, "a stretch touches its cast only");
  for (int i = 0; i < timing_.windows(); ++i) {
    timing_.for_each_issue(i, [&](Tick tick) {
      if (tick > mark.now) note(change.issues, static_cast<std::size_t>(i), tick);
    });
  }
  for (const Cast::Member& member : cast.members) {
    const Mask b = bit(member.bank);
    const bool open = (open_ & b) != 0;
    change.banks.push_back({open, (closed_on_demand_ & b) != 0, (refreshed_ & b) != 0,
                            open ? open_row_[member.bank] - member.row : 0});
  }
  if (ticks_.refresh_interval != kNever) {
    change.refreshes_due =
        static_cast<int>((refresh_due_ - mark.refresh_due) / ticks_.refresh_interval);
  }
  change.owed = owed_;
  change.refresh_pending = refresh_pending_;
  change.counts = counts_ - mark.counts;
  return change;
}

void PseudoChannel::apply(Tick start, Tick end, const CastChange& change, const Cast& cast) {
  const std::array<Tick*, 4> clocks = this->clocks();
  for (const CastChange::Moment& moment : change.ticks) {
    const auto i = static_cast<std::size_t>(moment.which);
    Tick& tick = i < clocks.size() ? *clocks[i] : timing_.at(cast.slots[i - clocks.size()]);
    tick = start + moment.tick;
  }
  for (const CastChange::Moment& issue : change.issues) {
    timing_.push_issue(issue.which, start + issue.tick);
  }
  if (change.counts.of(Command::PREab) > 0) open_ = 0;
  if (change.counts.of(Command::REFab) > 0) closed_on_demand_ = 0;
  for (std::size_t i = 0; i < cast.members.size(); ++i) {
    const Cast::Member& member = cast.members[i];
    const CastChange::BankEnd& bank = change.banks[i];
    const Mask b = bit(member.bank);
    set(open_, b, bank.open);
    set(closed_on_demand_, b, bank.closed_on_demand);
    set(refreshed_, b, bank.refreshed);
    if (bank.open && member.row != Cast::kNoRow) open_row_[member.bank] = member.row + bank.row;
  }
  if (change.refreshes_due > 0) refresh_due_ += change.refreshes_due * ticks_.refresh_interval;
  owed_ = change.owed;
  refresh_pending_ = change.refresh_pending;
  const auto refreshed = static_cast<int>(change.counts.of(Command::REFpb));
  refresh_bank_ = (refresh_bank_ + refreshed) % banks_;
  held_ = refresh_ == Refresh::per_bank && refresh_pending_ ? bit(refresh_bank_) : 0;
  counts_ += change.counts;
  control_bound_ = column_bound_ = row_bound_ = end + 1;
}

void PseudoChannel::refill(Tick now, std::span<const Refill> reads) {
  for (Mask mask = waiting_[0]; mask != 0; mask &= mask - 1) {
    queues_[0][std::countr_zero(mask)].clear();
  }
  waiting_[0] = hit_[0] = head_hit_[0] = active_ = 0;
  queued_[0] = active_count_ = 0;
  for (const Refill& refill : reads) {
    const int bank = refill.at.bank;
    const BankQueue::Request request{refill.read.arrived, refill.at.row, refill.read.tag};
    if (refill.read.active) {
      active_request_[bank] = request;
      active_ |= bit(bank);
      ++active_count_;
    } else {
      queues_[0][bank].push(request);
      waiting_[0] |= bit(bank);
      ++queued_[0];
    }
  }
  for (Mask mask = waiting_[0]; mask != 0; mask &= mask - 1) {
    note_queue(std::countr_zero(mask), false);
  }
  for (Mask mask = waiting_[1]; mask != 0; mask &= mask - 1) {
    note_queue(std::countr_zero(mask), true);  // rows have changed
  }
  starving_ = waiting() > 0 ? first_overdue(now) : kNever;
}

bool PseudoChannel::agrees_with(const PseudoChannel& other, Tick now) const {
  const auto describe = [&](PseudoChannel pc) {
    const TimingTable& table = pc.timing_.table();
    for (int place = 0; place < table.places(); ++place) {
      pc.timing_.at(table.slot(Command::RFM, place)) = 0;
    }
    StateKey key(now, 0, kNever);
    pc.describe(key);
    return key.bytes();
  };
  return counts_ == other.counts_ && describe(*this) == describe(other);
}

}  // namespace presil::dram
