// How latency grows as a memory is loaded: the same requests, offered faster and faster.
//
// The points are shares of what the memory serves when requests never run out, close together where
// the curve bends, and beyond that two that it cannot serve: their queues grow as long as the run
// lasts, so their latency says only that.
#pragma once

#include <functional>
#include <vector>

#include "dram/run/simulate.h"

namespace presil::dram {

struct LoadPoint {
  double load = 0;  // offered, as a share of the peak
  BytesPerSecond offered, served;
  Seconds mean, p50, p99, most;  // latency, from readiness to the last data
  bool saturated = false;        // offered more than `without_limit` served
};

/// The loads of a curve, rising, for a memory that serves `most` of its peak (0 to 1). 1 is the
/// last.
std::vector<double> curve_loads(double most);

/// Simulates `input` at each load, on all threads. `without_limit` is the result of the same input
/// without a load. `on_point` is called as each is done, by any thread. Throws as simulate() does.
std::vector<LoadPoint> load_curve(const SimulationInput& input,
                                  const SimulationResult& without_limit,
                                  const std::function<void()>& on_point);

}  // namespace presil::dram
