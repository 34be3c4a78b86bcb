#include "dram/transfers/segment_memo.h"

#include <algorithm>
#include <utility>

namespace presil::dram {
namespace {

/// More refreshes in one segment are not remembered.
constexpr std::size_t kMaxDue = 12;
/// Longer segments are not remembered either: their ticks are kept in 32 bits.
constexpr Tick kMaxLength = 1 << 20;
/// Larger parts are not: keys keep atoms and rows in 32 bits.
constexpr std::int64_t kMaxAtoms = 1LL << 30;
constexpr std::int64_t kMaxRows = 1 << 26;

bool can_replay(const Policy& policy) {
  return policy.page != PagePolicy::adaptive && policy.controller.scheduler != Scheduler::fcfs &&
         policy.controller.postpone == 0 && policy.controller.rfm_threshold == 0;
}

}  // namespace

std::size_t SegmentMemo::Hash::operator()(const Key& key) const {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = key.size(), other = 0;
  std::size_t i = 0;
  for (; i + 1 < key.size(); i += 2) {
    hash = (hash ^ key[i]) * kFactor;
    other = (other ^ key[i + 1]) * kFactor;
    hash ^= hash >> 29;
    other ^= other >> 31;
  }
  if (i < key.size()) hash = (hash ^ key[i]) * kFactor;
  return (hash ^ (other * kFactor)) * kFactor >> 7;
}

template <class Value>
Value* SegmentMemo::Generations<Value>::find(const Key& key) {
  const auto found = now.find(key);
  if (found != now.end()) return &found->second;
  if (old.empty()) return nullptr;
  auto node = old.extract(key);
  return node.empty() ? nullptr : &now.insert(std::move(node)).position->second;
}

template <class Value>
void SegmentMemo::Generations<Value>::age() {
  old = std::exchange(now, {});
}

SegmentMemo::SegmentMemo(const AddressMap& map, const Policy& policy, const Channel& channel,
                         std::int64_t atoms_per_line)
    : map_(&map),
      live_(channel.timing_table()),
      per_line_(atoms_per_line),
      lanes_(static_cast<std::size_t>(channel.pseudo_channels())) {
  const std::int64_t sweep = map.row_sweep();
  if (!can_replay(policy) || map.period() == 0 || sweep % per_line_ != 0) return;
  if (map.atoms() > kMaxAtoms || map.atoms() / sweep > kMaxRows) return;
  // Idle rows are shut in the order of their banks, so banks may not change places.
  period_ = policy.page == PagePolicy::closed ? sweep : map.period();
  for (std::int64_t line = 0; line < sweep; line += per_line_) {
    std::vector<int> banks;
    for (std::int64_t atom = line; atom < line + per_line_; ++atom) {
      const int bank = map.locate(atom).bank;
      if (std::find(banks.begin(), banks.end(), bank) == banks.end()) banks.push_back(bank);
    }
    line_banks_.push_back(std::move(banks));
  }
}

// ---- looking ------------------------------------------------------------------------------------

const Tape* SegmentMemo::find(const Channel& channel, std::span<const Lane> lanes) {
  const auto note = [&](std::int64_t n) { state_key_.push_back(static_cast<std::uint32_t>(n)); };
  start_ = channel.now();
  is_wait_ = true;
  had_writes_ = false;
  state_key_.clear();
  channel.describe_bus(state_key_);
  Tick overdue = kNever;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const Lane& lane = lanes[i];
    const PseudoChannel& pc = channel.pseudo_channel(i);
    lanes_[i].atom = lane.atom;
    lanes_[i].count = lane.count;
    lanes_[i].waiting = lane.waiting.size();
    lanes_[i].refreshes_due = lanes_[i].refreshes_known = 0;
    is_wait_ = is_wait_ && lane.count == 0;
    had_writes_ = had_writes_ || pc.has_writes();
    overdue = std::min(overdue, pc.first_overdue(start_));
    cast_reads(pc, lane, lanes_[i].cast);
    note(lane.atom % period_);
    note(lane.count);
    note(static_cast<std::int64_t>(lane.waiting.size()));
    for (const WaitingRead& read : lane.waiting) {
      note((lane.atom - read.atom) * 2 + read.queued.active);
    }
    pc.describe_cast(start_, lanes_[i].cast, state_key_);
  }
  list_refreshes(channel);

  const std::uint32_t* state = states_.find(state_key_);
  is_known_ = state != nullptr;
  if (state == nullptr) return nullptr;
  state_ = *state;
  for (std::size_t n = 0; n <= dues_.size(); ++n) {
    extend_refreshes(channel, n);
    set_key(n);
    const Tick next = n < dues_.size() ? dues_[n].tick : kNever;
    const Tape* tape = tapes_.find(key_);
    if (tape != nullptr && tape->length < next) {
      if (had_writes_ && tape->ran_out_of_reads) return nullptr;
      if (overdue <= start_ + tape->length) return nullptr;
      ++found_;
      return tape;
    }
    if (next > longest_) return nullptr;
  }
  return nullptr;
}

void SegmentMemo::cast_reads(const PseudoChannel& pc, const Lane& lane, Cast& cast) {
  cast.clear();
  cast.add(live_, 0);
  for (const WaitingRead& read : lane.waiting) {
    pc.add_to_cast(cast, live_, read.at.bank, read.at.row);
  }
  const std::int64_t sweep = map_->row_sweep();
  for (std::int64_t atom = lane.atom / per_line_ * per_line_; atom < lane.atom + lane.count;
       atom += per_line_) {
    const auto line = static_cast<std::size_t>(atom % sweep / per_line_);
    for (const int bank : line_banks_[line]) {
      pc.add_to_cast(cast, live_, bank, static_cast<int>(atom / sweep));
    }
  }
  pc.complete_cast(cast, live_);
}

