// Very many samples of a duration, each with a count: the gaps between tokens.
//
// A step gives the same gap to every sequence in it, so a sample is (duration, count). While there
// are few distinct durations they are kept as they are and percentiles are exact. Beyond that they
// go into bins no wider than 0.1 % of their value (1024 to each power of two); a bin answers with
// the mean of what it holds, so a percentile is off by less than 0.1 % and the mean by nothing.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/units.h"
#include "serving/metrics/percentiles.h"

namespace presil::serving {

class WeightedSamples {
 public:
  static constexpr std::size_t kDistinct = 4096;  // durations kept as they are

  /// `value` happened `count` times. Requires value >= 0 and count >= 0.
  void add(Nanoseconds value, std::int64_t count);
  void add(const WeightedSamples& other);

  std::int64_t count() const { return count_; }
  bool exact() const { return bins_.empty(); }

  /// In seconds, as numpy would from the samples one by one; NaN without samples.
  double mean() const;
  double percentile(double q) const;
  Summary summary() const;

 private:
  struct Bin {
    std::int64_t count = 0;
    double total_ns = 0;
  };
  void put(std::int64_t value, std::int64_t count, double total_ns);
  void spill();
  /// The value with `rank` smaller ones before it, in ns.
  double at(std::int64_t rank) const;

  std::map<std::int64_t, std::int64_t> distinct_;  // ns -> count
  std::vector<Bin> bins_;                          // by bin_of(); empty while exact
  std::int64_t count_ = 0;
  double total_ns_ = 0;
};

}  // namespace presil::serving
