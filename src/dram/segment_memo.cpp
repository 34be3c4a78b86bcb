#include "dram/segment_memo.h"

#include <algorithm>
#include <utility>

namespace presil::dram {
namespace {

/// More refreshes in one segment are not remembered.
constexpr std::size_t kMaxDue = 6;
/// Longer segments are not remembered either: their ticks are kept in 32 bits.
constexpr Tick kMaxLength = 1 << 20;

}  // namespace

std::size_t SegmentMemo::Hash::operator()(const Key& key) const {
  std::uint64_t hash = key.size();
  for (const std::int64_t word : key) {
    hash = (hash ^ static_cast<std::uint64_t>(word)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

template <class Value>
Value* SegmentMemo::Generations<Value>::find(const Key& key) {
  const auto found = now.find(key);
  if (found != now.end()) return &found->second;
  auto node = old.extract(key);
  return node.empty() ? nullptr : &now.insert(std::move(node)).position->second;
}

template <class Value>
void SegmentMemo::Generations<Value>::age() {
  old = std::exchange(now, {});
}

SegmentMemo::SegmentMemo(const AddressMap& map, PagePolicy page, std::int64_t atoms_per_line)
    : map_(&map), per_line_(atoms_per_line) {
  const std::int64_t sweep = map.row_sweep();
  if (map.period() == 0 || sweep % per_line_ != 0) return;
  // Idle rows are shut in the order of their banks, so banks may not change places.
  period_ = page == PagePolicy::closed ? sweep : map.period();
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

const Tape* SegmentMemo::find(const Channel& channel, Reads reads,
                              std::span<const WaitingRead> waiting) {
  reads_ = reads;
  waiting_ = waiting.size();
  cast_reads(channel, waiting);
  state_key_.clear();
  state_key_.push_back(reads.atom % period_);
  state_key_.push_back(reads.count);
  state_key_.push_back(static_cast<std::int64_t>(waiting.size()));
  for (const WaitingRead& read : waiting) {
    state_key_.push_back((reads.atom - read.atom) * 2 + read.active);
  }
  channel.describe(cast_, state_key_);
  first_due_ = channel.refresh_due() - channel.now();
  refreshes_.clear();
  refreshes_end_.clear();
  refreshes_known_ = 0;

  const std::int64_t* state = states_.find(state_key_);
  state_ = state == nullptr ? -1 : *state;
  if (state == nullptr) return nullptr;
  Tick due = first_due_;  // of the first refresh that must come after the segment
  for (std::size_t n = 0; n <= kMaxDue; ++n) {
    extend_refreshes(channel, n);
    set_key(n);
    const Tape* tape = tapes_.find(key_);
    if (tape != nullptr && tape->change.length < due) {
      const bool writes_come = channel.has_writes() && tape->change.ran_out_of_reads;
      if (writes_come) return nullptr;
      ++found_;
      return tape;
    }
    if (due > longest_) return nullptr;
    due += channel.refresh_interval();
  }
  return nullptr;
}

void SegmentMemo::cast_reads(const Channel& channel, std::span<const WaitingRead> waiting) {
  channel.begin_cast(cast_);
  for (const WaitingRead& read : waiting) channel.add_to_cast(cast_, read.at.bank, read.at.row);
  const std::int64_t sweep = map_->row_sweep();
  for (std::int64_t i = 0; i < reads_.count; i += per_line_) {
    const std::int64_t atom = reads_.atom + i;
    const auto line = static_cast<std::size_t>(atom % sweep / per_line_);
    for (const int bank : line_banks_[line]) {
      channel.add_to_cast(cast_, bank, static_cast<int>(atom / sweep));
    }
  }
  channel.complete_cast(cast_);
}

/// Describes what up to `due` refreshes depend on.
void SegmentMemo::extend_refreshes(const Channel& channel, std::size_t due) {
  while (refreshes_end_.size() <= due) {
    refreshes_known_ = channel.describe_refreshes(static_cast<int>(refreshes_end_.size()),
                                                  refreshes_known_, cast_, refreshes_);
    refreshes_end_.push_back(refreshes_.size());
  }
}

void SegmentMemo::set_key(std::size_t due) {
  key_.assign({state_, static_cast<std::int64_t>(due), due > 0 ? first_due_ : 0});
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
  if (state_ < 0) {
    state_ = next_state_++;
    states_.now.insert_or_assign(state_key_, state_);
  }
  extend_refreshes(channel, kMaxDue);
  recording_ = true;
  had_writes_ = channel.has_writes();
  mark_.assign(1, channel.mark());
  served_.assign(waiting_, Tape::kNotServed);
}

void SegmentMemo::forget_oldest() {
  // A stream that hardly comes by the same state again is not worth the writing.
  if (found_ < kMaxNewTapes / 2) rest_ = 16 * kMaxNewTapes;
  found_ = 0;
  tapes_.age();
  states_.age();
  states_.find(state_key_);  // stays as new as its tapes
}

std::int32_t SegmentMemo::note_sent(std::int64_t atom) {
  const auto read = static_cast<std::int32_t>(served_.size());
  const auto sent = static_cast<std::int64_t>(served_.size() - waiting_);
  if (sent >= reads_.count || atom != reads_.atom + sent) {
    spoil();
    return 0;
  }
  served_.push_back(Tape::kNotServed);
  return read;
}

void SegmentMemo::note_served(Tick tick, std::int32_t read) {
  served_[static_cast<std::size_t>(read)] = static_cast<std::int32_t>(tick - mark_[0].now);
}

void SegmentMemo::finish(const Channel& channel, std::vector<Tape::Left> left) {
  if (!recording_) return;
  recording_ = false;
  const bool is_whole = reads_.count == 0
                            ? left.empty()
                            : served_.size() - waiting_ == static_cast<std::size_t>(reads_.count);
  const Tick length = channel.now() - mark_[0].now;
  if (!is_whole || length > kMaxLength) return;
  const Tick since = channel.refresh_due() - mark_[0].refresh_due;
  const auto due = static_cast<std::size_t>(since / channel.refresh_interval());
  if (due > kMaxDue) return;
  Tape tape;
  tape.change = channel.change_since(mark_[0], cast_);
  if (had_writes_ && tape.change.ran_out_of_reads) return;
  const auto sent = served_.begin() + static_cast<std::ptrdiff_t>(waiting_);
  tape.waiting_served.assign(served_.begin(), sent);
  for (auto read = sent; read != served_.end(); ++read) {
    tape.last_served = std::max(tape.last_served, *read);
    tape.all_served = tape.all_served && *read != Tape::kNotServed;
  }
  tape.left = std::move(left);
  longest_ = std::max(longest_, length);
  set_key(due);
  tapes_.now.insert_or_assign(key_, std::move(tape));
}

}  // namespace presil::dram
