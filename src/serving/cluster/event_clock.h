// Which of many clocks rings first: a tournament over their times.
#pragma once

#include <cstdint>
#include <vector>

#include "base/units.h"

namespace presil::serving {

/// Setting a time takes log2(count) comparisons, asking for the first none. Of clocks that ring at
/// the same time the one with the smallest number is first.
class EventClock {
 public:
  /// All at kLongestService. Requires count > 0.
  explicit EventClock(int count);

  void set(int number, Nanoseconds time);
  int first() const { return winners_[1]; }
  Nanoseconds time() const { return times_[static_cast<std::size_t>(first())]; }

 private:
  std::vector<Nanoseconds> times_;  // a power of two of them
  std::vector<int> winners_;        // of a binary tree: children of i at 2i and 2i + 1
};

}  // namespace presil::serving
