#include "cycles/buffer.h"

#include <algorithm>

namespace presil {

Picoseconds Buffer::room_for(std::int64_t amount) const {
  Picoseconds when = drained_;
  std::int64_t held = held_;
  for (std::size_t i = 0; held > 0 && held + amount > capacity_; ++i) {
    if (i == released_.size()) return kForever;
    held -= released_[i].bytes;
    when = std::max(when, released_[i].time);
  }
  return when;
}

void Buffer::take(std::int64_t amount) {
  while (!released_.empty() && held_ + amount > capacity_) {
    held_ -= released_.front().bytes;
    drained_ = std::max(drained_, released_.front().time);
    released_.pop_front();
  }
  held_ += amount;
}

void Buffer::release(std::int64_t amount, Picoseconds time) {
  released_.push_back({amount, time});
}

}  // namespace presil
