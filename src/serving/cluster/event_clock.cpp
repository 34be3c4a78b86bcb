#include "serving/cluster/event_clock.h"

#include <bit>
#include <numeric>

#include "base/error.h"

namespace presil::serving {

EventClock::EventClock(int count) {
  CHECK(count > 0, "a tournament has a player");
  const std::size_t leaves = std::bit_ceil(static_cast<unsigned>(count));
  times_.assign(leaves, kLongestService);
  winners_.assign(2 * leaves, 0);
  std::iota(winners_.begin() + static_cast<std::ptrdiff_t>(leaves), winners_.end(), 0);
  for (std::size_t i = leaves - 1; i > 0; --i) winners_[i] = winners_[2 * i];
}

void EventClock::set(int number, Nanoseconds time) {
  times_[static_cast<std::size_t>(number)] = time;
  const auto time_of = [&](int player) { return times_[static_cast<std::size_t>(player)]; };
  for (std::size_t i = (times_.size() + static_cast<std::size_t>(number)) / 2; i > 0; i /= 2) {
    const int left = winners_[2 * i], right = winners_[2 * i + 1];
    winners_[i] = time_of(right) < time_of(left) ? right : left;
  }
}

}  // namespace presil::serving
