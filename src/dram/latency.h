// Latencies in whole ticks, counted: exact below 65,536 ticks, within 1/64 above.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "dram/command.h"

namespace presil::dram {

class LatencyHistogram {
 public:
  static constexpr Tick kExact = 1 << 16;

  void add(Tick ticks, std::int64_t times = 1) {
    const std::size_t i = index(ticks);
    if (i >= counts_.size()) counts_.resize(i + 1);
    counts_[i] += times;
    count_ += times;
    sum_ += ticks * times;
    if (ticks > max_) max_ = ticks;
  }
  /// `times` times what was added to `later` since it was `earlier`.
  void add(const LatencyHistogram& later, const LatencyHistogram& earlier, std::int64_t times);
  void add(const LatencyHistogram& other) { add(other, {}, 1); }

  /// Of the memory it takes.
  std::size_t bytes() const { return counts_.capacity() * sizeof(counts_[0]); }
  std::int64_t count() const { return count_; }
  double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  Tick max() const { return max_; }
  /// The least latency that `share` (0 to 1) of all do not pass; 0 when there are none.
  Tick percentile(double share) const;
  /// By bucket: its least latency and how many fell in it; empty ones left out.
  template <class F>
  void for_each(F visit) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > 0) visit(floor_of(i), counts_[i]);
    }
  }

 private:
  /// Above kExact, 64 buckets for each doubling.
  static std::size_t index(Tick ticks) {
    if (ticks < kExact) return static_cast<std::size_t>(ticks);
    const int shift = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(ticks))) - 7;
    return static_cast<std::size_t>(kExact + (shift - 10) * 64 + (ticks >> shift) - 64);
  }
  static Tick floor_of(std::size_t index) {
    if (index < static_cast<std::size_t>(kExact)) return static_cast<Tick>(index);
    const auto above = static_cast<Tick>(index) - kExact;
    return (64 + above % 64) << (above / 64 + 10);
  }

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0, sum_ = 0;
  Tick max_ = 0;
};

}  // namespace presil::dram
