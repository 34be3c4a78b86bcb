// The channel's state for shortcuts: described relative to now and to the reads that come, compared
// with a mark, and set forward.
//
// A tick that has passed is as good as any other that has: whatever asks takes the maximum with a
// later one. Slots of banks outside the cast are neither read nor pushed back; those of its groups
// and of all stack IDs are in.

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "dram/channel.h"

namespace presil::dram {
namespace {

constexpr std::uint64_t bit(int bank) {
  return std::uint64_t{1} << bank;
}

void set(std::uint64_t& mask, std::uint64_t bits, bool on) {
  mask = on ? mask | bits : mask & ~bits;
}

}  // namespace

// ---- description --------------------------------------------------------------------------------

void Channel::list_waiting(std::vector<QueuedRead>& reads) const {
  struct Entry {
    std::uint32_t order;
    QueuedRead read;
  };
  std::array<Entry, BankQueue::kDepth + 64> found;
  std::size_t count = 0;
  for (std::uint64_t mask = waiting_[0]; mask != 0; mask &= mask - 1) {
    const BankQueue& queue = queues_[0][std::countr_zero(mask)];
    for (int i = 0; i < queue.size(); ++i) {
      found[count++] = {queue.order(i), {queue.tag(i), false}};
    }
  }
  for (std::uint64_t mask = active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    found[count++] = {active_order_[bank], {active_tag_[bank], true}};
  }
  std::sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count),
            [](const Entry& a, const Entry& b) { return older(a.order, b.order); });
  reads.clear();
  for (std::size_t i = 0; i < count; ++i) reads.push_back(found[i].read);
}

bool Channel::wants_write_in(int first_row, int last_row) const {
  if (policy_.page == PagePolicy::open) return false;
  for (std::uint64_t mask = waiting_[1]; mask != 0; mask &= mask - 1) {
    const BankQueue& queue = queues_[1][std::countr_zero(mask)];
    for (int i = 0; i < queue.size(); ++i) {
      if (queue.row(i) >= first_row && queue.row(i) <= last_row) return true;
    }
  }
  return hit_[1] != 0;
}

void Channel::begin_cast(Cast& cast) const {
  cast.members.clear();
  cast.banks = 0;
  cast.places.reset();
  cast.slots.clear();
  for (const int c : table_.live(Scope::pseudo_channel)) cast.slots.push_back(c);
}

void Channel::add_to_cast(Cast& cast, int bank, int row) const {
  if ((cast.banks & bit(bank)) != 0) return;
  cast.banks |= bit(bank);
  cast.members.push_back({bank, row});
  if (row != Cast::kNoRow) {
    add_level_to_cast(cast, Scope::other_stack_ids, table_.slots_of_bank(bank).stack);
    add_level_to_cast(cast, Scope::bank_group, table_.slots_of_bank(bank).group);
  }
  for (const int c : table_.live(Scope::bank))
    cast.slots.push_back(table_.slots_of_bank(bank).bank + c);
}

/// The slots of a stack ID or bank group, once.
void Channel::add_level_to_cast(Cast& cast, Scope level, int first_slot) const {
  const int place = first_slot / kCommands;
  if (cast.places[static_cast<std::size_t>(place)]) return;
  cast.places.set(static_cast<std::size_t>(place));
  for (const int c : table_.live(level)) cast.slots.push_back(first_slot + c);
}

void Channel::complete_cast(Cast& cast) const {
  if (policy_.page == PagePolicy::closed) {
    for (std::uint64_t mask = open_ & ~cast.banks; mask != 0; mask &= mask - 1) {
      const int bank = std::countr_zero(mask);
      add_to_cast(cast, bank, open_row_[bank]);
    }
  }
  for (int slot = kCommands; slot < table_.slots_of_bank(0).group; slot += kCommands) {
    add_level_to_cast(cast, Scope::other_stack_ids, slot);
  }
}

/// What is true of a bank, but for its row.
std::int64_t Channel::flags(int bank) const {
  return ((open_ & bit(bank)) != 0 ? 4 : 0) + ((closed_on_demand_ & bit(bank)) != 0 ? 2 : 0) +
         ((refreshed_ & bit(bank)) != 0 ? 1 : 0);
}

