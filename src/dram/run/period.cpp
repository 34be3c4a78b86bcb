#include "dram/run/period.h"

#include <algorithm>
#include <utility>

namespace presil::dram {

bool PeriodJump::is_cut(const Channel& channel) {
  const ChannelCounts& counts = channel.counts(0);
  const std::int64_t all = counts.of(Command::REFab), one = counts.of(Command::REFpb);
  if (all + one == 0) return served_ >= kWithoutRefresh;
  const auto banks = static_cast<std::int64_t>(channel.banks(0).size());
  if (all == refreshes_all_ && one < refreshes_one_ + banks) return false;
  refreshes_all_ = all;
  refreshes_one_ += one >= refreshes_one_ + banks ? banks : 0;
  return true;
}

void PeriodJump::forget() {
  seen_.clear();
  bytes_ = 0;
  checkpoints_.clear();
  states_ = 0;
  states_per_checkpoint_ = 1;
}

void PeriodJump::keep_checkpoint(const Channel& channel, const Feed& feed,
                                 const LatencyHistogram& latency, Tick end,
                                 std::int64_t blocks_left) {
  if (states_++ % states_per_checkpoint_ != 0) return;
  checkpoints_.push_back({blocks_left, channel, feed, latency, end});
  if (checkpoints_.size() < kCheckpoints) return;
  for (std::size_t i = 1; 2 * i < checkpoints_.size(); ++i) {
    checkpoints_[i] = std::move(checkpoints_[2 * i]);
  }
  checkpoints_.erase(checkpoints_.begin() + kCheckpoints / 2, checkpoints_.end());
  states_per_checkpoint_ *= 2;
}

void PeriodJump::compare(Channel& channel, Feed& feed, LatencyHistogram& latency, Tick& end) {
  const std::optional<BlockStream::Regular> regular = feed.regular();
  if (!regular || regular->round != round_ || bytes_ > kMostBytes) {
    forget();
    if (!regular) return;
    round_ = regular->round;
  }
  StateKey key(channel.now(), regular->next / feed.row_bytes(), rows_);
  key.add(regular->next % feed.row_bytes());
  key.add(regular->written_share);
  key.add_past(end);
  channel.describe(key);
  feed.describe(key);

  const Seen now{channel.now(),        channel.mark(), latency,
                 regular->blocks_left, feed.atoms(),   feed.code_atoms()};
  const auto [found, is_new] = seen_.try_emplace(key.bytes(), now);
  if (is_new) {
    bytes_ += key.bytes().size() + sizeof now + latency.bytes() +
              channel.banks(0).size_bytes() * static_cast<std::size_t>(channel.pseudo_channels());
    keep_checkpoint(channel, feed, latency, end, regular->blocks_left);
    return;
  }
  const Seen& before = found->second;
  const std::int64_t period = before.blocks_left - now.blocks_left;
  std::int64_t times = now.blocks_left / period;
  if (times == 0) return;
  // From a checkpoint of the period found it is one period more to here.
  const std::int64_t rest = now.blocks_left % period;
  const Checkpoint* nearest = nullptr;
  for (const Checkpoint& checkpoint : checkpoints_) {
    const std::int64_t into = before.blocks_left - checkpoint.blocks_left;
    if (into >= 0 && into <= rest) nearest = &checkpoint;
  }
  if (nearest != nullptr) {
    channel = nearest->channel;
    feed = nearest->feed;
    latency = nearest->latency;
    end = nearest->end;
    ++times;
  }
  StateShift shift;
  shift.ticks = (now.now - before.now) * times;
  shift.rows = rows_;
  shift.row_step = period * regular->step / feed.row_bytes() % rows_ * (times % rows_) % rows_;
  channel.repeat(before.channel, now.channel, times, shift);
  feed.skip(period * times, (now.atoms - before.atoms) * times,
            (now.code_atoms - before.code_atoms) * times, shift);
  latency.add(now.latency, before.latency, times);
  end += shift.ticks;
  jumped_ = true;
  forget();
}

}  // namespace presil::dram
