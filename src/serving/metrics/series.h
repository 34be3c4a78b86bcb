// A run drawn as at most 300 points, however long it is.
//
// Time is cut into buckets of equal width. When the run outgrows them, neighbours are merged and
// the width doubles, so memory is constant. Points are means over their bucket.
#pragma once

#include <cstdint>
#include <vector>

#include "base/units.h"

namespace presil::serving {

/// What a service holds at one instant.
struct Level {
  std::int64_t waiting = 0;      // requests that no step has taken up yet
  std::int64_t running = 0;      // requests in batches
  std::int64_t used_blocks = 0;  // of KV, by requests
  std::int64_t blocks = 0;       // of KV, of all replicas with power
  std::int64_t replicas = 0;     // with power

  friend bool operator==(const Level&, const Level&) = default;
};

struct SeriesPoint {
  double t_s = 0;  // where its bucket begins
  double queue = 0;
  double running = 0;
  double kv_use = 0;  // share of the blocks
  double power_w = 0;
  double replicas = 0;
};

class TimeSeries {
 public:
  static constexpr std::size_t kPoints = 300;

  /// `level` held from `from` to `to`.
  void hold(Nanoseconds from, Nanoseconds to, const Level& level);
  /// `joules` were drawn evenly from `from` to `to`; at once when they are the same.
  void draw(Nanoseconds from, Nanoseconds to, double joules);

  /// Up to `end`, the end of the run; none for a run of no time.
  std::vector<SeriesPoint> points(Nanoseconds end) const;

 private:
  struct Bucket {  // integrals over its time
    double waiting = 0, running = 0, used_blocks = 0, blocks = 0, replicas = 0;  // x ns
    double joules = 0;
    void add(const Bucket& other);
  };
  void reach(Nanoseconds time);
  /// Calls add(bucket, nanoseconds of it) for each bucket that from..to touches.
  template <class F>
  void spread(Nanoseconds from, Nanoseconds to, F add);

  std::vector<Bucket> buckets_ = std::vector<Bucket>(kPoints);
  std::int64_t width_ = 1'000'000;  // ns; 1 ms at first
};

}  // namespace presil::serving
