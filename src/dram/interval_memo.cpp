#include "dram/interval_memo.h"

#include <utility>

namespace presil::dram {

const Tape* IntervalMemo::find(const IntervalKey& key) const {
  const auto found = tapes_.find(key);
  return found == tapes_.end() ? nullptr : &found->second;
}

void Recorder::begin(IntervalKey key, Tick start, std::size_t queued, std::int64_t next,
                     const ChannelCounts& counts) {
  on_ = true;
  key_ = std::move(key);
  start_ = start;
  next_ = next;
  counts_ = counts;
  tape_ = Tape{};
  tape_.queue_served.assign(queued, Tape::kNotServed);
}

std::int32_t Recorder::note_sent(Tick tick, std::int64_t position) {
  const auto index = static_cast<std::int32_t>(tape_.sent.size());
  if (position != next_ + index) {
    spoil();
    return 0;
  }
  tape_.sent.push_back(static_cast<std::int32_t>(tick - start_));
  tape_.served.push_back(Tape::kNotServed);
  return index;
}

void Recorder::note_served(Tick tick, std::int32_t index) {
  std::int32_t& served = index >= 0 ? tape_.served[static_cast<std::size_t>(index)]
                                    : tape_.queue_served[static_cast<std::size_t>(-1 - index)];
  served = static_cast<std::int32_t>(tick - start_);
}

void Recorder::finish(Tick end, Tick refresh_due, const ChannelCounts& counts, IntervalMemo& memo) {
  if (!on_) return;
  on_ = false;
  for (std::size_t i = 0; i < tape_.served.size(); ++i) {
    if (tape_.served[i] == Tape::kNotServed) tape_.left.push_back(static_cast<std::int32_t>(i));
  }
  tape_.length = end - start_;
  tape_.refresh_due = refresh_due - end;
  tape_.counts = counts - counts_;
  memo.keep(key_, std::move(tape_));
}

}  // namespace presil::dram
