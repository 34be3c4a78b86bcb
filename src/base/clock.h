// Cycles belong to a clock. A clock is a frequency in whole hertz; its edges are computed from the
// frequency in 128-bit arithmetic and rounded once, so a long run does not drift.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/units.h"

namespace presil {

/// A count of cycles of the clock named by `Tag`; counts of different clocks do not mix.
template <class Tag>
class Cycles {
 public:
  constexpr Cycles() = default;
  explicit constexpr Cycles(std::int64_t count) : count_(count) {}
  constexpr std::int64_t count() const { return count_; }

  friend constexpr auto operator<=>(Cycles, Cycles) = default;
  friend constexpr Cycles operator+(Cycles a, Cycles b) { return Cycles(a.count_ + b.count_); }
  friend constexpr Cycles operator-(Cycles a, Cycles b) { return Cycles(a.count_ - b.count_); }
  /// Cut to what 64 bits hold: see kLongestDuration.
  friend constexpr Cycles operator*(Cycles a, std::int64_t k) {
    const __int128_t product = static_cast<__int128_t>(a.count_) * k;
    constexpr __int128_t kMost = std::int64_t{1} << 62;
    return Cycles(static_cast<std::int64_t>(product < kMost ? product : kMost));
  }
  constexpr Cycles& operator+=(Cycles b) { return *this = *this + b; }

 private:
  std::int64_t count_ = 0;
};

using CoreCycles = Cycles<struct CoreClockTag>;
using DramCycles = Cycles<struct DramClockTag>;

/// Turns cycles of its own kind into time and back.
template <class Tag>
class Clock {
 public:
  /// Requires 1 Hz <= frequency <= 1 THz; the frequency is rounded to whole hertz.
  explicit Clock(Hertz frequency) : hertz_(static_cast<std::int64_t>(frequency.count() + 0.5)) {
    CHECK(hertz_ >= 1 && hertz_ <= 1'000'000'000'000, "a clock between 1 Hz and 1 THz");
  }

  Hertz frequency() const { return Hertz(static_cast<double>(hertz_)); }

  /// The time of edge number `cycle`, rounded up to a picosecond, at most kLongestDuration.
  Picoseconds edge(Cycles<Tag> cycle) const {
    const __int128_t product = static_cast<__int128_t>(cycle.count()) * kPicosecondsPerSecond;
    const __int128_t edge = (product + hertz_ - 1) / hertz_;
    constexpr __int128_t kMost = kLongestDuration.count();
    return Picoseconds(static_cast<std::int64_t>(edge < kMost ? edge : kMost));
  }

  /// The first edge at or after `time`.
  Cycles<Tag> cycle_at(Picoseconds time) const {
    const __int128_t product = static_cast<__int128_t>(time.count()) * hertz_;
    return Cycles<Tag>(
        static_cast<std::int64_t>((product + kPicosecondsPerSecond - 1) / kPicosecondsPerSecond));
  }

 private:
  static constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;
  std::int64_t hertz_;
};

using CoreClock = Clock<CoreClockTag>;
using DramClock = Clock<DramClockTag>;

}  // namespace presil
