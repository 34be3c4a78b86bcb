#include "serving/cluster/event_clock.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/draws.h"

namespace presil::serving {
namespace {

TEST(EventClock, RingsTheEarliestAndOfEqualsTheFirst) {
  EventClock clock(3);
  EXPECT_EQ(clock.time(), kLongestService);

  clock.set(2, Nanoseconds(5));
  EXPECT_EQ(clock.first(), 2);
  clock.set(1, Nanoseconds(5));
  EXPECT_EQ(clock.first(), 1);
  clock.set(1, kLongestService);
  EXPECT_EQ(clock.first(), 2);
  EXPECT_EQ(clock.time(), Nanoseconds(5));
}

TEST(EventClock, AgreesWithAPlainSearch) {
  for (const int count : {1, 2, 5, 8, 33}) {
    EventClock clock(count);
    std::vector<Nanoseconds> times(static_cast<std::size_t>(count), kLongestService);
    Draws draws(1, 2, static_cast<std::uint64_t>(count));
    for (int i = 0; i < 2000; ++i) {
      const auto number = draws.below(static_cast<std::uint64_t>(count));
      const Nanoseconds time(static_cast<std::int64_t>(draws.below(50)));
      times[number] = time;
      clock.set(static_cast<int>(number), time);
      ASSERT_EQ(clock.first(), std::min_element(times.begin(), times.end()) - times.begin());
    }
  }
}

}  // namespace
}  // namespace presil::serving
