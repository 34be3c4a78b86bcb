#include "serving/metrics/series.h"

#include <algorithm>

namespace presil::serving {

void TimeSeries::Bucket::add(const Bucket& other) {
  waiting += other.waiting;
  running += other.running;
  used_blocks += other.used_blocks;
  blocks += other.blocks;
  replicas += other.replicas;
  joules += other.joules;
}

void TimeSeries::reach(Nanoseconds time) {
  constexpr auto kCount = static_cast<std::int64_t>(kPoints);
  while (time.count() / kCount >= width_) {
    for (std::size_t i = 0; i < kPoints / 2; ++i) {
      const Bucket right = buckets_[2 * i + 1];
      buckets_[i] = buckets_[2 * i];
      buckets_[i].add(right);
    }
    std::fill(buckets_.begin() + kPoints / 2, buckets_.end(), Bucket{});
    width_ *= 2;
  }
}

template <class F>
void TimeSeries::spread(Nanoseconds from, Nanoseconds to, F add) {
  reach(to);
  std::int64_t at = from.count();
  do {
    const std::int64_t index = at / width_;
    const std::int64_t stop = std::min(to.count(), (index + 1) * width_);
    add(buckets_[static_cast<std::size_t>(index)], stop - at);
    at = stop;
  } while (at < to.count());
}

void TimeSeries::hold(Nanoseconds from, Nanoseconds to, const Level& level) {
  if (from >= to) return;
  spread(from, to, [&](Bucket& bucket, std::int64_t ns) {
    const auto time = static_cast<double>(ns);
    bucket.waiting += static_cast<double>(level.waiting) * time;
    bucket.running += static_cast<double>(level.running) * time;
    bucket.used_blocks += static_cast<double>(level.used_blocks) * time;
    bucket.blocks += static_cast<double>(level.blocks) * time;
    bucket.replicas += static_cast<double>(level.replicas) * time;
  });
}

void TimeSeries::draw(Nanoseconds from, Nanoseconds to, double joules) {
  const auto whole = static_cast<double>((to - from).count());
  spread(from, to, [&](Bucket& bucket, std::int64_t ns) {
    bucket.joules += whole > 0 ? joules * (static_cast<double>(ns) / whole) : joules;
  });
}

std::vector<SeriesPoint> TimeSeries::points(Nanoseconds end) const {
  std::vector<SeriesPoint> points;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * width_;
    if (begin >= end.count()) break;
    const Bucket& bucket = buckets_[i];
    const auto time = static_cast<double>(std::min(width_, end.count() - begin));
    points.push_back({.t_s = static_cast<double>(begin) * 1e-9,
                      .queue = bucket.waiting / time,
                      .running = bucket.running / time,
                      .kv_use = bucket.blocks > 0 ? bucket.used_blocks / bucket.blocks : 0,
                      .power_w = bucket.joules / (time * 1e-9),
                      .replicas = bucket.replicas / time});
  }
  return points;
}

}  // namespace presil::serving
