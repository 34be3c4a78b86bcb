#include "serving/metrics/weighted_samples.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/error.h"

namespace presil::serving {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr int kBinBits = 10;  // 2^10 bins to each power of two: at most 0.098 % wide

// Values below 2^10 have a bin each; above, the leading 11 bits name the bin.
std::size_t bin_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const int width = static_cast<int>(std::bit_width(bits));
  if (width <= kBinBits) return static_cast<std::size_t>(bits);
  const int shift = width - kBinBits - 1;
  const auto octave = static_cast<std::size_t>(shift) << kBinBits;
  return octave + static_cast<std::size_t>(bits >> shift);
}

}  // namespace

void WeightedSamples::add(Nanoseconds value, std::int64_t count) {
  CHECK(value.count() >= 0 && count >= 0, "a duration and a count are not negative");
  if (count == 0) return;
  put(value.count(), count, static_cast<double>(value.count()) * static_cast<double>(count));
}

void WeightedSamples::add(const WeightedSamples& other) {
  for (const auto& [value, count] : other.distinct_) add(Nanoseconds(value), count);
  for (const Bin& bin : other.bins_) {
    if (bin.count == 0) continue;
    // The mean of what a bin holds lies in the bin.
    put(static_cast<std::int64_t>(bin.total_ns / static_cast<double>(bin.count)), bin.count,
        bin.total_ns);
  }
}

void WeightedSamples::put(std::int64_t value, std::int64_t count, double total_ns) {
  count_ += count;
  total_ns_ += total_ns;
  if (bins_.empty()) {
    distinct_[value] += count;
    if (distinct_.size() > kDistinct) spill();
    return;
  }
  Bin& bin = bins_[bin_of(value)];
  bin.count += count;
  bin.total_ns += total_ns;
}

void WeightedSamples::spill() {
  bins_.resize(bin_of(std::numeric_limits<std::int64_t>::max()) + 1);
  for (const auto& [value, count] : distinct_) {
    Bin& bin = bins_[bin_of(value)];
    bin.count += count;
    bin.total_ns += static_cast<double>(value) * static_cast<double>(count);
  }
  distinct_.clear();
}

double WeightedSamples::at(std::int64_t rank) const {
  std::int64_t before = 0;
  for (const auto& [value, count] : distinct_) {
    before += count;
    if (before > rank) return static_cast<double>(value);
  }
  for (const Bin& bin : bins_) {
    before += bin.count;
    if (before > rank) return bin.total_ns / static_cast<double>(bin.count);
  }
  return kNoValue;
}

double WeightedSamples::mean() const {
  return count_ == 0 ? kNoValue : total_ns_ / static_cast<double>(count_) * 1e-9;
}

double WeightedSamples::percentile(double q) const {
  if (count_ == 0) return kNoValue;
  const PercentileRank rank = percentile_rank(q, static_cast<std::size_t>(count_));
  const auto below = static_cast<std::int64_t>(rank.below);
  const double low = at(below);
  const double high = at(std::min(below + 1, count_ - 1));
  return (low + (high - low) * rank.fraction) * 1e-9;
}

Summary WeightedSamples::summary() const {
  return {mean(), percentile(50), percentile(90), percentile(99)};
}

}  // namespace presil::serving
