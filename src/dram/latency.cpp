#include "dram/latency.h"

#include <algorithm>
#include <cmath>

namespace presil::dram {

void LatencyHistogram::add(const LatencyHistogram& later, const LatencyHistogram& earlier,
                           std::int64_t times) {
  counts_.resize(std::max(counts_.size(), later.counts_.size()));
  for (std::size_t i = 0; i < later.counts_.size(); ++i) {
    const std::int64_t before = i < earlier.counts_.size() ? earlier.counts_[i] : 0;
    counts_[i] += (later.counts_[i] - before) * times;
  }
  count_ += (later.count_ - earlier.count_) * times;
  sum_ += (later.sum_ - earlier.sum_) * times;
  max_ = std::max(max_, later.max_);
}

Tick LatencyHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(count_)));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && counts_[i] > 0) return floor_of(i);
  }
  return 0;
}

}  // namespace presil::dram
