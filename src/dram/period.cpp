#include "dram/period.h"

#include <algorithm>
#include <utility>

namespace presil::dram {

bool PeriodJump::is_cut(const Channel& channel) {
  const ChannelCounts& counts = channel.counts(0);
  const auto banks = static_cast<std::int64_t>(channel.banks(0).size());
  const std::int64_t refreshes = counts.of(Command::REFab) + counts.of(Command::REFpb) / banks;
  if (refreshes == refreshes_) return refreshes == 0 && served_ >= kWithoutRefresh;
  refreshes_ = refreshes;
  return true;
}

void PeriodJump::compare(Channel& channel, Feed& feed, LatencyHistogram& latency, Tick& end) {
  const std::optional<BlockStream::Regular> regular = feed.regular();
  if (!regular || regular->round != round_ || bytes_ > kMostBytes) {
    seen_.clear();
    bytes_ = 0;
    if (!regular) return;
    round_ = regular->round;
  }
  StateKey key(channel.now(), regular->next / feed.row_bytes(), rows_);
  key.add(regular->next % feed.row_bytes());
  key.add(regular->written_share);
  key.add_past(end);
  channel.describe(key);
  feed.describe(key);

  const auto found = seen_.find(key.bytes());
  if (found == seen_.end()) {
    Seen seen{channel.now(), channel.mark(), latency, *regular, feed.atoms(), feed.code_atoms()};
    bytes_ += key.bytes().size() + sizeof seen + latency.bytes() +
              channel.banks(0).size_bytes() * static_cast<std::size_t>(channel.pseudo_channels());
    seen_.emplace(key.bytes(), std::move(seen));
    return;
  }
  const Seen& before = found->second;
  const std::int64_t blocks = before.regular.blocks_left - regular->blocks_left;
  const std::int64_t times = regular->blocks_left / blocks;
  if (times == 0) return;
  StateShift shift;
  shift.ticks = (channel.now() - before.now) * times;
  shift.rows = rows_;
  shift.row_step = blocks * regular->step / feed.row_bytes() % rows_ * (times % rows_) % rows_;
  latency.add(LatencyHistogram(latency), before.latency, times);
  channel.repeat(before.channel, times, shift);
  feed.repeat(before.atoms, before.code_atoms, times, blocks * times, shift);
  end += shift.ticks;
  jumped_ = true;
}

}  // namespace presil::dram