void Channel::describe(const Cast& cast, StateKey& key) const {
  const auto ahead = [&](Tick tick) { return std::max<Tick>(tick - now_, 0); };
  key.push_back((now_ & edge_) * 4 + (refresh_pending_ ? 2 : 0) + (waiting() == 0 ? 1 : 0));
  key.push_back(banks_owed_);
  key.push_back(static_cast<std::int64_t>(cast.members.size()));
  for (const int slot : cast.slots) key.push_back(ahead(timing_.slot(slot)));
  for (int i = 0; i < timing_.windows(); ++i) {
    const Tick gap = table_.windows()[i].gap;
    timing_.for_each_issue(i, [&](Tick tick) { key.push_back(ahead(tick + gap)); });
  }
  for (const Tick free : buses_.free) key.push_back(ahead(free));

  // Idle time of the data bus is counted from here; with nobody waiting, from the next read.
  const Tick from = std::max(column_end_, waiting() == 0 ? now_ : busy_from_);
  const bool refresh_counts = refresh_pending_ || refresh_until_ > from;
  key.push_back(from - now_);
  key.push_back(refresh_counts ? std::max(refresh_from_, from) - now_ : 0);
  key.push_back(std::max(refresh_until_, from) - now_);

  for (const Cast::Member& member : cast.members) {
    const bool open = (open_ & bit(member.bank)) != 0;
    const std::int64_t row = open ? open_row_[member.bank] - member.row : 0;
    key.push_back(row * 8 + flags(member.bank));
    // Idle rows are shut in the order of their banks.
    if (policy_.page == PagePolicy::closed) key.push_back(member.bank);
  }
}

int Channel::describe_refreshes(int due, int known, Cast& cast, StateKey& key) const {
  if (policy_.refresh == Refresh::all_bank) {
    if (due > 0 || refresh_pending_) key.push_back((open_ & ~cast.banks) != 0 ? 1 : 0);
    return 0;
  }
  for (; known < std::min(banks_owed_ + due, banks_); ++known) {
    const int bank = (refresh_bank_ + known) % banks_;
    if ((cast.banks & bit(bank)) != 0) {
      const auto same = [&](const Cast::Member& member) { return member.bank == bank; };
      const auto place = std::find_if(cast.members.begin(), cast.members.end(), same);
      key.push_back(-1 - (place - cast.members.begin()));
      continue;
    }
    // Apart from the pseudo-channel's, only the bank's own rules bind PREpb and REFpb.
    const std::size_t first = cast.slots.size();
    add_to_cast(cast, bank, Cast::kNoRow);
    key.push_back(flags(bank));
    for (std::size_t i = first; i < cast.slots.size(); ++i) {
      key.push_back(std::max<Tick>(timing_.slot(cast.slots[i]) - now_, 0));
    }
  }
  return known;
}

// ---- change -------------------------------------------------------------------------------------

std::array<Tick*, 6> Channel::clocks() {
  return {&buses_.free[0], &buses_.free[1], &column_end_,
          &busy_from_,     &refresh_from_,  &refresh_until_};
}

std::array<Tick, 6> Channel::clocks() const {
  return {buses_.free[0], buses_.free[1], column_end_, busy_from_, refresh_from_, refresh_until_};
}

ChannelMark Channel::mark() const {
  return {now_, refresh_due_, clocks(), timing_, counts_};
}

