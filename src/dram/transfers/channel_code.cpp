#include "dram/transfers/channel_code.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "dram/event/pseudo_channel.h"

namespace presil::dram {
namespace {

/// Rows that are this near to a stream's are described by the way from there.
constexpr std::int64_t kNear = PseudoChannel::kNearRows;
constexpr std::int64_t kWays = 2 * kNear + 1;

}  // namespace

void PseudoChannel::list_waiting(std::vector<QueuedRequest>& requests) const {
  requests.clear();
  for (const bool write : {false, true}) {
    for (Mask mask = waiting_[write]; mask != 0; mask &= mask - 1) {
      const BankQueue& queue = queues_[write][std::countr_zero(mask)];
      for (int i = 0; i < queue.size(); ++i) {
        requests.push_back({queue[i].arrived, queue[i].tag, write, false});
      }
    }
  }
  for (Mask mask = active_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    const BankQueue::Request& request = active_request_[bank];
    requests.push_back({request.arrived, request.tag, (active_write_ & bit(bank)) != 0, true});
  }
  std::sort(requests.begin(), requests.end(),
            [](const QueuedRequest& a, const QueuedRequest& b) { return a.arrived < b.arrived; });
}

bool PseudoChannel::is_row_near(int bank, const StreamPlaces& places, int direction) const {
  if (!places.has(direction)) return false;
  const std::int64_t way = open_row_[bank] - places.row_in(direction, bank);
  return way >= -kNear && way <= kNear;
}

Tick PseudoChannel::first_overdue(bool write) const {
  if (ticks_.starvation == kNever) return kNever;
  Tick least = kNever;
  for (Mask mask = waiting_[write]; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    least = std::min(least, head_arrived_[write][bank] + ticks_.starvation);
  }
  return least;
}

/// 0: near no stream; else which stream and how far from its row.
std::int64_t PseudoChannel::code_of_row(int bank, const StreamPlaces& places) const {
  for (const int direction : {0, 1}) {
    if (!is_row_near(bank, places, direction)) continue;
    return 1 + direction * kWays + open_row_[bank] - places.row_in(direction, bank) + kNear;
  }
  return 0;
}

PseudoChannel::NearRows PseudoChannel::near_rows(const StreamPlaces& places) const {
  NearRows rows;
  for (Mask mask = open_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    const bool of_reads = is_row_near(bank, places, 0), of_writes = is_row_near(bank, places, 1);
    rows.both = rows.both || (of_reads && of_writes);
    rows.only[0] = rows.only[0] || (of_reads && !of_writes);
    rows.only[1] = rows.only[1] || (of_writes && !of_reads);
  }
  return rows;
}

std::uint64_t PseudoChannel::far_banks(const StreamPlaces& places) const {
  Mask far = 0;
  for (Mask mask = open_; mask != 0; mask &= mask - 1) {
    const int bank = std::countr_zero(mask);
    if (code_of_row(bank, places) == 0) far |= bit(bank);
  }
  return far;
}

void PseudoChannel::encode(const StreamPlaces& places, StateKey& key) const {
  const Tick now = key.now();
  key.add(draining_ * 4 + refresh_pending_ * 2 + (last_column_ == Command::WR));
  key.add(owed_);
  if (refresh_ == Refresh::per_bank) key.add(refresh_bank_);
  // Idle time of the data bus is counted from here; with nobody waiting, from the next request.
  const Tick from = std::max(column_end_, waiting() == 0 ? now : busy_from_);
  const bool refresh_counts =
      (refresh_pending_ && refresh_ == Refresh::all_bank) || refresh_until_ > from;
  key.add(from - now);
  key.add(refresh_counts ? std::max(refresh_from_, from) - now : 0);
  key.add(std::max(refresh_until_, from) - now);
  // An idle bus is charged with what of it the turn took, even if that is over.
  for (const Command column : {Command::RD, Command::WR}) {
    key.add(std::max(timing_.channel_earliest(column), std::min(from, now)) - now);
  }
  // Most are over: how many, then one that is not.
  std::int64_t over = 0;
  for (const int slot : places.first->slots) {
    if (timing_.at(slot) <= now) {
      ++over;
      continue;
    }
    key.add(over);
    key.add(timing_.at(slot) - now);
    over = 0;
  }
  key.add(over);
  for (int i = 0; i < timing_.windows(); ++i) {
    const Tick gap = timing_.table().windows()[static_cast<std::size_t>(i)].gap;
    timing_.for_each_issue(i, [&](Tick tick) { key.add_ahead(tick + gap); });
  }
  for (const int bank : places.first->banks) {
    const Mask b = bit(bank);
    const int flags = ((closed_on_demand_ & b) != 0 ? 2 : 0) + ((refreshed_ & b) != 0 ? 1 : 0);
    key.add(flags + 4 * ((open_ & b) != 0 ? 1 + code_of_row(bank, places) : 0));
  }
}

void PseudoChannel::decode(Tick now, const StreamPlaces& places, std::span<const int> far_rows,
                           StateReader& reader) {
  const std::int64_t flags = reader.next();
  draining_ = (flags & 4) != 0;
  refresh_pending_ = (flags & 2) != 0;
  last_column_ = (flags & 1) != 0 ? Command::WR : Command::RD;
  owed_ = static_cast<int>(reader.next());
  if (refresh_ == Refresh::per_bank) refresh_bank_ = static_cast<int>(reader.next());
  column_end_ = busy_from_ = now + reader.next();
  refresh_from_ = now + reader.next();
  refresh_until_ = now + reader.next();
  const TimingTable& table = timing_.table();
  std::array<Tick, 2> columns{};
  for (Tick& column : columns) column = now + reader.next();
  std::int64_t over = reader.next();
  for (const int slot : places.first->slots) {
    if (over-- > 0) {
      timing_.at(slot) = now;
    } else {
      timing_.at(slot) = now + reader.next();
      over = reader.next();
    }
  }
  timing_.at(table.slot(Command::RD, 0)) = columns[0];
  timing_.at(table.slot(Command::WR, 0)) = columns[1];
  for (int i = 0; i < timing_.windows(); ++i) {
    const Tick gap = table.windows()[static_cast<std::size_t>(i)].gap;
    const int count = timing_.issues(i);
    for (int k = 0; k < count; ++k) timing_.push_issue(i, now + reader.next() - gap);
  }
  for (const int bank : places.first->banks) {
    const std::int64_t code = reader.next();
    const Mask b = bit(bank);
    set(refreshed_, b, (code & 1) != 0);
    set(closed_on_demand_, b, (code & 2) != 0);
    set(open_, b, code >= 4);
    if (code < 4) continue;
    const std::int64_t row = code / 4 - 1;
    if (row == 0) {
      open_row_[bank] = far_rows[static_cast<std::size_t>(bank)];
    } else {
      const int direction = row > kWays ? 1 : 0;
      const std::int64_t way = row - 1 - direction * kWays - kNear;
      open_row_[bank] = static_cast<int>(places.row_in(direction, bank) + way);
    }
  }
  held_ = refresh_ == Refresh::per_bank && refresh_pending_ ? bit(refresh_bank_) : 0;
  starved_ = starved_active_ = 0;
  control_bound_ = column_bound_ = row_bound_ = now + 1;
}

void PseudoChannel::refill(std::span<const Refill> requests) {
  for (const int direction : {0, 1}) {
    for (Mask mask = waiting_[direction]; mask != 0; mask &= mask - 1) {
      queues_[direction][std::countr_zero(mask)].clear();
    }
    waiting_[direction] = hit_[direction] = head_hit_[direction] = 0;
    queued_[direction] = 0;
  }
  active_ = active_write_ = 0;
  active_count_ = 0;
  starving_ = kNever;
  for (const Refill& refill : requests) {
    const int bank = refill.at.bank;
    const BankQueue::Request request{refill.request.arrived, refill.at.row, refill.request.tag};
    if (ticks_.starvation != kNever) {
      starving_ = std::min(starving_, request.arrived + ticks_.starvation);
    }
    if (refill.request.active) {
      active_request_[bank] = request;
      active_ |= bit(bank);
      set(active_write_, bit(bank), refill.request.write);
      ++active_count_;
    } else {
      queues_[refill.request.write][bank].push(request);
      waiting_[refill.request.write] |= bit(bank);
      ++queued_[refill.request.write];
    }
  }
  for (const bool write : {false, true}) {
    for (Mask mask = waiting_[write]; mask != 0; mask &= mask - 1) {
      note_queue(std::countr_zero(mask), write);
    }
  }
}

bool PseudoChannel::agrees_with(const PseudoChannel& other, Tick now) const {
  const auto describe = [&](PseudoChannel pc) {
    const TimingTable& table = pc.timing_.table();
    for (int place = 0; place < table.places(); ++place) {
      pc.timing_.at(table.slot(Command::RFM, place)) = 0;
    }
    pc.starved_ = pc.starved_active_ = 0;  // found anew at the next tick
    StateKey key(now, 0, kNever);
    pc.describe(key);
    return key.bytes();
  };
  return counts_ == other.counts_ && describe(*this) == describe(other);
}

}  // namespace presil::dram
