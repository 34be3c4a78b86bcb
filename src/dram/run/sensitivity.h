// What an answer owes to numbers that nobody published: each estimated timing is scaled by itself,
// and what then moves is the answer's doubt.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dram/run/simulate.h"

namespace presil::dram {

/// One timing, shorter and longer. Changes are relative to the unchanged part: 0.01 is 1 % more.
struct Sensitivity {
  struct Change {
    std::int64_t clocks = 0;            // of the timing, at the rate of the run
    double bandwidth = 0, latency = 0;  // latency: the mean
  };

  std::string timing;
  std::int64_t clocks = 0;  // unchanged
  Change shorter, longer;
};

/// The timings of `part` that its file calls estimates, or gives no source for.
std::vector<std::string> estimated_timings(const MemoryPart& part);

/// `timing` x `factor`: its time where it has one, else its clock cycles, rounded away from what
/// they were. Spacing of bursts is not cut below a burst.
MemoryPart with_scaled_timing(const MemoryPart& part, std::string_view timing, double factor);

/// Scales each estimated timing of `input.part` by 1 - `share` and 1 + `share`, on all threads;
/// what moves the bandwidth most comes first, then what moves the latency. `base` is the result of
/// `input`. `on_run` is called as each simulation is done, by any thread. Throws as simulate()
/// does.
std::vector<Sensitivity> sensitivity(const SimulationInput& input, const SimulationResult& base,
                                     double share, const std::function<void()>& on_run);

}  // namespace presil::dram