ChannelChange Channel::change_since(const ChannelMark& mark, const Cast& cast) const {
  ChannelChange change;
  change.length = now_ - mark.now;
  const auto note = [&](std::vector<ChannelChange::Moment>& list, std::size_t which, Tick tick) {
    list.push_back({static_cast<std::int32_t>(which), static_cast<std::int32_t>(tick - mark.now)});
  };
  const std::array<Tick, 6> clocks = this->clocks();
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    if (clocks[i] != mark.clocks[i]) note(change.ticks, i, clocks[i]);
  }
  std::size_t changed_in_cast = 0, changed = 0;
  for (std::size_t i = 0; i < cast.slots.size(); ++i) {
    const int slot = cast.slots[i];
    if (timing_.slot(slot) == mark.timing.slot(slot)) continue;
    note(change.ticks, clocks.size() + i, timing_.slot(slot));
    ++changed_in_cast;
  }
  for (int slot = 0; slot < table_.slots(); ++slot) {
    changed += timing_.slot(slot) != mark.timing.slot(slot);
  }
  CHECK(changed == changed_in_cast, "a stretch touches its cast only");
  for (int i = 0; i < timing_.windows(); ++i) {
    timing_.for_each_issue(i, [&](Tick tick) {
      if (tick > mark.now) note(change.issues, static_cast<std::size_t>(i), tick);
    });
  }
  for (const Cast::Member& member : cast.members) {
    const std::uint64_t b = bit(member.bank);
    const bool open = (open_ & b) != 0;
    change.banks.push_back({open, (closed_on_demand_ & b) != 0, (refreshed_ & b) != 0,
                            open ? open_row_[member.bank] - member.row : 0});
  }
  if (refresh_interval_ != kNever) {
    change.refreshes_due = static_cast<int>((refresh_due_ - mark.refresh_due) / refresh_interval_);
  }
  change.banks_owed = banks_owed_;
  change.refresh_pending = refresh_pending_;
  change.ran_out_of_reads = out_of_reads_ > mark.now;
  change.counts = counts_ - mark.counts;
  return change;
}

void Channel::apply(const ChannelChange& change, const Cast& cast) {
  const Tick start = now_;
  const std::array<Tick*, 6> clocks = this->clocks();
  for (const ChannelChange::Moment& moment : change.ticks) {
    const auto i = static_cast<std::size_t>(moment.which);
    Tick& tick = i < clocks.size() ? *clocks[i] : timing_.slot(cast.slots[i - clocks.size()]);
    tick = start + moment.tick;
  }
  for (const ChannelChange::Moment& issue : change.issues) {
    timing_.push_issue(issue.which, start + issue.tick);
  }
  const auto happened = [&](Command c) {
    return change.counts.commands[static_cast<std::size_t>(c)];
  };
  if (happened(Command::PREab) > 0) open_ = 0;
  if (happened(Command::REFab) > 0) closed_on_demand_ = 0;
  for (std::size_t i = 0; i < cast.members.size(); ++i) {
    const Cast::Member& member = cast.members[i];
    const ChannelChange::BankEnd& end = change.banks[i];
    const std::uint64_t b = bit(member.bank);
    set(open_, b, end.open);
    set(closed_on_demand_, b, end.closed_on_demand);
    set(refreshed_, b, end.refreshed);
    if (end.open && member.row != Cast::kNoRow) open_row_[member.bank] = member.row + end.row;
  }
  now_ = start + change.length;
  if (change.refreshes_due > 0) refresh_due_ += change.refreshes_due * refresh_interval_;
  refresh_pending_ = change.refresh_pending;
  banks_owed_ = change.banks_owed;
  refresh_bank_ = (refresh_bank_ + static_cast<int>(happened(Command::REFpb))) % banks_;
  held_ = banks_owed_ > 0 ? bit(refresh_bank_) : 0;
  counts_ += change.counts;
}

void Channel::refill(std::span<const Refill> reads) {
  for (std::uint64_t mask = waiting_[0]; mask != 0; mask &= mask - 1) {
    queues_[0][std::countr_zero(mask)].clear();
  }
  waiting_[0] = hit_[0] = head_hit_[0] = active_ = 0;
  queued_[0] = active_count_ = 0;
  for (const Refill& read : reads) {
    const int bank = read.at.bank;
    if (!read.active) {
      enqueue(read.at, false, read.tag);
      continue;
    }
    active_order_[bank] = next_order_++;
    active_tag_[bank] = read.tag;
    set(active_, bit(bank), true);
    set(active_write_, bit(bank), false);
    ++active_count_;
  }
  for (std::uint64_t mask = waiting_[1]; mask != 0; mask &= mask - 1) {
    note_queue(std::countr_zero(mask), true);  // rows have changed
  }
}

}  // namespace presil::dram