/// The next ones of all pseudo-channels.
void SegmentMemo::list_refreshes(const Channel& channel) {
  refreshes_.clear();
  refreshes_end_.clear();
  dues_.clear();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    if (pc.refresh_interval() == kNever) continue;
    Tick due = pc.refresh_due() - start_;
    for (std::size_t n = 0; n < kMaxDue; ++n, due += pc.refresh_interval())
      dues_.push_back({due, i});
  }
  std::sort(dues_.begin(), dues_.end(), [](const Due& a, const Due& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.pc < b.pc;
  });
  if (dues_.size() > kMaxDue) dues_.resize(kMaxDue + 1);
}

/// Describes what up to `due` refreshes depend on.
void SegmentMemo::extend_refreshes(const Channel& channel, std::size_t due) {
  const auto describe = [&](std::size_t i) {
    Recorded& lane = lanes_[i];
    lane.refreshes_known = channel.pseudo_channel(i).describe_refreshes(
        start_, lane.refreshes_due, lane.refreshes_known, lane.cast, live_, refreshes_);
  };
  while (refreshes_end_.size() <= due) {
    if (refreshes_end_.empty()) {
      for (std::size_t i = 0; i < lanes_.size(); ++i) describe(i);
    } else {
      const std::size_t pc = dues_[refreshes_end_.size() - 1].pc;
      ++lanes_[pc].refreshes_due;
      describe(pc);
    }
    refreshes_end_.push_back(refreshes_.size());
  }
}

void SegmentMemo::set_key(std::size_t due) {
  key_.assign({state_, static_cast<std::uint32_t>(due)});
  for (std::size_t n = 0; n < due; ++n) {
    key_.push_back(static_cast<std::uint32_t>(dues_[n].tick));
    key_.push_back(static_cast<std::uint32_t>(dues_[n].pc));
  }
  const auto end = refreshes_.begin() + static_cast<std::ptrdiff_t>(refreshes_end_[due]);
  key_.insert(key_.end(), refreshes_.begin(), end);
}

// ---- writing ------------------------------------------------------------------------------------

void SegmentMemo::record(const Channel& channel) {
  if (rest_ > 0) {
    --rest_;
    return;
  }
  if (tapes_.now.size() >= kMaxNewTapes) forget_oldest();
  if (!is_known_) {
    state_ = next_state_++;
    states_.now.insert_or_assign(state_key_, state_);
  }
  extend_refreshes(channel, dues_.size());
  recording_ = true;
  out_of_reads_ = false;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].mark.assign(1, channel.pseudo_channel(i).mark(start_));
    lanes_[i].served.assign(lanes_[i].waiting, Tape::kNotServed);
  }
}

void SegmentMemo::forget_oldest() {
  // A stream that hardly comes by the same state again is not worth the writing.
  if (found_ < kMaxNewTapes / 2) rest_ = 16 * kMaxNewTapes;
  found_ = 0;
  tapes_.age();
  states_.age();
  states_.find(state_key_);  // stays as new as its tapes
}

std::int32_t SegmentMemo::note_sent(std::size_t pc, std::int64_t atom) {
  Recorded& lane = lanes_[pc];
  const auto read = static_cast<std::int32_t>(lane.served.size());
  const auto sent = static_cast<std::int64_t>(lane.served.size() - lane.waiting);
  if (sent >= lane.count || atom != lane.atom + sent) {
    spoil();
    return 0;
  }
  lane.served.push_back(Tape::kNotServed);
  return read;
}

void SegmentMemo::note_served(std::size_t pc, Tick tick, std::int32_t read) {
  lanes_[pc].served[static_cast<std::size_t>(read)] = static_cast<std::int32_t>(tick - start_);
}

void SegmentMemo::finish(const Channel& channel, std::span<const std::vector<Tape::Left>> left) {
  if (!recording_) return;
  recording_ = false;
  Tape tape;
  tape.length = channel.now() - start_;
  tape.bus = channel.bus_state();
  for (Tick& free : tape.bus.free) free -= start_;
  tape.ran_out_of_reads = out_of_reads_;
  std::size_t due = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const PseudoChannel& pc = channel.pseudo_channel(i);
    if (pc.refresh_interval() == kNever) continue;
    const Tick passed = pc.refresh_due() - lanes_[i].mark[0].refresh_due;
    due += static_cast<std::size_t>(passed / pc.refresh_interval());
  }
  // More refreshes than were described may have gone to banks outside the cast.
  if (due >= std::max<std::size_t>(dues_.size(), 1)) return;
  bool is_whole = false, is_empty = true;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const Recorded& lane = lanes_[i];
    if (lane.mark[0].first_overdue <= channel.now()) return;
    is_whole = is_whole || lane.is_sent();
    is_empty = is_empty && left[i].empty();
    tape.tracks.push_back(
        {channel.pseudo_channel(i).change_since(lane.mark[0], lane.cast), lane.served, left[i]});
  }
  if (!(is_wait_ ? is_empty : is_whole) || tape.length > kMaxLength) return;
  if (had_writes_ && out_of_reads_) return;
  longest_ = std::max(longest_, tape.length);
  set_key(due);
  tapes_.now.insert_or_assign(key_, std::move(tape));
}

}  // namespace presil::dram
