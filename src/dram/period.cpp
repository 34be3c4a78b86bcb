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
  if (!regular) {
    saved_.reset();
    return;
  }
  StateKey key(channel.now(), regular->next / feed.row_bytes(), rows_);
  key.add(regular->next % feed.row_bytes());
  key.add(regular->written_share);
  key.add_past(end);
  channel.describe(key);
  feed.describe(key);

  if (saved_ && saved_->regular.round == regular->round && saved_->key == key) {
    const std::int64_t blocks = saved_->regular.blocks_left - regular->blocks_left;
    const std::int64_t times = regular->blocks_left / blocks;
    if (times > 0) {
      const std::int64_t bytes = blocks * regular->step;
      StateShift shift;
      shift.ticks = (channel.now() - saved_->key.now()) * times;
      shift.rows = rows_;
      shift.row_step = bytes / feed.row_bytes() % rows_ * (times % rows_) % rows_;
      const LatencyHistogram now = latency;
      latency.add(now, saved_->latency, times);
      channel.repeat(saved_->channel, times, shift);
      feed.repeat(saved_->atoms, saved_->code_atoms, times, blocks * times, shift);
      end += shift.ticks;
      jumped_ = true;
      saved_.reset();
      return;
    }
  }
  if (++looks_ < renew_at_ && saved_ && saved_->regular.round == regular->round) return;
  if (looks_ >= renew_at_) renew_at_ *= 2;
  saved_.emplace(
      Saved{std::move(key), channel.mark(), latency, *regular, feed.atoms(), feed.code_atoms()});
}

}  // namespace presil::dram
